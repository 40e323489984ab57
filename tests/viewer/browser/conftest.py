"""A real Chromium, headless, looking at a real server; whatever it complains of fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from otel_humanloop.server.serve import RunningServer, running
from otel_humanloop.server.store import open_store

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test-rest installs it")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"

# A browser that talks to nobody but the page it shows.
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Watched:
    """A page in the browser, and what went wrong on it."""

    def __init__(self, context: Any, url: str) -> None:
        self.page = context.new_page()
        self.url = url
        self.wrong: list[str] = []
        self.page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("dialog", lambda dialog: (self.wrong.append(f"a dialog: {dialog.message}"), dialog.dismiss()))

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.wrong.append(f"an outside request: {request.url}")

    def go(self, path: str) -> Any:
        self.page.goto(f"{self.url}{path}")
        return self.page

    def go_live(self, path: str) -> Any:
        """Goes to a page and waits until it watches for news."""
        page = self.go(path)
        page.wait_for_selector("body.watching")
        return page


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if not os.path.exists(CHROMIUM):
        pytest.skip(f"there is no Chromium at {CHROMIUM}: apt-get install chromium, or set CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with open_store("sqlite://") as store, running(store=store) as server:
        yield server


@pytest.fixture
def post(server: RunningServer) -> Callable[..., Any]:
    """Posts logs as JSON; gives what the API answers."""

    def post(*logs: dict[str, Any]) -> Any:
        body = [{"project": "p", "session_reference_id": "s", "config": {"model": "gpt-4o"}, **log} for log in logs]
        answer = httpx.post(f"{server.url}/v4/logs", json=body, timeout=60, trust_env=False)
        return answer.raise_for_status().json()

    return post


@pytest.fixture
def browse(chromium: Any, server: RunningServer) -> Iterator[Callable[..., Watched]]:
    """Opens a page of the server, with a browser context's options; at the end nothing may have gone wrong on it."""
    opened: list[Watched] = []
    contexts: list[Any] = []

    def open_page(url: str = server.url, **options: Any) -> Watched:
        contexts.append(chromium.new_context(**{"viewport": {"width": 1440, "height": 900}, **options}))
        opened.append(Watched(contexts[-1], url))
        return opened[-1]

    yield open_page
    for context in contexts:
        context.close()
    assert [each.wrong for each in opened if each.wrong] == []
