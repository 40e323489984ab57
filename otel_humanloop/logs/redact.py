"""The choke-point: what may be kept of a span, and what may be sent of a log.

Every span passes `Redactor.span` before a spool keeps it, every log record `Redactor.record`, and every log
`Redactor.log` after it was built and before it is encoded: what only reading brought to light is met there. Nobody
else decides what leaves, and whatever fails here (a pattern, a callable, a shape nobody thought of) costs the content
and never the log: it fails closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from otel_humanloop import v4
from otel_humanloop.edge import Edge
from otel_humanloop.logs.draft import READ_BEFORE, draft
from otel_humanloop.logs.encode import clean
from otel_humanloop.logs.withheld import without_content, without_text
from otel_humanloop.notices import Notices
from otel_humanloop.settings import Settings
from otel_humanloop.spans import Attributes, Event, Link, LogRecord, Resource, Scope, Span, Status

if TYPE_CHECKING:
    from otel_humanloop.logs.rules import Rules

_Log = TypeVar("_Log", bound="v4.LogRequest[v4.Config] | v4.UpdateLogRequest")

_SAID = frozenset({"project", "inputs", "messages", "output", "output_message", "error", "metadata", "config"})
"""Fields of a log that hold what a span said. The others place it, or are numbers."""

_CONTENT = ("inputs", "messages", "output", "output_message")

_FREE = frozenset({"inputs", "metadata", "other", "parameters"})
"""Fields whose keys are the program's own; those of the others are the contract's, and patterns for keys pass by."""

_FIXED = frozenset({"type", "role", "provider", "endpoint", "detail"})
"""Fields whose values are the contract's words."""


class Redactor:
    """What the settings `capture_content` and `redact` let through.

    Args:
        settings: `capture_content`, `redact` and `project` are used.
        notices: Where a redaction that failed is told.

    Attributes:
        idle: Everything passes as it is, now and always: who has many to let through need not ask for each.
    """

    def __init__(self, settings: Settings, *, notices: Notices) -> None:
        self._capture_content = settings.capture_content
        self._project = settings.project
        self._edge = Edge(notices, "redact", "a redaction failed: the content it was to redact was left out")
        self._rules: Rules | None = None
        if settings.redact is not None:
            # Its expressions are compiled where something is to be redacted, and nowhere else.
            from otel_humanloop.logs.rules import rules_of

            self._rules = rules_of(settings.redact, edge=self._edge)
        self.idle = self._capture_content and self._rules is None

    @property
    def captures_content(self) -> bool:
        """What was said may be kept and sent, redacted or not."""
        return self._capture_content

    def span(self, span: Span) -> Span:
        """What may be kept of a span that has come. Never raises."""
        if self.idle:
            return span
        if READ_BEFORE in span.attributes:  # only what was kept here has a right to it
            attributes = {key: value for key, value in span.attributes.items() if key != READ_BEFORE}
            span = msgspec.structs.replace(span, attributes=attributes)
        with self._edge:
            redacted = _span(span, self._rules) if self._rules is not None else span
            if self._capture_content:
                return redacted
            return without_content(draft(redacted), project=self._project)
        return without_text(draft(span), why="redaction failed")

    def kept(self, span: Span) -> Span:
        """The same of a span out of a spool, which may have been kept under other settings. Never raises."""
        return span if READ_BEFORE in span.attributes else self.span(span)

    def record(self, record: LogRecord) -> LogRecord | None:
        """What may be kept of a log record: none at all where content is not captured, for it is nothing else."""
        if self.idle:
            return record
        if not self._capture_content or self._rules is None:
            return None
        with self._edge:
            return msgspec.structs.replace(
                record,
                event_name=self._rules.text("event", record.event_name),
                body=self._rules.value("body", record.body),
                attributes=_attributes(record.attributes, self._rules),
                resource=_resource(record.resource, self._rules),
                scope=_scope(record.scope, self._rules),
            )
        return None

    def log(self, log: _Log) -> _Log | Mapping[str, Any]:
        """What may be sent of a log: itself, or a mapping of the same fields. Never raises."""
        if self.idle:
            return log
        with self._edge:
            return _present(self._let_through(log))
        return _present(_empty(log))

    def _let_through(self, log: v4.LogRequest[v4.Config] | v4.UpdateLogRequest) -> dict[str, Any]:
        fields = self._redacted(log) if self._rules is not None else msgspec.structs.asdict(log)
        if not self._capture_content:
            fields = {name: value for name, value in fields.items() if name not in _CONTENT}
            if isinstance(log, v4.LogRequest) and log.config is not None:
                fields["save"] = False
        return fields

    def _redacted(self, log: msgspec.Struct) -> dict[str, Any]:
        assert self._rules is not None
        fields = cast("dict[str, Any]", clean(log, depth=100))
        return {
            name: _redacted_field(name, value, self._rules) if name in _SAID else value
            for name, value in fields.items()
        }


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _redacted_field(name: str, value: Any, rules: Rules) -> Any:
    """A field of the contract, its values redacted; where the program's own keys begin, by key too."""
    if isinstance(value, str):
        return value if name in _FIXED else rules.said(name, value)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if name in _FREE:
            return rules.mapping(fields)
        return {key: _redacted_field(key, item, rules) for key, item in fields.items()}
    if isinstance(value, list):
        return [_redacted_field(name, item, rules) for item in cast("list[Any]", value)]
    return value


def _empty(log: v4.LogRequest[v4.Config] | v4.UpdateLogRequest) -> dict[str, Any]:
    """A log of nothing but its place, its time and what kind of work it was."""
    if isinstance(log, v4.UpdateLogRequest):
        return {"duration": log.duration, "error": "Error" if log.error is not None else None}
    config: dict[str, Any] = {"type": "tool", "name": "redacted"}
    if isinstance(log.config, v4.ModelConfig):
        config = {"type": "model", "model": "redacted"}
    kept = {name: value for name, value in msgspec.structs.asdict(log).items() if name not in _SAID}
    placed = {"project": "redacted", "config": config} if log.config is not None else {}
    return {**kept, **placed, "metadata": {"withheld": "redaction failed"}, "save": False}


def _span(span: Span, rules: Rules) -> Span:
    """The span with every text in it redacted."""
    status = span.status
    return msgspec.structs.replace(
        span,
        name=rules.text("name", span.name),
        attributes=_attributes(span.attributes, rules),
        events=tuple(_event(event, rules) for event in span.events),
        links=tuple(_link(link, rules) for link in span.links),
        status=Status(
            code=status.code, message=rules.text("status", status.message) if status.message is not None else None
        ),
        resource=_resource(span.resource, rules),
        scope=_scope(span.scope, rules),
    )


def _event(event: Event, rules: Rules) -> Event:
    return msgspec.structs.replace(
        event, name=rules.text("event", event.name), attributes=_attributes(event.attributes, rules)
    )


def _link(link: Link, rules: Rules) -> Link:
    return msgspec.structs.replace(link, attributes=_attributes(link.attributes, rules))


def _resource(resource: Resource, rules: Rules) -> Resource:
    return Resource(attributes=_attributes(resource.attributes, rules))


def _scope(scope: Scope, rules: Rules) -> Scope:
    return Scope(
        name=rules.text("scope", scope.name),
        version=rules.text("version", scope.version) if scope.version is not None else None,
        schema_url=rules.text("schema_url", scope.schema_url) if scope.schema_url is not None else None,
        attributes=_attributes(scope.attributes, rules),
    )


def _attributes(attributes: Attributes, rules: Rules) -> Attributes:
    return rules.mapping(attributes)
