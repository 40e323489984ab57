"""Keys that are made, revoked and kept as hashes; and how many requests each may make."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from support_server import Api

from otel_humanloop.cli import main
from otel_humanloop.server.app import create_app
from otel_humanloop.server.failures import NotFound
from otel_humanloop.server.rate import RateLimit
from otel_humanloop.server.serve import running
from otel_humanloop.server.store import Store, keys, open_store


def shows(store: Store, key: str | None) -> int:
    headers = {} if key is None else {"X-API-KEY": key}
    return Api(create_app(store), headers=headers).http.get("/v4/projects").status_code


def test_from_the_first_key_on_nobody_comes_in_without(store: Store) -> None:
    assert shows(store, None) == 200
    first, secret = store.write(partial(keys.make, name="ci", now=1))
    other, another = store.write(partial(keys.make, name="laptop", now=2))
    assert [shows(store, key) for key in (None, "wrong", secret, another)] == [401, 401, 200, 200]
    store.write(partial(keys.revoke, id=first.id, now=3))
    store.write(partial(keys.revoke, id=first.id, now=4))
    assert [shows(store, key) for key in (secret, another)] == [401, 200]
    store.write(partial(keys.revoke, id=other.id, now=5))
    assert [shows(store, key) for key in (None, another)] == [401, 401]
    assert [(key.name, key.revoked_at) for key in store.read(keys.every)] == [("ci", 3), ("laptop", 5)]
    with pytest.raises(NotFound):
        store.write(partial(keys.revoke, id="key_none", now=6))


def test_a_key_itself_is_kept_nowhere(store: Store) -> None:
    _, secret = store.write(partial(keys.make, name="ci", now=1))
    assert secret not in repr(store.read(lambda tx: tx.execute(text("SELECT * FROM api_keys")).all()))


def test_a_key_that_is_revoked_elsewhere_opens_a_running_server_no_longer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'humanloop.db'}"
    with open_store(url) as store, running(store=store) as server, open_store(url) as elsewhere:
        made, secret = elsewhere.write(partial(keys.make, name="ci", now=1))

        def answers(status: int) -> bool:
            return httpx.get(f"{server.url}/v4/projects", headers={"X-API-KEY": secret}).status_code == status

        assert answers(200)
        elsewhere.write(partial(keys.revoke, id=made.id, now=2))
        deadline = time.monotonic() + 60
        while not answers(401):
            assert time.monotonic() < deadline


def test_keys_are_made_listed_and_revoked_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = ["--database", f"sqlite:///{tmp_path / 'humanloop.db'}"]
    assert main(["keys", *database, "add", "the build"]) == 0
    said = capsys.readouterr()
    secret = said.out.strip()
    assert secret.startswith("hl_sk_")
    id = next(word.rstrip(",") for word in said.err.split() if word.startswith("key_"))
    with open_store(database[1]) as store:
        assert shows(store, secret) == 200
    assert main(["keys", *database, "list"]) == 0
    listed = capsys.readouterr().out
    assert id in listed
    assert "the build" in listed
    assert "in use" in listed
    assert secret not in listed
    assert main(["keys", *database, "revoke", id]) == 0
    with open_store(database[1]) as store:
        assert shows(store, secret) == 401
    assert main(["keys", *database, "revoke", "key_none"]) == 1
    assert main(["keys", *database, "add", " "]) == 2
    assert main(["keys", *database, "list"]) == 0
    assert "revoked" in capsys.readouterr().out


def test_who_asks_too_often_waits(store: Store) -> None:
    app = create_app(store, api_keys=["a", "b"], rate_limit=RateLimit(3))
    api = Api(app, headers={"X-API-KEY": "a"})
    began = time.monotonic()
    answers = [api.http.get("/v4/projects") for _ in range(5)]
    took = time.monotonic() - began
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 20 - took <= int(answers[3].headers["retry-after"]) <= 20, "three a minute are one in twenty seconds"
    assert answers[3].json()["detail"]["type"] == "rate_limit_error"
    assert Api(app, headers={"X-API-KEY": "b"}).http.get("/v4/projects").status_code == 200
    assert api.http.get("/healthz").status_code == 200


@given(st.integers(1, 600), st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_no_caller_gets_more_than_the_rate(per_minute: int, pauses: list[float]) -> None:
    limit, now, taken = RateLimit(per_minute), 0.0, 0
    for pause in pauses:
        now += pause
        wait = limit.wait("a", now)
        if wait == 0:
            taken += 1
        else:
            assert limit.wait("a", now + wait) == 0
            now += wait
            taken += 1
    assert taken <= per_minute + now * per_minute / 60 + 1e-6
