"""Running it."""

from __future__ import annotations

import socket

import httpx
import pytest

from otel_humanloop.errors import SettingsError
from otel_humanloop.server.serve import Plan, listening, running
from otel_humanloop.server.store import Store


def test_a_running_server_answers_at_its_url_and_is_gone_afterwards(store: Store) -> None:
    with running(store=store) as server:
        posted = httpx.post(f"{server.url}/v4/logs", json={"project": "p", "config": {"model": "m"}})
        assert posted.status_code == 200
        assert httpx.get(f"{server.url}/healthz").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/healthz")


def test_two_servers_run_side_by_side(store: Store) -> None:
    with running(store=store) as one, running(store=store) as two:
        assert one.url != two.url
        id = httpx.post(f"{one.url}/v4/sessions").json()["id"]
        assert httpx.get(f"{two.url}/v4/sessions/{id}").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.1.2.3", "example.com"])
def test_what_others_can_reach_is_not_served_without_a_key(host: str) -> None:
    with pytest.raises(SettingsError, match="no API key") as refused:
        listening(Plan(database="sqlite://"), host=host, port=0).__enter__()
    assert "--api-key" in str(refused.value.hint)


def test_with_a_key_it_is_served_everywhere(store: Store) -> None:
    with running(store=store, host="0.0.0.0", api_keys=["key"]) as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{url}/v4/sessions").status_code == 401
        assert httpx.get(f"{url}/v4/sessions", headers={"X-API-KEY": "key"}).status_code == 200


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=str(port)):
            listening(Plan(database="sqlite://"), port=port).__enter__()
