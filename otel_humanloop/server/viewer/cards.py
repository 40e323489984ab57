"""A session's logs as cards: one line of HTML each.

A page may have thousands of them, and most of its time goes here; so they are not a template.
"""

from __future__ import annotations

from markupsafe import escape

from otel_humanloop.server.viewer.entries import Entry
from otel_humanloop.server.viewer.text import count, duration, money, short, short_id
from otel_humanloop.server.viewer.tree import Row

_DEEPEST = 24
"""Depths that have an indentation of their own."""

_INPUTS = 6
"""Inputs that a card shows."""


def card(row: Row, *, session: str, fold: str, bars: str, current: bool) -> str:
    """One log in its place, as HTML.

    Args:
        session: The address of its session.
        fold: The address of the page with what is below it folded, or unfolded.
        bars: What stands in the waterfall beside it.
        current: It is the one whose drawer is open.
    """
    log = row.entry
    kind = log.made.kind
    state = f"{' failed' if log.failed else ''}{' current' if current else ''}"
    return (
        f'<li class="row d{min(row.depth, _DEEPEST)} k-{kind}{state}" id="{log.id}" aria-level="{row.depth + 1}" '
        f'data-depth="{row.depth}"><div class="card"><div class="head">{_handle(row, fold) if row.nested else ""}'
        f'<svg class="icon {kind}" role="img" aria-label="{kind}"><use href="#i-{kind}"/></svg>'
        f'<a class="open" href="{session}/logs/{log.id}"><b dir="auto">{escaped(log.project)}</b> '
        f"<code>{short_id(log.id)}</code></a>"
        f"{_span('made', log.made.name)}"
        f'<span class="grow"></span>{_numbers(log)}</div>{_chips(log)}</div>'
        f'<svg class="lane" aria-hidden="true" focusable="false">{bars}</svg></li>\n'
    )


def escaped(text: str) -> str:
    """Text as HTML. Most has nothing in it to escape, which is seen in a tenth of the time."""
    if "&" in text or "<" in text or ">" in text or '"' in text or "'" in text:
        return str(escape(text))
    return text


def _handle(row: Row, address: str) -> str:
    does, expanded = ("Unfold", "false") if row.folded else ("Fold", "true")
    return (
        f'<a class="fold" href="{escaped(address)}" aria-expanded="{expanded}" '
        f'aria-label="{does} {row.nested} nested logs">'
        f'<svg aria-hidden="true"><use href="#i-chevron"/></svg>{count(row.nested)}</a>'
    )


def _numbers(log: Entry) -> str:
    said = ""
    if log.tokens is not None:
        parts = f"{log.prompt_tokens or 0} in, {log.output_tokens or 0} out"
        said = f'<span class="tokens" title="{parts}">{short(log.tokens)} tok</span>'
    if log.cost is not None:
        said += f'<span class="cost">{money(log.cost)}</span>'
    if log.duration is not None:
        said += f'<span class="duration">{duration(log.duration)}</span>'
    return said


def _chips(log: Entry) -> str:
    said = [
        f'<span class="chip input"><b dir="auto">{escaped(name)}</b> <bdi>{escaped(value)}</bdi></span>'
        for name, value in log.inputs[:_INPUTS]
    ]
    more = len(log.inputs) + log.more_inputs - _INPUTS
    if more > 0:
        said.append(f'<span class="chip more">+{more} inputs</span>')
    if log.error is not None:
        said.append(f'<span class="chip error"><b>Error</b> <bdi>{escaped(log.error)}</bdi></span>')
    if log.output:
        said.append(f'<span class="chip output"><b>Output</b> <bdi>{escaped(log.output)}</bdi></span>')
    elif log.output is not None and not log.calls:
        said.append('<span class="chip output"><b>Output</b> <i>empty</i></span>')
    said.extend(f'<span class="chip call"><b>Calls</b> <bdi>{escaped(name)}</bdi></span>' for name in log.calls)
    said.extend(_hints(log))
    return f'<div class="chips">{" ".join(said)}</div>' if said else ""


def _hints(log: Entry) -> list[str]:
    """What is unusual about a log, in words."""
    said: list[str] = []
    if log.open:
        said.append('<span class="hint open-log">Still at work: its output has not been logged yet.</span>')
    if log.waits:
        parent = escaped((log.parent_reference_id or "")[:40])
        said.append(f'<span class="hint">Its parent <code><bdi>{parent}</bdi></code> has not arrived.</span>')
    if not log.saved:
        said.append('<span class="hint">Logged with <code>save: false</code>: its content was not kept.</span>')
    said.extend(f'<span class="hint warning">{escaped(warning)}</span>' for warning in log.warnings)
    return said


def _span(kind: str, text: str | None) -> str:
    return "" if text is None else f'<span class="{kind}"><bdi>{escaped(text)}</bdi></span>'
