"""What comes from outside is bounded, and what is out of bounds is refused in the contract's words."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import anyio
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message
from support_server import MODEL, Api

from otel_humanloop.compression import zstd
from otel_humanloop.server.failures import RequestFailed
from otel_humanloop.server.requests import MAX_BODY, MAX_DEPTH, MAX_ITEMS, read_body
from otel_humanloop.v4 import LogRequest

LOG: dict[str, Any] = {"project": "p", "config": MODEL}


def packed(value: Any) -> bytes:
    return gzip.compress(json.dumps(value).encode(), mtime=0)  # a test's name must not tell the time


def test_a_gzipped_body_is_unpacked_of_one_member_or_of_more(api: Api) -> None:
    body = json.dumps([{**LOG, "output": "x" * 100_000}]).encode()
    for content in (gzip.compress(body), gzip.compress(body[:50]) + gzip.compress(body[50:])):
        (posted,) = api.ask("POST", "logs", content=content, headers={"Content-Encoding": "gzip"})
        assert len(api.get_log(posted["id"])["output"]) == 100_000


@pytest.mark.parametrize("encoding", ["br", "lzma", "deflate", "gzip, gzip", "gzip, zstd"])
def test_another_encoding_is_refused(api: Api, encoding: str) -> None:
    detail = api.ask("POST", "logs", content=packed(LOG), headers={"Content-Encoding": encoding}, status=415)["detail"]
    assert encoding in detail["message"]


@pytest.mark.parametrize("body", [b"{}", packed(LOG)[:-5], packed(LOG) + b"x", zlib.compress(b"{}")])
def test_broken_gzip_is_refused(api: Api, body: bytes) -> None:
    api.ask("POST", "logs", content=body, headers={"Content-Encoding": "gzip"}, status=400)


def test_a_body_in_zstd_is_unpacked_as_others_write_it_too(api: Api) -> None:
    body = json.dumps([{**LOG, "output": "x" * 100_000}]).encode()
    two = zstandard.compress(body[:50]) + zstandard.compress(body[50:])
    for content in (zstd(body), zstandard.compress(body, 19), two):
        (posted,) = api.ask("POST", "logs", content=content, headers={"Content-Encoding": "ZSTD"})
        assert len(api.get_log(posted["id"])["output"]) == 100_000


@pytest.mark.parametrize("body", [b"{}", zstd(b"{}")[:-2], zstd(b"{}") + b"x", packed(LOG)])
def test_broken_zstd_is_refused(api: Api, body: bytes) -> None:
    api.ask("POST", "logs", content=body, headers={"Content-Encoding": "zstd"}, status=400)


def test_a_zstd_bomb_is_not_unpacked_beyond_the_bound(api: Api) -> None:
    bomb = zstd(b" " * (MAX_BODY * 4))
    assert len(bomb) < MAX_BODY / 100
    for content in (bomb, zstd(b" " * MAX_BODY) + zstd(b" ")):
        api.ask("POST", "logs", content=content, headers={"Content-Encoding": "zstd"}, status=413)


def test_whoever_brings_a_body_is_told_what_it_may_be_packed_in(api: Api) -> None:
    assert api.http.post("/v4/logs", json=LOG).headers["Accept-Encoding"] == "zstd, gzip"
    refused = api.http.post("/v4/logs", content=b"x", headers={"Content-Encoding": "br"})
    assert (refused.status_code, refused.headers["Accept-Encoding"]) == (415, "zstd, gzip")
    assert "Accept-Encoding" not in api.http.get("/v4/projects").headers


def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    api.ask("POST", "logs", content=b" " * (MAX_BODY + 1), status=413)


def test_a_body_of_unsaid_length_is_not_read_beyond_the_bound() -> None:
    read = 0

    async def endless() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b" " * 1024 * 1024, "more_body": True}

    with pytest.raises(RequestFailed) as refused:
        anyio.run(read_body, Request({"type": "http", "method": "POST", "headers": []}, endless))
    assert refused.value.status == 413
    assert read == MAX_BODY / (1024 * 1024) + 1


def test_a_gzip_bomb_is_not_unpacked_beyond_the_bound(api: Api) -> None:
    bomb = gzip.compress(b" " * (MAX_BODY * 4))
    assert len(bomb) < MAX_BODY / 100
    api.ask("POST", "logs", content=bomb, headers={"Content-Encoding": "gzip"}, status=413)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"project": "p"', b"\xff\xfe", b'{"project": "\xff"}', b'{"output": "\\ud800"}', b"7" * 5000]
)
def test_a_body_that_is_not_json_is_refused(api: Api, body: bytes) -> None:
    assert api.problem("POST", "logs", content=body)["loc"] == ["body"]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("field", ["inputs", "metadata", "provider_request", "provider_response"])
def test_nesting_is_bounded(api: Api, field: str, opening: str) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]

    def nested(depth: int) -> bytes:
        value = opening * (depth - 1) + "0" + closing * (depth - 1)
        return json.dumps(LOG)[:-1].encode() + f', "{field}": {{"v": {value}}}}}'.encode()

    posted = api.ask("POST", "logs", content=nested(MAX_DEPTH))
    assert field in api.get_log(posted["id"])
    for depth in (MAX_DEPTH + 1, 400, 50_000):
        problem = api.problem("POST", "logs", content=nested(depth))
        assert problem["loc"][0] == "body"


def test_the_number_of_logs_in_a_body_is_bounded(api: Api) -> None:
    assert api.problem("POST", "logs", json=[{}] * (MAX_ITEMS + 1))["loc"] == ["body"]


def test_a_body_of_many_logs_is_taken(api: Api) -> None:
    body = [{**LOG, "session_reference_id": "s", "reference_id": str(n)} for n in range(2000)]
    assert len(api.ask("POST", "logs", json=body)) == 2000
    assert api.session("s")["datapoints_count"] == 2000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(LogRequest.__struct_fields__)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=st.dictionaries(fields, json_values, max_size=6))
def test_no_body_makes_the_server_fail(api: Api, log: dict[str, Any]) -> None:
    for body in (log, [log], {**LOG, **log}):
        answer = api.http.post("/v4/logs", json=body)
        assert answer.status_code in (200, 404, 422), answer.text


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=40))
def test_no_bytes_make_the_server_fail(api: Api, body: bytes) -> None:
    for method, path in (("POST", "logs"), ("PATCH", "logs/data_x"), ("POST", "projects")):
        assert api.http.request(method, f"/v4/{path}", content=body).status_code in (200, 404, 422)


@pytest.mark.parametrize("path", ["/v4//logs/", "/v4/logs//", "/v4///logs"])
def test_doubled_and_trailing_slashes_mean_nothing(api: Api, path: str) -> None:
    assert api.http.post(path, json=LOG).status_code == 200


@pytest.mark.parametrize("path", ["/v4", "/v4/nothing", "/v5/logs", "/nothing", "/v4/logs/a/b"])
def test_a_path_that_is_not_there_is_not_found(api: Api, path: str) -> None:
    answer = api.http.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"]["type"] == "not_found_error"


def test_a_method_a_path_does_not_have_is_refused(api: Api) -> None:
    answer = api.http.put("/v4/logs", json=LOG)
    assert answer.status_code == 405
    assert answer.json()["detail"]["code"] == 405


def test_it_says_that_it_is_alive_and_ready(api: Api) -> None:
    assert api.http.get("/healthz").text == "alive\n"
    assert api.http.get("/readyz").text == "ready\n"
