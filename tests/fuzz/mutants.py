"""Bytes made of known ones by a few changes, and doors tried with them."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

FINDINGS = Path(__file__).parent / "findings"
"""What was found once, one file each, named after its door: `DOOR-<hash>`. Tried by the tests ever since."""

_ODD = (b"-1", b"null", b"1e999", b"{}", b"[]", b'"\\ud800"', b"\xff" * 9, b"\x00", b'{"a":', b"9" * 30)


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """Somewhere bytes come in that we did not write.

    Attributes:
        enter: Takes them. Raises where they do us harm: an error that is not the door's own way to say no.
        seeds: Bytes it is known to be entered with.
    """

    enter: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The data with a few of its bytes changed, moved, doubled or gone."""
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if not mutant:
            break
        at, length = chance.randrange(len(mutant)), chance.randint(1, 16)
        what = chance.randrange(5)
        if what == 0:
            mutant[at] = chance.randrange(256)
        elif what == 1:
            del mutant[at : at + length]
        elif what == 2:
            mutant[at:at] = mutant[at : at + length] * chance.randint(1, 40)
        elif what == 3:
            mutant[at : at + length] = chance.choice(_ODD)
        else:
            mutant = mutant[: at + 1]
    return bytes(mutant)


def try_mutants(
    name: str, door: Door, known: Sequence[bytes], *, tries: int | None = None, seconds: float = 0, seed: int = 0
) -> int:
    """Enters a door with mutants of what is known, so often or so long; how often. A finding is kept and raised."""
    chance = random.Random(seed)
    until, made = time.monotonic() + seconds, 0
    while made < tries if tries is not None else time.monotonic() < until:
        data = mutated(chance.choice(known), chance)
        made += 1
        try:
            door.enter(data)
        except BaseException:
            FINDINGS.mkdir(exist_ok=True)
            (FINDINGS / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
            raise
    return made
