"""What one write looks at and changes, held in memory until it is written together.

A write first says what it will need (`expect`), so that a body of a thousand logs costs a handful of queries. Then it
finds, adds and changes rows as if it were alone, sees its own changes, and writes everything in bulk at the end
(`flush`), totals included. A write that raises before that has written nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, or_, select, text

from otel_humanloop.server.store import attachments, totals, words
from otel_humanloop.server.store.glimpses import glimpse_of
from otel_humanloop.server.store.packing import pack, unpack
from otel_humanloop.server.store.records import Change, ConfigRow, Content, LogDraft, LogRow, ProjectRow, SessionRow
from otel_humanloop.server.store.rows import Rows, chunks
from otel_humanloop.server.store.schema import configs, contents, logs, projects, sessions, waits
from otel_humanloop.server.store.statements import insert_rows, one_of_given, update_rows, values
from otel_humanloop.server.store.texts import texts_of

_CONTENT = msgspec.json.Decoder(Content)

# Each place is looked up in the index, whichever way the database would rather go about it.
_AT_PLACES = {
    "sqlite": text(
        "SELECT logs.key FROM json_each(:places) AS place CROSS JOIN logs"
        " ON logs.session = json_extract(place.value, '$[0]')"
        " AND logs.reference_id = json_extract(place.value, '$[1]')"
    ),
    "postgresql": text(
        "SELECT logs.key FROM unnest(CAST(:sessions AS bigint[]), CAST(:references AS text[])) AS place (session, name)"
        " JOIN logs ON logs.session = place.session AND logs.reference_id = place.name"
    ),
}


@lru_cache
def _waiting_in(dialect: str) -> Select[Any]:
    """The logs of the sessions `within`, and of none, that wait for a parent whose reference is among the `named`."""
    here = or_(one_of_given(dialect, logs.c.session, "within"), logs.c.session.is_(None))
    named = one_of_given(dialect, logs.c.parent_reference_id, "named")
    return select(*[logs.c[field] for field in LogRow.__struct_fields__]).where(waits & named & here)


def _keys_at(tx: Connection, places: Sequence[tuple[int, str]]) -> Sequence[int]:
    """Keys of the logs at these places: keys of sessions, and references."""
    if not places:
        return []
    said = (
        {"places": msgspec.json.encode(places).decode()}
        if tx.dialect.name == "sqlite"
        else {"sessions": [session for session, _ in places], "references": [name for _, name in places]}
    )
    return tx.execute(_AT_PLACES[tx.dialect.name], said).scalars().all()


_PLACE = ("session", "reference_id")
"""What names a log: its session, and its reference there."""


class Workspace:
    """The rows of a write. `flush` ends it."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self.projects = Rows(tx, projects, ProjectRow, ("id",), ("name",))
        self.configs = Rows(tx, configs, ConfigRow, ("id",), ("project", "hash"))
        self.sessions = Rows(tx, sessions, SessionRow, ("id",), ("reference_id",), fixed=("id", "reference_id"))
        self.logs = Rows(tx, logs, LogRow, ("id",), _PLACE, fixed=("id", "reference_id"), seen=self._note)
        self._before: dict[int, LogRow | None] = {}
        self._contents: dict[int, Content] = {}
        self._waiting: dict[str, set[int]] = {}
        self._waiting_known: set[str] = set()
        self._below_known: set[int] = set()
        self._roots: dict[int, int] = {}

    def expect(self, drafts: Sequence[LogDraft]) -> None:
        """Loads in bulk what these drafts will ask for one by one."""
        self.projects.expect("name", (draft.project for draft in drafts))
        sessions_named = {draft.session_reference_id for draft in drafts if draft.session_reference_id is not None}
        self.sessions.expect("reference_id", sessions_named)
        rows = {name: self.sessions.at(("reference_id",), name) for name in sessions_named}
        known = {name: row.key for name, row in rows.items() if row is not None}
        references = sorted({r for d in drafts for r in (d.reference_id, d.parent_reference_id) if r is not None})
        placed = sorted(set(self._placed(drafts, known))) if known else []
        self.logs.load_by("key", _keys_at(self._tx, placed))
        self.logs.absent(_PLACE, placed)
        self._expect_waiting(references, sorted(known.values()))

    def _expect_waiting(self, references: Sequence[str], sessions: Sequence[int]) -> None:
        """Loads the logs of these sessions, and of none, that wait for a parent of such a reference."""
        tx = self._tx
        given = {"within": values(tx, sessions), "named": values(tx, references)}
        self.logs.run(_waiting_in(tx.dialect.name), given)
        self._waiting_known.update(references)

    @staticmethod
    def _placed(drafts: Sequence[LogDraft], known: Mapping[str, int]) -> Iterator[tuple[int, str]]:
        """The logs that drafts name in sessions that are there: keys of sessions, and references."""
        for draft in drafts:
            session = None if draft.session_reference_id is None else known.get(draft.session_reference_id)
            if session is not None:
                for reference in (draft.reference_id, draft.parent_reference_id):
                    if reference is not None:
                        yield session, reference

    def expect_logs(self, ids: Sequence[str]) -> list[LogRow]:
        """The logs with these ids that there are; those below them are loaded too, in bulk."""
        self.logs.expect("id", ids)
        found = [log for id in dict.fromkeys(ids) if (log := self.logs.find(id=id)) is not None]
        keys = [log.key for log in found]
        self.logs.load_by("parent", keys)
        self._below_known.update(keys)
        return found

    def log_in(self, session: int | None, reference: str) -> LogRow | None:
        """The log with this reference in a session; with None, the newest of those without a session."""
        return self.logs.at(_PLACE, (session, reference), there=session not in self.sessions.new)

    def newest_log(self, reference: str) -> LogRow | None:
        """The log with this reference that arrived last, in whatever session."""
        self.logs.load(logs.c.reference_id == reference, newest=True)
        same = self.logs.having("reference_id", reference)
        return same[-1] if same else None

    def waiting_for(self, log: LogRow) -> list[LogRow]:
        """Logs of the same session, or of none, whose parent has this log's reference and has not been found."""
        reference = log.reference_id
        if reference is None:
            return []
        if reference not in self._waiting_known:
            named = waits & (logs.c.parent_reference_id == reference)
            self.logs.load(named & or_(logs.c.session == log.session, logs.c.session.is_(None)))
        waiting = self._waiting.get(reference)
        if waiting is None:
            return []
        return [
            row
            for row in self.logs.among(waiting)
            if row.parent is None and row.parent_reference_id == reference and row.session in (log.session, None)
        ]

    def children(self, log: LogRow) -> list[LogRow]:
        """The logs that hang from this one."""
        if log.key not in self.logs.new and log.key not in self._below_known:
            self.logs.load(logs.c.parent == log.key)
        return self.logs.having("parent", log.key)

    def root(self, log: LogRow) -> LogRow:
        """The log at the top of the tree this one is in. Remembered, for a body may hold one long chain."""
        passed: list[int] = []
        while log.parent is not None:
            passed.append(log.key)
            log = self.logs.get(self._roots.get(log.key, log.parent))
        self._roots.update(dict.fromkeys(passed, log.key))
        return log

    def content(self, log: LogRow) -> Content:
        """The log's content, with what this write has changed of it."""
        if log.key not in self._contents:
            kept = self._tx.execute(select(contents.c.content).where(contents.c.log == log.key)).scalar_one()
            return _CONTENT.decode(unpack(kept))
        return self._contents[log.key]

    def put_log(self, log: LogRow, content: Content | None = None) -> LogRow:
        """Adds a log (with its content), or puts a changed one in place of what it was."""
        old = self.logs.held(log.key)
        self._before.setdefault(log.key, old)
        if old is not None and old.parent not in (None, log.parent):
            self._roots.clear()  # what is remembered went through where it hung
        if content is not None:
            self._contents[log.key] = content
        return self.logs.put(log)

    def remove_log(self, log: LogRow) -> None:
        """Deletes a log."""
        self._before.setdefault(log.key, log)
        self.logs.forget(log.key)

    def flush(self, *, now: int) -> None:
        """Writes everything, and brings totals up to date. `now` in microseconds since the epoch."""
        changes = [Change(before=self._before[key], after=self.logs.held(key)) for key in sorted(self._before)]
        moves = sorted(totals.moves_by_session(changes).items())
        new = set(self.sessions.new)
        self.projects.flush()
        self.configs.flush()
        self._count([(key, here) for key, here in moves if key in new], now)
        self._flush_logs(changes)
        self._count([(key, here) for key, here in moves if key not in new], now)
        totals.of_session_projects(self._tx, moves, new)
        totals.of_projects_and_configs(self._tx, changes, now=now)
        self._before.clear()

    def _count(self, moves: Sequence[tuple[int, totals.Moves]], now: int) -> None:
        for key, here in moves:
            self.sessions.put(totals.of_session(self._tx, self.sessions.get(key), here, now=now))
        self.sessions.flush()

    def _flush_logs(self, changes: Sequence[Change]) -> None:
        gone = [change.before.key for change in changes if change.before is not None and change.after is None]
        new = set(self.logs.new)
        said = {key: self._contents[key] for key in sorted(self._contents) if self.logs.held(key) is not None}
        rewritten = [key for key in said if key not in new]
        words.drop(self._tx, self._kept([*gone, *rewritten]))
        unnamed = attachments.named_by(self._tx, gone)
        for chunk in chunks(gone):
            self._tx.execute(delete(logs).where(logs.c.key.in_(chunk)))
        attachments.forget(self._tx, unnamed)
        encoded = {key: msgspec.json.encode(content) for key, content in said.items()}
        glimpses = {key: glimpse_of(content) for key, content in said.items()}
        self.logs.flush(glimpse=glimpses)
        insert_rows(self._tx, "contents", ("log", "content"), [(key, pack(encoded[key])) for key in sorted(new)])
        update_rows(self._tx, "logs", ("glimpse",), ("key",), [(glimpses[key], key) for key in rewritten])
        update_rows(self._tx, "contents", ("content",), ("log",), [(pack(encoded[key]), key) for key in rewritten])
        attachments.name(self._tx, encoded)
        self._find_words(said, new)
        self._contents.clear()

    def _find_words(self, said: Mapping[int, Content], new: Set[int]) -> None:
        """Many words are worth putting in at once; few are left to the indexer."""
        if len(new) >= words.MANY:
            words.add(self._tx, {key: texts_of(content) for key, content in said.items() if key in new})
            words.mark(self._tx, said.keys() - new)
        else:
            words.mark(self._tx, said)

    def _kept(self, keys: Sequence[int]) -> dict[int, bytes]:
        """Contents as they are in the table."""
        kept: dict[int, bytes] = {}
        for chunk in chunks(keys):
            found = select(contents.c.log, contents.c.content).where(contents.c.log.in_(chunk))
            kept.update((row.log, row.content) for row in self._tx.execute(found))
        return kept

    def _note(self, log: LogRow) -> None:
        """Whom a log waits for. It may have been found since."""
        if log.parent is None and log.parent_reference_id is not None:
            self._waiting.setdefault(log.parent_reference_id, set()).add(log.key)
