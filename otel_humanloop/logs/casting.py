"""What differs between logs of one mould, as it stands in the log: what `build` makes of it, where it is as usual."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from otel_humanloop import v4
from otel_humanloop.logs.build import MOST_TOKENS
from otel_humanloop.logs.chat import chat, text_of
from otel_humanloop.operation import Message, Usage


class Unusual(Exception):
    """A mould has no place for that: the log is to be built."""


def conversation(messages: Sequence[Message]) -> list[v4.ChatMessage]:
    """What went into a call.

    Raises:
        Unusual: Something of it has no place in the contract's messages.
    """
    written = chat(messages)
    if written.beside:
        raise Unusual
    return written.messages


def answer(messages: Sequence[Message]) -> tuple[v4.ChatMessage, str]:
    """What came out of a call: the message, and its words.

    Raises:
        Unusual: There is none or more than one, or something of it has no place in the contract's messages.
    """
    written = chat(messages, role="assistant")
    if written.beside or len(written.messages) != 1:
        raise Unusual
    return written.messages[0], text_of(messages[0])


def counts(usage: Usage, stated: Sequence[bool]) -> tuple[int | None, ...]:
    """Tokens, in the order of their fields.

    Raises:
        Unusual: Others are stated than those, or one that cannot be counted.
    """
    numbers: tuple[int | None, ...] = msgspec.structs.astuple(usage)
    for number, is_stated in zip(numbers, stated, strict=True):
        if (number is not None) is not is_stated or (number is not None and not 0 <= number <= MOST_TOKENS):
            raise Unusual
    return numbers
