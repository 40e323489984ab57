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
from otel_humanloop.reading import blobs, bodies, messages, pythontext
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Look, Rank, Reader, asks
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
from otel_humanloop.spans import Span, StatusCode

T = TypeVar("T")
Endpoint = Literal["chat", "complete"]
_Messages = tuple[Message, ...]
_Inputs = Mapping[str, Any]
_Reasons = tuple[str, ...]

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
_UNTOLD = ('"file"', '"input_file"', '"input_audio"', '"document"')
"""Types of parts that the messages have no place for: only the whole request tells them."""

_KIND = "openinference.span.kind"
_KINDS = {
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
}


def _kind_of(span: Span) -> Kind | None:
    """The kind a span states."""
    stated = span.attributes.get(_KIND)
    return _KINDS.get(stated.lower()) if isinstance(stated, str) else None


def _is_call(span: Span) -> bool:
    """A call of a model, stated or presumed: its blobs are the request and the answer."""
    kind = _kind_of(span)
    return kind is Kind.MODEL or (kind is None and _MODEL in span.attributes)


_request = mapped(json_object("llm.invocation_parameters", "embedding.invocation_parameters"), bodies.given)
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
_request_messages = first(attribute(bodies.request_messages, _INPUT), attribute(blobs.batch, _INPUT))
_answer_messages = first(attribute(bodies.answer_messages, _OUTPUT), attribute(blobs.generation, _OUTPUT))


@asks(_answer_of_call)
def _answer(span: Span, answer: Look[bodies.Answer]) -> Found[bodies.Answer] | None:
    return answer(span) if _is_call(span) else None


def _of_request(key: str) -> Reader[str]:
    """Text in the request's parameters."""

    @asks(_request)
    def read(span: Span, requested: Look[dict[str, Any]]) -> Found[str] | None:
        request = requested(span)
        value = None if request is None else as_identifier(request.value.get(key))
        return None if request is None or value is None else Found(value, f"{request.key} {key}", request.taken)

    return read


def _blob_keys(span: Span, key: str, mime_type_key: str) -> tuple[str, ...]:
    """The keys of a whole input or output; none where it is not there, or was hidden."""
    value = span.attributes.get(key)
    if value is None or value == _REDACTED:
        return ()
    return (key, mime_type_key) if mime_type_key in span.attributes else (key,)


def _blob(span: Span, key: str, mime_type_key: str) -> Found[Any] | None:
    """A whole input or output: JSON where it is said to be, else as it was written."""
    taken = _blob_keys(span, key, mime_type_key)
    if not taken:
        return None
    value = span.attributes[key]
    return Found(as_value(value) if span.attributes.get(mime_type_key) == _JSON else value, key, taken)


def _and(found: Found[T], taken: tuple[str, ...]) -> Found[T]:
    """These keys say once more what was found."""
    return Found(found.value, found.key, (*found.taken, *taken)) if taken else found


@asks(_input_messages, _request_messages, keys=(_INPUT_TYPE,))
def _asked(span: Span, told: Look[_Messages], requested: Look[_Messages]) -> Found[_Messages] | None:
    if not _is_call(span):
        return told(span)
    found = _fuller(span, told(span), requested, _INPUT) or _plain(span, _INPUT, _INPUT_TYPE, "user")
    return None if found is None else _and(found, _blob_keys(span, _INPUT, _INPUT_TYPE))


def _fuller(span: Span, told: Found[_Messages] | None, whole: Look[_Messages], key: str) -> Found[_Messages] | None:
    """The messages; those of the whole request or answer, where they tell more of what was said."""
    value = span.attributes.get(key)
    if told is None:
        return whole(span)
    if all(one.parts for one in told.value) and not (isinstance(value, str) and any(map(value.__contains__, _UNTOLD))):
        return told
    found = whole(span)
    if found is None or len(found.value) != len(told.value):
        return told
    pairs = [(len(one.parts), len(other.parts)) for one, other in zip(told.value, found.value, strict=True)]
    is_fuller = any(one < other for one, other in pairs) and all(one <= other for one, other in pairs)
    return _and(found, told.taken) if is_fuller else told


def _plain(span: Span, key: str, mime_type_key: str, role: str) -> Found[_Messages] | None:
    """A question or an answer that stands nowhere but in the whole value, as plain words."""
    value = span.attributes.get(key)
    if span.attributes.get(mime_type_key, _TEXT) != _TEXT or not isinstance(value, str):
        return None
    if not value or value == _REDACTED or pythontext.is_object(value):
        return None
    return mapped(text(key), messages.conversation(role))(span)


def _in_one(told: Found[_Messages] | None) -> Found[_Messages] | None:
    """What an agent answered in several messages, one after the other: they are no choices."""
    if told is None or any(one.role != "assistant" for one in told.value):
        return told
    return Found((bodies.as_one(told.value),), told.key, told.taken)


def _every_reason(of_first: Found[_Reasons] | None, answer: Found[bodies.Answer] | None) -> Found[_Reasons] | None:
    """Why each choice stopped, where the answer is there; else the first."""
    of_all = None if answer is None else bodies.finish_reasons(answer.value)
    if answer is None or of_all is None:
        return of_first
    return _and(Found(of_all, answer.key, answer.taken), () if of_first is None else of_first.taken)


