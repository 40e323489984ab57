"""What a request to `/chat` or `/completion` asks: which config, which words, of whom, and how it is logged."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, cast

import msgspec
from starlette.concurrency import run_in_threadpool

from otel_humanloop import v4
from otel_humanloop.server.configs import SECRETS, config_draft
from otel_humanloop.server.contract import CallRequest
from otel_humanloop.server.failures import Invalid, Loc, RequestFailed
from otel_humanloop.server.providers import Ask, Provider, ProviderSettings
from otel_humanloop.server.providers.mock import MockProvider
from otel_humanloop.server.providers.openai import OpenAIProvider
from otel_humanloop.server.requests import Call, check_depth, check_label, check_name
from otel_humanloop.server.store import versions
from otel_humanloop.server.store.records import ConfigDraft, Content, LogDraft
from otel_humanloop.server.templating import render, render_message
from otel_humanloop.server.versions import is_model

OPENAI_URL = "https://api.openai.com/v1"
MAX_SAMPLES = 32

_SENDABLE = re.compile("[!-~]+")
"""What can stand in a header."""

_BODY: Loc = ("body",)
_NAMES = ("project", "session_reference_id", "parent_reference_id", "environment")
_LABELS = ("source", "user")
_CHOICES = ("none", "auto", "required")


def check(request: CallRequest) -> None:
    """Raises Invalid for a field that is out of bounds, or two that contradict each other."""
    for one, other in (("session_id", "session_reference_id"), ("parent_id", "parent_reference_id")):
        if getattr(request, one) is not None and getattr(request, other) is not None:
            raise Invalid((*_BODY, other), f"specify at most one of `{one}` and `{other}`")
    for name in _NAMES:
        check_name(getattr(request, name), name, _BODY)
    for name in _LABELS:
        check_label(getattr(request, name), name, _BODY)
    for name in ("inputs", "metadata", "response_format", "model_config"):
        value: dict[str, Any] = getattr(request, name) or {}
        value.pop(SECRETS, None)
        check_depth(value, (*_BODY, name))
    if request.num_samples is not None and not 1 <= request.num_samples <= MAX_SAMPLES:
        raise Invalid((*_BODY, "num_samples"), f"must be between 1 and {MAX_SAMPLES}", kind="value_error.number")


def config_given(request: CallRequest, *, chat: bool) -> ConfigDraft:
    """The config of a request's plain form, its defaults applied.

    Raises:
        Invalid: It is none.
    """
    if request.model_config is None:
        raise Invalid((*_BODY, "model_config"), "field required", kind="value_error.missing")
    endpoint = {"endpoint": "chat"} if chat else {}
    given = {**request.model_config, **endpoint, "type": "model"}
    return config_draft(given, (*_BODY, "model_config"))


async def config_by_id(call: Call, request: CallRequest) -> tuple[ConfigDraft, str]:
    """The config a request names by id, and the project it is a version of.

    Raises:
        NotFound: There is none, or it is not a model's.
    """
    if request.model_config_id is None:
        raise Invalid((*_BODY, "model_config_id"), "field required", kind="value_error.missing")
    id = request.model_config_id
    found = is_model(await run_in_threadpool(call.store.read, partial(versions.version, id=id)), id)
    return _drafted(found.body), found.project_id


async def config_deployed(call: Call, request: CallRequest) -> ConfigDraft:
    """The config that is deployed to the environment a request names, or to the default one.

    Raises:
        NotFound: There is no such project or environment, or nothing is deployed there.
    """
    if request.project_id is not None:
        work = partial(versions.deployed, project_id=request.project_id, environment=request.environment)
    elif request.project is not None:
        work = partial(versions.deployed_by_name, project=request.project, environment=request.environment)
    else:
        message = "either `project` or `project_id` must be provided"
        raise Invalid((*_BODY, "project"), message, kind="value_error.missing")
    return _drafted(bytes((await run_in_threadpool(call.store.read, work)).config))


def _drafted(body: bytes) -> ConfigDraft:
    given: dict[str, Any] = msgspec.json.decode(body)
    del given["id"]
    if given["type"] != "model":
        raise RequestFailed(422, "what is deployed is not a model's config")
    return config_draft(given, ("config",))


def ask_of(request: CallRequest, config: ConfigDraft, *, chat: bool) -> Ask:
    """What the model is asked: the template with the inputs in it, and the caller's messages after it.

    A completion of a config that is a chat's is asked as a chat, which takes neither `logprobs` (a number of them) nor
    `suffix`.
    """
    inputs = request.inputs or {}
    options: dict[str, Any] = {"user": request.user, "seed": request.seed}
    template: list[Any] = config.body.get("chat_template") or []
    said = [render_message(message, inputs) for message in msgspec.convert(template, list[v4.ChatMessage])]
    messages, prompt = None, None
    if chat:
        messages = [*said, *(request.messages or ())]
        options.update(tool_choice=_tool_choice(request), response_format=request.response_format)
    else:
        prompt = render(config.body.get("prompt_template") or "", inputs)
        if said and not prompt:
            messages, prompt = said, None
        elif config.body.get("endpoint") == "chat":
            messages, prompt = [v4.ChatMessage(role="user", content=prompt)], None
        else:
            options.update(logprobs=request.logprobs, suffix=request.suffix)
    return Ask(
        config=config.body,
        messages=messages,
        prompt=prompt,
        samples=request.num_samples or 1,
        options={name: value for name, value in options.items() if value is not None},
    )


def draft_of(request: CallRequest, config: ConfigDraft, ask: Ask, body: dict[str, Any], *, chat: bool) -> LogDraft:
    """The call as it is logged before it is made. `body` is what is sent to the provider."""
    given: dict[str, Any] = {
        "inputs": request.inputs or {},
        "messages": ask.messages if chat else None,
        "metadata": request.metadata,
        "provider_request": body,
        "source_datapoint_id": request.source_datapoint_id,
        "user": request.user,
        "tool_choice": ask.options.get("tool_choice"),
    }
    content = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in given.items() if value is not None}
    return LogDraft(
        project=None if request.project_id is not None else request.project,
        project_id=request.project_id,
        session_id=request.session_id,
        session_reference_id=request.session_reference_id,
        parent_id=request.parent_id,
        parent_reference_id=request.parent_reference_id,
        source=request.source,
        environment=request.environment,
        save=request.save,
        config=config,
        content=Content(**content),
    )


def provider_of(request: CallRequest, config: ConfigDraft, settings: ProviderSettings) -> Provider:
    """Who is asked: the provider the config names, with the caller's key for it, else the server's.

    Raises:
        Invalid: The caller's key is none.
        RequestFailed: This server does not know how to reach that provider.
    """
    name = config.body.get("provider") or config.body["other"].get("provider", "openai")
    if name == "mock":
        return MockProvider()
    own: Any = (request.provider_api_keys or {}).get(name)
    key = own if isinstance(own, str) and own else settings.api_key
    if key is not None and not _SENDABLE.fullmatch(key):
        # the value is a secret: what is wrong with it is said without it
        if key is own:
            raise Invalid((*_BODY, "provider_api_keys", str(name)), "must be printable ASCII without spaces")
        raise RequestFailed(422, "the API key this server was started with, OPENAI_API_KEY, cannot be sent in a header")
    if settings.base_url is None and name != "openai":
        raise RequestFailed(
            422,
            f"the provider is `{name}`, but this server reaches OpenAI only: start it with OPENAI_BASE_URL set to an"
            f" OpenAI-compatible address that serves {name}'s models",
        )
    if settings.base_url is None and key is None:
        raise RequestFailed(
            422, "there is no OpenAI API key: give one in `provider_api_keys`, or start the server with OPENAI_API_KEY"
        )
    title = "OpenAI" if name == "openai" else str(name)
    return OpenAIProvider(base_url=settings.base_url or OPENAI_URL, api_key=key, name=title, timeout=settings.timeout)


def _tool_choice(request: CallRequest) -> Any:
    """`tool_choice`, or what the older `tool_call` means by it."""
    choice, field = request.tool_choice, "tool_choice"
    if choice is None and request.tool_call is not None:
        choice, field = request.tool_call, "tool_call"
        if isinstance(choice, dict):
            choice = {"type": "function", "function": cast("dict[str, Any]", choice)}
    if choice is None or choice in _CHOICES:
        return choice
    named: Any = cast("dict[str, Any]", choice).get("function") if isinstance(choice, dict) else None
    name: Any = cast("dict[str, Any]", named).get("name") if isinstance(named, dict) else None
    if not isinstance(name, str):
        raise Invalid((*_BODY, field), f"must be one of: {', '.join(_CHOICES)}, or name a function")
    return {"type": "function", "function": {"name": name}}
