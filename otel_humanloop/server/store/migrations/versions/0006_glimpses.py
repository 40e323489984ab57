"""Glimpses: what lists show of a log's content, kept beside it."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from alembic import op

from otel_humanloop.server.store.glimpses import glimpse_of
from otel_humanloop.server.store.records import Content

revision = "0006"
down_revision = "0005"

_PIECE = 500
_CONTENT = msgspec.json.Decoder(Content)


def upgrade() -> None:
    """Adds the column, and fills it from the contents."""
    empty = "x''" if op.get_bind().dialect.name == "sqlite" else "''::bytea"
    column = sa.Column(
        "glimpse",
        sa.LargeBinary(),
        nullable=False,
        server_default=sa.text(empty),
        comment="what lists show of the content, as JSON",
    )
    op.add_column("logs", column)
    connection = op.get_bind()
    logs = sa.table("logs", sa.column("key"), sa.column("content"), sa.column("glimpse"))
    given = sa.update(logs).where(logs.c.key == sa.bindparam("at")).values(glimpse=sa.bindparam("seen"))
    after = 0
    while True:
        wanted = sa.select(logs.c.key, logs.c.content).where(logs.c.key > after).order_by(logs.c.key).limit(_PIECE)
        rows = connection.execute(wanted).all()
        if not rows:
            break
        after = rows[-1].key
        connection.execute(given, [{"at": row.key, "seen": glimpse_of(_CONTENT.decode(row.content))} for row in rows])


def downgrade() -> None:
    """Drops it."""
    op.drop_column("logs", "glimpse")
