"""What becomes of spans, and why: each field with the convention and the key that gave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from otel_humanloop import v4
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.draft import Draft, Role, draft
from otel_humanloop.logs.moves import Create
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.operation import Source
from otel_humanloop.reading.limits import losses
from otel_humanloop.settings import Settings
from otel_humanloop.spans import Span

INFRASTRUCTURE = "infrastructure: what is below it hangs from the log above it"
RETOLD = "another span tells all of it"
TWIN = "another span of the same call tells more"
NO_AI = "its trace has no AI operation"


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one span.

    Attributes:
        log: The log; None where the span has none.
        why_not: Why it has none.
        conventions: Those that claimed the span.
        fields: Of each field that was read: its value, and where it came from.
        left: Attributes no field took; they are kept in the log's metadata.
        lost: What the SDK's limits took from the span, and the variables that mend that.
    """

    span: Span
    log: v4.LogRequest[v4.Config] | None
    why_not: str | None
    conventions: tuple[str, ...]
    fields: Mapping[str, tuple[Any, Source]]
    left: tuple[str, ...]
    lost: tuple[str, ...]


def explain(spans: Iterable[Span], settings: Settings) -> list[Explanation]:
    """What would be sent of these spans if they were all there are, in their order."""
    drafts = [draft(span, conversations_are_sessions=settings.session == "conversation") for span in spans]
    assembler = TraceAssembler(spans=settings.spans, hold=settings.hold)
    for each in drafts:
        assembler.add(each, now=0)
    assembler.release(now=0)
    created: dict[tuple[str, str], Create] = {}
    while moves := assembler.take():
        for move in moves:
            if isinstance(move, Create):
                created[move.draft.key] = move
            assembler.acknowledge(move.key, now=0)
    return [_explained(each, created.get(each.key), settings) for each in drafts]


def _explained(each: Draft, create: Create | None, settings: Settings) -> Explanation:
    reading = each.reading
    fields = {
        field: (getattr(reading.operation, field), source)
        for field, source in reading.sources.items()
        if "." not in field
    }
    log = build_log(create, settings) if create is not None else None
    return Explanation(
        span=each.span,
        log=log,
        why_not=None if create is not None else _why_not(each),
        conventions=tuple(reading.conventions),
        fields=fields,
        left=tuple(sorted(key for key in each.span.attributes if key not in reading.taken)),
        lost=tuple(losses(each.span)),
    )


def _why_not(each: Draft) -> str:
    if each.role is Role.TRANSPARENT:
        return RETOLD if each.reading.operation.retold else INFRASTRUCTURE
    return TWIN if each.role is Role.AI else NO_AI
