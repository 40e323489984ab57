"""What the program itself says to Humanloop, in attributes of its own or through `annotate`.

They name what no instrumentation can know. Alone they make a span an AI operation only where they state its kind or
its output: a project or a session may be said of any span.
"""

from __future__ import annotations

from typing import Any

from otel_humanloop.operation import Kind, Template
from otel_humanloop.reading import messages
from otel_humanloop.reading.convention import Convention, Fields, Rank
from otel_humanloop.reading.readers import (
    attribute,
    gathered,
    identifier,
    json_object,
    mapped,
    one_of,
    present,
    structure,
    text,
)

_OUTPUT = "humanloop.output"


def _template(said: dict[str, Any]) -> Template:
    return Template(**said)


CONVENTION = Convention(
    name="humanloop",
    rank=Rank.EXPLICIT,
    keys=("humanloop.",),
    presumed_kind=present(Kind.CHAIN, _OUTPUT),
    fields=Fields(
        kind=one_of({kind.value: kind for kind in Kind if kind is not Kind.STEP}, "humanloop.kind"),
        name=identifier("humanloop.name"),
        project=identifier("humanloop.project"),
        session=identifier("humanloop.session"),
        user=identifier("humanloop.user"),
        environment=identifier("humanloop.environment"),
        template=mapped(
            gathered(
                {
                    "text": text("humanloop.prompt_template"),
                    "messages": mapped(structure("humanloop.chat_template"), messages.conversation("user")),
                }
            ),
            _template,
        ),
        inputs=json_object("humanloop.inputs"),
        output=attribute(lambda value: value, _OUTPUT),
        metadata=json_object("humanloop.metadata"),
    ),
)
