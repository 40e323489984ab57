"""What logs hold is shown, and does nothing: whatever a model, a user or a web page put there."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support_pages import Node, drawer, page, parse
from support_server import Api

from otel_humanloop.server.lines import shown
from otel_humanloop.server.viewer.diff import lines
from otel_humanloop.server.viewer.folding import fold
from otel_humanloop.server.viewer.jsonview import coloured
from otel_humanloop.server.viewer.markdown import MOST, markdown

EVIL = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><style>*{display:none}</style>",
    "</textarea></pre></title><iframe src=javascript:alert(1)>",
    "[click](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>) ![x](https://evil.example/x.png)",
    '<https://evil.example/"onmouseover=alert(1)> {{7*7}} {% raw %} &lt;script&gt;',
    "\x1b[31mred\x1b[0m \x00 \u202egnp.exe\u2069 \u200f\u05d0 \ud83d\ude00 \ufeff",
)

ALLOWED_IN_PROSE = {
    "p",
    "br",
    "em",
    "strong",
    "code",
    "pre",
    "a",
    "ul",
    "ol",
    "li",
    "blockquote",
    "hr",
    "s",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
}


def harmless(node: Node) -> None:
    """No element that runs or loads anything, but for those of every page."""
    for one in node.all():
        assert not any(name.startswith("on") or name == "style" for name in one.attributes), one.attributes
        assert one.tag not in ("iframe", "object", "embed", "base", "style")
        if one.tag in ("script", "link", "img", "source"):
            address = one.attributes.get("src") or one.attributes.get("href") or ""
            assert address.startswith(("/viewer/", "data:image/png;")), address
        for name in ("href", "action", "formaction"):
            address = one.attributes.get(name, "/")
            assert address.startswith(("/", "#", "?", "http://", "https://", "mailto:")), address
            if address.startswith("http"):
                assert "noreferrer" in one.attributes["rel"]


@pytest.mark.parametrize("evil", EVIL)
def test_no_field_of_a_log_becomes_markup(api: Api, evil: str) -> None:
    evil = evil.encode("utf-16", "surrogatepass").decode("utf-16")
    name = evil.replace("\x00", "")  # which names may not hold
    call = {"id": evil, "type": "function", "function": {"name": evil, "arguments": evil}}
    config = {
        "model": name,
        "name": name,
        "prompt_template": f"{evil} {{{{{evil}}}}} {{{{x}}}}",
        "other": {evil: evil, "kind": evil},
        "tools": [{"name": evil, "description": evil, "parameters": {evil: evil}}],
    }
    fields = {
        "project": name,
        "source": name,
        "environment": name,
        "inputs": {evil: evil, "x": evil},
        "output": evil,
        "error": evil,
        "messages": [
            {"role": evil, "content": evil, "name": evil},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": evil, "content": evil},
        ],
        "output_message": {
            "role": "assistant",
            "content": [{"type": "text", "text": evil}, {"type": "image_url", "image_url": {"url": evil}}],
        },
        "metadata": {
            "user": evil,
            "warnings": [evil],
            "messages": {"0": {"reasoning": [evil]}},
            evil: {evil: evil},
            "otel": {"scope": evil, "sources": {evil: evil}},
        },
        "provider_request": {evil: evil},
    }
    one = api.log(session_reference_id=name, reference_id=name, config=config, **fields)
    two = api.log(
        session_reference_id="other", config={**config, "temperature": 0.5}, parent_reference_id=name, **fields
    )
    for body in ({"type": "comment", "value": evil}, {"type": name, "value": evil, "user": name}):
        said = api.http.post("/v4/feedback", json={"data_id": one["id"], **body})
        assert said.status_code == 200, said.text
    project = one["project_id"]
    paths = [
        "/",
        "/projects",
        f"/projects/{project}?period=all",
        f"/sessions/{one['session_id']}",
        f"/sessions/{two['session_id']}",
        f"/compare?s={one['session_id']}&s={two['session_id']}",
        "/?q=%3Cscript%3E&user=%22%3E%3Csvg%3E&model=%27",
    ]
    against = api.http.get(f"/v4/logs/{two['id']}").json()["config_id"]
    for tab in ("messages", "io", "config", "metadata", "origin", "raw"):
        paths.append(f"/sessions/{one['session_id']}/logs/{one['id']}?tab={tab}&against={against}")
    for path in paths:
        harmless(page(api, path))
    raw = api.http.get(f"/logs/{one['id']}/text?part=output")
    assert raw.headers["content-type"].startswith("text/plain")


MARKS = st.lists(st.sampled_from([*"|-:#>*_`~[]()<!&\\ \n1a", "|-:|:-:|", "```x\n", "](http:", "<b>"])).map("".join)


@given(st.text() | MARKS)
@example("|a|b|\n|-:|:-:|\n|1|2|")
def test_nothing_written_in_markdown_becomes_more_than_prose(text: str) -> None:
    node = parse(markdown(text))
    harmless(node)
    assert {one.tag for one in node.all()} <= ALLOWED_IN_PROSE


def test_a_tables_columns_are_aligned_without_a_style() -> None:
    node = parse(markdown("|a|b|c|d|\n|:-|:-:|-:|-|\n|1|2|3|4|"))
    for cells in (node.all("th"), node.all("td")):
        assert [cell.attributes for cell in cells] == [{"class": "left"}, {"class": "center"}, {"class": "right"}, {}]


@pytest.mark.parametrize(
    "scheme", ["javascript", "JaVaScRiPt", "data", "vbscript", "file", "blob", " javascript", "java\tscript"]
)
def test_a_link_to_what_could_run_stays_text(scheme: str) -> None:
    for text in (
        f"[x]({scheme}:alert(1))",
        f"<{scheme}:alert(1)>",
        f"[x](<{scheme}:alert(1)>)",
        f"[x][1]\n\n[1]: {scheme}:alert(1)",
    ):
        assert parse(markdown(text)).all("a") == []


def test_a_link_that_is_one_says_nothing_of_where_one_came_from() -> None:
    (link,) = parse(markdown("[x](https://example.org/?a=1&b=2)")).all("a")
    assert link.attributes == {
        "href": "https://example.org/?a=1&b=2",
        "rel": "noopener noreferrer nofollow",
        "target": "_blank",
    }


@pytest.mark.parametrize(
    "bait", ["[", "*a ", "![", "`", "> ", "- ", "<", "[x](", "**a*", "|", "\\", "&", "~~", "_a_ ", "a[b]: "]
)
def test_no_markdown_keeps_the_server_busy(bait: str) -> None:
    began = time.process_time()
    fold((bait * MOST)[:MOST])
    assert time.process_time() - began < 5


@given(st.text())
def test_characters_that_act_are_seen_instead(text: str) -> None:
    seen = shown(text)
    assert not set(seen) & {
        *map(chr, range(9)),
        *map(chr, range(11, 32)),
        *map(chr, range(127, 160)),
        "\u202e",
        "\u2066",
    }
    assert seen == shown(seen)


def test_control_characters_are_named() -> None:
    assert shown("\x1b[31m\x00\r\n\t\x7f\x9b\u202e") == "␛[31m␀\n\t␡⟨U+009B⟩⟨U+202E⟩"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_keeps_its_words_whatever_is_in_it(value: object) -> None:
    laid_out = fold([value])
    node = parse(f"<pre>{laid_out.html}</pre>").one("pre")
    assert "".join(_text(node)) == laid_out.plain


def _text(node: Node) -> list[str]:
    return [child if isinstance(child, str) else "".join(_text(child)) for child in node.children]


@given(st.text(alphabet='{}[]:,"\\ae1<>&\n'))
def test_text_that_looks_like_json_keeps_its_words(text: str) -> None:
    assert "".join(_text(parse(f"<pre>{coloured(text)}</pre>").one("pre"))) == text


@given(st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_a_comparison_holds_both_texts(before: list[str], after: list[str]) -> None:
    found = lines("\n".join(before), "\n".join(after))
    skipped = sum(int(line.text.split()[0]) for line in found if line.change == "skip")
    for texts, change in ((before, "gone"), (after, "come")):
        assert sum(line.change in ("same", change) for line in found) + skipped == len(texts)
        if not skipped:
            assert [line.text for line in found if line.change in ("same", change)] == texts


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=12,
    )
)
def test_whatever_metadata_and_inputs_hold_a_page_is_made_of_it(api: Api, value: object) -> None:
    metadata = {
        "otel": value,
        "warnings": value,
        "user": value,
        "messages": value,
        "output_messages": value,
        "x": value,
    }
    id = api.log(
        metadata=metadata,
        inputs={"x": value},
        config={"model": "m", "other": {"kind": value}},
        messages=[{"role": "user", "content": "x"}],
    )["id"]
    for tab in ("messages", "io", "config", "metadata", "origin", "raw"):
        harmless(drawer(api, id, tab))
