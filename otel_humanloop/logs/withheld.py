"""A span without its content: `capture_content=False`.

What stays is a list of what is known to be none: which model of which provider was called how, how many tokens it
took, what that cost, how long it was, whether it failed and by which type of error; the ids and names that place it
(trace, session, user, project, tool, agent, the span's own name). Everything else goes, whatever it is: a field that is
not in the list, an attribute nobody reads, every event, every text of a link, a status or an exception.

A span is read before it is stripped, and what was read goes along as one attribute, so that the same span read again,
perhaps by a later process out of its spool, is the same log.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from otel_humanloop.logs.draft import READ_BEFORE, Draft, ReadBefore
from otel_humanloop.operation import Kind, Operation, Template
from otel_humanloop.reading import error_type
from otel_humanloop.spans import Link, Resource, Scope, Span, Status

_KEPT = frozenset(
    {
        "kind",
        "name",
        "project",
        "session",
        "conversation",
        "user",
        "environment",
        "request_model",
        "response_model",
        "provider",
        "endpoint",
        "tool_call_id",
        "usage",
        "cost",
        "finish_reasons",
        "response_id",
        "retold",
        "streaming",
        "time_to_first_token",
    }
)
"""Fields of an operation that stay as they are."""

_PARAMETERS = frozenset(
    {
        "frequency_penalty",
        "logprobs",
        "max_completion_tokens",
        "max_output_tokens",
        "max_tokens",
        "n",
        "presence_penalty",
        "seed",
        "stream",
        "temperature",
        "top_k",
        "top_logprobs",
        "top_p",
    }
)
"""Of the parameters of a call those that are numbers: a schema, a stop sequence, a user's name are text."""

_RESOURCE = ("service.", "deployment.environment", "telemetry.sdk.")
"""How the attributes of a resource begin that stay."""

_LONGEST = 256
"""Characters of a name; what is longer is none."""

_ERROR_TYPE = re.compile(r"[\w.$*:/<>\[\]-]{1,200}")


def without_content(draft: Draft, *, project: str) -> Span:
    """The span of a draft, with what was read of it in place of what it said.

    Args:
        project: The setting; what of the resource it names stays besides the usual.
    """
    span, operation = draft.span, draft.reading.operation
    fields = {name: _cut(getattr(operation, name)) for name in Operation.__struct_fields__ if name in _KEPT}
    template = operation.template
    if template is not None and (template.name is not None or template.version is not None):
        fields["template"] = Template(name=_cut(template.name), version=_cut(template.version))
    if operation.parameters is not None:
        fields["parameters"] = {
            name: value
            for name, value in operation.parameters.items()
            if name in _PARAMETERS and isinstance(value, (bool, int, float))
        }
    if operation.error is not None:
        stated = error_type(span)
        fields["error"] = stated if stated is not None and _ERROR_TYPE.fullmatch(stated) else "Error"
    before = ReadBefore(
        operation=Operation(**fields),
        conventions=tuple(draft.reading.conventions),
        sources={field: source for field, source in draft.reading.sources.items() if field in _KEPT},
        role=draft.role,
        wealth=draft.wealth,
    )
    attributes = span.resource.attributes
    resource = {
        key: _cut(value) for key, value in attributes.items() if key.startswith(_RESOURCE) or f"{{{key}}}" in project
    }
    return _bare(
        span,
        before,
        name=span.name[:_LONGEST],
        scope=Scope(name=span.scope.name[:_LONGEST], version=_cut(span.scope.version)),
        resource=Resource(attributes=resource),
    )


def without_text(draft: Draft, *, why: str) -> Span:
    """The span of a draft, with nothing it said at all: its place, its times and what kind of work it was.

    `why` is put into the log's metadata.
    """
    operation = Operation(kind=draft.reading.operation.kind, project="redacted", metadata={"withheld": why})
    if draft.reading.operation.error is not None:
        operation = msgspec.structs.replace(operation, error="Error")
    before = ReadBefore(
        operation=operation, conventions=tuple(draft.reading.conventions), sources={}, role=draft.role, wealth=0
    )
    return _bare(draft.span, before, name=operation.kind.value, scope=Scope(), resource=Resource())


def _bare(span: Span, before: ReadBefore, *, name: str, scope: Scope, resource: Resource) -> Span:
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        parent_is_remote=span.parent_is_remote,
        name=name,
        kind=span.kind,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        attributes={READ_BEFORE: msgspec.msgpack.encode(before)},
        links=tuple(Link(trace_id=link.trace_id, span_id=link.span_id) for link in span.links),
        status=Status(code=span.status.code),
        resource=resource,
        scope=scope,
        dropped_attributes=span.dropped_attributes,
        dropped_events=span.dropped_events,
        dropped_links=span.dropped_links,
    )


def _cut(value: Any) -> Any:
    """A name, or names, no longer than names are."""
    if isinstance(value, Kind) or not isinstance(value, (str, tuple, list)):
        return value
    if isinstance(value, str):
        return value[:_LONGEST]
    return tuple(_cut(each) for each in value if isinstance(each, str))  # pyright: ignore[reportUnknownVariableType]
