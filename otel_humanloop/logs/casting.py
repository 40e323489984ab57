"""What differs between logs of one mould, as it stands in the log: what `build` makes of it, where it is as usual."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import msgspec

from otel_humanloop.logs.build import MOST_TOKENS
from otel_humanloop.logs.chat import chat, text_of
from otel_humanloop.native import compiled
from otel_humanloop.operation import Message, Usage

COUNTS = tuple(f"usage.{name}" for name in Usage.__struct_fields__)
"""The places of tokens in a mould, in the order of the fields of `Usage`."""

_encoder = msgspec.json.Encoder()


class Unusual(Exception):
    """A mould has no place for that: the log is to be built."""


@compiled("writing")
def written(messages: Sequence[Message]) -> bytes:
    """The JSON of what went into a call.

    Raises:
        Unusual: Something of it has no place in the contract's messages.
        UnicodeEncodeError: Something of it is no text.
    """
    said = chat(messages)
    if said.beside:
        raise Unusual
    return _encoder.encode(said.messages)


@compiled("writing")
def answer(messages: Sequence[Message]) -> tuple[bytes, bytes]:
    """The JSON of what came out of a call: the message, and its words.

    Raises:
        Unusual: There is none or more than one, or something of it has no place in the contract's messages.
        UnicodeEncodeError: Something of it is no text.
    """
    if len(messages) != 1:
        raise Unusual
    spoken = chat(messages, role="assistant")
    if spoken.beside or len(spoken.messages) != 1:
        raise Unusual
    return _encoder.encode(spoken.messages[0]), _encoder.encode(text_of(messages[0]))


class Counts:
    """Which tokens are counted, as in `usage`."""

    def __init__(self, usage: Usage) -> None:
        numbers = msgspec.structs.astuple(usage)
        self.places = tuple([place for place, number in zip(COUNTS, numbers, strict=True) if number is not None])
        self._stated = itemgetter(*[at for at, number in enumerate(numbers) if number is not None], -1)
        self._silent = numbers.count(None)

    def of(self, usage: Usage) -> Sequence[int]:
        """The numbers for `places`, and one more that is nothing.

        Raises:
            Unusual: Others are counted than these, or one that cannot be.
        """
        numbers = msgspec.structs.astuple(usage)
        stated: tuple[Any, ...] = self._stated((*numbers, 0))
        if numbers.count(None) != self._silent or None in stated or min(stated) < 0 or max(stated) > MOST_TOKENS:
            raise Unusual
        return stated
