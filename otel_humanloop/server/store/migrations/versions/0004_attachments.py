"""Attachments: what was too large for a message, kept once by the hash of its bytes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "attachments",
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the bytes, in hex"),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("attachments_created", "attachments", ["created_at"], unique=False)
    op.create_table(
        "attached",
        sa.Column("log", sa.BigInteger(), nullable=False),
        sa.Column(
            "sha256",
            sa.Text(),
            nullable=False,
            comment="of an attachment, which may be still to come, or never come",
        ),
        sa.ForeignKeyConstraint(["log"], ["logs.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("log", "sha256"),
    )
    op.create_index("attached_sha256", "attached", ["sha256"], unique=False)


def downgrade() -> None:
    """Drops them."""
    op.drop_table("attached")
    op.drop_table("attachments")
