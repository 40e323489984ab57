"""A call of Anthropic's API, seen by its SDK's own spans and by whichever instrumentation INSTRUMENTOR names."""

from __future__ import annotations

import importlib
import os

from anthropic import Anthropic
from provider import provide

provider = provide()
module, _, name = os.environ["INSTRUMENTOR"].partition(":")
getattr(importlib.import_module(module), name)().instrument(tracer_provider=provider)
Anthropic(api_key="any").messages.create(
    model="claude-sonnet-4-20250514",
    max_tokens=100,
    messages=[{"role": "user", "content": "What is the weather in Paris?"}],
)
