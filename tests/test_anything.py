"""Spans that hold anything at all, end to end: nothing raises, and nobody's siblings are held back."""

from __future__ import annotations

from typing import Any

import pytest
from applications import CHAT, Install
from humanloop import Humanloop

DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]

ANYTHING = {
    "bytes": {"gen_ai.input.messages": b"\xff\x00", "raw": b"\x80"},
    "not a number": {"gen_ai.request.temperature": float("nan"), "inf": float("inf")},
    "ten megabytes": {"gen_ai.input.messages": "x" * 10_000_000},
    "broken JSON": {"gen_ai.input.messages": '[{"role":"user","parts":[{"ty', "gen_ai.tool.definitions": "{"},
    "surrogates": {
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"\ud83d"}]}]',
        "k\udfff": 1,
    },
    "wrong types": {"gen_ai.request.model": [1], "gen_ai.usage.input_tokens": "many", "gen_ai.response.id": {"a": 1}},
    "null characters": {"gen_ai.request.model": "a\x00b", "humanloop.project": "p\x00", "humanloop.session": "\x00"},
    "huge numbers": {"gen_ai.usage.output_tokens": 2**200, "gen_ai.request.max_tokens": -(2**70)},
    "endless nesting": {"deep": DEEP, "gen_ai.input.messages": "[" * 100_000},
    "an empty name": {"": "", "gen_ai.request.model": "", "humanloop.project": ""},
    "a huge index": {"gen_ai.prompt.999999999.role": "user", "llm.input_messages.999999999.message.role": "user"},
}


@pytest.mark.parametrize("attributes", ANYTHING.values(), ids=ANYTHING)
def test_a_span_that_holds_anything_at_all_is_logged_and_holds_nobody_back(
    attributes: dict[str, Any], install: Install, humanloop: Humanloop
) -> None:
    provider = install()
    tracer = provider.get_tracer("app")
    with tracer.start_as_current_span("before", attributes={**CHAT, "gen_ai.request.model": "before"}):
        tracer.start_span("odd \udfff", attributes={**CHAT, **attributes}).end()
        tracer.start_span("after", attributes={**CHAT, "gen_ai.request.model": "after"}).end()
    assert provider.force_flush()
    models = [log["config"].get("model") for log in humanloop.logs()]
    assert len(models) == 3
    assert {"before", "after"} <= set(models)
