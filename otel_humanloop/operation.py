"""What a span did, in one vocabulary. Every convention is read into an `Operation`; logs are built of nothing else.

As with spans, no circle can close through these records, so Python's collector of circles need not look at them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal

import msgspec


class Kind(str, Enum):
    """What sort of work it was."""

    MODEL = "model"
    """A call of a language model: chat, completion, responses."""
    EMBEDDING = "embedding"
    RETRIEVAL = "retrieval"
    RERANKER = "reranker"
    TOOL = "tool"
    AGENT = "agent"
    CHAIN = "chain"
    """A workflow, task or other composition of steps."""
    GUARDRAIL = "guardrail"
    EVALUATOR = "evaluator"
    STEP = "step"
    """Work no AI convention claims: a span the program made itself."""


class Text(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="text"):
    """Words."""

    text: str


class Media(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="media"):
    """An image, a sound, a video or a file, by address or inline.

    Attributes:
        modality: "image", "audio", "video" or "file".
        url: Where it is; may be a `data:` URI. None where only a file id is known.
        detail: OpenAI's hint of how closely an image is looked at.
    """

    modality: str
    url: str | None = None
    file_id: str | None = None
    mime_type: str | None = None
    detail: str | None = None


class Reasoning(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="reasoning"):
    """What a model thought on the way to its answer."""

    text: str


class Refusal(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="refusal"):
    """Words by which a model declines."""

    text: str


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="tool_call"):
    """A model asking for a tool.

    Attributes:
        arguments: JSON text, as the v4 contract has it, whichever way the convention wrote it.
    """

    name: str
    id: str | None = None
    arguments: str = ""


class ToolResult(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="tool_result"):
    """A tool's answer to the call named `id`, as text (JSON where it was structured)."""

    text: str
    id: str | None = None


class Other(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="other"):
    """A part no other class fits, as it was written."""

    value: Any


Part = Text | Media | Reasoning | Refusal | ToolCall | ToolResult | Other


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message of a conversation, in the order of its parts.

    Attributes:
        role: As written; "user", "assistant", "system", "tool", "developer" ...
        finish_reason: On an output message: why the model stopped.
    """

    role: str
    parts: tuple[Part, ...] = ()
    name: str | None = None
    finish_reason: str | None = None


class ToolDefinition(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A tool offered to a model. `parameters` is a JSON Schema."""

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] | None = None
    strict: bool | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens of one call, as OpenTelemetry counts them: the parts are contained in the wholes.

    Attributes:
        prompt_tokens: All input tokens, those read from and written to a cache included.
        output_tokens: All generated tokens, reasoning included.
        cache_read_tokens, cache_write_tokens, audio_prompt_tokens: Of `prompt_tokens`.
        reasoning_tokens, audio_output_tokens: Of `output_tokens`.
        total_tokens: As stated; not computed.
    """

    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_prompt_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_output_tokens: int | None = None
    total_tokens: int | None = None


class Cost(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the span itself states the call cost, in US dollars."""

    prompt: float | None = None
    output: float | None = None
    total: float | None = None


class Template(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The prompt before its variables were filled in, with `{{name}}` for a variable.

    Attributes:
        text: A completion's template, or a chat template of a single text.
        messages: A chat template.
        name, version: As a prompt registry knows it.
    """

    text: str | None = None
    messages: tuple[Message, ...] | None = None
    name: str | None = None
    version: str | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a span did. `None` is "not said"; `0`, `""` and empty sequences are values.

    Attributes:
        name: Of the tool, agent, workflow or step, where it has one besides the span's name.
        request_model, response_model: The model asked for, and the one that answered.
        endpoint: "chat" or "complete".
        parameters: Of a model call, by OpenAI's names: temperature, top_p, max_tokens, stop, seed ...
        output_messages: One for each choice.
        inputs: Template variables of a model call; arguments of a tool; inputs of a step.
        output: Of anything that is not a chat: text, or a value to be written as JSON.
        session: A session the program named (`humanloop.session`): wins over the trace.
        conversation: A conversation or thread id, as `gen_ai.conversation.id` or `session.id` give it.
        error: The exception's type and message.
        duration: Seconds the work took, where the span's own times do not tell.
        retold: True where another span tells all of this one's work: this one is no log of its own.
        time_to_first_token: Seconds.
        metadata: What the program itself called metadata, and whatever else a convention wants kept.
    """

    kind: Kind
    name: str | None = None
    description: str | None = None
    project: str | None = None
    session: str | None = None
    conversation: str | None = None
    user: str | None = None
    environment: str | None = None

    request_model: str | None = None
    response_model: str | None = None
    provider: str | None = None
    endpoint: Literal["chat", "complete"] | None = None
    parameters: Mapping[str, Any] | None = None
    tools: tuple[ToolDefinition, ...] | None = None
    template: Template | None = None

    messages: tuple[Message, ...] | None = None
    output_messages: tuple[Message, ...] | None = None
    inputs: Mapping[str, Any] | None = None
    output: Any = None
    documents: tuple[Mapping[str, Any], ...] | None = None

    tool_call_id: str | None = None
    tool_parameters: Mapping[str, Any] | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    finish_reasons: tuple[str, ...] | None = None
    response_id: str | None = None
    streaming: bool | None = None
    time_to_first_token: float | None = None
    error: str | None = None
    duration: float | None = None
    retold: bool | None = None
    tags: tuple[str, ...] | None = None
    metadata: Mapping[str, Any] | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a field of an operation came from: a convention's name and the attribute (or event) key it read."""

    convention: str
    key: str


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A span understood: the operation, whence each of its fields came, and which attribute keys it used up.

    Attributes:
        conventions: Names of those that claimed the span, by rank. Empty for a step nobody claims.
        sources: Field name of `Operation` -> its source.
        told: The same in words, `convention: key`.
        taken: Attribute keys some field has taken.
        left: All other attribute keys, in their order: they go to metadata.
    """

    operation: Operation
    conventions: Sequence[str] = ()
    sources: Mapping[str, Source] = {}
    told: Mapping[str, str] = {}
    taken: frozenset[str] = frozenset()
    left: Sequence[str] = ()


def told(sources: Mapping[str, Source]) -> dict[str, str]:
    """Sources in words."""
    return {field: f"{source.convention}: {source.key}" for field, source in sources.items()}
