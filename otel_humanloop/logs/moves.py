"""What may be done to Humanloop's logs, as the order of spans demands it."""

from __future__ import annotations

import msgspec

from otel_humanloop.logs.draft import Draft
from otel_humanloop.spans import SpanKey


class Create(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Log this span, now.

    Attributes:
        parent: The span id of the log it hangs under, or None at the top of its session.
        without_usage: A descendant states the usage this span sums up.
    """

    key: SpanKey
    draft: Draft
    parent: str | None
    session: str
    user: str | None
    without_usage: bool = False


class Complete(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The span of a log that was created while it was open has ended: its output, error and duration are known."""

    key: SpanKey
    draft: Draft


class Replace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A log was created under a span that turned out to have none: hang it under this parent instead."""

    key: SpanKey
    parent: str | None
    session: str


Move = Create | Complete | Replace
