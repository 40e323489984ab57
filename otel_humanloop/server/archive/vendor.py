"""What the vendor's own export tool left people with, into a store.

It wrote a folder for each file (`files/<id>/file.json`, `versions/`, `deployments.json`, and, where it was asked to,
`logs/1.jsonl`, ...). Files become projects, versions configs, traces sessions. A log is named by its v5 id, and what is
there already is left alone, so reading the folder again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from otel_humanloop import v4
from otel_humanloop.errors import DecodeError, HumanloopError
from otel_humanloop.server import moments
from otel_humanloop.server.archive.vendor_shapes import (
    TYPES,
    config_of,
    kind_of,
    nested,
    project_of,
    request_of,
    trace_of,
)
from otel_humanloop.server.configs import config_draft
from otel_humanloop.server.contract import EnvironmentRequest
from otel_humanloop.server.logs import draft
from otel_humanloop.server.requests import check_name
from otel_humanloop.server.store import Store, versions
from otel_humanloop.server.store.posting import post
from otel_humanloop.server.store.records import ConfigDraft, LogDraft
from otel_humanloop.server.store.schema import configs, logs, projects
from otel_humanloop.server.tally import Tally

_PIECE = 500
_Request = v4.LogRequest[dict[str, Any]]
_WRONG = (HumanloopError, AttributeError, KeyError, TypeError, ValueError, msgspec.MsgspecError, RecursionError)
"""What a line raises that is not of the form it should be."""


class _Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `deployments.json`."""

    version_id: str
    environment_id: str
    environment_name: str
    environment_tag: str = "other"


def folders(root: Path) -> list[Path]:
    """The folders of files below a folder: the tool's, one export of it, or one file's own."""
    return sorted(path.parent for path in root.rglob("file.json"))


def read(store: Store, root: Path) -> Tally:
    """Puts every version and every log below `root` into a store.

    Raises:
        DecodeError: There is no file of an export below it.
    """
    found = folders(root)
    if not found:
        raise DecodeError(f"there is no `file.json` below {root}", hint="name the folder that the export tool wrote")
    reading = _Reading(store)
    for folder in found:
        reading.file(folder)
    for folder in found:
        reading.embedded(folder)
    reading.hang()
    return reading.tally


