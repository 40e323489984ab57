"""OpenInference, as Arize's instrumentations write it.

https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md

Prompt tokens include those read from and written to a cache, completion tokens include reasoning. A model call's
request and answer stand on the span twice: taken apart into messages, and whole in `input.value` and `output.value`.
The whole is read for what the messages lack: the answer's id, why each choice stopped, and a conversation whose
messages are not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from otel_humanloop.operation import Kind, Message
from otel_humanloop.reading import bodies, messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, Reader, reads
from otel_humanloop.reading.readers import (
    attribute,
    first,
    identifier,
    indexed,
    json_object,
    mapped,
    one_of,
    present,
    strings,
    text,
)
from otel_humanloop.reading.templates import template
from otel_humanloop.reading.usage import dollars, tokens
from otel_humanloop.reading.values import as_identifier, as_object, as_structure, as_value, within
from otel_humanloop.spans import Span

T = TypeVar("T")
Endpoint = Literal["chat", "complete"]

_INPUT, _INPUT_TYPE = "input.value", "input.mime_type"
_OUTPUT, _OUTPUT_TYPE = "output.value", "output.mime_type"
_MODEL = "llm.model_name"
_EMBEDDING_MODEL = "embedding.model_name"
_PROMPT_TEXT = "llm.prompts.0.prompt.text"
_PROMPTS = "llm.prompts"
_CHOICE_TEXT = "llm.choices.0.completion.text"
_INPUT_ROLES = ("llm.input_messages.0.message.role", "llm.input_messages.1.message.role")
_OUTPUT_ROLE = "llm.output_messages.0.message.role"
_FIRST_TOKEN = "First Token Stream Event"
_REDACTED = "__REDACTED__"
_JSON = "application/json"
_TEXT = "text/plain"

_kind = one_of(
    {
        "llm": Kind.MODEL,
        "embedding": Kind.EMBEDDING,
        "retriever": Kind.RETRIEVAL,
        "reranker": Kind.RERANKER,
        "tool": Kind.TOOL,
        "agent": Kind.AGENT,
        "chain": Kind.CHAIN,
        "prompt": Kind.CHAIN,
        "guardrail": Kind.GUARDRAIL,
        "evaluator": Kind.EVALUATOR,
    },
    "openinference.span.kind",
)


def _is(span: Span, kind: Kind) -> bool:
    stated = _kind(span)
    return stated is not None and stated.value is kind


def _is_call(span: Span) -> bool:
    """A call of a model, stated or presumed: its blobs are the request and the answer."""
    return _is(span, Kind.MODEL) or (_kind(span) is None and _MODEL in span.attributes)


_request = json_object("llm.invocation_parameters", "embedding.invocation_parameters")
_variables = json_object("llm.prompt_template.variables")
_own_metadata = json_object("metadata")
_tool_parameters = json_object("tool.parameters")
_embeddings = indexed("embedding.embeddings")
_finish_reason = strings("llm.finish_reason")
_answer_of_call = attribute(bodies.answer, _OUTPUT)
_input_messages = first(
    mapped(indexed("llm.input_messages", messages.LEAVES), messages.conversation("user")),
    mapped(indexed("llm.prompts", messages.LEAVES), messages.conversation("user")),
    mapped(mapped(strings(_PROMPTS), list), messages.conversation("user")),
)
_output_messages = first(
    mapped(indexed("llm.output_messages", messages.LEAVES), messages.conversation("assistant")),
    mapped(indexed("llm.choices", messages.LEAVES), messages.conversation("assistant")),
)
_request_messages = attribute(bodies.request_messages, _INPUT)
_answer_messages = attribute(bodies.answer_messages, _OUTPUT)


@reads(_answer_of_call)
def _answer(span: Span) -> Found[bodies.Answer] | None:
    return _answer_of_call(span) if _is_call(span) else None


def _of_request(key: str) -> Reader[str]:
    """Text in the request's parameters."""

    @reads(_request)
    def read(span: Span) -> Found[str] | None:
        request = _request(span)
        value = None if request is None else as_identifier(request.value.get(key))
        return None if request is None or value is None else Found(value, f"{request.key} {key}", request.taken)

    return read


def _blob(span: Span, key: str, mime_type_key: str) -> Found[Any] | None:
    """A whole input or output: JSON where it is said to be, else as it was written. Not where it was hidden."""
    value = span.attributes.get(key)
    if value is None or value == _REDACTED:
        return None
    taken = (key, mime_type_key) if mime_type_key in span.attributes else (key,)
    return Found(as_value(value) if span.attributes.get(mime_type_key) == _JSON else value, key, taken)


