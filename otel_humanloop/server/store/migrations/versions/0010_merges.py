"""SQLite's index of words puts eight pieces together at once, not four: each word is written less often again."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

_INDEXES = ("log_words", "log_facts")


def upgrade() -> None:
    """Says so to the index; PostgreSQL's has no pieces."""
    _put_together(8)


def downgrade() -> None:
    """As SQLite has it where nothing is said."""
    _put_together(4)


def _put_together(pieces: int) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in _INDEXES:
            op.execute(f"INSERT INTO {name} ({name}, rank) VALUES ('automerge', {pieces})")
