"""Two sessions side by side."""

from __future__ import annotations

from typing import Any

from support_pages import Node, page
from support_server import MODEL, TOOL, Api


def told(api: Api, session: str, logs: list[tuple[str, str | None, dict[str, Any]]]) -> str:
    """Posts a session of named logs, each a second after the other; gives its id."""
    for second, (name, parent, fields) in enumerate(logs):
        api.log(
            session_reference_id=session,
            reference_id=f"{session}-{name}",
            project=name,
            parent_reference_id=None if parent is None else f"{session}-{parent}",
            created_at=f"2024-06-01T12:00:{second:02}Z",
            **fields,
        )
    return api.session(session)["id"]


def pairs(node: Node) -> list[tuple[str, str, str]]:
    """State, left and right of each line."""
    lines: list[tuple[str, str, str]] = []
    for pair in node.all("li", kind="pair"):
        left, right = pair.all("div", kind="card")
        names = [card.one("b").text if card.all("b") else "" for card in (left, right)]
        (state,) = pair.classes & {"same", "changed", "only-left", "only-right"}
        lines.append((state, names[0], names[1]))
    return lines


def test_sessions_are_aligned_by_the_work_they_did(api: Api) -> None:
    one = told(api, "1", [("agent", None, {}), ("ask", "agent", {"output": "a"}), ("tool", "agent", {"config": TOOL})])
    other = told(
        api, "2", [("agent", None, {}), ("check", "agent", {}), ("ask", "agent", {"output": "b"}), ("end", None, {})]
    )
    assert pairs(page(api, f"/compare?s={one}&s={other}")) == [
        ("same", "agent", "agent"),
        ("only-right", "", "check"),
        ("changed", "ask", "ask"),
        ("only-left", "tool", ""),
        ("only-right", "", "end"),
    ]


def test_what_differs_is_said(api: Api) -> None:
    long = "x" * 1000
    one = told(
        api,
        "1",
        [
            (
                "ask",
                None,
                {
                    "inputs": {"q": "why", "s": 1, "long": long + "a"},
                    "prompt_tokens": 5,
                    "duration": 1.0,
                    "config": MODEL,
                },
            )
        ],
    )
    other = told(
        api,
        "2",
        [
            (
                "ask",
                None,
                {
                    "inputs": {"q": "how", "s": 1, "long": long + "b"},
                    "prompt_tokens": 7,
                    "duration": 1.05,
                    "error": "no",
                    "config": {"model": "gpt-5"},
                },
            )
        ],
    )
    (pair,) = page(api, f"/compare?s={one}&s={other}").all("li", kind="pair")
    lines = {row.one("th").text: [cell.text for cell in row.all("td")] for row in pair.all("tr")}
    assert lines.pop("version")[0] != ""
    assert [text[:3] for text in lines.pop("input long, further on")] == ["xxx", "xxx"]
    assert lines == {
        "model": ["gpt-4", "gpt-5"],
        "input q": ["why", "how"],
        "tokens": ["5", "7"],
        "error": ["none", "no"],
    }


def test_the_same_session_twice_differs_in_nothing(api: Api) -> None:
    one = told(api, "1", [("a", None, {"output": "x"}), ("b", "a", {"output": "y"})])
    node = page(api, f"/compare?s={one}&s={one}")
    assert {state for state, _, _ in pairs(node)} == {"same"}
    assert "Logs that differ: 0 of 2." in node.text


def test_fewer_than_two_sessions_are_asked_for(api: Api) -> None:
    one = told(api, "1", [("a", None, {})])
    for path in ("/compare", f"/compare?s={one}"):
        assert "Pick two sessions" in page(api, path).text


def test_what_is_no_session_is_not_found(api: Api) -> None:
    assert api.http.get("/compare?s=sesh_x&s=sesh_y").status_code == 404
