"""What the offline model says to `examples/chain.py`: the answers of Humanloop's guide to sessions."""

from __future__ import annotations

import re

from otel_humanloop.demo.model_server import Reply, Request, Rule

_MODEL = "gpt-4o-mini-2024-07-18"
"""The name `gpt-4o-mini` answers by."""


def moderate(request: Request) -> Reply | None:
    """A moderator asked whether a request is abusive: it is where it wants the instructions forgotten."""
    if "You are a moderator" not in request.prompt:
        return None
    abusive = re.search(r"\b(ignore|forget)\b.*\binstructions\b", request.question, re.IGNORECASE) is not None
    return Reply(text="Yes" if abusive else "No", model=_MODEL, delay=0.12)


def assist(request: Request) -> Reply | None:
    """An assistant given what a search found."""
    found = re.search(r"Google result: (.+)", request.question)
    if found is None:
        return None
    asked = re.search(r"Question: .*\bwon\b.*\bEurovision\b.*\b(\d{4})\b", request.question)
    sentence = f"{found[1]} won the Eurovision Song Contest in {asked[1]}." if asked else f"{found[1]}."
    return Reply(text=sentence, model=_MODEL, delay=0.34)


GUIDE: tuple[Rule, ...] = (moderate, assist)
"""The rules for a `ModelServer` the chain can talk to. Each takes a moment, as a model would."""
