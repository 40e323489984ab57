"""How many of a session's logs state tokens and a cost: a sum of none is not known, which is not nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_COUNTED = """
UPDATE sessions SET counted = found.counted, priced = found.priced
FROM (
    SELECT session,
        sum(CASE WHEN prompt_tokens IS NULL AND output_tokens IS NULL THEN 0 ELSE 1 END) AS counted,
        sum(CASE WHEN prompt_cost IS NULL AND output_cost IS NULL THEN 0 ELSE 1 END) AS priced
    FROM logs WHERE session IS NOT NULL GROUP BY session
) AS found
WHERE found.session = sessions.key
"""


def upgrade() -> None:
    """Adds the counts, and counts."""
    for name in ("counted", "priced"):
        op.add_column("sessions", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(_COUNTED)


def downgrade() -> None:
    """Drops them."""
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_column("priced")
        sessions.drop_column("counted")
