"""`/v4/chat` and `/v4/completion`, each plain, `-deployed` and `-model-config`: ask the model, and log the call.

The log is written before the model is asked, so that what is wrong with its place is said before anything is spent,
and a call that never came back can be seen. When the answer is there, whole or streamed, it is completed.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial
from json.encoder import encode_basestring_ascii
from typing import Any

import anyio
import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from otel_humanloop import v4
from otel_humanloop.server import asking, moments
from otel_humanloop.server.answers import json
from otel_humanloop.server.contract import CallRequest, CallResponse, Sample, Usage
from otel_humanloop.server.failures import Invalid
from otel_humanloop.server.providers import Answer, Ask, Choice, Delta, Provider, ProviderFailed
from otel_humanloop.server.providers.pricing import price
from otel_humanloop.server.requests import Call, decode
from otel_humanloop.server.store import Store, calling
from otel_humanloop.server.store.records import ConfigDraft, Content

_REQUEST = msgspec.json.Decoder(CallRequest)
_encoder = msgspec.json.Encoder()
_BEYOND_ASCII = re.compile("[^\x00-\x7f]+")
_COUNTED = ("model", "prompt_tokens", "output_tokens", "cached_tokens")
"""What a stream says at its end of the whole answer."""


async def _with_given(call: Call, *, chat: bool) -> Response:
    """The plain form: with the config in the request."""
    request = _request(call, chat=chat)
    return await _call(call, request, asking.config_given(request, chat=chat), chat=chat)


async def _with_deployed(call: Call, *, chat: bool) -> Response:
    """`-deployed`: with what the project has deployed."""
    request = _request(call, chat=chat)
    return await _call(call, request, await asking.config_deployed(call, request), chat=chat)


async def _with_version(call: Call, *, chat: bool) -> Response:
    """`-model-config`: with a version that is there."""
    request = _request(call, chat=chat)
    config, project_id = await asking.config_by_id(call, request)
    return await _call(call, _at_home(request, project_id), config, chat=chat)


chat, completion = partial(_with_given, chat=True), partial(_with_given, chat=False)
"""`POST /chat` and `POST /completion`."""
chat_deployed, completion_deployed = partial(_with_deployed, chat=True), partial(_with_deployed, chat=False)
"""`POST /chat-deployed` and `POST /completion-deployed`."""
chat_model_config, completion_model_config = partial(_with_version, chat=True), partial(_with_version, chat=False)
"""`POST /chat-model-config` and `POST /completion-model-config`."""


def _request(call: Call, *, chat: bool) -> CallRequest:
    request = decode(call.body, _REQUEST)
    asking.check(request)
    if chat and request.messages is None:
        raise Invalid(("body", "messages"), "field required", kind="value_error.missing")
    return request


def _at_home(request: CallRequest, project_id: str) -> CallRequest:
    """A call that names no project is logged where its config is a version."""
    if request.project is None and request.project_id is None:
        return msgspec.structs.replace(request, project_id=project_id)
    return request


async def _call(call: Call, request: CallRequest, config: ConfigDraft, *, chat: bool) -> Response:
    provider = asking.provider_of(request, config, call.providers)
    ask = asking.ask_of(request, config, chat=chat)
    sent = provider.request(ask)
    draft = asking.draft_of(request, config, ask, sent, chat=chat)
    if draft.project is None and draft.project_id is None:
        begun = calling.unkept(ask.samples)
    else:
        work = partial(calling.begin, draft=draft, samples=ask.samples, now=moments.now())
        begun = await run_in_threadpool(call.store.write, work)
    making = _Making(call.store, request, ask, begun, sent, chat=chat, priced=call.providers.priced)
    return await (making.streamed(provider) if request.stream else making.whole(provider))


class _Making:
    """One call, from the moment its logs are there."""

    def __init__(
        self,
        store: Store,
        request: CallRequest,
        ask: Ask,
        begun: list[calling.Begun],
        sent: dict[str, Any],
        *,
        chat: bool,
        priced: bool,
    ) -> None:
        self._store = store
        self._priced = priced
        self._request = request
        self._ask = ask
        self._begun = begun
        self._sent = sent
        self._chat = chat
        self._began = time.monotonic()

    async def whole(self, provider: Provider) -> Response:
        """The answer when all of it is there."""
        try:
            answer = await provider.answer(self._ask)
        except ProviderFailed as error:
            await self._end(Answer(choices=[]), error=error.message)
            raise
        await self._end(answer)
        data = [self._sample(index, choice) for index, choice in enumerate(answer.choices[: len(self._begun)])]
        return json(self._response(data, answer))

    async def streamed(self, provider: Provider) -> Response:
        """The answer as it comes. What is wrong before its first word is told by the status."""
        deltas = provider.stream(self._ask)
        try:
            first = await anext(deltas, None)
        except ProviderFailed as error:
            await self._end(Answer(choices=[]), error=error.message)
            raise
        return StreamingResponse(self._events(first, deltas), media_type="text/event-stream")

    async def _events(self, first: Delta | None, deltas: AsyncIterator[Delta]) -> AsyncGenerator[bytes, None]:
        said = [Choice(text="") for _ in self._begun]
        answer = Answer(choices=said)
        error: str | None = "the caller left before the answer was whole"
        try:
            delta = first
            while delta is not None:
                if delta.prompt_tokens is not None or delta.output_tokens is not None:
                    answer = msgspec.structs.replace(answer, **{field: getattr(delta, field) for field in _COUNTED})
                if 0 <= delta.index < len(said) and (delta.text or delta.finish_reason or delta.tool_calls):
                    new = Choice(text=delta.text, finish_reason=delta.finish_reason, tool_calls=delta.tool_calls)
                    before = said[delta.index]
                    said[delta.index] = msgspec.structs.replace(new, text=before.text + new.text)
                    yield _event(self._response([self._sample(delta.index, new, stripped=False)], None))
                delta = await anext(deltas, None)
            error = None
        except ProviderFailed as failure:
            error = failure.message
        finally:
            with anyio.CancelScope(shield=True):
                if isinstance(deltas, AsyncGenerator):
                    await deltas.aclose()
                await self._end(answer, error=error)

    def _response(self, data: list[Sample], answer: Answer | None) -> CallResponse:
        request, log = self._request, self._begun[0]
        counted = answer is not None and (answer.prompt_tokens is not None or answer.output_tokens is not None)
        return CallResponse(
            data=data,
            provider_responses=[] if answer is None or answer.raw is None else [answer.raw],
            project_id=log.project_id,
            session_id=log.session_id,
            num_samples=len(self._begun),
            logprobs=request.logprobs,
            suffix=request.suffix,
            user=request.user,
            metadata=request.metadata,
            usage=_usage(answer) if answer is not None and counted else None,
            provider_request=self._sent,
            tool_choice=self._ask.options.get("tool_choice"),
        )

    def _sample(self, index: int, choice: Choice, *, stripped: bool = True) -> Sample:
        log, request = self._begun[index], self._request
        calls = choice.tool_calls if self._chat else None
        return Sample(
            id=log.id,
            index=index,
            output=choice.text.strip() if stripped else choice.text,
            raw_output=choice.text,
            model_config_id=log.config_id,
            inputs=(request.inputs or {}) if request.return_inputs is not False else {},
            finish_reason=choice.finish_reason,
            messages=self._ask.messages if self._chat else None,
            tool_call=calls[0].function if calls else None,
            tool_calls=calls,
            output_message=_message(choice) if self._chat else None,
        )

    async def _end(self, answer: Answer, *, error: str | None = None) -> None:
        """Completes the logs. Tokens and cost are of all samples: the first log has them, so that sums are right."""
        if self._begun[0].project_id is not None:
            await run_in_threadpool(self._keep, answer, error, time.monotonic() - self._began)

    def _keep(self, answer: Answer, error: str | None, duration: float) -> None:
        cost = price(self._ask.config, answer) if self._priced else None
        ended: list[calling.Ended] = []
        for index, log in enumerate(self._begun):
            choice = answer.choices[index] if index < len(answer.choices) else None
            missing = "the provider gave fewer samples than it was asked for" if choice is None else None
            content = self._content(choice, answer.raw, duration, error or missing)
            first = index == 0
            ended.append(
                calling.Ended(
                    id=log.id,
                    content=content,
                    duration=duration,
                    prompt_tokens=answer.prompt_tokens if first else None,
                    output_tokens=answer.output_tokens if first else None,
                    prompt_cost=cost.prompt if first and cost is not None else None,
                    output_cost=cost.output if first and cost is not None else None,
                )
            )
        self._store.write(partial(calling.end, ended=ended, now=moments.now()))

    def _content(self, choice: Choice | None, raw: Any, duration: float, error: str | None) -> Content:
        given: dict[str, Any] = {"provider_latency": duration, "error": error, "provider_response": raw}
        if choice is not None:
            given.update(output=choice.text.strip(), raw_output=choice.text, finish_reason=choice.finish_reason)
            given.update(output_message=_message(choice) if self._chat else None)
        return Content(**{name: msgspec.Raw(_encoder.encode(v)) for name, v in given.items() if v is not None})


def _message(choice: Choice) -> v4.ChatMessage:
    return v4.ChatMessage(role="assistant", content=choice.text, tool_calls=choice.tool_calls)


def _usage(answer: Answer) -> Usage:
    prompt, output = answer.prompt_tokens or 0, answer.output_tokens or 0
    return Usage(prompt_tokens=prompt, generation_tokens=output, total_tokens=prompt + output)


def _event(response: CallResponse) -> bytes:
    """A server-sent event.

    Old SDKs split an event where its text holds `data: ` again, so that is written apart. The one in TypeScript decodes
    whatever piece the network gave it by itself, so an event is ASCII, of which every piece is whole.
    """
    said = _encoder.encode(response).replace(b"data: ", b"data:\\u0020")
    if not said.isascii():
        said = _BEYOND_ASCII.sub(_escaped, said.decode()).encode()
    return b"data: " + said + b"\n\n"


def _escaped(text: re.Match[str]) -> str:
    return encode_basestring_ascii(text[0])[1:-1]
