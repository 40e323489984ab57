"""Python values as some instrumentations write them: with `repr`, where JSON was meant. Nothing here raises."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import Any

from otel_humanloop.reading import jsontext

_LONGEST = 1_000_000
"""Longer text is left as text: what Python's own parser needs grows with it."""

_REMEMBERED = 10_000
"""Of longer text it is not remembered what it came to."""

_OBJECT = re.compile(r"<[\w.]+ object at 0x[0-9a-f]+>")


def is_object(text: str) -> bool:
    """Whether the text is how Python writes an object that says nothing of itself, and not the object's words.

    A stream, where its answer was to stand; what stands for a parameter that was not given.
    """
    return _OBJECT.fullmatch(text) is not None


def parse(text: str) -> Any:
    """The value that `repr` wrote; None where the text is not that of a plain value, or it is nested too deep.

    Several fields are read from one text, and are given one value: nobody may change it.
    """
    if len(text) > _LONGEST:
        return None
    return _parsed_lately(text) if len(text) <= _REMEMBERED else _parsed(text)


def _parsed(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return None if jsontext.is_too_deep(value) else value


_parsed_lately = lru_cache(maxsize=32)(_parsed)