def _and_blob(found: Found[T], blob: Found[Any] | None) -> Found[T]:
    """A blob says once more what was found."""
    return found if blob is None else Found(found.value, found.key, (*found.taken, *blob.taken))


@reads(_input_messages, _request_messages, _INPUT_TYPE)
def _asked(span: Span) -> Found[tuple[Message, ...]] | None:
    if not _is_call(span):
        return _input_messages(span)
    found = _input_messages(span) or _request_messages(span)
    return None if found is None else _and_blob(found, _blob(span, _INPUT, _INPUT_TYPE))


def _plain_answer(span: Span) -> Found[tuple[Message, ...]] | None:
    """An answer that stands nowhere but in `output.value`, as plain words."""
    if span.attributes.get(_OUTPUT_TYPE, _TEXT) != _TEXT or not isinstance(span.attributes.get(_OUTPUT), str):
        return None
    blob = _blob(span, _OUTPUT, _OUTPUT_TYPE)
    return None if blob is None or not blob.value else mapped(text(_OUTPUT), messages.conversation("assistant"))(span)


@reads(_output_messages, _answer_messages, _finish_reason, _OUTPUT_TYPE)
def _answered(span: Span) -> Found[tuple[Message, ...]] | None:
    if not _is_call(span):
        return _output_messages(span)
    found = _output_messages(span) or _answer_messages(span) or _plain_answer(span)
    if found is None:
        return None
    if not any(one.parts or one.finish_reason for one in found.value):
        return None  # a call that failed, or a stream that was abandoned, is given a role alone
    told, answered = found.value, _answer(span)
    if answered is not None and answered.value.output:
        told = (bodies.as_one(told),)
    reasons = _finish_reasons(span)
    if reasons is not None:
        told = messages.finished(told, reasons.value)
    return _and_blob(Found(told, found.key, found.taken), _blob(span, _OUTPUT, _OUTPUT_TYPE))


@reads(_variables, _tool_parameters, _embeddings, _INPUT)
def _inputs(span: Span) -> Found[Mapping[str, Any]] | None:
    if _is(span, Kind.MODEL) or _kind(span) is None:
        return _variables(span)
    blob = _blob(span, _INPUT, _INPUT_TYPE)
    embedded = _embedded(span, "text")
    if embedded is not None:
        return _and_blob(Found({"input": embedded.value}, embedded.key, embedded.taken), blob)
    if blob is None:
        return _tool_parameters(span) if _is(span, Kind.TOOL) else None
    arguments = as_object(blob.value)
    return Found({"input": blob.value} if arguments is None else arguments, blob.key, blob.taken)


@reads(_embeddings, _OUTPUT)
def _output(span: Span) -> Found[Any] | None:
    if _is(span, Kind.MODEL) or _kind(span) is None:
        return None
    blob = _blob(span, _OUTPUT, _OUTPUT_TYPE)
    embedded = _embedded(span, "vector")
    return blob if embedded is None else _and_blob(embedded, blob)


def _embedded(span: Span, key: str) -> Found[list[Any]] | None:
    """The texts or the vectors of an embedding."""
    found = _embeddings(span)
    if found is None:
        return None
    items = [within(item, "embedding", key) for item in found.value]
    taken = tuple(one for one in found.taken if one.endswith(f".{key}"))
    return Found(items, found.key, taken) if taken else None


def _requests_user(request: Mapping[str, Any]) -> str | None:
    """As Anthropic's API is told it."""
    return as_identifier(within(request, "metadata", "user_id"))


def _tools(items: list[Any]) -> list[Any]:
    return [within(item, "tool", "json_schema") or within(item, "tool") for item in items]


def _documents(items: list[Any]) -> tuple[Mapping[str, Any], ...] | None:
    """Each with its metadata, which is JSON text, opened."""
    documents = (as_object(within(item, "document")) for item in items)
    return (
        tuple(
            {key: as_structure(value) if key == "metadata" else value for key, value in one.items()}
            for one in documents
            if one is not None
        )
        or None
    )


@reads(_finish_reason, _answer_of_call)
def _finish_reasons(span: Span) -> Found[tuple[str, ...]] | None:
    """Of every choice where the answer is there; else the one of the first."""
    of_first, of_all = _finish_reason(span), mapped(_answer, bodies.finish_reasons)(span)
    if of_first is None or of_all is None:
        return of_all or of_first
    return _and_blob(of_all, of_first)


