"""Google's Agent Development Kit.

https://google.github.io/adk-docs/observability/cloud-trace/

Spans follow `otel_genai` for names, models and tokens; the request and the answer are Gemini's, whole. Gemini counts
thoughts beside the answer's tokens. Agents and their invocations are known by their span's name alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_humanloop.operation import Kind, Message, Usage
from otel_humanloop.reading import blobs, bodies, messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, Reader
from otel_humanloop.reading.readers import arguments, identifier, json_object, mapped, present, structure
from otel_humanloop.reading.values import as_identifier, as_integer, as_object, within
from otel_humanloop.spans import Span

_REQUEST, _RESPONSE = "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"
_ARGUMENTS, _RESULT = "gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response"

_request = json_object(_REQUEST)
_response = json_object(_RESPONSE)


_tool = present(Kind.TOOL, _ARGUMENTS, _RESULT)
_call = present(Kind.MODEL, _REQUEST, _RESPONSE)
_SCOPE = "gcp.vertex.agent"
_INVOCATION, _AGENT = "invocation", "agent_run ["


def _kind_of(span: Span) -> Found[Kind] | None:
    kind = Kind.CHAIN if span.name == _INVOCATION else Kind.AGENT if span.name.startswith(_AGENT) else None
    return None if kind is None or span.scope.name != _SCOPE else Found(kind, "the span's name")


def _presumed(span: Span) -> Found[Kind] | None:
    return _tool(span) or _call(span) or _kind_of(span)


def _agent(span: Span) -> Found[str] | None:
    if span.scope.name != _SCOPE or not span.name.startswith(_AGENT):
        return None
    return Found(span.name.removeprefix(_AGENT).removesuffix("]"), "the span's name")


def _asked(request: Mapping[str, Any]) -> tuple[Message, ...] | None:
    said = blobs.asked(request.get("contents"))
    system = within(dict(request), "config", "system_instruction")
    return said if not system or said is None else (*(messages.instructions(system) or ()), *said)


def _answered(response: Mapping[str, Any]) -> tuple[Message, ...] | None:
    return blobs.answered(response.get("content"))


def _parameters(request: Mapping[str, Any]) -> dict[str, Any] | None:
    config = dict(as_object(request.get("config")) or {})
    for name in ("system_instruction", "tools", "labels", "http_options"):
        config.pop(name, None)
    return bodies.parameters(config)


def _usage(response: Mapping[str, Any]) -> Usage | None:
    counted = {
        name: as_integer(within(dict(response), "usage_metadata", f"{name}_token_count"))
        for name in ("prompt", "candidates", "thoughts", "cached_content", "total")
    }
    output = [counted[name] or 0 for name in ("candidates", "thoughts") if counted[name] is not None]
    usage = Usage(
        prompt_tokens=counted["prompt"],
        output_tokens=sum(output) if output else None,
        cache_read_tokens=counted["cached_content"],
        reasoning_tokens=counted["thoughts"],
        total_tokens=counted["total"],
    )
    return None if usage == Usage() else usage


CONVENTION = Convention(
    name="google_adk",
    rank=Rank.FRAMEWORK,
    keys=("gcp.vertex.agent.",),
    scopes=(_SCOPE,),
    presumed_kind=Reader(_presumed),
    counting=Counting(
        prompt_includes_cache=True,
        output_includes_reasoning=False,
        note="Converted, where the answer is there whole.",
    ),
    fields=Fields(
        name=Reader(_agent),
        conversation=identifier("gcp.vertex.agent.session_id"),
        request_model=mapped(_request, lambda request: as_identifier(request.get("model"))),
        parameters=mapped(_request, _parameters),
        tools=mapped(
            _request, lambda request: messages.tool_definitions(within(dict(request), "config", "tools") or [])
        ),
        messages=mapped(_request, _asked),
        output_messages=mapped(_response, _answered),
        inputs=arguments(_ARGUMENTS),
        output=structure(_RESULT),
        usage=mapped(_response, _usage),
        finish_reasons=mapped(
            mapped(_response, lambda response: as_identifier(response.get("finish_reason"))), lambda reason: (reason,)
        ),
    ),
)
