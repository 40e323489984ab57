"""LangChain and LangGraph, where their instrumentations have ways of their own.

OpenInference's and OpenLLMetry's follow `openinference`, `otel_genai` and `traceloop`. Beside these: the user in the
run's metadata, and a tool's arguments in a wrapper, written with Python's `repr`. Written from what the packages write;
there is no capture of it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_humanloop.reading import pythontext
from otel_humanloop.reading.convention import Convention, Fields, Rank
from otel_humanloop.reading.readers import first, identifier, json_object, mapped
from otel_humanloop.reading.values import as_identifier

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


CONVENTION = Convention(
    name="langchain",
    rank=Rank.FRAMEWORK,
    scopes=("openinference.instrumentation.langchain", "opentelemetry.instrumentation.langchain"),
    fields=Fields(
        user=first(
            mapped(_metadata, _user),
            identifier("traceloop.association.properties.user_id", "traceloop.association.properties.userId"),
        ),
        inputs=mapped(_wrapped, _arguments),
    ),
)
