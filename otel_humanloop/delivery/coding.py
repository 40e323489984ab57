"""How bodies are compressed on their way: as the settings say, and as the server says that it takes (RFC 7694)."""

from __future__ import annotations

from collections.abc import Mapping

from otel_humanloop.compression import gzip, has_zstd, prepare_gzip, zstd

_WORTH_COMPRESSING = 1024
"""Bytes; below, the headers of a packet weigh more than what is saved."""


class Coding:
    """The content codings of one client. The first body goes as gzip, for nobody has said anything yet.

    Args:
        compression: The setting.
        is_near: The server is on this machine, where compressing takes longer than sending.
    """

    def __init__(self, compression: str, *, is_near: bool) -> None:
        self._is_used = compression == "gzip" or (compression == "auto" and not is_near)
        # Both import their library, now: at a program's end that would be too late (`pricing.prepare`).
        self._has_zstd = self._is_used and compression == "auto" and has_zstd()
        if self._is_used:
            prepare_gzip()
        self._taken: frozenset[str] | None = None
        self._refused: set[str] = set()

    def applied(self, body: bytes) -> tuple[bytes, str | None]:
        """The body as it is to be sent, and the name of its coding; None where it goes as it is."""
        if self._is_used and len(body) >= _WORTH_COMPRESSING:
            if self._has_zstd and self._takes("zstd", unasked=False):
                return zstd(body), "zstd"
            if self._takes("gzip", unasked=True):
                return gzip(body), "gzip"
        return body, None

    def answered(self, status: int, headers: Mapping[str, str], coding: str | None) -> bool:
        """Learns of an answer to a body in that coding. Is it to be sent again in another? Once for each coding."""
        said = headers.get("accept-encoding")
        if said is not None:
            self._taken = frozenset(_codings(said))
        if status != 415 or coding is None or coding in self._refused:
            return False
        self._refused.add(coding)
        return True

    def _takes(self, coding: str, *, unasked: bool) -> bool:
        taken = unasked if self._taken is None else not self._taken.isdisjoint((coding, "*"))
        return taken and coding not in self._refused


def _codings(said: str) -> list[str]:
    """The codings of an `Accept-Encoding` that are not ruled out by `q=0`."""
    parts = [part.replace(" ", "").lower().partition(";q=") for part in said.split(",")]
    return [name for name, _, weight in parts if name and weight.rstrip("0").rstrip(".") != "0" and weight != "0"]
