"""`Edge`: where what nobody foresaw ends, so that those who called us, or what comes next, can go on."""

from __future__ import annotations

from types import TracebackType

from otel_humanloop.notices import Notices


class Edge:
    """A block that an error of ours does not leave: it is told, and what stands behind the block deals with it.

    A block that went well returns from within, so that only after a failure what is behind it is reached. Whoever is
    being ended (`KeyboardInterrupt`, `SystemExit`) is not held up.

    Args:
        notices: Where it is told, with the type of the error and where it was raised, and nothing of what it says.
        cause: The word it is told under, at most once a minute.
        message: What it meant for the user.
    """

    __slots__ = ("_cause", "_message", "_notices")

    def __init__(self, notices: Notices, cause: str, message: str) -> None:
        self._notices = notices
        self._cause = cause
        self._message = message

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        self._notices.warn(self._cause, self._message, trace=True)
        return True
