"""Pictures and sound too large for a message are kept once, by their hash, for as long as a log names them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient
from support_server import TOOL, Api

from otel_humanloop.attachments import KNOWN_BY, StandIn, attachment, named_in, parse
from otel_humanloop.cli import main
from otel_humanloop.server.app import create_app
from otel_humanloop.server.archive import restoring, writing
from otel_humanloop.server.requests import MAX_BODY
from otel_humanloop.server.retention import prune, sweep
from otel_humanloop.server.store import Store, attachments, open_store
from otel_humanloop.server.store.schema import attachments as table

PICTURE = attachment(b"\x89PNG" + bytes(range(256)) * 200, "image/png")
WORDS = str(StandIn(media_type="image/png", size=len(PICTURE.content), sha256=PICTURE.sha256))


def address(sha256: str = PICTURE.sha256) -> str:
    return f"/v4/attachments/sha256/{sha256}"


@pytest.fixture
def http(api: Api) -> TestClient:
    return api.http


def put(http: TestClient, media_type: str = "image/png", content: bytes = PICTURE.content) -> int:
    where = address(attachment(content, media_type).sha256)
    return http.put(where, content=content, headers={"Content-Type": media_type}).status_code


def is_kept(store: Store, sha256: str = PICTURE.sha256) -> bool:
    return store.read(partial(attachments.is_kept, sha256=sha256))


def test_what_is_not_here_is_asked_for_and_what_is_here_is_not(http: TestClient) -> None:
    asked = http.head(address())
    assert (asked.status_code, KNOWN_BY in asked.headers) == (404, True)
    assert put(http) == 201
    assert put(http) == 200
    asked = http.head(address())
    assert (asked.status_code, asked.content, KNOWN_BY in asked.headers) == (200, b"", True)
    assert http.get(address()).content == PICTURE.content


def test_any_other_answer_of_404_does_not_say_that_attachments_are_taken(http: TestClient) -> None:
    assert KNOWN_BY not in http.head("/v4/attachments/sha512/00").headers


def test_bytes_of_another_hash_are_refused(http: TestClient, store: Store) -> None:
    refused = http.put(address(), content=b"others", headers={"Content-Type": "image/png"})
    assert refused.status_code == 422
    assert not is_kept(store)


@pytest.mark.parametrize("media_type", ["", "text/html; a=b", "image", "a b", "image/" + "x" * 200, 'image/png"'])
def test_only_a_media_type_is_one(http: TestClient, media_type: str) -> None:
    answer = http.put(address(), content=PICTURE.content, headers={"Content-Type": media_type})
    assert answer.status_code == (201 if media_type in ("image", "text/html; a=b") else 422)


@pytest.mark.parametrize("name", ["A" * 64, "0" * 63, "..%2f..", "g" * 64])
def test_only_a_hash_is_one(http: TestClient, name: str) -> None:
    assert http.put(address(name), content=b"", headers={"Content-Type": "image/png"}).status_code in (404, 422)
    assert http.get(address(name)).status_code in (404, 422)


def test_there_is_a_limit(http: TestClient) -> None:
    assert put(http, content=b"0" * (MAX_BODY + 1)) == 413


def test_what_could_hold_a_script_is_saved_and_not_shown(http: TestClient) -> None:
    for media_type, shown in [("image/png", True), ("audio/wav", True), ("image/svg+xml", False), ("text/html", False)]:
        content = media_type.encode()
        assert put(http, media_type, content) == 201
        answer = http.get(address(attachment(content, media_type).sha256))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert ("Content-Disposition" in answer.headers) is not shown
        assert answer.headers["Content-Type"] == (media_type if shown else "application/octet-stream")


def test_it_goes_with_the_last_log_that_names_it(api: Api, http: TestClient, store: Store) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": WORDS}]}
    logs = [api.log(config=TOOL, messages=[message], output=str(number)) for number in range(2)]
    put(http)
    api.ask("DELETE", "logs", params={"id": logs[0]["id"]}, status=204)
    assert is_kept(store)
    api.ask("DELETE", "logs", params={"id": logs[1]["id"]}, status=204)
    assert not is_kept(store)


def test_a_log_that_is_given_its_picture_later_names_it_too(api: Api, http: TestClient, store: Store) -> None:
    log = api.log(config=TOOL, reference_id="later")
    put(http)
    api.ask("PATCH", f"logs/{log['id']}", json={"output": WORDS})
    api.ask("PATCH", f"logs/{log['id']}", json={"output": WORDS})
    _age(store, timedelta(days=2))
    assert (sweep(store), is_kept(store)) == (0, True)
    api.ask("DELETE", "logs", params={"id": log["id"]}, status=204)
    assert not is_kept(store)


def test_retention_takes_attachments_with_their_logs(api: Api, http: TestClient, store: Store) -> None:
    old = (datetime.now(timezone.utc) - timedelta(days=40)).isoformat()
    api.log(config=TOOL, output=WORDS, created_at=old)
    put(http)
    assert prune(store, timedelta(days=30)) == 1
    assert not is_kept(store)


def test_what_came_without_its_log_is_deleted_after_a_day(http: TestClient, store: Store) -> None:
    put(http)
    assert (sweep(store), is_kept(store)) == (0, True)
    _age(store, timedelta(days=2))
    assert (sweep(store), is_kept(store)) == (1, False)


def _age(store: Store, age: timedelta) -> None:
    store.write(
        lambda tx: tx.execute(update(table).values(created_at=table.c.created_at - age // timedelta(microseconds=1)))
    )


def test_an_archive_holds_them(api: Api, http: TestClient, store: Store) -> None:
    api.log(config=TOOL, output=WORDS)
    put(http)
    lines = list(writing.written(store))
    with open_store("sqlite://") as other:
        assert restoring.read(other, lines).made["attachment"] == 1
        assert restoring.read(other, lines).made["attachment"] == 0
        there = Api(create_app(other)).http.get(address())
        assert (there.content, there.headers["Content-Type"]) == (PICTURE.content, "image/png")
        _age(other, timedelta(days=2))
        assert sweep(other) == 0


@pytest.mark.parametrize("bytes_", ["bm8=", "!", None])
def test_an_archive_whose_bytes_are_others_is_not_read(store: Store, bytes_: str | None) -> None:
    line = {"attachment": {"id": PICTURE.sha256, "media_type": "image/png", "base64": bytes_}}
    tally = restoring.read(store, [json.dumps(line).encode()])
    assert (tally.refusals, tally.made.total()) == (1, 0)
    assert "attachment" in tally.refused()[0]


def test_vacuum_deletes_those_without_a_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/kept.db"
    with open_store(url) as store:
        put(Api(create_app(store)).http)
        _age(store, timedelta(days=2))
    assert main(["vacuum", "--database", url]) == 0
    with open_store(url) as store:
        assert not is_kept(store)


@pytest.fixture
def locked(store: Store) -> Iterator[TestClient]:
    with TestClient(create_app(store, api_keys=["secret"]), base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
def test_they_are_behind_the_key_as_all_else(locked: TestClient, method: str) -> None:
    assert locked.request(method, address()).status_code == 401
    assert KNOWN_BY not in locked.request(method, address()).headers
    assert locked.request(method, address(), headers={"X-API-KEY": "secret"}).status_code in (404, 422)


def test_a_stand_in_is_read_as_it_was_written() -> None:
    assert str(parse(WORDS)) == WORDS
    assert parse(f"look: {WORDS}") is None
    assert named_in(json.dumps({"text": f"look: {WORDS}"}).encode()) == {PICTURE.sha256}
    assert named_in(base64.b64encode(PICTURE.content)) == set()
