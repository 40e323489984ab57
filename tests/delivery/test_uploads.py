"""Attachments reach a server that keeps them, once, and no other server at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from otel_humanloop.attachments import KNOWN_BY, MAX_SIZE, Attachment, attachment
from otel_humanloop.delivery.client import Client
from otel_humanloop.delivery.uploads import MAX_WAITING, Uploads
from otel_humanloop.settings import Settings

PICTURES = [attachment(bytes([number]) * 50_000, "image/png") for number in range(3)]


class Server(httpx.BaseTransport):
    """A server whose answers are given; one that keeps attachments where they are not.

    Attributes:
        asked: Method and hash of each request.
        kept: What it was brought.
        answers: Status of the next answers; None for no answer.
        header: It says that it keeps attachments.
    """

    def __init__(self, *answers: int | None, header: bool = True) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []
        self.kept: dict[str, Attachment] = {}
        self.headers = {KNOWN_BY: "taken"} if header else {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sha256 = request.url.path.rpartition("/")[2]
        self.asked.append((request.method, sha256))
        if self.answers:
            status = self.answers.pop(0)
            if status is None:
                raise httpx.ConnectError("nobody is there", request=request)
            return httpx.Response(status, headers=self.headers)
        if request.method == "HEAD":
            return httpx.Response(200 if sha256 in self.kept else 404, headers=self.headers)
        made = attachment(request.read(), request.headers["Content-Type"])
        self.kept[made.sha256] = made
        return httpx.Response(201, headers=self.headers)


@pytest.fixture
def uploads(settings_for: Callable[..., Settings]) -> Iterator[Callable[[Server], Uploads]]:
    clients: list[Client] = []

    def uploads(server: Server) -> Uploads:
        clients.append(Client(settings_for(), transport=server))
        return Uploads(clients[-1], random=lambda: 0.0)

    yield uploads
    for client in clients:
        client.close()


def offer(uploads: Uploads, *each: Attachment, now: float = 0.0) -> None:
    wanted = uploads.wanted({one.sha256 for one in each}, now)
    uploads.offer(one for one in each if one.sha256 in wanted)


def run(uploads: Uploads, *, now: float = 0.0) -> float:
    """Attempts until nothing waits; the time it then is."""
    for _ in range(100):
        due = uploads.due
        if due is None:
            return now
        now = max(now, due)
        uploads.attempt(now, timeout=10)
    raise AssertionError("it never ends")


def test_each_is_brought_once(uploads: Callable[[Server], Uploads]) -> None:
    server = Server()
    bringing = uploads(server)
    for _ in range(2):
        offer(bringing, *PICTURES)
        offer(bringing, *PICTURES)
        assert bringing.waiting in (3, 0)
        run(bringing)
    assert list(server.kept.values()) == PICTURES
    assert server.asked == [(method, each.sha256) for each in PICTURES for method in ("HEAD", "PUT")]


def test_what_the_server_has_is_not_brought_again(uploads: Callable[[Server], Uploads]) -> None:
    server = Server()
    server.kept[PICTURES[0].sha256] = PICTURES[0]
    bringing = uploads(server)
    offer(bringing, PICTURES[0])
    run(bringing)
    assert server.asked == [("HEAD", PICTURES[0].sha256)]


def test_after_a_while_the_server_is_asked_again_for_it_may_have_deleted_it(
    uploads: Callable[[Server], Uploads],
) -> None:
    server = Server()
    bringing = uploads(server)
    offer(bringing, PICTURES[0])
    run(bringing)
    server.kept.clear()
    offer(bringing, PICTURES[0], now=60.0)
    assert bringing.waiting == 0
    offer(bringing, PICTURES[0], now=3600.0)
    run(bringing, now=3600.0)
    assert list(server.kept) == [PICTURES[0].sha256]


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 405])
def test_to_a_server_that_does_not_say_it_keeps_them_nothing_is_brought_ever(
    uploads: Callable[[Server], Uploads], status: int
) -> None:
    server = Server(status, header=False)
    bringing = uploads(server)
    offer(bringing, *PICTURES)
    run(bringing)
    offer(bringing, *PICTURES, now=10_000.0)
    assert bringing.waiting == 0
    assert server.asked == [("HEAD", PICTURES[0].sha256)]
    assert bringing.trouble() is None


@pytest.mark.parametrize("answer", [None, 429, 500, 503])
def test_one_that_is_not_there_now_is_tried_again(uploads: Callable[[Server], Uploads], answer: int | None) -> None:
    server = Server(answer, 404, answer)
    bringing = uploads(server)
    offer(bringing, PICTURES[0])
    assert run(bringing) >= 1.0
    assert list(server.kept) == [PICTURES[0].sha256]
    assert bringing.trouble() is None


def test_what_cannot_be_brought_is_let_go_and_the_next_has_its_turn(uploads: Callable[[Server], Uploads]) -> None:
    server = Server(503, 503, 503)
    bringing = uploads(server)
    offer(bringing, *PICTURES[:2])
    run(bringing)
    assert list(server.kept) == [PICTURES[1].sha256]
    assert "503" in (bringing.trouble() or "")
    assert bringing.trouble() is None


def test_what_the_server_refuses_is_not_brought_again(uploads: Callable[[Server], Uploads]) -> None:
    server = Server(404, 413)
    bringing = uploads(server)
    for _ in range(2):
        offer(bringing, PICTURES[0])
        run(bringing)
    assert [method for method, _ in server.asked] == ["HEAD", "PUT"]
    assert "413" in (bringing.trouble() or "")


def test_no_more_waits_than_memory_should_hold(uploads: Callable[[Server], Uploads]) -> None:
    bringing = uploads(Server())
    size = 8 * 1024 * 1024
    for number in range(2 * MAX_WAITING // size):
        offer(bringing, attachment(bytes([number]) * size, "image/png"))
    assert bringing.waiting == MAX_WAITING // size
    assert "others wait" in (bringing.trouble() or "")
    run(bringing)
    offer(bringing, attachment(b"0" * (MAX_SIZE + 1), "video/mp4"))
    assert bringing.waiting == 0
    assert str(MAX_SIZE) in (bringing.trouble() or "")


def test_without_time_nothing_is_asked(uploads: Callable[[Server], Uploads]) -> None:
    server = Server()
    bringing = uploads(server)
    offer(bringing, PICTURES[0])
    bringing.attempt(0.0, timeout=0.0)
    assert server.asked == []