def _streaming(span: Span) -> Found[bool] | None:
    if any(event.name == _FIRST_TOKEN for event in span.events):
        return Found(True, f"event {_FIRST_TOKEN}")
    request = _request(span)
    if request is None or not isinstance(request.value.get("stream"), bool):
        return None
    return Found(request.value["stream"], f"{request.key} stream", request.taken)


def _time_to_first_token(span: Span) -> Found[float] | None:
    for event in span.events:
        if event.name == _FIRST_TOKEN and event.time_ns >= span.start_ns:
            return Found((event.time_ns - span.start_ns) / 1e9, f"event {_FIRST_TOKEN}")
    return None


@reads(_own_metadata, _request)
def _metadata(span: Span) -> Found[Mapping[str, Any]] | None:
    """The program's own, completed by the request's."""
    own, asked = _own_metadata(span), mapped(_request, bodies.metadata)(span)
    if own is None or asked is None:
        return own or asked
    return Found({**asked.value, **own.value}, f"{own.key}, {asked.key}", (*own.taken, *asked.taken))


_completed: Reader[Endpoint] = present("complete", _PROMPT_TEXT, _CHOICE_TEXT, _PROMPTS)
_chatted: Reader[Endpoint] = present("chat", *_INPUT_ROLES, _OUTPUT_ROLE)


@reads(_completed, _chatted)
def _endpoint(span: Span) -> Found[Endpoint] | None:
    return (_completed(span) or _chatted(span)) if _is_call(span) else None


CONVENTION = Convention(
    name="openinference",
    rank=Rank.OPENINFERENCE,
    keys=(
        "openinference.",
        "session.id",
        "user.id",
        "metadata",
        "tag.tags",
        "llm.system",
        "llm.provider",
        _MODEL,
        "llm.prompt_template.",
        _EMBEDDING_MODEL,
    ),
    presumed_kind=first(present(Kind.MODEL, _MODEL), present(Kind.EMBEDDING, _EMBEDDING_MODEL)),
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True),
    fields=Fields(
        kind=_kind,
        name=identifier("tool.name", "agent.name"),
        description=text("tool.description"),
        conversation=identifier("session.id"),
        user=first(identifier("user.id"), _of_request("user"), mapped(_request, _requests_user)),
        request_model=first(identifier("llm.request.model_name"), _of_request("model")),
        response_model=identifier("llm.response.model_name", _MODEL, _EMBEDDING_MODEL, "reranker.model_name"),
        provider=mapped(identifier("llm.provider", "llm.system"), str.lower),
        endpoint=_endpoint,
        parameters=mapped(_request, bodies.parameters),
        tools=mapped(mapped(indexed("llm.tools"), _tools), messages.tool_definitions),
        template=template(
            text("llm.prompt_template.template"),
            _variables,
            version=identifier("llm.prompt_template.version"),
        ),
        messages=_asked,
        output_messages=_answered,
        inputs=_inputs,
        output=_output,
        documents=first(
            mapped(indexed("retrieval.documents"), _documents),
            mapped(indexed("reranker.output_documents"), _documents),
        ),
        tool_call_id=identifier("tool.id", "tool_call.id"),
        tool_parameters=json_object("tool.json_schema"),
        usage=tokens(
            prompt_tokens="llm.token_count.prompt",
            output_tokens="llm.token_count.completion",
            cache_read_tokens="llm.token_count.prompt_details.cache_read",
            cache_write_tokens="llm.token_count.prompt_details.cache_write",
            audio_prompt_tokens="llm.token_count.prompt_details.audio",
            reasoning_tokens="llm.token_count.completion_details.reasoning",
            audio_output_tokens="llm.token_count.completion_details.audio",
            total_tokens="llm.token_count.total",
        ),
        cost=dollars(prompt="llm.cost.prompt", output="llm.cost.completion", total="llm.cost.total"),
        finish_reasons=_finish_reasons,
        response_id=mapped(_answer, lambda answered: answered.id),
        streaming=Reader(_streaming, _request.keys, (_FIRST_TOKEN,)),
        time_to_first_token=Reader(_time_to_first_token, events=(_FIRST_TOKEN,)),
        tags=strings("tag.tags"),
        metadata=_metadata,
    ),
)
