"""How bodies are compressed: what the server says, what it refuses, what is installed."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from otel_humanloop.compression import unzstd
from otel_humanloop.delivery.client import Client
from otel_humanloop.delivery.coding import Coding
from otel_humanloop.errors import Refused
from otel_humanloop.settings import Settings, load

BODY = b'[{"project": "' + b"p" * 3000 + b'"}]'
ANSWER = b'[{"id": "data_1", "project_id": "pr_1"}]'


class Server(httpx.MockTransport):
    """Takes bodies in some codings, answers 415 to others, and notes what came.

    Attributes:
        came: The coding of each body, None for one that came as it is.
    """

    def __init__(self, takes: tuple[str, ...], *, says: str | None) -> None:
        super().__init__(self._answer)
        self.takes = takes
        self.says = says
        self.came: list[str | None] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        coding = request.headers.get("content-encoding")
        self.came.append(coding)
        said = {} if self.says is None else {"Accept-Encoding": self.says}
        if coding is not None and coding not in self.takes:
            return httpx.Response(415, headers=said, content=b'{"detail": "no"}')
        unpack: dict[str | None, Callable[[bytes], bytes]] = {
            None: bytes,
            "gzip": gzip.decompress,
            "zstd": lambda body: unzstd(body, 10**6),
        }
        assert unpack[coding](request.content) == BODY
        return httpx.Response(200, headers=said, content=ANSWER)


def post(server: Server, times: int = 2, **settings: Any) -> list[str | None]:
    """The codings of what came, when a body was posted so many times."""
    client = Client(settings_of(**settings), transport=server)
    for _ in range(times):
        client.post_logs(BODY, timeout=10)
    return server.came


def settings_of(**given: Any) -> Settings:
    return load({"base_url": "https://h.example/v4", **given}, {})


@pytest.mark.parametrize(
    ("takes", "says", "came"),
    [
        (("gzip", "zstd"), "zstd, gzip", ["gzip", "zstd", "zstd"]),
        (("gzip", "zstd"), "gzip;q=1.0, ZSTD; q=0.5", ["gzip", "zstd", "zstd"]),
        (("gzip", "zstd"), "*", ["gzip", "zstd", "zstd"]),
        (("gzip", "zstd"), None, ["gzip", "gzip", "gzip"]),
        (("gzip", "zstd"), "gzip, zstd;q=0", ["gzip", "gzip", "gzip"]),
        (("gzip", "zstd"), "gzip, zstd;q=0.000", ["gzip", "gzip", "gzip"]),
        (("gzip",), "gzip, br", ["gzip", "gzip", "gzip"]),
        (("gzip",), "identity", ["gzip", None, None]),
        (("gzip",), "zstd, gzip", ["gzip", "zstd", "gzip", "gzip"]),
        (("zstd",), "zstd", ["gzip", "zstd", "zstd", "zstd"]),
        ((), None, ["gzip", None, None, None]),
        ((), "gzip, zstd", ["gzip", "zstd", None, None, None]),
    ],
)
def test_what_a_server_takes_it_gets_and_nothing_is_lost_that_it_refuses(
    takes: tuple[str, ...], says: str | None, came: list[str | None]
) -> None:
    assert post(Server(takes, says=says), 3) == came


def test_what_is_asked_for_is_used_whatever_the_server_says() -> None:
    assert post(Server(("gzip", "zstd"), says="zstd, gzip"), compression="gzip") == ["gzip", "gzip"]
    assert post(Server(("gzip", "zstd"), says="zstd, gzip"), compression="none") == [None, None]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_nothing_is_compressed_on_its_way_through_this_machine(host: str) -> None:
    assert post(Server(("gzip", "zstd"), says="zstd"), base_url=f"http://{host}:8484/v4") == [None, None]


def test_a_415_that_is_not_for_the_coding_is_a_refusal() -> None:
    client = Client(settings_of(compression="none"), transport=httpx.MockTransport(lambda _: httpx.Response(415)))
    with pytest.raises(Refused):
        client.post_logs(BODY, timeout=10)


def test_a_server_that_refuses_all_codings_for_no_reason_is_a_refusal() -> None:
    asked: list[str | None] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("content-encoding"))
        return httpx.Response(415, headers={"Accept-Encoding": "zstd, gzip"})

    client = Client(settings_of(), transport=httpx.MockTransport(refuse))
    with pytest.raises(Refused):
        client.post_logs(BODY, timeout=10)
    assert asked == ["gzip", "zstd", None]


def test_a_small_body_goes_as_it_is() -> None:
    assert Coding("gzip", is_near=False).applied(b"[]") == (b"[]", None)


WITHOUT = """
import sys
sys.modules["backports"] = sys.modules["backports.zstd"] = sys.modules["compression"] = None
from otel_humanloop.delivery.coding import Coding
coding = Coding("auto", is_near=False)
coding.answered(200, {"accept-encoding": "zstd, gzip"}, "gzip")
print(coding.applied(b"x" * 5000)[1])
"""


def test_without_the_extra_it_is_gzip() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], env=dict(os.environ), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "gzip"
