"""What this process logs in its own server: the same as over the network, in content, answers and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from otel_humanloop import v4
from otel_humanloop.attachments import attachment
from otel_humanloop.delivery.client import Client
from otel_humanloop.errors import DeliveryError, Refused, Unavailable
from otel_humanloop.server import logs
from otel_humanloop.server.handed import drafts_of
from otel_humanloop.server.inside import Inside
from otel_humanloop.server.requests import decode
from otel_humanloop.server.serve import running
from otel_humanloop.server.store import Store, open_store, reading
from otel_humanloop.server.store.schema import logs as rows
from otel_humanloop.settings import load

MODEL = {"type": "model", "model": "gpt-4o", "provider": "openai", "temperature": 0.5}
LOG: dict[str, Any] = {
    "project": "p",
    "config": MODEL,
    "session_reference_id": "s" * 32,
    "reference_id": "a" * 16,
    "inputs": {"question": "Where?", "n": 1},
    "messages": [
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "search"}}]},
    ],
    "output": "There.\n",
    "output_message": {"role": "assistant", "content": "There.\n"},
    "metadata": {"attributes": {"gen_ai": {"system": "openai"}}, "deep": [[[1, 2.5, None, True, "ü"]]]},
    "provider_request": {"id": "r"},
    "created_at": "2024-06-01T12:00:00.123456Z",
    "duration": 0.25,
    "prompt_tokens": 12,
    "output_tokens": 3,
    "prompt_cost": 0.001,
    "source": "opentelemetry",
}
TOOL = {**LOG, "config": {"type": "tool", "name": "t"}, "error": "TimeoutError", "output": None, "reference_id": "b"}


def body(*records: Any) -> bytes:
    return json.dumps([{key: value for key, value in log.items() if value is not None} for log in records]).encode()


def within(store: Store, **options: Any) -> Client:
    return Client(load({"base_url": "http://127.0.0.1/v4"}, {}), transport=Inside(store, **options))


@pytest.fixture
def clients(store: Store) -> Iterator[Callable[[str], Client]]:
    """Clients of one store: over the network, and from within."""
    with ExitStack() as stack:
        server = stack.enter_context(running(store=store))

        def client(way: str) -> Client:
            made = within(store) if way == "inside" else Client(load({"base_url": f"{server.url}/v4"}, {}))
            return stack.enter_context(closing(made))

        yield client


WAYS = pytest.mark.parametrize("way", ["inside", "network"])


@WAYS
def test_what_is_posted_is_kept_and_what_is_patched_changed(way: str, clients: Any, store: Store) -> None:
    client = clients(way)
    client.post_logs(body(LOG, {**TOOL, "parent_reference_id": "a" * 16}), timeout=20, count=2)
    client.patch_log("b", b'{"output": "late", "duration": 2}', timeout=20)
    where = {"session_reference_id": "s" * 32}
    page = store.read(
        partial(
            reading.logs_of_session,
            session=logs.sessions.c.reference_id == where["session_reference_id"],
            window=reading.Window(0, 50, 0),
        )
    )
    assert page is not None
    first, second = sorted(json.loads(msgspec.json.encode(page))["records"], key=lambda log: log["reference_id"])
    for field in ("inputs", "messages", "output", "output_message", "metadata", "duration", "prompt_tokens"):
        assert first[field] == LOG[field], field
    assert first["config"]["model"] == "gpt-4o"
    assert (second["output"], second["duration"], second["error"]) == ("late", 2, "TimeoutError")
    assert second["parent_id"] == first["id"]


REFUSED = {
    "no project": {**LOG, "project": None},
    "no config": {**LOG, "config": None},
    "a name that no database keeps": {**LOG, "project": "a\0b"},
    "too long a name": {**LOG, "reference_id": "x" * 1001},
    "a negative duration": {**LOG, "duration": -1},
    "a date that is none": {**LOG, "created_at": "yesterday"},
    "messages that are none": {**LOG, "messages": [{"content": "no role"}]},
    "tokens that are no number": {**LOG, "prompt_tokens": "many"},
    "an output that is no text": {**LOG, "output": 5},
    "inputs that are no object": {**LOG, "inputs": ["a"]},
    "a config of no kind": {**LOG, "config": {"type": "x"}},
    "two parents": {**LOG, "parent_id": "data_x", "parent_reference_id": "x"},
    "a session that is not there": {**LOG, "session_reference_id": None, "session_id": "sesh_x"},
    "its own parent": {**LOG, "parent_reference_id": LOG["reference_id"]},
    "too deep": {**LOG, "metadata": json.loads('{"a":' * 150 + "1" + "}" * 150)},
}


@pytest.mark.parametrize("log", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_refused_in_the_same_words(log: dict[str, Any], clients: Any, store: Store) -> None:
    said: list[tuple[int, str]] = []
    for way in ("inside", "network"):
        with pytest.raises(Refused) as refused:
            clients(way).post_logs(body(LOG | {"reference_id": "other"}, log), timeout=20, count=2)
        said.append((refused.value.status, refused.value.detail))
    assert said[0] == said[1]
    count: int = store.read(lambda tx: tx.execute(rows.select()).all().__len__())
    assert count == 0, "a body is kept whole or not at all"


@pytest.mark.parametrize("asked", [b"", b"nonsense", b"[1]", b'[{"a": \xff}]'])
def test_what_is_no_log_is_refused_in_the_same_words(asked: bytes, clients: Any) -> None:
    said: list[str] = []
    for way in ("inside", "network"):
        with pytest.raises(Refused) as refused:
            clients(way).post_logs(asked, timeout=20)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_a_parent_is_asked_for_where_that_is_the_rule(store: Store) -> None:
    orphan = {**LOG, "parent_reference_id": "nobody"}
    with pytest.raises(Refused, match="nobody"):
        within(store, strict_parents=True).post_logs(body(orphan), timeout=20, count=1)
    within(store).post_logs(body(orphan), timeout=20, count=1)


def test_what_the_database_cannot_take_now_is_asked_for_again() -> None:
    with open_store("sqlite://") as store:

        def broken(tx: Connection) -> None:
            tx.execute(text("ALTER TABLE logs RENAME TO elsewhere"))

        store.write(broken)
        with pytest.raises(Unavailable) as unavailable:
            within(store).post_logs(body(LOG), timeout=20, count=1)
    assert (unavailable.value.status, unavailable.value.retry_after) == (503, 1)


def test_a_server_that_ends_asks_to_come_again(store: Store) -> None:
    client = within(store)
    store.close()
    with pytest.raises(Unavailable) as unavailable:
        client.post_logs(body(LOG), timeout=20, count=1)
    assert unavailable.value.status == 503


@WAYS
def test_a_patch_of_nothing_is_refused(way: str, clients: Any) -> None:
    with pytest.raises(Refused) as refused:
        clients(way).patch_log("nobody", b'{"output": "x"}', timeout=20)
    assert refused.value.status == 404


@WAYS
def test_attachments_are_asked_for_and_taken(way: str, clients: Any) -> None:
    client = clients(way)
    picture = attachment(b"\x89PNG" * 10, "image/png")
    client.post_logs(body({**LOG, "output": f"[image/png, 40 bytes, sha256 {picture.sha256}]"}), timeout=20)
    assert client.asks_for(picture.sha256, timeout=20) is True
    client.put_attachment(picture, timeout=20)
    assert client.asks_for(picture.sha256, timeout=20) is False


def test_nothing_else_is_answered(store: Store) -> None:
    answer = Inside(store).handle_request(httpx.Request("DELETE", "http://inside/v4/logs?id=a"))
    assert answer.status_code == 404


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(v4.LogRequest.__struct_fields__)
secret = st.just({"provider_api_keys": {"openai": "sk-1"}, "kept": 1})


@given(st.lists(st.dictionaries(fields, values | secret, max_size=4), max_size=3), st.booleans())
def test_whatever_is_taken_quickly_is_what_a_full_reading_takes(changes: list[dict[str, Any]], ours: bool) -> None:
    logged = [{**LOG, **change} for change in changes]
    asked = msgspec.json.encode(logged) if ours else json.dumps(logged).encode()
    quick = drafts_of(asked, ours=ours)
    if quick is None:
        return
    read = [logs.draft(request, ()) for request in decode(asked, msgspec.json.Decoder(list[logs.Log]))]
    assert [comparable(draft) for draft in quick] == [comparable(draft) for draft in read]


def comparable(draft: Any) -> Any:
    return json.loads(msgspec.json.encode(draft))


@pytest.mark.parametrize("ours", [True, False])
def test_what_programs_mostly_send_is_taken_quickly(ours: bool) -> None:
    logged = [{key: value for key, value in log.items() if value is not None} for log in (LOG, TOOL)]
    for said in (logged, logged[0]):
        assert drafts_of(msgspec.json.encode(said), ours=ours) is not None


ODD = {
    "no UTF-8": b'"output": "\xff"',
    "a surrogate in UTF-8": b'"inputs": {"a": "\xed\xa0\x80"}',
    "half of a pair": rb'"inputs": {"a": "\ud800"}',
    "a number beyond all bounds": b'"metadata": {"a": 1e999}',
    "a number of very many digits": b'"metadata": {"a": %s.0}' % (b"9" * 400),
    "a hidden key of a provider": rb'"metadata": {"provider_api_key\u0073": {"openai": "sk-1"}}',
    "two sessions": b'"session_id": "sesh_a"',
    "two parents": b'"parent_id": "data_a", "parent_reference_id": "b"',
    "a name that no database keeps": rb'"reference_id": "a\u0000b"',
    "an id that no database keeps": rb'"config_id": "a\u0000b"',
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_is_odd_is_read_in_full(odd: bytes) -> None:
    assert drafts_of(msgspec.json.encode(LOG)[:-1] + b"," + odd + b"}") is None


@pytest.mark.parametrize("odd", [ODD["no UTF-8"], ODD["a number beyond all bounds"], ODD["half of a pair"]])
def test_what_nobody_could_read_again_is_refused(odd: bytes, store: Store) -> None:
    asked = b'{"project": "p", "config": {"type": "tool", "name": "t"}, %s}' % odd
    with running(store=store) as server:
        answer = httpx.post(f"{server.url}/v4/logs", content=asked, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize("field", ["inputs", "metadata", "provider_request", "provider_response", "config"])
def test_keys_of_providers_are_kept_from_nobody(field: str) -> None:
    given = {**(LOG.get(field) or {}), "provider_api_keys": {"openai": "sk-1"}}
    assert drafts_of(body({**LOG, field: given}), ours=True) is None


def test_errors_name_the_field(store: Store) -> None:
    with pytest.raises(DeliveryError, match=r"body\.0\.duration"):
        within(store).post_logs(body({**LOG, "duration": -1}), timeout=20, count=1)