class _Reading:
    """One export on its way in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._own: set[str] = set()  # logs that stand in a line of their own
        self._new: set[str] = set()
        self._below: dict[str, tuple[str, str]] = {}
        self._nesting = False  # logs were told of below others
        self.tally = Tally()

    def file(self, folder: Path) -> None:
        """A file's versions, deployments and logs."""
        try:
            file = _object(folder / "file.json")
            kind = file["type"]
            if kind not in TYPES:
                self.tally.note(f"files of type {kind} have no place here and were left out")
                return
            project = project_of(file)
            check_name(project, "path", ())
        except (*_WRONG, OSError) as error:
            self.tally.refuse(str(folder / "file.json"), _said(error))
            return
        there = self._store.read(partial(_project_id, name=project)) is not None
        before = self.tally.made.total()
        known = self._versions(folder, kind, project, deploy=not there)
        self._logs(project, self._drafts(folder, kind, project, known))
        if there and self.tally.made.total() > before:
            self.tally.note(f"the project `{project}` was here already: what is new of it was put there")

    def embedded(self, folder: Path) -> None:
        """Logs that stand in no line of their own, only below another: their file was not exported."""
        if not self._nesting:
            return
        found: dict[str, list[LogDraft]] = {}
        for place, line in _lines(folder):
            try:
                log = msgspec.json.decode(line, type=dict[str, Any])
                below = [each for each in nested(log) if each[0] not in self._own and each[2]]
            except _WRONG:
                continue  # it was refused when its own log was read
            for id, _, held in below:
                self._own.add(id)
                kind = kind_of(held)
                if kind is None:
                    self.tally.refuse(f"{place}, nested log {id}", "not of a prompt, tool, flow or agent")
                    continue
                try:
                    project = project_of(held[kind])
                    made = _draft(kind, project, held[kind], {"trace_id": trace_of(log), **held})
                    found.setdefault(project, []).append(made)
                except _WRONG as error:
                    self.tally.refuse(f"{place}, nested log {id}", _said(error))
        for project, drafts in found.items():
            self._logs(project, (("a nested log", each) for each in drafts))

    def hang(self) -> None:
        """Puts logs below those they were nested in; so far all of a trace are below its root."""
        moved = [
            LogDraft(session_reference_id=trace, reference_id=child, parent_reference_id=parent)
            for child, (parent, trace) in self._below.items()
            if parent != trace and not self._new.isdisjoint((child, parent))
        ]
        self._post([(f"{each.reference_id} below {each.parent_reference_id}", each) for each in moved])

    def _versions(self, folder: Path, kind: str, project: str, *, deploy: bool) -> dict[str, dict[str, Any]]:
        """Reads and keeps a file's versions, by id; `deploy`: also where they are deployed."""
        known: dict[str, dict[str, Any]] = {}
        drafts: list[tuple[str, ConfigDraft]] = []
        for path in sorted((folder / "versions").glob("*")):
            try:
                known[path.name] = version = _object(path)
                drafts.append((path.name, config_draft(config_of(kind, version), ("version",))))
            except (*_WRONG, OSError) as error:
                self.tally.refuse(str(path), _said(error))
        drafts.sort(key=lambda each: str(known[each[0]].get("created_at")))
        deployed: list[_Deployed] = []
        path = folder / "deployments.json"
        if deploy and path.exists():
            try:
                deployed = msgspec.json.decode(path.read_bytes(), type=list[_Deployed])
            except _WRONG as error:
                self.tally.refuse(str(path), _said(error))
        if drafts:
            named = {id for id, version in known.items() if version.get("version_name") is not None}
            work = partial(_keep_versions, project=project, drafts=drafts, named=named, deployed=deployed)
            self.tally.take("version", self._store.write(work))
        return known

    def _drafts(
        self, folder: Path, kind: str, project: str, known: dict[str, dict[str, Any]]
    ) -> Iterator[tuple[str, LogDraft]]:
        for place, line in _lines(folder):
            try:
                log = msgspec.json.decode(line, type=dict[str, Any])
                embedded: dict[str, Any] = log.get(kind) or {}
                made = _draft(kind, project, {**known.get(embedded.get("version_id", ""), {}), **embedded}, log)
                trace = trace_of(log) or log["id"]
                below = {id: (parent, trace) for id, parent, _ in nested(log)}
            except _WRONG as error:
                self.tally.refuse(place, _said(error))
                continue
            self._own.add(log["id"])
            self._below.update(below)
            self._nesting = self._nesting or bool(below)
            yield place, made

    def _logs(self, project: str, drafts: Iterable[tuple[str, LogDraft]]) -> None:
        piece: list[tuple[str, LogDraft]] = []
        for each in drafts:
            piece.append(each)
            if len(piece) == _PIECE:
                self._piece(project, piece)
                piece = []
        self._piece(project, piece)

    def _piece(self, project: str, piece: Sequence[tuple[str, LogDraft]]) -> None:
        """Posts those of the drafts that are not in the project yet."""
        names = [str(each.reference_id) for _, each in piece]
        there = self._store.read(partial(_references, project=project, among=names))
        posted = self._post([each for each, name in zip(piece, names, strict=True) if name not in there])
        self.tally.take("log", len(posted))
        self._new.update(posted)

    def _post(self, drafts: Sequence[tuple[str, LogDraft]]) -> list[str]:
        """Posts drafts together, or, where that is refused, one by one; returns the references of those taken."""
        posted: list[str] = []
        for start in range(0, len(drafts), _PIECE):
            piece = drafts[start : start + _PIECE]
            try:
                self._store.write(partial(post, drafts=[each for _, each in piece], now=moments.now()))
            except HumanloopError as error:
                if len(drafts) == 1:
                    self.tally.refuse(drafts[0][0], _said(error))
                    continue
                for each in piece:
                    posted += self._post([each])
                continue
            posted += [str(each.reference_id) for _, each in piece]
        return posted


def _draft(kind: str, project: str, version: dict[str, Any], log: dict[str, Any]) -> LogDraft:
    return draft(msgspec.convert(request_of(kind, project, version, log), _Request), ())


def _lines(folder: Path) -> Iterator[tuple[str, bytes]]:
    paths = sorted((folder / "logs").glob("*.jsonl"), key=lambda path: (len(path.name), path.name))
    for path in paths:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path}:{number}", line


def _object(path: Path) -> dict[str, Any]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])


def _said(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)


def _project_id(tx: Connection, name: str) -> str | None:
    return tx.execute(select(projects.c.id).where(projects.c.name == name)).scalar_one_or_none()


def _references(tx: Connection, project: str, among: Sequence[str]) -> set[str]:
    named = select(logs.c.reference_id).where(logs.c.reference_id.in_(among))
    mine = named.join(projects, projects.c.key == logs.c.project).where(projects.c.name == project)
    return set(tx.execute(mine).scalars())


def _keep_versions(
    tx: Connection,
    project: str,
    drafts: Sequence[tuple[str, ConfigDraft]],
    named: set[str],
    deployed: Sequence[_Deployed],
) -> int:
    """Registers versions and deploys them; returns how many are new."""
    now = moments.now()
    before = set(tx.execute(select(configs.c.id).join(projects).where(projects.c.name == project)).scalars())
    ids: dict[str, str] = {}
    made: set[str] = set()
    for id, config in drafts:
        kept = versions.register(tx, project=project, project_id=None, draft=config, named=id in named, now=now)
        ids[id] = msgspec.json.decode(kept.config)["id"]
        made.add(ids[id])
    home = _project_id(tx, project)
    for place in deployed:
        if home is not None and place.version_id in ids:
            default = place.environment_tag == "default"
            where = versions.DEFAULT_ID if default else place.environment_id
            environment = EnvironmentRequest(id=where, name=None if default else place.environment_name)
            versions.deploy(tx, home, ids[place.version_id], [environment], now=now)
    return len(made - before)
