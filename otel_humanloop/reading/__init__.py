"""Stage 2: what a span says, whichever convention wrote it, as one `Operation`.

For each field, the first convention by rank that says something is heard; the messages of a conversation, in and out,
come together from one. Which convention and key gave a field is kept.
"""

from __future__ import annotations

from functools import cache

from otel_humanloop.operation import Reading
from otel_humanloop.reading import conventions
from otel_humanloop.reading.catalogue import Catalogue
from otel_humanloop.reading.convention import discover
from otel_humanloop.reading.failure import error_type
from otel_humanloop.reading.infrastructure import is_plumbing
from otel_humanloop.reading.plan import Plan
from otel_humanloop.spans import Span

__all__ = ["error_type", "is_infrastructure", "plan_for", "read"]


@cache
def _catalogue() -> Catalogue:
    """All conventions. They are loaded for the first span, and not while a program starts."""
    return Catalogue(discover(conventions))


def read(span: Span) -> Reading:
    """What the span did. Never raises, whatever it holds.

    A span no convention claims is a step: its kind is `Kind.STEP` and its `conventions` are empty. What it says all
    the same (a session, a user, the `humanloop.*` attributes of `annotate`, an error) is read.
    """
    return _catalogue().read(span)


def plan_for(span: Span) -> Plan:
    """How spans like this one are read."""
    return _catalogue().plan_for(span)


def is_infrastructure(span: Span) -> bool:
    """Whether the span is plumbing (HTTP, database, RPC, messaging) that no convention claims as an AI operation."""
    return is_plumbing(span) and not _catalogue().claims(span)
