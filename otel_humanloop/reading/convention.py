"""What a convention is: where an instrumentation keeps each field of an `Operation`, as a table.

A convention is one module under `conventions/` with one `CONVENTION`; being in the folder is the whole registration.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from enum import IntEnum
from importlib import import_module
from types import ModuleType
from typing import Any, Generic, Literal, TypeVar, cast

import msgspec

from otel_humanloop.operation import Cost, Kind, Message, Template, ToolDefinition, Usage
from otel_humanloop.reading.shape import Narrowed, Shape
from otel_humanloop.spans import Span

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Found(msgspec.Struct, Generic[T_co], frozen=True, gc=False):
    """What a reader has to say.

    Attributes:
        value: Never None.
        key: The attribute, event or family (`llm.tools.*`) it was read from, for people.
        taken: Every attribute key that is used up by it.
        parts: Of a value put together from several attributes: each part's name, and the key it was read from.
    """

    value: T_co
    key: str
    taken: tuple[str, ...] = ()
    parts: Mapping[str, str] = {}


Look = Callable[[Span], Found[T] | None]
"""What a reader does: it says what it finds on a span, or None."""


class Reader(msgspec.Struct, Generic[T_co], frozen=True):
    """Reads one thing off a span.

    Attributes:
        look: None where the span does not say. Never raises, whatever an attribute holds.
        keys: All attribute keys it looks for; one that ends in a dot stands for all that begin so.
        events: The same of the names of events. A span that has none of its keys and events is not asked; a reader
            without either is asked about every span.
        narrow: What it comes to on the spans of a shape that has some of its keys or events, where `look` knows no
            short cut to that. It says what `look` says, of each of them.
    """

    look: Look[T_co]
    keys: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    narrow: Callable[[Shape], Narrowed | None] | None = None

    def __call__(self, span: Span) -> Found[T_co] | None:
        return self.look(span)

    def on(self, shape: Shape) -> Narrowed | None:
        """What it comes to on the spans of a shape; None where it has nothing to say of any of them."""
        if (self.keys or self.events) and not (
            any(map(shape.has, self.keys)) or any(map(shape.has_event, self.events))
        ):
            return None
        return Narrowed(self.look) if self.narrow is None else self.narrow(shape)


def reads(*sources: str | Reader[Any]) -> Callable[[Look[T]], Reader[T]]:
    """Makes a reader of a function that looks for these keys, and for whatever these readers look for."""
    keys, events = wanted(*sources)

    def make(look: Look[T]) -> Reader[T]:
        return Reader(look, keys, events)

    return make


def asks(*readers: Reader[Any], keys: tuple[str, ...] = ()) -> Callable[[Callable[..., Found[T] | None]], Reader[T]]:
    """Makes a reader of a function that asks these: it is given the span, and each of them to be called with it.

    Args:
        keys: What else it looks for.
    """
    wanted_keys, events = wanted(*readers, *keys)

    def make(combine: Callable[..., Found[T] | None]) -> Reader[T]:
        def bound(*looks: Look[Any]) -> Look[T]:
            def look(span: Span) -> Found[T] | None:
                return combine(span, *looks)

            return look

        def narrow(shape: Shape) -> Narrowed:
            return Narrowed(bound(*(as_look(reader.on(shape)) for reader in readers)))

        return Reader(bound(*(reader.look for reader in readers)), wanted_keys, events, narrow)

    return make


def wanted(*sources: str | Reader[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys and the events that these look for, each once."""
    keys: dict[str, None] = {}
    events: dict[str, None] = {}
    for source in sources:
        if isinstance(source, str):
            keys[source] = None
        else:
            keys.update(dict.fromkeys(source.keys))
            events.update(dict.fromkeys(source.events))
    return tuple(keys), tuple(events)


def as_look(narrowed: Narrowed | None) -> Look[Any]:
    """A narrowed reader as one that gives all it knows."""
    if narrowed is None:
        return _silent
    say, attribute, key, taken, parts = msgspec.structs.astuple(narrowed)

    def look(span: Span) -> Found[Any] | None:
        value = say(span if attribute is None else span.attributes[attribute])
        if value is None or type(value) is Found:
            return cast("Found[Any] | None", value)
        return Found(value, key, taken, parts)

    return look


def _silent(_: Span) -> None:
    return None


