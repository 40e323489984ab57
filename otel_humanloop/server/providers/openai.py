"""Any service that speaks OpenAI's API: `/chat/completions` and `/completions`, whole or streamed.

A model that is retired from, or never was at, `/completions` (404) is asked by chat instead.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import msgspec

from otel_humanloop.server.failures import Invalid
from otel_humanloop.server.providers import Answer, Ask, Choice, Delta, ProviderFailed
from otel_humanloop.server.providers.openai_messages import with_ids
from otel_humanloop.server.providers.openai_shapes import Chunk, ChunkChoice, PartialCall, Reply
from otel_humanloop.server.requests import check_depth

_DEFAULTS = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0, "max_tokens": -1}
"""What a service does anyway is not sent: models without such a knob refuse to be told."""
_PARAMETERS = (*_DEFAULTS, "stop", "seed")
Said = TypeVar("Said")
_REPLY = msgspec.json.Decoder(Reply)
_CHUNK = msgspec.json.Decoder(Chunk)
_FINISHED = {"tool_calls": "tool_call", "function_call": "tool_call"}
_MOST_SAID = 1_000
"""Characters of a refusal that are passed on."""


class OpenAIProvider:
    """A service at `base_url`.

    Args:
        name: What errors call it: "OpenAI", or the provider the config names.
        timeout: Seconds without a word from it.
    """

    def __init__(self, *, base_url: str, api_key: str | None, name: str, timeout: float) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._name = name
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 10.0))

    def request(self, ask: Ask) -> dict[str, Any]:
        """The body that is sent for an ask."""
        config = ask.config
        body: dict[str, Any] = {"model": config["model"]}
        if ask.messages is not None:
            body["messages"] = msgspec.to_builtins(with_ids(ask.messages))
        else:
            body["prompt"] = ask.prompt
        body.update(
            (name, config[name])
            for name in _PARAMETERS
            if config.get(name) is not None and config[name] != _DEFAULTS.get(name)
        )
        if config.get("tools") and ask.messages is not None:
            body["tools"] = [_tool(tool) for tool in config["tools"]]
        if ask.samples != 1:
            body["n"] = ask.samples
        # a provider that the contract does not know stands under `other`, and is no parameter of a call
        other = {name: value for name, value in config["other"].items() if name != "provider" or "provider" in config}
        body.update({**other, **ask.options})
        asked = ask.options.get("response_format") or config.get("response_format")
        return body if asked is None else {**body, "response_format": _response_format(asked)}

    async def answer(self, ask: Ask) -> Answer:
        """The whole answer."""
        body = self.request(ask)
        async with self._asked(body) as response:
            said = await response.aread()
        reply = self._read(said, _REPLY, "answered")
        usage = reply.usage
        choices = [
            Choice(
                text=choice.text or (choice.message and choice.message.content) or "",
                finish_reason=_finished(choice.finish_reason),
                tool_calls=choice.message.tool_calls if choice.message else None,
            )
            for choice in sorted(reply.choices, key=lambda choice: choice.index)
        ]
        return Answer(
            choices=choices,
            model=reply.model,
            prompt_tokens=usage.prompt_tokens if usage else None,
            output_tokens=usage.completion_tokens if usage else None,
            cached_tokens=usage.cached_tokens if usage else None,
            raw=msgspec.Raw(said),
        )

    async def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        """The answer piece by piece."""
        body = {**self.request(ask), "stream": True, "stream_options": {"include_usage": True}}
        calls: dict[int, dict[int, PartialCall]] = {}
        async with self._asked(body) as response:
            async for chunk in self._chunks(response):
                for choice in chunk.choices:
                    yield _delta(choice, calls.setdefault(choice.index, {}))
                if chunk.usage is not None:
                    usage = chunk.usage
                    yield Delta(
                        model=chunk.model,
                        prompt_tokens=usage.prompt_tokens,
                        output_tokens=usage.completion_tokens,
                        cached_tokens=usage.cached_tokens,
                    )

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[Chunk]:
        silent = True
        async for line in response.aiter_lines():
            data = line.removeprefix("data:").strip()
            if not line.startswith("data:") or data == "[DONE]":
                continue
            chunk = self._read(data.encode(), _CHUNK, "streamed")
            if chunk.error is not None:
                raise self._failed(f"broke off: {_message(msgspec.json.encode({'error': chunk.error}))}")
            silent = False
            yield chunk
        if silent:
            raise self._failed("was asked for a stream and answered none")

    def _read(self, said: bytes, decoder: msgspec.json.Decoder[Said], how: str) -> Said:
        """What is answered or streamed; all of it is looked at, for it is kept as it came."""
        try:
            check_depth(msgspec.json.decode(said.decode()), ())
            return decoder.decode(said)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid) as error:
            raise self._failed(f"{how} what cannot be read: {error}") from error

    @asynccontextmanager
    async def _asked(self, body: Mapping[str, Any]) -> AsyncGenerator[httpx.Response, None]:
        """The service's answer to a body, if it is a success."""
        chat = "messages" in body
        try:
            async with httpx.AsyncClient(timeout=self._timeout, verify=_trust(), headers=self._headers) as client:
                path = "chat/completions" if chat else "completions"
                async with client.stream("POST", f"{self._base_url}/{path}", json=body) as response:
                    if not (response.status_code == 404 and not chat):
                        await self._check(response)
                        yield response
                        return
                    await response.aread()
                async with client.stream("POST", f"{self._base_url}/chat/completions", json=_as_chat(body)) as response:
                    await self._check(response)
                    yield response
        except httpx.TimeoutException as error:
            raise self._failed("did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failed(f"cannot be reached: {error or type(error).__name__}") from error

    async def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        message = _message(await response.aread()) or f"the provider answered {response.status_code} without a word"
        if response.status_code == 429:
            after = response.headers.get("retry-after", "1")
            raise ProviderFailed(429, message, origin=self._name, headers={"Retry-After": after})
        if response.status_code >= 500:
            raise ProviderFailed(503, message, origin=self._name, headers={"Retry-After": "1"})
        raise ProviderFailed(422, message, origin=self._name)

    def _failed(self, what: str) -> ProviderFailed:
        return ProviderFailed(503, f"the provider {what}", origin=self._name, headers={"Retry-After": "1"})


@functools.cache
def _trust() -> ssl.SSLContext:
    """Reading the certificates takes longer than a short answer does."""
    return httpx.create_ssl_context()


def _as_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in body.items() if name not in ("prompt", "suffix", "logprobs")}
    return {**kept, "messages": [{"role": "user", "content": body["prompt"]}]}


