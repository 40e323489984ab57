"""Sound and pictures in messages: small ones stay, large ones are described in their place."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from contract import validate
from corpus import captures

from otel_humanloop import settings
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.chat import chat
from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.media import INLINE_LIMIT, described
from otel_humanloop.logs.moves import Create
from otel_humanloop.operation import Media, Message, Text

PICTURE = bytes(range(256)) * 1000
LARGE = Media(modality="image", url="data:image/png;base64," + base64.b64encode(PICTURE).decode())
DIGEST = hashlib.sha256(PICTURE).hexdigest()


def test_a_large_picture_leaves_its_message_and_is_told_by_the_hash_of_its_bytes() -> None:
    told = chat([Message(role="user", parts=(Text(text="What is this?"), LARGE))])
    [message] = told.messages
    assert message.content is not None
    assert [part.text for part in message.content] == [
        "What is this?",
        f"[image/png, 256000 bytes, sha256 {DIGEST}]",
    ]
    assert told.beside == {
        "0": {"media": [{"modality": "image", "mime_type": "image/png", "bytes": 256000, "sha256": DIGEST}]}
    }


@pytest.mark.parametrize(
    "url", ["https://example.com/" + "x" * INLINE_LIMIT, "data:image/png;base64,iVBORw0KGgo="], ids=["address", "small"]
)
def test_an_address_and_a_small_picture_stay(url: str) -> None:
    told = chat([Message(role="user", parts=(Media(modality="image", url=url),))])
    assert told.messages[0].content is not None
    assert told.messages[0].content[0].image_url.url == url
    assert told.beside == {}


def test_large_sound_is_described_in_metadata_as_well() -> None:
    sound = Media(modality="audio", mime_type="audio/wav", url="data:audio/wav;base64," + "A" * INLINE_LIMIT)
    told = chat([Message(role="user", parts=(sound,))])
    [facts] = told.beside["0"]["media"]
    assert facts["mime_type"] == "audio/wav"
    assert "url" not in facts


def test_the_same_picture_is_known_again_however_it_is_called() -> None:
    named = Media(modality="image", mime_type="image/jpeg", url=LARGE.url)
    assert described(named)["sha256"] == described(LARGE)["sha256"]


@pytest.mark.parametrize("data", ["!" * (INLINE_LIMIT + 1), "\ud800" * (INLINE_LIMIT + 1)])
def test_what_is_no_base64_is_told_by_its_characters(data: str) -> None:
    assert described(Media(modality="image", url=f"data:image/png;base64,{data}"))["bytes"] >= INLINE_LIMIT


def test_a_captured_picture_makes_no_large_log() -> None:
    [span] = captures.spans("genai-openai-1.3b0/span_only/limit_big_b64_image")
    each = draft(span)
    body = encode(build_log(Create(key=each.key, draft=each, parent=None, session="s", user=None), settings.load({})))
    validate("LogRequest", json.loads(body))
    assert len(str(span.attributes)) > 50_000
    assert len(body) < 10_000
