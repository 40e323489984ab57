"""Logs as the pipeline makes them, taken without being read twice.

A log that comes from this process has been put together by types of ours a moment ago. Most of what the store keeps as
JSON is JSON already: it is cut out of the body as it stands, and neither decoded nor written again. A config that has
been read before is known by its bytes. Whatever is not exactly as the pipeline makes it is left to `logs.create`, which
reads everything and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from otel_humanloop import v4
from otel_humanloop.server import moments
from otel_humanloop.server.configs import config_draft
from otel_humanloop.server.failures import Invalid
from otel_humanloop.server.logs import check_log
from otel_humanloop.server.requests import MAX_DEPTH, MAX_ITEMS
from otel_humanloop.server.store.records import ConfigDraft, Content, Json, LogDraft

_UNSET = msgspec.UNSET


_OPENS = {
    "inputs": b"{",
    "output": b'"',
    "error": b'"',
    "metadata": b"{",
    "provider_request": b"{",
    "provider_response": b"{",
}
"""The content that a pipeline gives and that stays as it is, and the character its JSON begins with."""

_NEVER = ("judgment", "stdout", "source_datapoint_id", "feedback")
"""What it never gives."""

_AS_JSON = {*_OPENS, *_NEVER, "config"}

_Handed: Any = msgspec.defstruct(
    "_Handed",
    [
        (field.name, Json, _UNSET) if field.name in _AS_JSON else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(v4.LogRequest)
    ],
    frozen=True,
    kw_only=True,
    gc=False,
)
"""A `LogRequest` whose content stays JSON, but for messages: what they may hold is the contract's to say."""

_BODY: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[_Handed])

_SECRET = b"provider_api_keys"
"""What is taken out of content before it is kept."""

_SAME = tuple(set(LogDraft.__struct_fields__) - {"created_at", "config", "content", "feedback"})
_KEPT_CONFIGS = 512
_LONGEST_CONFIG = 32 * 1024  # bytes; so long a one is read again each time


def drafts_of(body: bytes) -> Sequence[LogDraft] | None:
    """The drafts of an array of logs; None for a body that has to be read in full.

    They are those that `logs.draft` makes of the same body.
    """
    try:
        handed = _BODY.decode(body)
        if len(handed) > MAX_ITEMS:
            return None
        drafts = [_draft(log) for log in handed]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid):
        return None
    return [draft for draft in drafts if draft is not None] if None not in drafts else None


def _draft(log: Any) -> LogDraft | None:
    if any(getattr(log, field) is not _UNSET for field in _NEVER):
        return None
    given: dict[str, msgspec.Raw] = {}
    for field, opening in _OPENS.items():
        raw = getattr(log, field)
        if raw is not _UNSET:
            if not _is_plain(bytes(raw), opening):
                return None
            given[field] = raw
    config: ConfigDraft | None = None
    if log.config is not _UNSET:
        said = bytes(log.config)
        if not _is_plain(said, b"{"):
            return None
        config = _config(said) if len(said) <= _LONGEST_CONFIG else _read_config(said)
    check_log(log, ())
    return LogDraft(
        created_at=moments.stated(log.created_at, ()),
        config=config,
        content=Content(messages=_json(log.messages), output_message=_json(log.output_message), **given),
        **{field: getattr(log, field) for field in _SAME},
    )


def _json(value: msgspec.Struct | list[v4.ChatMessage] | None) -> Json:
    return _UNSET if value is None else msgspec.Raw(msgspec.json.encode(value))


def _is_plain(raw: bytes, opening: bytes) -> bool:
    """JSON of the kind that is expected there, with nothing in it to be taken out or to be refused."""
    if not raw.startswith(opening):
        return False
    if opening == b'"':
        return True
    return raw.count(b"{") + raw.count(b"[") < MAX_DEPTH and _SECRET not in raw


def _read_config(raw: bytes) -> ConfigDraft:
    return config_draft(msgspec.json.decode(raw), ())


_config = lru_cache(_KEPT_CONFIGS)(_read_config)
