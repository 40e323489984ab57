"""OpenTelemetry GenAI until 1.36, with each message in an event or a log record of its own.

https://github.com/open-telemetry/semantic-conventions/blob/v1.36.0/docs/gen-ai/gen-ai-events.md

What opentelemetry-instrumentation-openai-v2 writes by default, OpenLLMetry with `use_attributes=False`, Azure's SDK and
Strands. The rest of the call stands in attributes, which `otel_genai` reads. Where content is not captured, the event
of an answer still says why it stopped.
"""

from __future__ import annotations

from typing import Any

from otel_humanloop.reading import told
from otel_humanloop.reading.convention import Convention, Fields, Found, Rank, Reader
from otel_humanloop.spans import Span


def _of_call(reader: Reader[Any]) -> Reader[Any]:
    """What the reader says of a call of a model: Strands tells in such events too what a tool was given and gave."""

    def read(span: Span) -> Found[Any] | None:
        return None if "gen_ai.tool.name" in span.attributes else reader(span)

    return Reader(read, reader.keys, reader.events)


CONVENTION = Convention(
    name="otel_genai_events",
    rank=Rank.STRUCTURED,
    events=(*told.SAID_BY, told.CHOICE),
    fields=Fields(
        messages=_of_call(told.in_events(told.asked)),
        output_messages=_of_call(told.in_events(told.answered)),
        finish_reasons=told.in_events(told.finish_reasons),
    ),
)
