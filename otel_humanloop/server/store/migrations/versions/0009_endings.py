"""What SQLite's index of words holds, by word: a search asks it how a word may go on."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

_INDEXES = ("log_words", "log_facts")


def upgrade() -> None:
    """Makes the views into the index; PostgreSQL needs none."""
    if op.get_bind().dialect.name == "sqlite":
        for name in _INDEXES:
            op.execute(f"CREATE VIRTUAL TABLE {name}_terms USING fts5vocab({name}, row)")


def downgrade() -> None:
    """Drops them."""
    if op.get_bind().dialect.name == "sqlite":
        for name in _INDEXES:
            op.execute(f"DROP TABLE {name}_terms")
