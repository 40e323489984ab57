"""A session as a tree of nested logs."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.cli.screen import Line
from otel_humanloop.cli.text import cells
from otel_humanloop.cli.tree import render_session
from otel_humanloop.errors import DecodeError

SESSION = {"id": "sesh_kQ3xZ0000000000000000", "reference_id": "4bf92f3577b34da6a3ce929d0e0e4736"}
UR = "Which country won Eurovision 2023?"


def log(name: str, parent: str | None = None, **fields: Any) -> dict[str, Any]:
    """A log as `GET /logs` answers it, its id made of a short name."""
    made: dict[str, Any] = {"id": log_id(name), "config": {"type": "model", "model": "gpt-4o-mini"}, "project": "p"}
    if parent is not None:
        made["parent_id"] = log_id(parent)
    return made | fields


def log_id(name: str) -> str:
    return f"data_{name:0<21}"


def tool(name: str, **other: Any) -> dict[str, Any]:
    return {"type": "tool", "name": name} | ({"other": other} if other else {})


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def rendered(*logs: dict[str, Any], width: int = 100) -> list[str]:
    return text_of(render_session(SESSION, logs, width=width))


def test_the_guides_session() -> None:
    logs = [
        log(
            "a1B2c",
            project="sessions_example_moderator",
            inputs={"user_request": UR},
            output="No",
            duration=0.4204,
            prompt_tokens=38,
            output_tokens=1,
        ),
        log(
            "d3E4f", project="sessions_example_google", config=tool("Google Search"), inputs={"q": UR}, output="Sweden"
        ),
        log(
            "g5H6i",
            project="sessions_example_assistant",
            inputs={"user_request": UR, "google_answer": "Sweden"},
            output="Sweden won the Eurovision Song Contest in 2023.",
            duration=1.5,
            prompt_tokens=1200,
            output_tokens=45,
        ),
    ]
    page = "http://127.0.0.1:8484/sessions/sesh_kQ3xZ0000000000000000"
    assert text_of(render_session(SESSION, logs, width=100, page=page)) == [
        "session kQ3xZ · 3 logs · 1,238 → 46 tokens · 4bf92f3577b34da6a3ce929d0e0e4736",
        "http://127.0.0.1:8484/sessions/sesh_kQ3xZ0000000000000000",
        "├─ model gpt-4o-mini · sessions_example_moderator · a1B2c · 0.42 s · 38 → 1 tokens",
        "│     user_request: Which country won Eurovision 2023?",
        "│     → No",
        "├─ tool Google Search · sessions_example_google · d3E4f",
        "│     q: Which country won Eurovision 2023?",
        "│     → Sweden",
        "└─ model gpt-4o-mini · sessions_example_assistant · g5H6i · 1.50 s · 1,200 → 45 tokens",
        "      user_request: Which country won Eurovision 2023?  google_answer: Sweden",
        "      → Sweden won the Eurovision Song Contest in 2023.",
    ]


def test_nested_logs_and_their_kinds() -> None:
    lines = rendered(
        log("agent", config=tool("researcher", kind="agent"), output="done"),
        log("turn1", "agent", config=tool("turn", kind="chain")),
        log("llm_1", "turn1"),
        log("tool1", "turn1", config=tool("search"), inputs={"q": "x", "n": 0}, output=""),
        log("turn2", "agent", config=tool("turn", kind="chain")),
    )
    assert lines[1:] == [
        "└─ agent researcher · p · agent",
        "   │  → done",
        "   ├─ chain turn · p · turn1",
        "   │  ├─ model gpt-4o-mini · p · llm_1",
        "   │  └─ tool search · p · tool1",
        "   │        q: x  n: 0",
        "   │        → (empty)",
        "   └─ chain turn · p · turn2",
    ]


def test_an_error_is_shown_beside_what_there_is_and_counted() -> None:
    lines = rendered(
        log("a", error="RateLimitError: slow down\nand more"), log("b", output="half", error="ValueError: no")
    )
    assert "2 failed" in lines[0]
    assert lines[2] == "│     ✗ RateLimitError: slow down and more"
    assert lines[4:] == ["      → half", "      ✗ ValueError: no"]


def test_errors_and_missing_parents_stand_out_by_style() -> None:
    (_, heading, failed) = render_session(
        SESSION, [log("a", error="boom", parent_reference_id="00f067aa0ba902b7")], width=100
    )
    assert [style for text, style in failed if "boom" in text] == ["error"]
    assert [text for text, style in heading if style == "warning"] == [" · its parent 00f067aa0ba902b7 has not arrived"]


def test_a_log_whose_parent_came_does_not_say_it_has_not() -> None:
    lines = rendered(log("a"), log("b", "a", parent_reference_id="00f067aa0ba902b7"))
    assert not any("has not arrived" in line for line in lines)


def test_without_inputs_the_last_message_is_shown_and_without_text_the_tools_asked_for() -> None:
    lines = rendered(
        log(
            "a",
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url"}]},
            ],
            output_message={
                "role": "assistant",
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at":"it"}'}}
                ],
            },
        )
    )
    assert lines[2:] == ["      user: What is this? (image_url)", '      → look({"at":"it"})']


@pytest.mark.parametrize(
    ("prompt", "output", "said"),
    [(None, None, ""), (0, 0, " · 0 → 0 tokens"), (7, None, " · 7 tokens in"), (None, 7, " · 7 tokens out")],
)
def test_tokens_are_said_as_far_as_they_are_known(prompt: int | None, output: int | None, said: str) -> None:
    assert (
        rendered(log("a", prompt_tokens=prompt, output_tokens=output))[1] == f"└─ model gpt-4o-mini · p · a0000{said}"
    )


def test_a_duration_of_zero_is_shown_and_an_unknown_one_is_not() -> None:
    assert rendered(log("a", duration=0))[1].endswith("a0000 · 0.00 s")
    assert rendered(log("a"))[1].endswith("a0000")


def test_costs_are_summed() -> None:
    title = rendered(log("a", prompt_cost=0.001, output_cost=0.0005), log("b", prompt_cost=0.0001))[0]
    assert "$0.0016" in title


def test_logs_that_name_each_other_as_parents_are_all_shown() -> None:
    lines = rendered(log("a", "b"), log("b", "c"), log("c", "a"), log("d", "d"))
    assert sum("model gpt-4o-mini" in line for line in lines) == 4


def test_a_session_nested_deeper_than_python_recurses_is_shown() -> None:
    names = [f"n{index:04}" for index in range(1500)]
    logs = [log(name, names[index - 1] if index else None) for index, name in enumerate(names)]
    lines = rendered(*logs, width=60)
    assert len(lines) == 1501
    assert lines[-1].endswith("└─ model gpt-4o-mini · p ·…")
    assert lines[-1].startswith("…")
    assert all(cells(line) <= 60 for line in lines)


@pytest.mark.parametrize("bad", [{"id": 1}, {"id": "data_1", "inputs": [1]}, {"id": "data_1", "duration": "fast"}])
def test_a_log_that_is_no_log_of_v4_is_an_error_that_says_so(bad: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="not what Humanloop's v4 API promises"):
        render_session(SESSION, [bad], width=80)


HOSTILE = st.sampled_from(["\x1b[31m", "\x9b2J", "\u202e", "\r\n", "\x07", "日本語" * 40, "x" * 500, ""])
TEXT = st.text(max_size=20) | HOSTILE
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "project": TEXT,
        "inputs": st.dictionaries(TEXT, TEXT | st.integers() | st.lists(TEXT, max_size=2), max_size=4),
        "messages": st.lists(st.fixed_dictionaries({"role": TEXT, "content": TEXT}), max_size=2),
        "output": TEXT,
        "error": TEXT,
        "duration": st.floats(0, 1e6),
        "prompt_tokens": st.integers(0, 10**9),
        "parent_reference_id": TEXT,
        "config": st.builds(lambda name, kind: tool(name, kind=kind), TEXT, TEXT),
    },
)


@given(
    fields=st.lists(FIELDS, min_size=1, max_size=12),
    seed=st.integers(0, 2**32),
    width=st.integers(20, 200),
)
def test_any_forest_in_any_order_is_shown_whole_parents_first_within_the_width(
    fields: list[dict[str, Any]], seed: int, width: int
) -> None:
    chance = random.Random(seed)
    parents = [chance.choice([None, *range(index)]) for index in range(len(fields))]
    logs = [
        {"config": tool("t")}
        | own
        | {"id": log_id(f"{index:05}")}
        | ({} if parent is None else {"parent_id": log_id(f"{parent:05}")})
        for index, (own, parent) in enumerate(zip(fields, parents, strict=True))
    ]
    chance.shuffle(logs)
    lines = render_session(SESSION, logs, width=width)
    shown = text_of(lines)
    for line in shown:
        assert cells(line) <= width
        assert all(unicodedata.category(character) != "Cc" for character in line)
        assert "\u202e" not in line
    wide = text_of(
        render_session(SESSION, [{"id": made["id"], "config": tool("t"), **_parent(made)} for made in logs], width=500)
    )
    order = [int(line.rpartition(" · ")[2][:5]) for line in wide[1:]]
    assert sorted(order) == list(range(len(fields)))
    assert all(parent is None or order.index(parent) < order.index(child) for child, parent in enumerate(parents))


def _parent(made: dict[str, Any]) -> dict[str, Any]:
    return {"parent_id": made["parent_id"]} if "parent_id" in made else {}
