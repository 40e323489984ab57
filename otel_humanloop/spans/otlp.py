"""Spans from OTLP bytes. Receivers hand over bytes, so that HTTP, gRPC, Kafka and files share this one door."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import Span
from otel_humanloop.spans.otlp_json import decode_json

JSON = "application/json"

_DECODERS: Mapping[str, Callable[[bytes], list[Span]]] = {JSON: decode_json}


def decode(body: bytes, media_type: str) -> list[Span]:
    """The spans of one OTLP `ExportTraceServiceRequest`, in its order.

    Args:
        body: The request, not compressed.
        media_type: As `Content-Type` says it, parameters allowed.

    Raises:
        DecodeError: The bytes are not such a request (names the field), or nothing here reads that media type.
    """
    decoder = _DECODERS.get(media_type.partition(";")[0].strip().lower())
    if decoder is None:
        raise DecodeError(f"OTLP as `{media_type}` is not read here", hint=f"send it as {', '.join(_DECODERS)}")
    return decoder(body)
