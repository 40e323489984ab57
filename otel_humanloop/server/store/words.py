"""Which words stand in a log, and which logs hold some words: full-text search, the same on every database.

Words are made here, not by the database, so that both find the same: letters and digits, without case, each once. A
letter in front says where a word stands, `c` in the content and `m` in the metadata. A search finds logs that hold all
of its words, each of which may be the beginning of one. Where a script has no spaces, each character is a word. Whom a
log was made for stands there as one word more, so that a user is found by the whole name and by nothing else.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    column,
    delete,
    false,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from otel_humanloop.server.store.records import Content
from otel_humanloop.server.store.rows import chunks
from otel_humanloop.server.store.schema import logs, unindexed

CONTENT_WORDS = "c"
METADATA_WORDS = "m"
_USER_WORD = "u"

_SEARCHED = ("inputs", "messages", "output", "output_message", "error", "stdout")
_MOST_CHARACTERS = 200_000
"""Of a log's content; what stands behind is not found."""
_MOST_WORDS = 10_000
_LONGEST_WORD = 100

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_CONTENT = msgspec.json.Decoder(Content)

_words = table("log_words", column("log"), column("rowid", Integer), column("words"))


class _Metadata(msgspec.Struct, frozen=True):
    """Of a log's metadata, whom it was made for."""

    user: Any = None


_USER = msgspec.json.Decoder(_Metadata)


class Reading(msgspec.Struct, frozen=True):
    """The words of one log, as it was when they were read."""

    log: int
    id: str | None
    updated_at: int | None
    words: list[str]


def words_of(said: str) -> list[str]:
    """The words of a text, in order."""
    plain = unicodedata.normalize("NFKC", said).casefold()
    return [word[:_LONGEST_WORD] for word in _WORD.findall(plain)]


def mark(tx: Connection, keys: list[int]) -> None:
    """Notes that the words of these logs are to be read again."""
    if keys:
        statement = text("INSERT INTO unindexed (log) VALUES (:log) ON CONFLICT DO NOTHING")
        tx.execute(statement, [{"log": key} for key in keys])


def waiting(tx: Connection) -> int:
    """How many logs a search does not find as they are now."""
    return int(tx.execute(select(func.count()).select_from(unindexed)).scalar_one())


def read(tx: Connection, most: int) -> list[Reading]:
    """The words of some of the logs that are to be read. A log that is gone has none."""
    statement = (
        select(unindexed.c.log, logs.c.id, logs.c.updated_at, logs.c.content)
        .outerjoin(logs, logs.c.key == unindexed.c.log)
        .order_by(unindexed.c.log)
        .limit(most)
    )
    return [
        Reading(row.log, row.id, row.updated_at, [] if row.content is None else _content_words(row.content))
        for row in tx.execute(statement)
    ]


def keep(tx: Connection, readings: list[Reading]) -> None:
    """Writes words into the index, except of logs that changed since they were read."""
    states: dict[int, tuple[str, int]] = {}
    keys = [reading.log for reading in readings]
    for chunk in chunks(keys):
        for row in tx.execute(select(logs.c.key, logs.c.id, logs.c.updated_at).where(logs.c.key.in_(chunk))):
            states[row.key] = (row.id, row.updated_at)
    current = [r for r in readings if states.get(r.log, (None, None)) == (r.id, r.updated_at)]
    done = [reading.log for reading in current]
    sqlite = tx.dialect.name == "sqlite"
    place = _words.c.rowid if sqlite else _words.c.log
    for chunk in chunks(done):
        tx.execute(delete(_words).where(place.in_(chunk)))
        tx.execute(delete(unindexed).where(unindexed.c.log.in_(chunk)))
    found = [reading for reading in current if reading.words]
    if not found:
        return
    if sqlite:
        rows: list[dict[str, Any]] = [{"log": r.log, "words": " ".join(r.words)} for r in found]
        tx.execute(text("INSERT INTO log_words (rowid, words) VALUES (:log, :words)"), rows)
    else:
        rows = [{"log": r.log, "words": r.words} for r in found]
        statement = "INSERT INTO log_words (log, words) VALUES (:log, array_to_tsvector(CAST(:words AS text[])))"
        tx.execute(text(statement), rows)


def holds(tx: Connection, kind: str, said: str) -> ColumnElement[bool]:
    """Does a log hold all words of `said`? `kind` is `CONTENT_WORDS` or `METADATA_WORDS`."""
    wanted = dict.fromkeys(kind + word for word in words_of(said))
    if not wanted:
        return false()
    if tx.dialect.name == "sqlite":
        query = literal(" AND ".join(f'"{word}"*' for word in wanted))
        return logs.c.key.in_(select(_words.c.rowid).where(column("log_words").op("MATCH")(query)))
    lexemes = sa.cast(literal(" & ".join(f"'{word}':*" for word in wanted)), TSQUERY)
    matches = _words.c.words.op("@@", is_comparison=True)(lexemes)
    return logs.c.key.in_(select(_words.c.log).where(matches))


def is_of_user(tx: Connection, user: str) -> ColumnElement[bool]:
    """Does a log's metadata name this user, and no other?"""
    return holds(tx, _USER_WORD, _user_word(user))


def _user_word(user: str) -> str:
    return hashlib.sha256(user.encode()).hexdigest()[:32]


def _content_words(blob: bytes) -> list[str]:
    content = _CONTENT.decode(blob)
    found: dict[str, None] = {}
    user = _USER.decode(content.metadata).user if content.metadata is not msgspec.UNSET else None
    of_user = [_USER_WORD + _user_word(user)] if isinstance(user, str) else []
    for kind, fields in ((CONTENT_WORDS, _SEARCHED), (METADATA_WORDS, ("metadata",))):
        room = _MOST_CHARACTERS
        values = [raw for field in fields if (raw := getattr(content, field)) is not msgspec.UNSET]
        for said in _texts([msgspec.json.decode(raw) for raw in values]):
            found.update((kind + word, None) for word in words_of(said[:room]))
            room -= len(said)
            if room <= 0 or len(found) > _MOST_WORDS:
                break
    return [*sorted(found)[:_MOST_WORDS], *of_user]


def _texts(value: Any) -> Iterator[str]:
    """Everything that can be read in a JSON value: names, strings, numbers."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, child in cast("dict[str, Any]", value).items():
            yield name
            yield from _texts(child)
    elif isinstance(value, list):
        for child in cast("list[Any]", value):
            yield from _texts(child)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
