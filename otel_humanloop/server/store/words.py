"""The index of words: which logs hold some words, found the same on every database.

A search finds logs that hold all of its words, each of which may be the beginning of one. What words are is said in
`texts.py`. SQLite has two tables of its full-text index, of contents and of metadata, which keep words and no text;
its tokenizer takes the texts apart. PostgreSQL has a `tsvector` for each log, where a letter in front of a word says
where it stands.

A write that brings many logs brings their words too. Of a few, it notes that they are to be read (`unindexed`), and the
indexer does so for many writes at once: an index grows more cheaply by much than by little. A log whose words are in
the index is not noted, and a log that is noted has none there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Select,
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

from otel_humanloop.server.store.packing import unpack
from otel_humanloop.server.store.records import Content
from otel_humanloop.server.store.rows import chunks
from otel_humanloop.server.store.schema import contents, logs, unindexed
from otel_humanloop.server.store.texts import (
    IS_COMPILED,
    Texts,
    each_once,
    name_of_user,
    texts_of,
    vocabulary_of,
    words_of,
)

CONTENT_WORDS = "c"
METADATA_WORDS = "m"

MANY = 64
"""Logs of one write whose words are worth putting in with it."""

_USER_WORD = "u"
_USER_MARK = "\ue000"
"""In SQLite's index, in front of the word that is a user. No text has it: it is no letter."""
_LEAST, _GREATEST = "0", "\U0010ffff"
"""The characters between which those that words are made of stand."""
_ENDINGS = 64
_MOST_WORDS = 10_000
"""Of one log, in PostgreSQL, which takes so many."""

_TABLES = {CONTENT_WORDS: "log_words", METADATA_WORDS: "log_facts"}
_INSERTION = "INSERT INTO log_words (log, words) VALUES (%s, array_to_tsvector(string_to_array(%s, ' ')))"
_words = table("log_words", column("log", BigInteger), column("words"))
_CONTENT = msgspec.json.Decoder(Content)


class Reading(msgspec.Struct, frozen=True):
    """The texts of one log, as it was when they were read."""

    log: int
    id: str | None
    updated_at: int | None
    texts: Texts | None


class Keys(msgspec.Struct, frozen=True):
    """Keys of logs from the least to the most: what the index holds of others need not be read."""

    least: int
    most: int


def mark(tx: Connection, keys: Iterable[int]) -> None:
    """Notes that the words of these logs are to be read."""
    noted = [{"log": key} for key in keys]
    if noted:
        tx.execute(text("INSERT INTO unindexed (log) VALUES (:log) ON CONFLICT DO NOTHING"), noted)


def marked(tx: Connection, keys: Sequence[int]) -> set[int]:
    """Those of these logs whose words are to be read."""
    found: set[int] = set()
    for chunk in chunks(keys):
        found.update(tx.execute(select(unindexed.c.log).where(unindexed.c.log.in_(chunk))).scalars())
    return found


def waiting(tx: Connection) -> int:
    """How many logs a search does not find as they are now."""
    return int(tx.execute(select(func.count()).select_from(unindexed)).scalar_one())


def read(tx: Connection, most: int) -> list[Reading]:
    """The texts of some of the logs that are to be read. A log that is gone has none."""
    statement = (
        select(unindexed.c.log, logs.c.id, logs.c.updated_at, contents.c.content)
        .outerjoin(logs, logs.c.key == unindexed.c.log)
        .outerjoin(contents, contents.c.log == unindexed.c.log)
        .order_by(unindexed.c.log)
        .limit(most)
    )
    return [
        Reading(row.log, row.id, row.updated_at, None if row.content is None else _texts(row.content))
        for row in tx.execute(statement)
    ]


def keep(tx: Connection, readings: Sequence[Reading]) -> None:
    """Puts texts into the index, except of logs that changed since they were read, or that somebody else put in."""
    states: dict[int, tuple[str | None, int | None]] = {}
    for chunk in chunks([reading.log for reading in readings]):
        statement = select(unindexed.c.log, logs.c.id, logs.c.updated_at).outerjoin(logs, logs.c.key == unindexed.c.log)
        for row in tx.execute(statement.where(unindexed.c.log.in_(chunk))):
            states[row.log] = (row.id, row.updated_at)
    current = [r for r in readings if states.get(r.log) == (r.id, r.updated_at)]
    for chunk in chunks([reading.log for reading in current]):
        tx.execute(delete(unindexed).where(unindexed.c.log.in_(chunk)))
    add(tx, {reading.log: reading.texts for reading in current if reading.texts is not None})


def add(tx: Connection, found: Mapping[int, Texts]) -> None:
    """Puts the texts of logs into the index, in which they have none."""
    if not found:
        return
    if tx.dialect.name == "sqlite":
        for kind, name in _TABLES.items():
            rows = [(key, said) for key, texts in found.items() if (said := _document(kind, texts))]
            if rows:
                tx.exec_driver_sql(f"INSERT INTO {name} (rowid, words) VALUES (?, ?)", rows)
    else:
        rows = [(key, _lexemes(texts)) for key, texts in found.items()]
        tx.exec_driver_sql(_INSERTION, rows)


