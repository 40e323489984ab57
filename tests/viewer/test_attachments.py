"""Where a message was too large for its picture, the page shows the picture that is kept beside it."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from support_pages import drawer
from support_server import TOOL, Api

from otel_humanloop.attachments import Attachment, StandIn, attachment
from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store


def keep(api: Api, kept: Attachment) -> str:
    """Brings it to the server; the words that stand in a message for it."""
    where = f"/v4/attachments/sha256/{kept.sha256}"
    answer = api.http.put(where, content=kept.content, headers={"Content-Type": kept.media_type})
    assert answer.status_code == 201
    return words(kept)


def words(kept: Attachment) -> str:
    return str(StandIn(media_type=kept.media_type, size=len(kept.content), sha256=kept.sha256))


@pytest.mark.parametrize(
    ("media_type", "tag"), [("image/png", "img"), ("audio/wav", "audio"), ("video/mp4", "video"), ("text/html", None)]
)
def test_it_stands_where_it_was_said(api: Api, media_type: str, tag: str | None) -> None:
    kept = attachment(b"<script>" + media_type.encode(), media_type)
    said = keep(api, kept)
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "text", "text": said}]},
        {"role": "user", "content": said},
    ]
    output = {"role": "assistant", "content": said}
    log = api.log(config=TOOL, messages=messages, output_message=output)["id"]
    turns = drawer(api, log, "messages").one("ol", kind="chat").all("li")
    assert len(turns) == 3
    for turn in turns:
        figure = turn.one("figure")
        source = f"/attachments/sha256/{kept.sha256}"
        if tag is not None:
            assert figure.one(tag).attributes["src"] == source
        else:
            assert "download" in figure.one("a").attributes
        assert f"{media_type}, {len(kept.content)} bytes" in figure.text
        assert said not in turn.text
        assert api.http.get(source).content == kept.content


def test_what_is_not_kept_is_told_in_words(api: Api) -> None:
    said = words(attachment(b"elsewhere", "image/png"))
    log = api.log(config=TOOL, messages=[{"role": "user", "content": said}])["id"]
    shown = drawer(api, log, "messages").one("ol", kind="chat")
    assert (said in shown.text, shown.all("figure")) == (True, [])


def test_an_address_of_none_is_no_page(api: Api) -> None:
    for name in ("0" * 64, "x", "..%2f"):
        assert api.http.get(f"/attachments/sha256/{name}").status_code == 404


def test_one_has_to_sign_in_to_see_it(api: Api, store: Store) -> None:
    kept = attachment(b"private", "image/png")
    keep(api, kept)
    locked = TestClient(create_app(store, api_keys=["secret"]), base_url="http://127.0.0.1")
    assert b"private" not in locked.get(f"/attachments/sha256/{kept.sha256}").content
    signed_in = locked.get(f"/attachments/sha256/{kept.sha256}", auth=("anyone", "secret"))
    assert signed_in.content == b"private"
