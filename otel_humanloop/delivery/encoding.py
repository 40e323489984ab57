"""A span or a log record as bytes, and back: what a spool that outlives the process writes.

MessagePack, for it has bytes, NaN and infinities, which JSON has not. Two things Python's values may hold MessagePack
has not either, and they are written as its extension types: whole numbers of more than 64 bits, and text with lone
surrogates. Anything stranger (an object of someone's own, a list nested without end) becomes text: an attribute must
never keep its span from being kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import LogRecord, Span

_NUMBER = 1  # extension: a signed whole number, big-endian
_TEXT = 2  # extension: UTF-8 in which surrogates are encoded as if they were characters

_DEEPEST = 100  # levels of lists and maps that are written one by one


def encode(kept: Span | LogRecord) -> bytes:
    """It as bytes, whatever its attributes hold."""
    try:
        return msgspec.msgpack.encode(kept)
    except (OverflowError, ValueError, TypeError, RecursionError):
        return msgspec.msgpack.encode(_writable(msgspec.structs.asdict(kept), named=True))


def decode(data: bytes) -> Span:
    """The span `encode` was given.

    Raises:
        DecodeError: These bytes are no span.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DecodeError(f"what was kept is not a span: {error}") from error


def decode_record(data: bytes) -> LogRecord:
    """The log record `encode` was given.

    Raises:
        DecodeError: These bytes are no log record.
    """
    try:
        return _record_decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DecodeError(f"what was kept is not a log record: {error}") from error


def _extension(code: int, data: memoryview) -> Any:
    if code == _NUMBER:
        return int.from_bytes(data, "big", signed=True)
    if code == _TEXT:
        return bytes(data).decode("utf-8", "surrogatepass")
    raise ValueError(f"extension {code} is unknown")


_decoder = msgspec.msgpack.Decoder(Span, ext_hook=_extension)
_record_decoder = msgspec.msgpack.Decoder(LogRecord, ext_hook=_extension)


def _writable(value: Any, *, named: bool = False, depth: int = 0) -> Any:
    """The same value of nothing but what MessagePack can write.

    `named` is for the fields of a record, whose texts must stay texts: there a surrogate becomes an escape. Values of
    attributes keep them.
    """
    if isinstance(value, str):
        if _is_utf8(value):
            return str.__str__(value)  # of a class of someone's own, the text it is
        return _escaped(value) if named else msgspec.msgpack.Ext(_TEXT, value.encode("utf-8", "surrogatepass"))
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return msgspec.msgpack.Ext(_NUMBER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    if value is None or isinstance(value, (bool, int, float, bytes)):
        return value
    if depth > _DEEPEST:
        return "(nested too deeply to be kept)"
    if isinstance(value, msgspec.Struct):
        return _writable(msgspec.structs.asdict(value), named=True, depth=depth + 1)
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)
        return {
            _escaped(str(key)): _writable(item, named=named and key not in ("attributes", "body"), depth=depth + 1)
            for key, item in entries.items()
        }
    if isinstance(value, (list, tuple)):
        items = cast("list[Any]", value)
        return [_writable(item, named=named, depth=depth + 1) for item in items]
    return _escaped(repr(value))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