def _message(said: bytes) -> str:
    """What an error's body says; its `error.message` where there is one."""
    text = said.decode(errors="replace")
    try:
        decoded = msgspec.json.decode(text)
        text = str(decoded["error"]["message"])
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, IndexError):
        pass
    return text[:_MOST_SAID]


def _finished(reason: str | None) -> str | None:
    return None if reason is None else _FINISHED.get(reason, reason)


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    named = ("name", "description", "parameters", "strict")
    return {"type": "function", "function": {name: tool[name] for name in named if tool.get(name) is not None}}


def _response_format(given: Mapping[str, Any]) -> dict[str, Any]:
    """Humanloop's form holds the bare schema where OpenAI's wants it named."""
    schema: Any = given.get("json_schema")
    if isinstance(schema, dict) and "schema" not in schema:
        return {**given, "json_schema": {"name": "response", "schema": schema}}
    return dict(given)


def _delta(choice: ChunkChoice, calls: dict[int, PartialCall]) -> Delta:
    """What is new of a choice; `calls` gathers the pieces of its tool calls until they are whole."""
    text = choice.text or (choice.delta and choice.delta.content) or ""
    for piece in (choice.delta and choice.delta.tool_calls) or ():
        before = calls.get(piece.index)
        calls[piece.index] = piece if before is None else before.followed_by(piece)
    whole = [call.whole() for _, call in sorted(calls.items())] if choice.finish_reason is not None else None
    return Delta(index=choice.index, text=text, finish_reason=_finished(choice.finish_reason), tool_calls=whole or None)
