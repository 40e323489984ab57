"""One log in full."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support_pages import Node, chips, dialogue, drawer, page
from support_server import MODEL, TOOL, Api

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def log(api: Api, **fields: Any) -> str:
    return api.log(session_reference_id="s", **fields)["id"]


def facts(node: Node) -> dict[str, str]:
    return {
        line.one("dt").text: line.one("dd").text for part in node.all("dl", kind="facts") for line in part.all("div")
    }


def tabs(node: Node) -> list[str]:
    return [tab.attributes["data-tab"] for tab in node.one("nav", kind="tabs").all("a")]


def test_the_drawer_opens_over_its_session(api: Api) -> None:
    ids = [log(api, reference_id=str(n), output=str(n), created_at=f"2024-06-01T12:00:0{n}Z") for n in range(3)]
    session = api.session("s")["id"]
    node = page(api, f"/sessions/{session}/logs/{ids[1]}")
    assert len(node.all("li", kind="row")) == 3
    assert node.one("li", kind="current").attributes["id"] == ids[1]
    moves = {link.attributes["aria-label"]: link.attributes["href"] for link in node.one("nav", kind="moves").all("a")}
    assert moves == {
        "Previous log": f"/sessions/{session}/logs/{ids[0]}",
        "Next log": f"/sessions/{session}/logs/{ids[2]}",
        "Close the log": f"/sessions/{session}#{ids[1]}",
    }
    alone = page(api, f"/sessions/{session}/logs/{ids[1]}?part=drawer")
    assert alone.all("aside") != []
    assert alone.all("html") == []


def test_only_tabs_that_have_something_to_show_are_there(api: Api) -> None:
    assert tabs(drawer(api, log(api, output="x"), "")) == ["io", "config", "raw"]
    full = log(api, messages=dialogue(1), metadata={"a": 1, "otel": {"sources": {}, "kind": "client"}})
    assert tabs(drawer(api, full, "")) == ["messages", "io", "config", "metadata", "origin", "raw"]


def test_messages_are_a_conversation_with_calls_beside_their_results(api: Api) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"order":7}'}}
    messages = [
        {"role": "system", "content": "Be **brief**."},
        {"role": "user", "content": "Where?", "name": "ada"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"state":"here"}'},
        {"role": "tool", "tool_call_id": "c9", "content": "of no call in sight"},
    ]
    id = log(
        api,
        messages=messages,
        output_message={"role": "assistant", "content": "Here."},
        metadata={"output_messages": {"0": {"reasoning": ["It is here."]}}},
    )
    turns = drawer(api, id, "messages").one("ol", kind="chat").all("li", kind="turn")
    assert [turn.one("div", kind="who").text for turn in turns] == [
        "system",
        "user ada",
        "assistant",
        "tool answers c9",
        "assistant",
    ]
    assert turns[0].one("strong").text == "brief"
    use = turns[2].one("div", kind="use")
    assert use.one("div", kind="call").one("b").text == "look_up"
    assert json.loads(use.one("div", kind="call").one("pre").text) == {"order": 7}
    assert json.loads(use.one("div", kind="result").one("pre").text) == {"state": "here"}
    assert turns[4].one("details", kind="reasoning").one("div", kind="prose").text == "It is here."
    assert "open" not in turns[4].one("details", kind="reasoning").attributes
    assert "completion" in turns[4].classes


def test_pictures_of_the_log_are_shown_and_others_are_addresses(api: Api) -> None:
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
        {"type": "image_url", "image_url": {"url": "https://elsewhere.example/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PHN2Zz4="}},
    ]
    node = drawer(api, log(api, messages=[{"role": "user", "content": parts}]), "messages")
    assert [picture.attributes["src"] for picture in node.all("img")] == [PICTURE]
    assert "Picture at https://elsewhere.example/a.png" in node.text
    assert "Picture at data:image/svg+xml;base64,PHN2Zz4=" in node.text


def test_long_conversations_are_shown_from_their_end_page_by_page(api: Api) -> None:
    id = log(api, messages=dialogue(10_000), output="done")
    node = drawer(api, id, "messages")
    assert len(node.all("li", kind="turn")) == 61
    assert "9,940 of 10,000 come before" in node.text
    earlier = page(api, node.one("a", kind="load-tab").attributes["href"]).one("aside")
    assert "word 9880" in earlier.text
    assert "done" not in earlier.one("ol", kind="chat").text
    assert {link.text for link in earlier.all("a", kind="load-tab")} == {"Earlier messages", "Later messages"}


def test_inputs_and_output_are_laid_out(api: Api) -> None:
    id = log(
        api, inputs={"q": "why", "n": {"a": [1]}, "e": ""}, output='{"b":2}', config=TOOL, provider_response={"id": 1}
    )
    node = drawer(api, id, "io")
    assert chips(node, "input") == ["q", "n", "e"]
    values = [value.text for value in node.one("dl", kind="values").all("dd")]
    assert values[0] == "why"
    assert json.loads(values[1]) == {"a": [1]}
    assert [heading.text for heading in node.all("h2")][:3] == ["Inputs", "Output", "Provider response"]


def test_what_failed_says_so_on_every_tab(api: Api) -> None:
    id = log(api, error="ValueError: <boom>")
    for tab in ("io", "config", "raw"):
        assert "ValueError: <boom>" in drawer(api, id, tab).one("div", kind="failure").text


def test_the_template_marks_what_was_filled_in(api: Api) -> None:
    config = {
        "model": "gpt-4",
        "temperature": 0,
        "chat_template": [{"role": "system", "content": "Hi {{name}}, {{ more }} {{open"}],
        "tools": [{"name": "look_up", "description": "Looks up.", "parameters": {"type": "object"}}],
    }
    node = drawer(api, log(api, config=config, inputs={"name": "<Ada>"}), "config")
    marks = [(mark.text, mark.attributes["class"], mark.attributes["title"]) for mark in node.all("mark")]
    assert marks == [("{{name}}", "filled", "<Ada>"), ("{{more}}", "unfilled", "no value was given")]
    assert node.one("ol", kind="template").one("pre").text == "Hi {{name}} , {{more}} {{open"
    assert facts(node)["temperature"] == "0.0"
    assert "look_up" in node.one("details", kind="offered").text


def test_versions_are_compared_line_by_line(api: Api) -> None:
    then = log(api, config={"model": "gpt-4", "temperature": 0.1, "prompt_template": "A"})
    other = api.get_log(then)["config_id"]
    now = log(api, config={"model": "gpt-4", "temperature": 0.9, "prompt_template": "A"})
    node = drawer(api, now, "config")
    assert [option.attributes["value"] for option in node.all("option")] == [other]
    compared = drawer(api, now, "config", f"&against={other}").one("div", kind="diff")
    assert [line.text for line in compared.all("div", kind="gone")][-1] == 'removed: "temperature": 0.1,'
    assert [line.text for line in compared.all("div", kind="come")][-1] == 'added: "temperature": 0.9,'
    assert drawer(api, now, "config", "&against=config_x").all("div", kind="diff") == []


def test_metadata_is_shown_by_dotted_names(api: Api) -> None:
    metadata = {
        "user": "ada",
        "a": {"b": {"c": 1}, "d": []},
        "otel": {"kind": "client", "sources": {"model": "otel_genai: a.b"}},
    }
    id = log(api, metadata=metadata)
    assert facts(drawer(api, id, "metadata")) == {"user": "ada", "a.b.c": "1", "a.d": "[]"}


def test_the_origin_says_which_convention_and_key_gave_each_field(api: Api) -> None:
    otel = {
        "trace_id": "t",
        "sources": {"model": "otel_genai: gen_ai.request.model", "usage": "openinference: llm.x: y"},
    }
    node = drawer(api, log(api, metadata={"otel": otel}), "origin")
    rows = [[cell.text for cell in row.all("td")] for row in node.one("tbody").all("tr")]
    assert rows == [["model", "otel_genai", "gen_ai.request.model"], ["usage", "openinference", "llm.x: y"]]
    assert facts(node) == {"trace_id": "t"}


def test_raw_json_is_what_the_api_says_and_can_be_downloaded(api: Api) -> None:
    id = log(api, output="x", metadata={"a": 1})
    node = drawer(api, id, "raw")
    assert json.loads(node.one("pre").text) == api.get_log(id)
    link = node.one("a", download=f"{id}.json")
    answer = api.http.get(link.attributes["href"])
    assert answer.json() == api.get_log(id)
    assert answer.headers["content-disposition"] == f'attachment; filename="{id}.json"'


LONG = "".join(f"line {n}\n" for n in range(600_000))


@pytest.mark.parametrize(
    ("fields", "tab"),
    [
        ({"output": LONG}, "io"),
        ({"inputs": {"a b/ä": LONG}}, "io"),
        ({"error": LONG}, "raw"),
        ({"messages": [{"role": "user", "content": LONG}]}, "messages"),
        ({"output_message": {"role": "assistant", "content": LONG}}, "messages"),
    ],
    ids=["output", "input", "error", "message", "answer"],
)
def test_five_megabytes_are_shown_by_their_beginning_and_whole_on_demand(api: Api, fields: Any, tab: str) -> None:
    assert len(LONG) > 5_000_000
    id = log(api, **fields)
    answer = api.http.get(f"/logs/{id}?tab={tab}")
    assert len(answer.content) < 300_000
    rest = drawer(api, id, tab).all("p", kind="rest")[0]
    assert f"of {len(LONG):,} characters" in rest.text
    whole = api.http.get(rest.one("a", kind="load-rest").attributes["href"])
    assert whole.headers["content-type"].startswith("text/plain")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.text == LONG


@pytest.mark.parametrize("part", ["", "nothing", "messages/7", "messages/x", "inputs/none", "save", "id", "__class__"])
def test_parts_that_are_not_there_are_not_found(api: Api, part: str) -> None:
    id = log(api, inputs={"a": 1}, messages=dialogue(1))
    assert api.http.get(f"/logs/{id}/text", params={"part": part}).status_code == 404


def test_a_log_whose_content_was_not_kept_is_shown(api: Api) -> None:
    id = log(api, inputs={"a": 1}, output="x", save=False, config=MODEL)
    for tab in ("io", "config", "raw"):
        assert "were not kept" in drawer(api, id, tab).text
