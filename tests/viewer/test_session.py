"""The page of a session."""

from __future__ import annotations

import re

import pytest
from support_pages import Node, chips, page, session_page, tree
from support_server import MODEL, TOOL, Api


def posted(api: Api, name: str, second: int, parent: str | None = None, **fields: object) -> str:
    at = f"2024-06-01T12:00:{second:02}Z"
    return api.log(
        session_reference_id="s",
        reference_id=name,
        parent_reference_id=parent,
        created_at=at,
        project=f"of {name}",
        **fields,
    )["id"]


def row(node: Node, id: str) -> Node:
    return node.one("li", id=id)


def places(node: Node, id: str, kind: str) -> list[tuple[float, float]]:
    """Where the bars of a log begin and how long they are, in per cent."""
    return [
        (float(bar.attributes["x"].rstrip("%")), float(bar.attributes["width"].rstrip("%")))
        for bar in row(node, id).all("rect", kind=kind)
    ]


def test_logs_are_nested_as_the_work_was(api: Api) -> None:
    late, root, leaf, middle = (
        posted(api, "d", 9),
        posted(api, "a", 1),
        posted(api, "c", 3, "b"),
        posted(api, "b", 2, "a"),
    )
    node = session_page(api)
    assert tree(node) == [(0, root), (1, middle), (2, leaf), (0, late)]
    assert [link.text for link in node.all("a", kind="fold")] == ["2", "1"]
    assert [one.attributes["aria-level"] for one in node.all("li", kind="row")] == ["1", "2", "3", "1"]


def test_the_title_is_what_was_asked_and_the_totals_are_summed(api: Api) -> None:
    posted(api, "a", 5, inputs={"question": "Why?"}, duration=4.0, prompt_tokens=10, output_tokens=5, prompt_cost=0.5)
    posted(api, "b", 6, output="Because.", duration=1.0, prompt_tokens=1, error="boom")
    node = session_page(api)
    assert node.one("h1").text == "Why?"
    assert node.one("p", kind="answer").text == "→ Because."
    stats = {
        stat.one("dt").text: stat.one("dd").text
        for stat in node.one("div", kind="session-head").all("div", kind="stat")
    }
    assert re.fullmatch(r"\d+ years? ago 2024-06-01 12:00:01 UTC", stats.pop("Started"))
    assert stats == {
        "Duration": "5.00 s",
        "Logs": "2",
        "Tokens": "16 (11 in, 5 out)",
        "Cost": "$0.5000",
        "Errors": "1",
        "Session": api.session("s")["id"],
        "Reference (trace)": "s",
    }


def test_a_session_that_ended_in_an_error_says_which(api: Api) -> None:
    posted(api, "a", 5, inputs={"question": "Why?"}, error="boom <b>")
    node = session_page(api)
    assert node.one("p", kind="answer").text == "→ boom <b>"
    assert chips(page(api, "/").one("tbody"), "error") == ["boom <b>"]
    posted(api, "b", 6, output="Because.")
    assert session_page(api).one("p", kind="answer").text == "→ Because."
    assert chips(page(api, "/").one("tbody"), "error") == []


def test_what_is_nothing_is_shown_and_what_is_not_known_is_not(api: Api) -> None:
    for session, said in (("known", {"prompt_tokens": 0, "prompt_cost": 0.0}), ("unknown", {})):
        api.log(session_reference_id=session, output="x", **said)
        node = page(api, f"/sessions/{api.session(session)['id']}").one("div", kind="session-head")
        stats = {stat.one("dt").text: stat.one("dd").text for stat in node.all("div", kind="stat")}
        shown = {name: stats[name] for name in ("Tokens", "Cost") if name in stats}
        assert shown == ({"Tokens": "0 (0 in, 0 out)", "Cost": "$0"} if said else {})
    head, unknown, known = page(api, "/").all("tr")
    columns = [cell.text for cell in head.all("th")]
    for row, numbers in ((known, ["0", "$0"]), (unknown, ["", ""])):
        cells = dict(zip(columns, [cell.text for cell in row.all("td")], strict=True))
        assert [cells["Tokens"], cells["Cost"]] == numbers


