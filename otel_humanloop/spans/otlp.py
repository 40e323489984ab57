"""Spans and log records from OTLP bytes. HTTP, gRPC, Kafka and files share this one door: they hand over bytes.

Protobuf needs the extra `bridge`, or the compiled decoder; JSON needs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar, cast

import msgspec

from otel_humanloop import native
from otel_humanloop.errors import DecodeError, MissingExtra
from otel_humanloop.spans import LogRecord, Span, otlp_json

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
MEDIA_TYPES = (PROTOBUF, JSON)
"""What is read here."""

ItemT = TypeVar("ItemT", Span, LogRecord)


class Sifted(msgspec.Struct, Generic[ItemT], frozen=True, kw_only=True):
    """What a request holds: `items` in its order, and why others of it are none."""

    items: list[ItemT]
    errors: list[DecodeError]


def decode(body: bytes, media_type: str) -> list[Span]:
    """The spans of one OTLP `ExportTraceServiceRequest`, in its order.

    Args:
        body: The request, not compressed.
        media_type: As `Content-Type` says it, parameters allowed.

    Raises:
        DecodeError: The bytes are not such a request (names the field), or nothing here reads that media type.
        MissingExtra: Protobuf cannot be read in this installation.
    """
    sifted = sift(body, media_type)
    if sifted.errors:
        raise sifted.errors[0]
    return sifted.items


def sift(body: bytes, media_type: str) -> Sifted[Span]:
    """The same, but what is wrong with one span is told beside the others. Raises as `decode` for the whole."""
    return _sifted(_reader(media_type).spans_of(body))


def sift_logs(body: bytes, media_type: str) -> Sifted[LogRecord]:
    """The log records of one OTLP `ExportLogsServiceRequest`, likewise."""
    return _sifted(_reader(media_type).records_of(body))


def essence(media_type: str) -> str:
    """A `Content-Type` without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


class _Reader(Protocol):
    def spans_of(self, body: bytes) -> Iterator[Span | DecodeError]: ...

    def records_of(self, body: bytes) -> Iterator[LogRecord | DecodeError]: ...


def _reader(media_type: str) -> _Reader:
    kind = essence(media_type)
    if kind == JSON:
        return otlp_json
    if kind == PROTOBUF:
        compiled = native.module("protobuf")
        if compiled is not None:
            return cast("_Reader", compiled)
        try:
            from otel_humanloop.spans import otlp_protobuf
        except ModuleNotFoundError as error:
            raise MissingExtra("OTLP in protobuf", "bridge") from error
        return otlp_protobuf
    raise DecodeError(f"OTLP as `{media_type}` is not read here", hint=f"send it as {' or '.join(MEDIA_TYPES)}")


def _sifted(results: Iterator[ItemT | DecodeError]) -> Sifted[ItemT]:
    items: list[ItemT] = []
    errors: list[DecodeError] = []
    for result in results:
        if isinstance(result, DecodeError):
            errors.append(result)
        else:
            items.append(result)
    return Sifted(items=items, errors=errors)
