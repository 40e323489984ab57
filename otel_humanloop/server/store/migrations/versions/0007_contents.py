"""Contents in a table of their own, compressed; an index of words that keeps no text."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from otel_humanloop.server.store.packing import pack, unpack

revision = "0007"
down_revision = "0006"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PIECE = 500
_WORDS = ("log_words", "log_facts")

_logs = sa.table("logs", sa.column("key"), sa.column("content"))
_contents = sa.table("contents", sa.column("log"), sa.column("content"))


def upgrade() -> None:
    """Moves the contents, and has all words read anew: what is an id or says where a field was read is none."""
    op.create_table(
        "contents",
        sa.Column("log", _KEY, autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="as `packing.py` makes it of JSON"),
        sa.ForeignKeyConstraint(["log"], ["logs.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("log"),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute("ALTER TABLE contents ALTER COLUMN content SET STORAGE EXTERNAL")  # it is compressed already
    connection = op.get_bind()
    for rows in _pieces(connection, _logs.c.key, _logs.c.content):
        connection.execute(sa.insert(_contents), [{"log": key, "content": pack(content)} for key, content in rows])
    op.drop_column("logs", "content")
    if sqlite:
        op.execute("DROP TABLE log_words")
        for name in _WORDS:
            op.execute(
                f"CREATE VIRTUAL TABLE {name} USING "
                "fts5(words, content='', columnsize=0, detail=none, tokenize='ascii')"
            )
    else:
        op.execute("DELETE FROM log_words")
    op.execute("DELETE FROM unindexed")
    op.execute("INSERT INTO unindexed SELECT key FROM logs")


def _pieces(
    connection: sa.Connection, key: sa.ColumnElement[int], content: sa.ColumnElement[bytes]
) -> Iterator[list[tuple[int, bytes]]]:
    after = 0
    while rows := connection.execute(sa.select(key, content).where(key > after).order_by(key).limit(_PIECE)).all():
        after = rows[-1][0]
        yield [(row[0], row[1]) for row in rows]


def downgrade() -> None:
    """Moves them back; the index of words is left to be read anew."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    empty = "x''" if sqlite else "''::bytea"
    op.add_column("logs", sa.Column("content", sa.LargeBinary(), nullable=False, server_default=sa.text(empty)))
    given = sa.update(_logs).where(_logs.c.key == sa.bindparam("at")).values(content=sa.bindparam("said"))
    for rows in _pieces(connection, _contents.c.log, _contents.c.content):
        connection.execute(given, [{"at": key, "said": unpack(content)} for key, content in rows])
    op.drop_table("contents")
    if sqlite:
        for name in _WORDS:
            op.execute(f"DROP TABLE {name}")
        op.execute(
            "CREATE VIRTUAL TABLE log_words USING fts5(words, detail=none, columnsize=0, tokenize='ascii', prefix='3')"
        )
    else:
        op.execute("DELETE FROM log_words")
    op.execute("DELETE FROM unindexed")
    op.execute("INSERT INTO unindexed SELECT key FROM logs")