def test_a_card_says_what_its_log_holds(api: Api) -> None:
    id = posted(
        api,
        "a",
        2,
        config=TOOL,
        inputs={"q": "why", "n": {"a": 1}, "e": ""},
        output="because",
        error="boom",
        duration=1.507,
    )
    card = row(session_page(api), id)
    assert chips(card, "input") == ["q why", 'n {"a":1}', "e"]
    assert chips(card, "output") == ["Output because"]
    assert chips(card, "error") == ["Error boom"]
    assert card.one("span", kind="duration").text == "1.51 s"
    assert card.one("svg", kind="tool").attributes["aria-label"] == "tool"
    assert "of a" in card.one("a", kind="open").text


def test_an_unknown_duration_is_not_shown(api: Api) -> None:
    id = posted(api, "a", 2, output="x")
    assert row(session_page(api), id).all("span", kind="duration") == []


@pytest.mark.parametrize(
    "kind", ["agent", "chain", "retrieval", "embedding", "reranker", "guardrail", "evaluator", "step"]
)
def test_every_kind_of_work_has_its_icon(api: Api, kind: str) -> None:
    id = posted(api, "a", 2, config={**TOOL, "other": {"kind": kind}})
    node = session_page(api)
    (icon,) = row(node, id).all("svg", kind="icon")
    assert icon.attributes["aria-label"] == kind
    assert icon.one("use").attributes["href"] in {f"#{symbol.attributes['id']}" for symbol in node.all("symbol")}


def test_a_log_says_in_words_what_is_unusual_about_it(api: Api) -> None:
    waits = posted(api, "a", 1, "elsewhere", output="x")
    open_one = posted(api, "b", 2)
    dropped = posted(api, "c", 3, output="x", metadata={"warnings": ["3 attributes were dropped: raise LIMIT"]})
    unsaved = posted(api, "d", 4, output="x", save=False)
    node = session_page(api)
    assert "Its parent elsewhere has not arrived." in row(node, waits).text
    assert "Still at work" in row(node, open_one).text
    assert "3 attributes were dropped: raise LIMIT" in row(node, dropped).text
    assert "its content was not kept" in row(node, unsaved).text
    for hint in ("not arrived", "Still at work", "dropped", "not kept"):
        assert node.text.count(hint) == 1


def test_a_log_that_calls_tools_is_not_still_at_work(api: Api) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    id = posted(api, "a", 1, output_message={"role": "assistant", "tool_calls": [call]})
    card = row(session_page(api), id)
    assert chips(card, "call") == ["Calls look_up"]
    assert "Still at work" not in card.text


def test_folded_logs_are_left_out_and_can_be_unfolded(api: Api) -> None:
    root, leaf, other = posted(api, "a", 1), posted(api, "b", 2, "a"), posted(api, "c", 3)
    node = session_page(api)
    handle = node.one("a", kind="fold")
    assert handle.attributes["aria-expanded"] == "true"
    folded = page(api, handle.attributes["href"].partition("#")[0])
    assert tree(folded) == [(0, root), (0, other)]
    handle = folded.one("a", kind="fold")
    assert handle.attributes["aria-expanded"] == "false"
    assert tree(page(api, handle.attributes["href"].partition("#")[0])) == [(0, root), (1, leaf), (0, other)]
    assert tree(page(api, node.one("a", kind="fold-all").attributes["href"])) == [(0, root), (0, other)]


def test_the_waterfall_shows_true_starts_and_lengths(api: Api) -> None:
    whole = posted(api, "a", 10, duration=10.0)
    part = posted(api, "b", 5, "a", duration=2.5)
    node = session_page(api)
    assert places(node, whole, "bar") == [(0.0, 100.0)]
    assert places(node, part, "bar") == [(25.0, 25.0)]
    assert [tick.text for tick in node.one("svg", kind="ticks").all("text")] == [
        "0",
        "2 s",
        "4 s",
        "6 s",
        "8 s",
        "10 s",
    ]


