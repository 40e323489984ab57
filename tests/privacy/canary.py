"""A canary in every place a span can hold a text, and the search for it in bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from corpus import captures

from otel_humanloop.logs.withheld import _KEPT  # the list the documentation gives; what it names may leave
from otel_humanloop.reading import read
from otel_humanloop.spans import Event, Link, Resource, Scope, Span, Status, StatusCode

KEPT = _KEPT
"""Fields of an operation that the documentation says stay, also without content."""

CANARY = "canary-8d1f"
HIDDEN = [CANARY.encode(), CANARY.upper().encode(), b"Y2FuYXJ5LThkMW", b"NhbmFyeS04ZDFm", b"jYW5hcnktOGQxZ"]
"""The canary, and what base64 makes of it at each of its three places."""

FILES = [captures.name_of(path) for path in captures.files()]
ONE_OF_EACH = sorted({name.split("/")[0]: name for name in FILES}.values())
"""One captured file of every instrumentation."""

MODES = {
    "without content": {"capture_content": False},
    "redacted": {"redact": f"value:{CANARY}"},
    "redacted by a callable": {"redact": lambda _, text: text.replace(CANARY, "")},
    "redacted, without content": {"redact": f"value:{CANARY}", "capture_content": "false"},
}


def sung(value: Any) -> Any:
    """The value with the canary in every text of it, those within JSON too."""
    if isinstance(value, str):
        try:
            inside = json.loads(value) if value[:1] in ("{", "[") else None
        except ValueError:
            inside = None
        return json.dumps(sung(inside)) if inside is not None else f"{value} {CANARY}"
    if isinstance(value, bytes):
        return value + CANARY.encode()
    if isinstance(value, Mapping):
        return {key: sung(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [*(sung(item) for item in value), CANARY]
    return value


def everywhere(span: Span, *, but: frozenset[str] = frozenset()) -> Span:
    """The span with the canary in every text, except in the attributes of those keys."""
    return msgspec.structs.replace(
        span,
        attributes={
            **{key: value if key in but else sung(value) for key, value in span.attributes.items()},
            "text": CANARY,
            "bytes": CANARY.encode(),
        },
        events=(
            *(
                Event(name=f"{CANARY} {event.name}", time_ns=event.time_ns, attributes=sung(event.attributes))
                for event in span.events
            ),
            *(
                Event(name=event.name, time_ns=event.time_ns, attributes=sung(event.attributes))
                for event in span.events
            ),
            Event(
                name="exception",
                attributes={
                    "exception.type": "ValueError",
                    "exception.message": f"bad prompt: {CANARY}",
                    "exception.stacktrace": f"Traceback\n  {CANARY}",
                },
            ),
        ),
        links=(*span.links, Link(trace_id="1" * 32, span_id="2" * 16, attributes={"why": CANARY})),
        status=Status(code=StatusCode.ERROR, message=f"it said {CANARY}"),
        resource=Resource(attributes={**span.resource.attributes, "process.command_args": ["run", CANARY]}),
        scope=msgspec.structs.replace(span.scope, attributes={"scope": CANARY}, schema_url=f"https://{CANARY}.example"),
    )


def content_of(span: Span) -> Span:
    """The canary everywhere but in what is no content: the fields the documentation says stay."""
    kept = {source.key for field, source in read(span).sources.items() if field in KEPT}
    return everywhere(span, but=frozenset(kept))


def all_of(span: Span) -> Span:
    """The canary everywhere, in names and ids too."""
    return msgspec.structs.replace(
        everywhere(span),
        name=f"{span.name} {CANARY}",
        scope=Scope(name=f"{span.scope.name}{CANARY}", version=CANARY, schema_url=CANARY, attributes={"scope": CANARY}),
        resource=Resource(attributes=sung(span.resource.attributes) | {"service.name": CANARY}),
    )


def singing(span: Span, mode: str) -> Span:
    return content_of(span) if mode == "without content" else all_of(span)


def found_in(data: bytes, *, but: set[str] = frozenset()) -> list[bytes]:
    """The forms of the canary in the data, names left out."""
    for name in sorted(but, key=len, reverse=True):
        for written in (name, json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1]):
            data = data.replace(written.encode(), b"")
    return [form for form in HIDDEN if form in data]


def names_in(spans: list[Span], mode: str) -> set[str]:
    """What instrumentations that put several things into one attribute now call a model or a user, without content."""
    if mode != "without content":
        return set()
    operations = [read(span).operation for span in spans]
    said = [getattr(operation, field) for operation in operations for field in KEPT]
    templates = [operation.template for operation in operations if operation.template is not None]
    said += [each for template in templates for each in (template.name, template.version)]
    texts = [text for value in said for text in (value if isinstance(value, tuple) else (value,))]
    return {text for text in texts if isinstance(text, str) and CANARY in text}
