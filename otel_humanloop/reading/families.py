"""Flat families of keys, `prefix.N.rest`, as the lists and objects they were before they were flattened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from otel_humanloop.spans import Attributes

MAX_SEGMENTS = 16
"""A key of a family is taken apart at no more dots than this, so that no key can nest without bound."""


def of(start: str, keys: Iterable[str]) -> tuple[list[str], Callable[[Attributes], Any]]:
    """What makes the list of a family of what attributes there are of it, and the keys which that has a place for.

    Args:
        start: How its keys begin, the last dot included.
        keys: All that begin so. One has no place where no index follows, or where another key is in its way.
    """
    tree = _Branch()
    planted = [key for key in keys if _plant(tree, key[len(start) :].split(".", MAX_SEGMENTS), key)]
    return planted, _grower(tree)


class _Branch(dict[str, "_Branch | str"]):
    """A node made by the dots of a key. A leaf is the key of its attribute."""


def _plant(tree: _Branch, path: list[str], key: str) -> bool:
    """Puts a key into the tree; False where another stands in its way, or its path does not begin with an index."""
    if not _is_index(path[0]):
        return False
    for segment in path[:-1]:
        child = tree.setdefault(segment, _Branch())
        if not isinstance(child, _Branch):
            return False
        tree = child
    return tree.setdefault(path[-1], key) is key


def _grower(branch: _Branch) -> Callable[[Attributes], Any]:
    """What makes the branch of attributes: a list of its children where all are indices, in the order of these, else
    an object. As deep as `MAX_SEGMENTS` at most."""
    rows = [
        (segment, _grower(below) if isinstance(below, _Branch) else itemgetter(below))
        for segment, below in branch.items()
    ]
    if not all(map(_is_index, branch)):
        return lambda attributes: {segment: grow(attributes) for segment, grow in rows}
    rows.sort(key=lambda row: (len(row[0].lstrip("0")), row[0].lstrip("0")))
    in_order = [grow for _, grow in rows]
    return lambda attributes: [grow(attributes) for grow in in_order]


def _is_index(segment: str) -> bool:
    return segment.isascii() and segment.isdigit()
