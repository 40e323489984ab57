"""The README's pictures of the viewer: `make screenshots`.

A server is filled with the sessions of `stories.py` and looked at in a headless Chromium (Debian's, or the one CHROMIUM
names). The pictures are written beside this file.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from stories import post

from otel_humanloop.server.serve import running
from otel_humanloop.server.store import open_store

HERE = Path(__file__).parent
WIDE = {"width": 1440, "height": 860}
PHONE = {"width": 390, "height": 844}


def take(browser: Browser, url: str, name: str, path: str, **options: Any) -> None:
    """One picture of one page, without what moves."""
    context = browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", "color_scheme": "light", **options})
    page = context.new_page()
    page.goto(f"{url}{path}")
    page.wait_for_selector("html.scripted")
    page.screenshot(path=HERE / f"{name}.png")
    context.close()
    sys.stdout.write(f"{HERE / name}.png\n")


def main() -> None:
    """Takes all of them."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with open_store("sqlite://") as store, running(store=store) as server, sync_playwright() as playwright:
        post(server.url)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(server.url)
        session = page.locator("[data-row] .id a").first.get_attribute("href") or ""
        page.goto(f"{server.url}{session}")
        log = page.locator(".row.k-model .open").last.get_attribute("href") or ""
        project = page.goto(f"{server.url}{log}") and page.locator(".drawer .crumbs a").get_attribute("href")
        take(browser, server.url, "sessions", "/")
        take(browser, server.url, "session", session)
        take(browser, server.url, "log", log)
        take(browser, server.url, "dark", session, color_scheme="dark")
        take(browser, server.url, "project", str(project))
        take(browser, server.url, "phone", session, viewport=PHONE)
        browser.close()


if __name__ == "__main__":
    main()