def test_a_moment_within_a_day_stands_where_it_was_and_is_long_enough_to_be_drawn(api: Api) -> None:
    api.log(session_reference_id="s", output="x", created_at="2024-06-02T12:00:00Z", duration=86_400.0)
    posted(api, "at once", 36, duration=0.0)
    posted(api, "short", 48, duration=2.0)
    posted(api, "unknown", 54)
    node = session_page(api)
    bars = [places(node, one.attributes["id"], "bar")[0] for one in node.all("li", kind="row")]
    assert bars[0] == (0.0, 100.0)
    for (start, length), seconds in zip(bars[1:], (36, 46, 54), strict=True):
        assert start * 864 == pytest.approx(seconds, abs=0.01)
        assert length > 0
    assert bars[2][1] * 864 == pytest.approx(2.0, abs=0.01)


def test_no_mark_of_the_axis_leaves_it(api: Api) -> None:
    posted(api, "a", 10, duration=10.0)
    marks = session_page(api).one("svg", kind="ticks").all("text")
    assert [mark.attributes.get("class") for mark in marks] == ["first", None, None, None, None, "last"]


def test_the_critical_path_is_what_the_session_waited_for(api: Api) -> None:
    whole = posted(api, "a", 10, duration=10.0)
    first = posted(api, "b", 4, "a", duration=3.0)
    beside = posted(api, "c", 3, "a", duration=1.0)
    last = posted(api, "d", 9, "a", duration=4.0)
    node = session_page(api)
    assert places(node, whole, "crit") == [(0.0, 10.0), (40.0, 10.0), (90.0, 10.0)]
    assert places(node, first, "crit") == [(10.0, 30.0)]
    assert places(node, last, "crit") == [(50.0, 40.0)]
    assert places(node, beside, "crit") == []


def test_a_session_nested_deeper_than_pythons_stack_is_shown(api: Api) -> None:
    first = {"project": "p", "config": MODEL, "session_reference_id": "s", "reference_id": "0"}
    chain = [{**first, "reference_id": str(n), "parent_reference_id": str(n - 1)} for n in range(1, 1000)]
    api.ask("POST", "logs", json=[first, *chain])
    assert tree(session_page(api))[-1][0] == 999


def test_a_very_large_session_says_how_much_of_it_is_shown(api: Api) -> None:
    for part in range(3):
        api.ask(
            "POST",
            "logs",
            json=[
                {
                    "project": "p",
                    "config": MODEL,
                    "session_reference_id": "s",
                    "output": str(n),
                    "created_at": f"2024-06-01T12:{part:02}:00Z",
                }
                for n in range(900)
            ],
        )
    node = session_page(api)
    assert len(tree(node)) == 2000
    assert "The first 2,000 of 2,700 logs." in node.text
    whole = session_page(api, query="?all=1")
    assert len(tree(whole)) == 2700
    assert whole.one("a", kind="fold-all").attributes["href"].endswith("?all=1")


def test_an_empty_session_says_how_to_fill_it(api: Api) -> None:
    id = api.ask("POST", "sessions", status=201)["id"]
    assert "/v4/logs" in page(api, f"/sessions/{id}").one("div", kind="empty").text


def test_what_is_not_there_is_not_found(api: Api) -> None:
    log = api.log(session_reference_id="s")["id"]
    other = api.log(session_reference_id="other")["id"]
    id = api.session("s")["id"]
    for path in (
        "/sessions/sesh_x",
        "/logs/data_x",
        f"/sessions/{id}/logs/data_x",
        f"/sessions/{id}/logs/{other}",
        "/nowhere",
    ):
        assert api.http.get(path).status_code == 404, path
    assert api.http.get(f"/sessions/{id}/logs/{log}").status_code == 200
    node = page(api, "/sessions/sesh_x", status=404)
    assert node.one("h1").text == "Not found"
    assert "There is no session sesh_x ." in node.one("div", kind="empty").text
    assert [link.attributes["href"] for link in node.one("div", kind="empty").all("a")] == ["/", "/projects"]
