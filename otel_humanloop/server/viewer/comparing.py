"""Two sessions side by side: which log of one is which of the other, and what differs between the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from otel_humanloop.server.failures import NotFound
from otel_humanloop.server.lines import line
from otel_humanloop.server.store.packing import unpack
from otel_humanloop.server.store.schema import contents, logs
from otel_humanloop.server.viewer import finding
from otel_humanloop.server.viewer.entries import Entry, entries_of
from otel_humanloop.server.viewer.text import count, duration, money
from otel_humanloop.server.viewer.tree import Tree, tree_of

_SLOWER = 0.1
"""Part by which two durations must differ to be called different."""


class Difference(msgspec.Struct, frozen=True):
    """A field and its two values; None where one has none."""

    field: str
    left: str | None
    right: str | None


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A log and its counterpart; None where there is none."""

    left: Entry | None
    right: Entry | None
    depth: int
    differences: list[Difference]

    @property
    def state(self) -> str:
        """ "same", "changed", "only-left" or "only-right"."""
        if self.left is None or self.right is None:
            return "only-right" if self.left is None else "only-left"
        return "changed" if self.differences else "same"


class _Whole(msgspec.Struct, frozen=True):
    """Inputs and output as they are kept: what a glimpse of them leaves out may differ too."""

    inputs: dict[str, msgspec.Raw] | None = None
    output: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


Whole = Mapping[int, Mapping[str, bytes]]
"""By a log's key: its inputs and output whole, as JSON, under the names that differences give them."""

_WHOLE = msgspec.json.Decoder(_Whole)


def compared_values(tx: Connection, ids: Sequence[str]) -> dict[str, Any]:
    """What the template of a comparison is given: the first two of `ids`, aligned.

    Raises:
        NotFound: One of them is no session.
    """
    found = [finding.one(tx, id) for id in ids[:2]]
    for id, session in zip(ids, found, strict=False):
        if session is None:
            raise NotFound("session", id)
    sides = [session for session in found if session is not None]
    pairs: list[Pair] = []
    if len(sides) == 2:
        trees = [tree_of(entries_of(tx, logs.c.session == session.key)) for session in sides]
        pairs = aligned(trees[0], trees[1], _wholes(tx, [session.key for session in sides]))
    return {"sides": sides, "pairs": pairs, "differing": sum(pair.state != "same" for pair in pairs)}


def aligned(left: Tree, right: Tree, whole: Whole) -> list[Pair]:
    """Both trees as one, from the top: logs below logs that belong together are aligned by what work they were."""
    pairs: list[Pair] = []
    todo: list[tuple[Entry | None, Entry | None, int]] = []

    def below(one: Entry | None, other: Entry | None, depth: int, *, top: bool = False) -> None:
        ours = left.below.get(None if one is None else one.key, []) if one is not None or top else []
        theirs = right.below.get(None if other is None else other.key, []) if other is not None or top else []
        todo.extend((mine, yours, depth) for mine, yours in reversed(_matched(ours, theirs)))

    below(None, None, 0, top=True)
    while todo:
        one, other, depth = todo.pop()
        pairs.append(Pair(left=one, right=other, depth=depth, differences=differences(one, other, whole)))
        below(one, other, depth + 1)
    return pairs


def differences(left: Entry | None, right: Entry | None, whole: Whole) -> list[Difference]:
    """What two logs say differently. Durations count as different from a tenth on."""
    if left is None or right is None:
        return []
    ours, theirs = _said(left), _said(right)
    found: list[Difference] = []
    for name in dict.fromkeys([*ours, *theirs, *whole.get(left.key, ()), *whole.get(right.key, ())]):
        mine, yours = ours.get(name), theirs.get(name)
        if mine != yours:
            found.append(Difference(name, mine, yours))
        elif whole.get(left.key, {}).get(name) != whole.get(right.key, {}).get(name):
            found.append(Difference(f"{name}, further on", mine, yours))
    if left.duration is not None and right.duration is not None:
        longer = max(left.duration, right.duration)
        if longer and abs(left.duration - right.duration) / longer >= _SLOWER:
            found.append(Difference("duration", duration(left.duration), duration(right.duration)))
    return found


def _wholes(tx: Connection, sessions: Sequence[int]) -> dict[int, dict[str, bytes]]:
    wholes: dict[int, dict[str, bytes]] = {}
    mine = logs.c.session.in_(sessions)
    found = select(contents.c.log, contents.c.content).join(logs, logs.c.key == contents.c.log).where(mine)
    for key, content in tx.execute(found):
        kept = _WHOLE.decode(unpack(content))
        wholes[key] = {f"input {line(name, 60)}": bytes(value) for name, value in (kept.inputs or {}).items()}
        if kept.output is not msgspec.UNSET:
            wholes[key]["output"] = bytes(kept.output)
    return wholes


def _said(entry: Entry) -> dict[str, str]:
    fields = {
        "model" if entry.made.kind == "model" else "name": entry.made.name,
        "version": entry.made.version,
        **{f"input {name}": value for name, value in entry.inputs},
        "output": entry.output,
        "calls": ", ".join(entry.calls) or None,
        "error": entry.error,
        "tokens": None if entry.tokens is None else count(entry.tokens),
        "cost": None if entry.cost is None else money(entry.cost),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _matched(ours: Sequence[Entry], theirs: Sequence[Entry]) -> list[tuple[Entry | None, Entry | None]]:
    """Siblings paired in order: those of one kind and project belong together, the rest stand alone."""
    matcher = SequenceMatcher(
        None, [_work(entry) for entry in ours], [_work(entry) for entry in theirs], autojunk=False
    )
    pairs: list[tuple[Entry | None, Entry | None]] = []
    for kind, our_start, our_end, their_start, their_end in matcher.get_opcodes():
        if kind == "equal":
            pairs.extend(zip(ours[our_start:our_end], theirs[their_start:their_end], strict=True))
        else:
            pairs.extend((entry, None) for entry in ours[our_start:our_end])
            pairs.extend((None, entry) for entry in theirs[their_start:their_end])
    return pairs


def _work(entry: Entry) -> tuple[str, str]:
    return entry.project, entry.made.kind
