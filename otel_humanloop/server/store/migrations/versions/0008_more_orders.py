"""Orders of the list of sessions that were sums: by duration and by tokens; and those with errors by their start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SUMMED = """
UPDATE sessions SET
    duration = ended_at - started_at,
    tokens = CASE
        WHEN prompt_tokens > 9223372036854775807 - output_tokens THEN 9223372036854775807
        ELSE prompt_tokens + output_tokens
    END
"""
_FAILED = sa.text("errors > 0")


def upgrade() -> None:
    """Adds the columns, fills them, and makes the indexes."""
    for name, comment in (("duration", "in microseconds"), ("tokens", None)):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0", comment=comment)
        op.add_column("sessions", column)
    op.execute(_SUMMED)
    op.create_index("sessions_duration", "sessions", ["duration", "key"], unique=False)
    op.create_index("sessions_tokens", "sessions", ["tokens", "key"], unique=False)
    op.create_index(
        "sessions_failed",
        "sessions",
        ["started_at", "key"],
        unique=False,
        sqlite_where=_FAILED,
        postgresql_where=_FAILED,
    )


def downgrade() -> None:
    """Drops them."""
    for name in ("failed", "tokens", "duration"):
        op.drop_index(f"sessions_{name}", "sessions")
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_column("tokens")
        sessions.drop_column("duration")
