"""Alembic's own layout: `env.py` is run by it, `versions/` holds one file a change of schema."""
