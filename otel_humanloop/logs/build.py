"""The log a span becomes: the design's Build rules. Every log fits the published v4 contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import msgspec

from otel_humanloop import pricing, v4
from otel_humanloop.logs.chat import chat, text_of
from otel_humanloop.logs.config import config_of
from otel_humanloop.logs.encode import plain_text
from otel_humanloop.logs.metadata import metadata_of
from otel_humanloop.logs.moves import Complete, Create, Replace
from otel_humanloop.logs.naming import usable
from otel_humanloop.operation import Cost, Kind, Operation
from otel_humanloop.settings import Settings
from otel_humanloop.spans import Resource, Span, SpanKey

SOURCE = "opentelemetry"
"""`source` of every log made of a span."""

MOST_TOKENS = 10**12
"""More is no number of tokens."""

_EMBEDDING = Kind.EMBEDDING

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PLACE = re.compile(r"\{([^{}]+)\}")


def build_log(create: Create, settings: Settings) -> v4.LogRequest[v4.Config]:
    """The log of a span. Of one that is still open: without output, error and duration, dated by its start."""
    operation = create.draft.reading.operation
    if create.without_usage:
        return log_of(create, settings, cost=None, is_priced=False)
    is_priced = operation.cost is None and settings.prices != "none"
    cost = pricing.price(operation, create.draft.span.start_ns) if is_priced else operation.cost
    return log_of(create, settings, cost=cost, is_priced=is_priced)


def log_of(create: Create, settings: Settings, *, cost: Cost | None, is_priced: bool) -> v4.LogRequest[v4.Config]:
    """The log of a span that cost so much, by published prices where it `is_priced`."""
    draft = create.draft
    reading = draft.reading
    span, operation = draft.span, reading.operation
    beside: dict[str, Any] = {}
    messages = _messages(operation, beside)
    output_message = _output_message(operation, beside)
    if is_priced and cost is not None:
        beside["priced_by"] = pricing.SOURCE
    usage = None if create.without_usage else operation.usage
    parent = create.parent
    return v4.LogRequest(
        project=project_of(operation.project, span.resource, settings),
        session_reference_id=create.session,
        reference_id=reference_id(create.key, settings),
        parent_reference_id=reference_id((create.key[0], parent), settings) if parent is not None else None,
        inputs=_inputs(operation),
        messages=messages,
        output=_output(operation) if draft.ended else None,
        output_message=output_message if draft.ended else None,
        error=operation.error if draft.ended else None,
        duration=_duration(span, operation),
        created_at=instant(span.end_ns if span.end_ns is not None else span.start_ns),
        source=SOURCE,
        metadata=metadata_of(span, reading, create.user, beside),
        environment=usable(operation.environment),
        prompt_tokens=_count(usage.prompt_tokens) if usage is not None else None,
        output_tokens=_count(usage.output_tokens) if usage is not None else None,
        prompt_cost=cost.prompt if cost is not None else None,
        output_cost=cost.output if cost is not None else None,
        config=config_of(operation, span.name),
    )


def build_update(complete: Complete) -> v4.UpdateLogRequest:
    """What a log that was created while its span was open is given at the span's end."""
    operation = complete.draft.reading.operation
    return v4.UpdateLogRequest(
        output=_output(operation), error=operation.error, duration=_duration(complete.draft.span, operation)
    )


def build_replacement(replace: Replace, settings: Settings) -> v4.LogRequest[v4.Config]:
    """An existing log under another parent, or (an empty reference) under none; all else of it stays."""
    trace_id, parent = replace.key[0], replace.parent
    return v4.LogRequest(
        session_reference_id=replace.session,
        reference_id=reference_id(replace.key, settings),
        parent_reference_id=reference_id((trace_id, parent), settings) if parent is not None else "",
    )


def reference_id(key: SpanKey, settings: Settings) -> str:
    """How Humanloop is to call the log of that span."""
    return f"{key[0]}-{key[1]}" if settings.reference_ids == "trace-span" else key[1]


def project_of(named: str | None, resource: Resource, settings: Settings) -> str:
    """The project a span names, else the setting's, each `{key}` of which is that resource attribute, or "unknown"."""
    return usable(named) or usable(_filled(settings.project, resource)) or "unknown"


def _filled(template: str, resource: Resource) -> str:
    attributes: Mapping[str, Any] = resource.attributes
    pieces = list(_pieces(template))
    for at in range(1, len(pieces), 2):
        pieces[at] = str(attributes.get(pieces[at], "unknown"))
    return "".join(pieces)


@lru_cache(maxsize=64)
def _pieces(template: str) -> tuple[str, ...]:
    """Words of a template, and the keys between them, in turn."""
    return tuple(_PLACE.split(template))


def _count(tokens: int | None) -> int | None:
    """A number of tokens, unless it is none that could be counted."""
    return tokens if tokens is not None and 0 <= tokens <= MOST_TOKENS else None


def _messages(operation: Operation, beside: dict[str, Any]) -> list[v4.ChatMessage] | None:
    if operation.messages is None or operation.kind is _EMBEDDING:
        return None
    written = chat(operation.messages)
    if written.beside:
        beside["messages"] = written.beside
    return written.messages


def _output_message(operation: Operation, beside: dict[str, Any]) -> v4.ChatMessage | None:
    if not operation.output_messages:
        return None
    written = chat(operation.output_messages, role="assistant")
    if written.beside:
        beside["output_messages"] = written.beside
    if len(written.messages) > 1:
        beside["choices"] = msgspec.to_builtins(written.messages[1:])
    return written.messages[0]


def _inputs(operation: Operation) -> dict[str, Any] | None:
    if operation.inputs is not None:
        return dict(operation.inputs)
    if operation.kind is _EMBEDDING and operation.messages:
        return {"input": [text_of(message) for message in operation.messages]}
    return None


def _output(operation: Operation) -> str | None:
    if operation.output_messages:
        return text_of(operation.output_messages[0])
    return plain_text(operation.output) if operation.output is not None else None


def _duration(span: Span, operation: Operation) -> float | None:
    if span.end_ns is not None and operation.duration is not None:
        return operation.duration
    return elapsed(span.start_ns, span.end_ns) if span.end_ns is not None else None


def elapsed(start_ns: int, end_ns: int) -> float:
    """The seconds between. A clock that went back during the span must not make a log start after its end."""
    return max(0, end_ns - start_ns) / 1e9


def instant(time_ns: int) -> str | None:
    """ISO 8601 in UTC, to the microsecond; None for a time no calendar has."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    try:
        return f"{_second(seconds)}.{rest // 1000:06d}+00:00"
    except OverflowError:
        return None


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    """ISO 8601 to the second, without an offset. Spans end in few different seconds."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="seconds").removesuffix("+00:00")
