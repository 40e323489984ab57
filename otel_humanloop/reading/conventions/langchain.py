"""LangChain and LangGraph, where their instrumentations have ways of their own.

OpenInference's and OpenLLMetry's follow `openinference`, `otel_genai` and `traceloop`. Beside these: the user in the
run's metadata, a tool's arguments in a wrapper, written with Python's `repr`, and its result in a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_humanloop.reading import constructors, pythontext
from otel_humanloop.reading.convention import Convention, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import first, identifier, json_object, mapped
from otel_humanloop.reading.values import as_identifier
from otel_humanloop.spans import Span

_metadata = json_object("metadata")
_wrapped = json_object("gen_ai.tool.call.arguments", "traceloop.entity.input")


def _user(metadata: Mapping[str, Any]) -> str | None:
    return next((user for key in ("user_id", "userId", "user") if (user := as_identifier(metadata.get(key)))), None)


def _arguments(wrapper: Mapping[str, Any]) -> dict[str, Any] | None:
    """Those of `{"input_str": "{'city': 'Paris'}", ...}`."""
    text = wrapper.get("input_str")
    if not isinstance(text, str):
        return None
    value = pythontext.parse(text)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"input": text}


_gave = json_object("traceloop.entity.output", "gen_ai.tool.call.result", "output.value")
_TOOL = {"traceloop.span.kind": "tool", "openinference.span.kind": "TOOL", "gen_ai.operation.name": "execute_tool"}


@reads(_gave)
def _output(span: Span) -> Found[Any] | None:
    """What a tool gave, out of the message it stands in."""
    found = _gave(span)
    if found is None or not any(span.attributes.get(key) == value for key, value in _TOOL.items()):
        return None
    given = constructors.tool_output(found.value)
    mime_types = [key for key in ("output.mime_type",) if key in span.attributes and found.key == "output.value"]
    return None if given is found.value else Found(given, found.key, (*found.taken, *mime_types))


CONVENTION = Convention(
    name="langchain",
    rank=Rank.FRAMEWORK,
    scopes=(
        "openinference.instrumentation.langchain",
        "@arizeai/openinference-instrumentation-langchain",
        "opentelemetry.instrumentation.langchain",
        "@traceloop/instrumentation-langchain",
    ),
    fields=Fields(
        user=first(
            mapped(_metadata, _user),
            identifier("traceloop.association.properties.user_id", "traceloop.association.properties.userId"),
        ),
        inputs=mapped(_wrapped, _arguments),
        output=_output,
    ),
)
