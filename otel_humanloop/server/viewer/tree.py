"""A session's logs as the tree they form, in rows from top to bottom.

Nothing here is recursive: a session may be nested deeper than Python's stack.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from otel_humanloop.server.viewer.entries import Entry


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A log in its place.

    Attributes:
        depth: 0 at the top.
        nested: How many logs are below it.
        folded: Those are not shown.
    """

    entry: Entry
    depth: int
    nested: int
    folded: bool


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """Logs by the key of the log above them; None for those at the top. Siblings are in the order they started."""

    below: dict[int | None, list[Entry]]


def tree_of(entries: Sequence[Entry]) -> Tree:
    """The tree. A log whose parent is not among the entries stands at the top."""
    known = {entry.key for entry in entries}
    below: dict[int | None, list[Entry]] = {}
    for entry in entries:
        below.setdefault(entry.parent if entry.parent in known else None, []).append(entry)
    return Tree(below=below)


def rows_of(tree: Tree, *, folded: Collection[str] = ()) -> list[Row]:
    """The tree, walked from the top; below a log whose id is in `folded` nothing is walked."""
    nested = nested_counts(tree)
    rows: list[Row] = []
    todo = [(entry, 0) for entry in reversed(tree.below.get(None, []))]
    while todo:
        entry, depth = todo.pop()
        closed = entry.id in folded
        rows.append(Row(entry=entry, depth=depth, nested=nested[entry.key], folded=closed))
        if not closed:
            todo.extend((child, depth + 1) for child in reversed(tree.below.get(entry.key, [])))
    return rows


def nested_counts(tree: Tree) -> dict[int, int]:
    """How many logs are below each, counted from the leaves up."""
    order = list(tree.below.get(None, []))
    for entry in order:  # grows while it is read
        order.extend(tree.below.get(entry.key, []))
    counts: dict[int, int] = {}
    for entry in reversed(order):
        counts[entry.key] = sum(1 + counts[child.key] for child in tree.below.get(entry.key, []))
    return counts
