"""Compiled twins of what is done for each span and knows nothing of conventions or of Humanloop.

The package is pure Python, and all of it works as such. Where a C compiler was at hand when it was built, what is here
besides is used instead: each module is a `.pyx` in Cython, each public function of it does exactly what its twin in
Python does, faster. Tests hold one to the other, with the same inputs. What modules have of each other is in a `.pxd`.

To add one: write `NAME.pyx` here, with stubs beside it in `NAME.pyi`; add its name to `MODULES`; decorate the twin with
`@compiled("NAME")`; state in `tests/native/` that the two agree; run `make native`, which builds all of it in place.
What is untrusted is checked as it is in Python: directives that switch checks off stand nowhere but where the code
has just checked the same itself.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

MODULES = ("likeness", "messages", "otlp_values", "protobuf", "sdk", "size", "words", "writing")
"""What there is to build."""

PURE = "OTEL_HUMANLOOP_PURE_PYTHON"
"""The variable that, set to anything but "", keeps compiled modules from being used: for tests, and to find faults."""

F = TypeVar("F", bound=Callable[..., Any])


def module(name: str) -> ModuleType | None:
    """A compiled module; None where it was not built, does not load on this machine, or is not to be used."""
    if os.environ.get(PURE):
        return None
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ImportError:
        return None


def compiled(name: str) -> Callable[[F], F]:
    """Puts the function of the same name in the compiled module `name`, where there is one, in a function's place.

    The function it was put in the place of is its `__wrapped__`, as of any decorated one.
    """

    def choose(function: F) -> F:
        found = module(name)
        if found is None:
            return function
        twin: F = getattr(found, function.__name__)
        functools.update_wrapper(twin, function)
        return twin

    return choose


def in_use() -> list[str]:
    """The compiled modules that are used in this process."""
    return [name for name in MODULES if module(name) is not None]
