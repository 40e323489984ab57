"""A picture that was too large for its message, in a browser."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from support_sessions import session_id

from otel_humanloop.attachments import StandIn, attachment

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api")


def png(width: int, height: int) -> bytes:
    """A red picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xc0\x20\x20" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_it_is_seen_in_the_conversation(browse: Callable[..., Any], post: Any, server: Any) -> None:
    kept = attachment(png(320, 200), "image/png")
    where = f"/attachments/sha256/{kept.sha256}"
    httpx.put(
        f"{server.url}/v4{where}", content=kept.content, headers={"Content-Type": kept.media_type}, trust_env=False
    ).raise_for_status()
    said = str(StandIn(media_type=kept.media_type, size=len(kept.content), sha256=kept.sha256))
    content = [{"type": "text", "text": "What is this?"}, {"type": "text", "text": said}]
    (log,) = post({"messages": [{"role": "user", "content": content}], "output": "Red."})
    page = browse().go(f"/sessions/{session_id(server)}/logs/{log['id']}?tab=messages")
    picture = page.locator(".drawer figure img")
    sync_api.expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('.drawer figure img').naturalWidth === 320")
    sync_api.expect(page.locator(".drawer figure figcaption")).to_contain_text("image/png")
    sync_api.expect(page.locator(".drawer .chat")).not_to_contain_text(kept.sha256)
