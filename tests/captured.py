"""What captured programs did, as their spans are read; and what all of them asked and were answered."""

from __future__ import annotations

from corpus import captures

from otel_humanloop.operation import Kind, Operation, Text, ToolCall
from otel_humanloop.reading import read

PARIS = ("get_weather", '{"city":"Paris"}')
SUNNY = "It is 18°C and sunny in Paris."


def operations(name: str, *kinds: Kind) -> list[Operation]:
    """What the spans of a capture are read as, in the order they ended; of these kinds, or of all."""
    spans = sorted(captures.spans(name), key=lambda span: span.end_ns or 0)
    read_as = [read(span).operation for span in spans]
    return [one for one in read_as if not kinds or one.kind in kinds]


def call(name: str) -> Operation:
    """The only call of a model in a capture."""
    [one] = operations(name, Kind.MODEL)
    return one


def asked_for(one: Operation) -> list[tuple[str, str]]:
    """The tools a model asked for."""
    said = [part for message in one.output_messages or () for part in message.parts]
    return [(part.name, part.arguments.replace(" ", "")) for part in said if isinstance(part, ToolCall)]


def answered(one: Operation) -> str:
    said = [part for message in one.output_messages or () for part in message.parts]
    return "".join(part.text for part in said if isinstance(part, Text)).strip()
