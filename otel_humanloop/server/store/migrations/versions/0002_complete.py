"""What the complete API needs: feedback, versions with a status, environments, API keys, and words to search."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables, and fills what follows from what is there."""
    op.add_column("configs", sa.Column("model", sa.Text(), nullable=True))
    op.add_column("configs", sa.Column("status", sa.Text(), nullable=False, server_default="uncommitted"))
    op.create_table(
        "feedback",
        sa.Column("key", _KEY, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("log", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False, comment="the value as filters and sorts compare it"),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("user", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["log"], ["logs.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("feedback_log", "feedback", ["log", "type"], unique=False)
    op.create_table(
        "environments",
        sa.Column("key", _KEY, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "deployments",
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("environment", sa.BigInteger(), nullable=False),
        sa.Column("config", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.key"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["environment"], ["environments.key"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["config"], ["configs.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project", "environment"),
    )
    op.create_table(
        "api_keys",
        sa.Column("key", _KEY, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="SHA-256 of the key, in hex; the key itself is kept nowhere"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "unindexed",
        sa.Column("log", _KEY, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("log"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE log_words USING fts5(words, detail=none, columnsize=0, tokenize='ascii', prefix='3')"
        )
    else:
        op.execute("CREATE TABLE log_words (log bigint PRIMARY KEY, words tsvector NOT NULL)")
        op.execute("CREATE INDEX log_words_words ON log_words USING gin (words)")
    _fill()


def _fill() -> None:
    connection = op.get_bind()
    configs = sa.table("configs", sa.column("key"), sa.column("type"), sa.column("body"), sa.column("model"))
    rows = connection.execute(sa.select(configs.c.key, configs.c.body).where(configs.c.type == "model")).all()
    for key, body in rows:
        connection.execute(sa.update(configs).where(configs.c.key == key).values(model=json.loads(body).get("model")))
    op.execute("UPDATE configs SET status = 'committed' WHERE key IN (SELECT active_config FROM projects)")
    op.execute("INSERT INTO unindexed SELECT key FROM logs")


def downgrade() -> None:
    """Drops them."""
    for table in ("log_words", "unindexed", "api_keys", "deployments", "environments", "feedback"):
        op.drop_table(table)
    with op.batch_alter_table("configs") as configs:
        configs.drop_column("status")
        configs.drop_column("model")
