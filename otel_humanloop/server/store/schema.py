"""The tables. Made and changed by the migrations beside this file; a test holds the two together.

Keys (`key`) are integers the single writer hands out in order of arrival; ids (`id`) are what the API shows. Times are
integer microseconds since the epoch, UTC. `body`, `value` and `glimpse` are JSON as UTF-8 bytes: a JSON string may hold
U+0000, which PostgreSQL's text cannot.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

_KEY = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite's row id is spelled INTEGER, and only so."""

projects = Table(
    "projects",
    metadata,
    Column("key", _KEY, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("directory_id", Text),
    Column("config_type", Text),
    Column("active_config", BigInteger),
    Column("logs", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

configs = Table(
    "configs",
    metadata,
    Column("key", _KEY, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("project", BigInteger, ForeignKey("projects.key", ondelete="CASCADE"), nullable=False),
    Column("hash", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("model", Text),
    Column("status", Text, nullable=False, server_default="uncommitted"),
    Column("body", LargeBinary, nullable=False),
    Column("logs", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("last_used", BigInteger, nullable=False),
    UniqueConstraint("project", "hash", name="configs_project_hash"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("key", _KEY, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("reference_id", Text, unique=True),
    Column("logs", BigInteger, nullable=False),
    Column("first_log", BigInteger),
    Column("last_log", BigInteger),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False, comment="in 1e-12 US dollars: whole numbers add up in any order"),
    Column("errors", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("counted", BigInteger, nullable=False, server_default="0"),
    Column("priced", BigInteger, nullable=False, server_default="0"),
    Column("duration", BigInteger, nullable=False, server_default="0", comment="in microseconds"),
    Column("tokens", BigInteger, nullable=False, server_default="0"),
    Index("sessions_started", "started_at", "key"),
    Index("sessions_logs", "logs", "key"),
    Index("sessions_cost", "cost", "key"),
    Index("sessions_duration", "duration", "key"),
    Index("sessions_tokens", "tokens", "key"),
)

_failed = sessions.c.errors > 0
Index("sessions_failed", sessions.c.started_at, sessions.c.key, sqlite_where=_failed, postgresql_where=_failed)

session_projects = Table(
    "session_projects",
    metadata,
    Column("session", BigInteger, ForeignKey("sessions.key", ondelete="CASCADE"), primary_key=True),
    Column("project", BigInteger, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True),
    Column("logs", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False, comment="of the project's first log in the session"),
    Index("session_projects_project", "project", "started_at", "session"),
)

logs = Table(
    "logs",
    metadata,
    Column("key", _KEY, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("project", BigInteger, ForeignKey("projects.key"), nullable=False),
    Column("config", BigInteger, ForeignKey("configs.key"), nullable=False),
    Column("session", BigInteger, ForeignKey("sessions.key")),
    Column("reference_id", Text),
    Column("parent", BigInteger),
    Column("parent_reference_id", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("duration", Float),
    Column("prompt_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("prompt_cost", Float),
    Column("output_cost", Float),
    Column("failed", Boolean, nullable=False),
    Column("saved", Boolean, nullable=False),
    Column("source", Text),
    Column("environment", Text),
    Column("glimpse", LargeBinary, nullable=False, comment="what lists show of the content, as JSON"),
    UniqueConstraint("reference_id", "session", name="logs_reference"),
    Index("logs_session", "session", "started_at"),
    Index("logs_project", "project", "created_at"),
    Index("logs_config", "config"),
)

# Both hold only what is looked for in them: SQLite would otherwise find the logs that wait for a parent by going
# through all that have none.
_has_parent = logs.c.parent.is_not(None)
Index("logs_parent", logs.c.parent, sqlite_where=_has_parent, postgresql_where=_has_parent)
waits = logs.c.parent.is_(None) & logs.c.parent_reference_id.is_not(None)
"""A log whose parent has been named and not been found."""
Index("logs_waiting", logs.c.parent_reference_id, sqlite_where=waits, postgresql_where=waits)

contents = Table(
    "contents",
    metadata,
    Column("log", _KEY, ForeignKey("logs.key", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False, comment="as `packing.py` makes it of JSON"),
)
"""What logs hold, apart from them, so that whoever reads many logs reads nothing that is large."""

feedback = Table(
    "feedback",
    metadata,
    Column("key", _KEY, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("log", BigInteger, ForeignKey("logs.key", ondelete="CASCADE"), nullable=False),
    Column("type", Text, nullable=False),
    Column("label", Text, nullable=False, comment="the value as filters and sorts compare it"),
    Column("value", LargeBinary, nullable=False),
    Column("user", Text),
    Column("created_at", BigInteger, nullable=False),
    Index("feedback_log", "log", "type"),
)
"""What people say about logs. `value` is JSON."""

environments = Table(
    "environments",
    metadata,
    Column("key", _KEY, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
)
"""Environments besides the default one, whose deployments are the projects' `active_config`."""

deployments = Table(
    "deployments",
    metadata,
    Column("project", BigInteger, ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True),
    Column("environment", BigInteger, ForeignKey("environments.key", ondelete="CASCADE"), primary_key=True),
    Column("config", BigInteger, ForeignKey("configs.key", ondelete="CASCADE"), nullable=False),
)
"""Which version of a project is deployed to an environment."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("key", _KEY, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the key, in hex; the key itself is kept nowhere"),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

unindexed = Table(
    "unindexed",
    metadata,
    Column("log", _KEY, primary_key=True, autoincrement=False),
)
"""Logs whose words are not in the index yet."""

attachments = Table(
    "attachments",
    metadata,
    Column("sha256", Text, primary_key=True, comment="of the bytes, in hex"),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    Index("attachments_created", "created_at"),
)
"""Pictures, sound and files that were too large for their messages: each once, however many logs hold it."""

attached = Table(
    "attached",
    metadata,
    Column("log", BigInteger, ForeignKey("logs.key", ondelete="CASCADE"), primary_key=True),
    Column("sha256", Text, primary_key=True, comment="of an attachment, which may be still to come, or never come"),
    Index("attached_sha256", "sha256"),
)
"""Which logs name which attachments. An attachment that none names is deleted."""
