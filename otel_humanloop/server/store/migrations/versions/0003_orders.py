"""Orders of lists: sessions by how many logs they have and by cost, the logs of a version."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the indexes."""
    op.create_index("sessions_logs", "sessions", ["logs", "key"], unique=False)
    op.create_index("sessions_cost", "sessions", ["cost", "key"], unique=False)
    op.create_index("logs_config", "logs", ["config"], unique=False)


def downgrade() -> None:
    """Drops them."""
    op.drop_index("logs_config", "logs")
    op.drop_index("sessions_cost", "sessions")
    op.drop_index("sessions_logs", "sessions")