@asks(_output_messages, _answer_messages, _answer, _finish_reason, keys=(_OUTPUT_TYPE,))
def _answered(
    span: Span, told: Look[_Messages], given: Look[_Messages], answer: Look[bodies.Answer], reason: Look[_Reasons]
) -> Found[_Messages] | None:
    if not _is_call(span):
        return _in_one(told(span))
    if span.status.code is StatusCode.ERROR:
        found = told(span)  # some write there what went wrong, or an answer without words
    else:
        found = _fuller(span, told(span), given, _OUTPUT) or _plain(span, _OUTPUT, _OUTPUT_TYPE, "assistant")
    if found is None:
        return None
    if not any(one.parts or one.finish_reason for one in found.value):
        return None  # a call that failed, or a stream that was abandoned, is given a role alone
    said, answered = found.value, answer(span)
    if answered is not None and answered.value.output:
        said = (bodies.as_one(said),)
    reasons = _every_reason(reason(span), answered)
    if reasons is not None:
        said = messages.finished(said, reasons.value)
    return _and(Found(said, found.key, found.taken), _blob_keys(span, _OUTPUT, _OUTPUT_TYPE))


@asks(_variables, _tool_parameters, _embeddings, keys=(_INPUT,))
def _inputs(
    span: Span, variables: Look[_Inputs], tool_parameters: Look[_Inputs], embeddings: Look[list[Any]]
) -> Found[_Inputs] | None:
    kind = _kind_of(span)
    if kind is Kind.MODEL or kind is None:
        return variables(span)
    embedded = _embedded(embeddings(span), "text")
    if embedded is not None:
        texts = Found({"input": embedded.value}, embedded.key, embedded.taken)
        return _and(texts, _blob_keys(span, _INPUT, _INPUT_TYPE))
    blob = _blob(span, _INPUT, _INPUT_TYPE)
    if blob is None:
        return tool_parameters(span) if kind is Kind.TOOL else None
    arguments = as_object(blob.value)
    return Found({"input": blob.value} if arguments is None else arguments, blob.key, blob.taken)


@asks(_embeddings, keys=(_OUTPUT,))
def _output(span: Span, embeddings: Look[list[Any]]) -> Found[Any] | None:
    kind = _kind_of(span)
    if kind is Kind.MODEL or kind is None:
        return None
    embedded = _embedded(embeddings(span), "vector")
    if embedded is None:
        return _blob(span, _OUTPUT, _OUTPUT_TYPE)
    return _and(embedded, _blob_keys(span, _OUTPUT, _OUTPUT_TYPE))


def _embedded(found: Found[list[Any]] | None, key: str) -> Found[list[Any]] | None:
    """The texts or the vectors of an embedding."""
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


@asks(_finish_reason, _answer)
def _finish_reasons(span: Span, reason: Look[_Reasons], answer: Look[bodies.Answer]) -> Found[_Reasons] | None:
    return _every_reason(reason(span), answer(span))


def _first_token(span: Span) -> Found[int] | None:
    """When the first token came."""
    return next((Found(one.time_ns, f"event {one.name}") for one in span.events if one.name == _FIRST_TOKEN), None)


@asks(Reader(_first_token, events=(_FIRST_TOKEN,)), _request)
def _streaming(span: Span, first_token: Look[int], requested: Look[dict[str, Any]]) -> Found[bool] | None:
    came = first_token(span)
    if came is not None:
        return Found(True, came.key)
    request = requested(span)
    if request is None or not isinstance(request.value.get("stream"), bool):
        return None
    return Found(request.value["stream"], f"{request.key} stream", request.taken)


def _time_to_first_token(span: Span) -> Found[float] | None:
    for event in span.events:
        if event.name == _FIRST_TOKEN and event.time_ns >= span.start_ns:
            return Found((event.time_ns - span.start_ns) / 1e9, f"event {_FIRST_TOKEN}")
    return None


@asks(_own_metadata, mapped(_request, bodies.metadata))
def _metadata(span: Span, of_program: Look[_Inputs], of_request: Look[_Inputs]) -> Found[Mapping[str, Any]] | None:
    """The program's own, completed by the request's."""
    own, asked = of_program(span), of_request(span)
    if own is None or asked is None:
        return own or asked
    return Found({**asked.value, **own.value}, f"{own.key}, {asked.key}", (*own.taken, *asked.taken))


_completed: Reader[Endpoint] = present("complete", _PROMPT_TEXT, _CHOICE_TEXT, _PROMPTS)
_chatted: Reader[Endpoint] = present("chat", *_INPUT_ROLES, _OUTPUT_ROLE)


@asks(first(_completed, _chatted))
def _endpoint(span: Span, called: Look[Endpoint]) -> Found[Endpoint] | None:
    return called(span) if _is_call(span) else None


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
        kind=one_of(_KINDS, _KIND),
        name=identifier("tool.name", "agent.name"),
        description=text("tool.description"),
        conversation=identifier("session.id"),
        user=first(identifier("user.id"), _of_request("user"), mapped(_request, _requests_user)),
        request_model=first(identifier("llm.request.model_name"), _of_request("model")),
        response_model=identifier("llm.response.model_name", _MODEL, _EMBEDDING_MODEL, "reranker.model_name"),
        provider=mapped(identifier("llm.provider", "llm.system"), str.lower),
        endpoint=_endpoint,
        parameters=mapped(_request, bodies.parameters),
        tools=first(
            mapped(mapped(indexed("llm.tools"), _tools), messages.tool_definitions),
            mapped(_request, lambda request: messages.tool_definitions(request.get("tools") or [])),
        ),
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
        streaming=_streaming,
        time_to_first_token=Reader(_time_to_first_token, events=(_FIRST_TOKEN,)),
        tags=strings("tag.tags"),
        metadata=_metadata,
    ),
)
