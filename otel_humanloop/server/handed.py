"""Logs as programs hand them in, taken without being written again.

Most of what the store keeps as JSON is JSON already: it is cut out of the body as it stands. Names and numbers are held
to their bounds while they are decoded, and a config that has been read before is known by its bytes. Whatever is out of
bounds, or not as programs mostly send it, is left to `logs.draft`, which reads everything and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from otel_humanloop import v4
from otel_humanloop.server import moments
from otel_humanloop.server.configs import SECRETS, config_draft
from otel_humanloop.server.failures import Invalid
from otel_humanloop.server.requests import MAX_COST, MAX_DEPTH, MAX_DURATION, MAX_ITEMS, MAX_NAME, MAX_TOKENS
from otel_humanloop.server.store.records import ConfigDraft, Content, Json, LogDraft

_UNSET = msgspec.UNSET

_NEVER = ("judgment", "stdout", "source_datapoint_id", "feedback")
"""What few programs give. A body with any of it, as with fields that the contract has not, is read in full."""

_AS_JSON = ("inputs", "output", "error", "metadata", "provider_request", "provider_response", "config")
"""What stays JSON. Of messages the contract says what they may hold, so they are decoded."""

_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)] | None
_Label = Annotated[str, Meta(max_length=MAX_NAME)] | None
_Tokens = Annotated[int, Meta(ge=0, le=MAX_TOKENS)] | None
_Cost = Annotated[float, Meta(ge=0, le=MAX_COST)] | None
_Duration = Annotated[float, Meta(ge=0, le=MAX_DURATION)] | None
_Moment = Annotated[datetime, Meta(tz=True)] | None

_BOUNDED: dict[str, Any] = {
    "project": _Name,
    "session_reference_id": _Name,
    "parent_reference_id": _Label,  # an empty one means no parent
    "reference_id": _Name,
    "source": _Label,
    "environment": _Label,
    "duration": _Duration,
    "prompt_tokens": _Tokens,
    "output_tokens": _Tokens,
    "prompt_cost": _Cost,
    "output_cost": _Cost,
    "created_at": _Moment,
}
"""The same bounds as `logs.check_log` has, for the decoder."""

_Handed: Any = msgspec.defstruct(
    "_Handed",
    [
        (field.name, Json, _UNSET)
        if field.name in _AS_JSON
        else (field.name, _BOUNDED.get(field.name, field.type), field.default)
        for field in msgspec.structs.fields(v4.LogRequest)
        if field.name not in _NEVER
    ],
    frozen=True,
    kw_only=True,
    gc=False,
    forbid_unknown_fields=True,
)
"""A `LogRequest` whose content stays JSON."""

_SEVERAL: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[_Handed])
_ONE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Handed)
_ANYTHING: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode

_SECRET = SECRETS.encode()
"""What is taken out of content before it is kept."""

_KEPT_CONFIGS = 512
_LONGEST_CONFIG = 32 * 1024  # bytes; so long a one is read again each time


def drafts_of(body: bytes, *, ours: bool = False) -> Sequence[LogDraft] | None:
    """The drafts of a log, or of an array of them; None for a body that has to be read in full.

    They are those that `logs.draft` makes of the same body.

    Args:
        ours: This process has encoded it: its text is UTF-8, its characters stand for themselves where JSON lets them,
            and its numbers are such as can be decoded.
    """
    try:
        if not ours and not body.isascii():
            body.decode()  # JSON that is only cut out is not looked into
        handed = _SEVERAL.decode(body) if body.startswith(b"[") else [_ONE.decode(body)]
        if len(handed) > MAX_ITEMS:
            return None
        drafts: list[LogDraft] = []
        for log in handed:
            draft = _draft(log, ours)
            if draft is None:
                return None
            drafts.append(draft)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid):
        return None
    return drafts


def _draft(log: Any, ours: bool) -> LogDraft | None:
    if log.session_id is not None and log.session_reference_id is not None:
        return None
    if log.parent_id is not None and log.parent_reference_id is not None:
        return None
    for text in (
        log.project,
        log.session_reference_id,
        log.parent_reference_id,
        log.reference_id,
        log.source,
        log.environment,
        log.project_id,
        log.session_id,
        log.parent_id,
        log.config_id,
    ):
        if text is not None and "\0" in text:
            return None
    for text in (log.output, log.error):
        if text is not _UNSET and not _is_text(bytes(text), ours=ours):
            return None
    for object in (log.metadata, log.inputs, log.provider_request, log.provider_response):
        if object is not _UNSET and not _is_object(bytes(object), ours=ours):
            return None
    config: ConfigDraft | None = None
    if log.config is not _UNSET:
        said = bytes(log.config)
        config = _config(said) if len(said) <= _LONGEST_CONFIG else _read_config(said)
        if config is None:
            return None
    return LogDraft(
        project=log.project,
        project_id=log.project_id,
        session_id=log.session_id,
        session_reference_id=log.session_reference_id,
        parent_id=log.parent_id,
        parent_reference_id=log.parent_reference_id,
        reference_id=log.reference_id,
        created_at=None if log.created_at is None else moments.kept(log.created_at, ()),
        duration=log.duration,
        source=log.source,
        environment=log.environment,
        save=log.save,
        prompt_tokens=log.prompt_tokens,
        output_tokens=log.output_tokens,
        prompt_cost=log.prompt_cost,
        output_cost=log.output_cost,
        config=config,
        config_id=log.config_id,
        content=Content(
            inputs=log.inputs,
            messages=_UNSET if log.messages is None else msgspec.Raw(_encode(log.messages)),
            output=log.output,
            output_message=_UNSET if log.output_message is None else msgspec.Raw(_encode(log.output_message)),
            error=log.error,
            metadata=log.metadata,
            provider_request=log.provider_request,
            provider_response=log.provider_response,
        ),
    )


def _is_text(raw: bytes, *, ours: bool) -> bool:
    return raw.startswith(b'"') and (ours or not _has_codes(raw))


def _is_object(raw: bytes, *, ours: bool) -> bool:
    """An object that is not too deep, with nothing in it to be taken out."""
    if not raw.startswith(b"{") or raw.count(b"{") + raw.count(b"[") >= MAX_DEPTH or _SECRET in raw:
        return False
    if not ours:
        if _has_codes(raw):
            return False
        _ANYTHING.decode(raw)  # numbers that are cut out may be too large to be decoded by whoever reads the log
    return True


def _has_codes(raw: bytes) -> bool:
    r"""Are there characters written as `\u1234`, by which a name may be hidden, and a word from a search?"""
    return b"\\" in raw and b"\\u" in raw  # one byte is looked for much faster than two


def _read_config(raw: bytes) -> ConfigDraft | None:
    return config_draft(_ANYTHING.decode(raw), ()) if _is_object(raw, ours=True) else None


_config = lru_cache(_KEPT_CONFIGS)(_read_config)
