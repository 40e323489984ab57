"""Mistral's SDK, by OpenInference's instrumentation.

https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-mistralai

It follows `openinference`, save that the tools a model was offered stand in the request alone.
"""

from __future__ import annotations

from typing import Any

from otel_humanloop.operation import ToolDefinition
from otel_humanloop.reading import messages
from otel_humanloop.reading.convention import Convention, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import json_object
from otel_humanloop.spans import Span

_SCOPE = "openinference.instrumentation.mistralai"

_request = json_object("input.value")


@reads(_request)
def _tools(span: Span) -> Found[tuple[ToolDefinition, ...]] | None:
    found = _request(span) if span.scope.name == _SCOPE else None
    offered: Any = None if found is None else found.value.get("tools")
    tools = messages.tool_definitions(offered) if offered else None
    return None if found is None or tools is None else Found(tools, found.key)


CONVENTION = Convention(name="mistralai", rank=Rank.FRAMEWORK, scopes=(_SCOPE,), fields=Fields(tools=_tools))