class Rank(IntEnum):
    """Who is heard first where several conventions speak of one field."""

    EXPLICIT = 1
    """What the program itself said to Humanloop."""
    FRAMEWORK = 2
    """A framework's own dialect, spoken only in its own scope."""
    STRUCTURED = 3
    """OpenTelemetry GenAI."""
    OPENINFERENCE = 4
    INDEXED = 5
    """Flat families: `gen_ai.prompt.N`."""
    BLOB = 6
    """A call's input and output, each as one value."""
    BARE = 7
    """Keys anyone may have written: `input`, `output`. Heard only where nobody claims the span."""


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """A reader for each field of `Operation`, by the same name. None: the convention has no key for it."""

    kind: Reader[Kind] | None = None
    name: Reader[str] | None = None
    description: Reader[str] | None = None
    project: Reader[str] | None = None
    session: Reader[str] | None = None
    conversation: Reader[str] | None = None
    user: Reader[str] | None = None
    environment: Reader[str] | None = None

    request_model: Reader[str] | None = None
    response_model: Reader[str] | None = None
    provider: Reader[str] | None = None
    endpoint: Reader[Literal["chat", "complete"]] | None = None
    parameters: Reader[Mapping[str, Any]] | None = None
    tools: Reader[tuple[ToolDefinition, ...]] | None = None
    template: Reader[Template] | None = None

    messages: Reader[tuple[Message, ...]] | None = None
    output_messages: Reader[tuple[Message, ...]] | None = None
    inputs: Reader[Mapping[str, Any]] | None = None
    output: Reader[Any] | None = None
    documents: Reader[tuple[Mapping[str, Any], ...]] | None = None

    tool_call_id: Reader[str] | None = None
    tool_parameters: Reader[Mapping[str, Any]] | None = None
    usage: Reader[Usage] | None = None
    cost: Reader[Cost] | None = None
    finish_reasons: Reader[tuple[str, ...]] | None = None
    response_id: Reader[str] | None = None
    streaming: Reader[bool] | None = None
    time_to_first_token: Reader[float] | None = None
    error: Reader[str] | None = None
    duration: Reader[float] | None = None
    retold: Reader[bool] | None = None
    tags: Reader[tuple[str, ...]] | None = None
    metadata: Reader[Mapping[str, Any]] | None = None


class Counting(msgspec.Struct, frozen=True, kw_only=True):
    """How a convention counts tokens, before they are read as OpenTelemetry counts them.

    Attributes:
        prompt_includes_cache: Its input tokens include those read from and written to a cache. None: it names none.
        output_includes_reasoning: Its output tokens include reasoning. None: it names none.
        note: What else is to be known, in a sentence.
    """

    prompt_includes_cache: bool | None
    output_includes_reasoning: bool | None
    note: str = ""


class Convention(msgspec.Struct, frozen=True, kw_only=True):
    """One way of writing an AI operation onto a span.

    It *claims* a span when it can tell the kind of work: a claimed span is an AI operation. Its other fields are read
    wherever its keys stand, claimed or not: a `session.id` on a step of the program is a session all the same.

    Attributes:
        name: As `explain` prints it.
        keys: The attribute keys by which it is noticed. One that ends in a dot stands for all keys that begin so.
        events: The same of the names of a span's events.
        scopes: Names of instrumentation scopes; one that ends in a dot stands for all that begin so. The convention
            is asked about every span of theirs, whatever its keys.
        fields: Where each field is kept. `kind` here is what the span states outright.
        presumed_kind: The kind to conclude from what else is there, where no convention finds one stated.
        counting: How it counts tokens; None where it writes none.
    """

    name: str
    rank: Rank
    fields: Fields
    keys: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    presumed_kind: Reader[Kind] | None = None
    counting: Counting | None = None


def discover(package: ModuleType) -> tuple[Convention, ...]:
    """The `CONVENTION` of every module in a package, by rank; in one rank, by name.

    Raises:
        TypeError: A module of the package has no `CONVENTION`.
    """
    found: list[Convention] = []
    for module in pkgutil.iter_modules(package.__path__):
        convention = getattr(import_module(f"{package.__name__}.{module.name}"), "CONVENTION", None)
        if not isinstance(convention, Convention):
            raise TypeError(f"{package.__name__}.{module.name} has no CONVENTION")
        found.append(convention)
    return tuple(sorted(found, key=lambda convention: (convention.rank, convention.name)))