def drop(tx: Connection, kept: Mapping[int, bytes]) -> None:
    """Takes logs out of the index, and out of the notes: key -> its content as it is kept, before it changes or goes.

    SQLite's index keeps no text, so it has to be told again what it was given.
    """
    if not kept:
        return
    keys = sorted(kept)
    noted = marked(tx, keys)
    sqlite = tx.dialect.name == "sqlite"
    for chunk in chunks(sorted(noted)):
        tx.execute(delete(unindexed).where(unindexed.c.log.in_(chunk)))
    known = {key: _texts(kept[key]) for key in keys if key not in noted} if sqlite else {}
    for kind, name in _TABLES.items() if sqlite else ():
        rows = [(key, said) for key, texts in known.items() if (said := _document(kind, texts))]
        if rows:
            tx.exec_driver_sql(f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', ?, ?)", rows)
    for chunk in () if sqlite else chunks(keys):
        tx.execute(delete(_words).where(_words.c.log.in_(chunk)))


def holding(tx: Connection, kind: str, said: str, within: Keys | None = None) -> Select[tuple[int]]:
    """Keys of the logs that hold all words of `said`. `kind` is `CONTENT_WORDS` or `METADATA_WORDS`."""
    wanted = list(dict.fromkeys(words_of(said)))
    if not wanted:
        return select(logs.c.key).where(false())
    if tx.dialect.name == "sqlite":
        name = _TABLES[kind]
        return _matching(name, " AND ".join(_beginning_with(tx, name, word) for word in wanted), within)
    return _having(" & ".join(f"'{kind}{word}':*" for word in wanted), within)


def of_user(tx: Connection, user: str, within: Keys | None = None) -> Select[tuple[int]]:
    """Keys of the logs whose metadata names this user, and no other."""
    word = name_of_user(user)
    if tx.dialect.name == "sqlite":
        return _matching(_TABLES[METADATA_WORDS], f'"{_USER_MARK}{word}"', within)
    return _having(f"'{_USER_WORD}{word}'", within)


def _beginning_with(tx: Connection, name: str, word: str) -> str:
    """The words of SQLite's index that begin so, as its query.

    It puts all lists of a prefix together before it gives the first log, but reads those of whole words as they are
    asked for. So a prefix is written out, unless too many words begin with it.
    """
    longer = text(f"SELECT term FROM {name}_terms WHERE term >= :first AND term < :beyond LIMIT :most")
    bounds = {"first": f"{word}{_LEAST}", "beyond": f"{word}{_GREATEST}", "most": _ENDINGS + 1}
    endings = tx.execute(longer, bounds).scalars().all()
    if len(endings) > _ENDINGS:
        return f'"{word}"*'
    quoted = [f'"{each}"' for each in (word, *endings)]
    return f"({' OR '.join(quoted)})"


def _matching(name: str, query: str, within: Keys | None) -> Select[tuple[int]]:
    found = table(name, column("rowid", Integer))
    matches = select(found.c.rowid).where(column(name).op("MATCH")(literal(query)))
    return matches if within is None else matches.where(found.c.rowid >= within.least, found.c.rowid <= within.most)


def _having(query: str, within: Keys | None) -> Select[tuple[int]]:
    matches = select(_words.c.log).where(_words.c.words.op("@@", is_comparison=True)(sa.cast(literal(query), TSQUERY)))
    return matches if within is None else matches.where(_words.c.log >= within.least, _words.c.log <= within.most)


def _texts(kept: bytes) -> Texts:
    return texts_of(_CONTENT.decode(unpack(kept)))


def _document(kind: str, texts: Texts) -> str:
    """What SQLite's index is given of a log."""
    if kind == CONTENT_WORDS:
        # Half of a text's words stand in it before. SQLite finds that out for less than Python, and for more than C.
        return each_once(texts.content) if IS_COMPILED else texts.content
    return texts.metadata if texts.user is None else f"{texts.metadata} {_USER_MARK}{name_of_user(texts.user)}"


def _lexemes(texts: Texts) -> str:
    """What PostgreSQL's index is given of a log: lexemes, with blanks between them."""
    found = f"{_marked(CONTENT_WORDS, texts.content)} {_marked(METADATA_WORDS, texts.metadata)}".strip()
    if found.count(" ") >= _MOST_WORDS:
        found = " ".join(sorted(found.split())[:_MOST_WORDS])
    if texts.user is not None:
        found = f"{found} {_USER_WORD}{name_of_user(texts.user)}".lstrip()
    return found


def _marked(kind: str, said: str) -> str:
    """The words of a text with that letter in front of each, in one step for all of them."""
    found = vocabulary_of(said)
    return f"{kind}{found.replace(' ', f' {kind}')}" if found else ""
