"""`otel-humanloop explain`, on captured spans."""

from __future__ import annotations

import json
from pathlib import Path

import contract
import pytest
from corpus import captures

from otel_humanloop.cli import main

CORPUS = captures.FOLDER


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_every_field_is_shown_with_the_convention_and_key_that_gave_it(capsys: pytest.CaptureFixture[str]) -> None:
    shown = explained(capsys, str(CORPUS / "traceloop-openai-0.62.4/chat.json"))
    lines = {line.split()[0]: line for line in shown.splitlines() if line.startswith("  ") and line.strip()}
    assert "gpt-4o" in lines["request_model"]
    assert lines["request_model"].rstrip().endswith("otel_genai: gen_ai.request.model")
    assert "system: You are helpful. user: Say" in lines["messages"]
    assert "a log in project capture-app" in shown
    assert "kept in metadata: gen_ai.headers" in shown


def test_records_beside_the_file_are_read_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    [call] = json.loads(explained(capsys, str(CORPUS / "openai-v2-2.4b0/default-content_true/chat.json"), "--json"))
    assert call["fields"]["messages"]["convention"] == "otel_genai_events"
    assert call["log"]["output"] == "Hello! How can I help you today?"


def test_as_json_it_holds_the_log_whole(capsys: pytest.CaptureFixture[str]) -> None:
    spans = json.loads(explained(capsys, str(CORPUS / "traceloop-sdk-0.62.4/workflow.json"), "--json"))
    assert [span["why_not"] for span in spans] == [None] * len(spans)
    for span in spans:
        contract.validate("LogRequest", span["log"])
        assert span["log"]["reference_id"] == span["span_id"]
    [tool] = [span for span in spans if span["name"] == "lookup_tool.tool"]
    assert tool["fields"]["kind"] == {"value": "tool", "convention": "traceloop", "key": "traceloop.span.kind"}


def test_a_span_without_a_log_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert "another span of the same call tells more" in explained(
        capsys, str(CORPUS / "traceloop-anthropic-0.62.4/messages.json")
    )
    assert "another span tells all of it" in explained(capsys, str(CORPUS / "logfire-5.2.0/default/chat_stream.json"))
    assert "infrastructure" in explained(capsys, str(CORPUS / "mixed-app/fastapi_llm_error.json"))


def test_what_limits_took_is_told_with_the_variable_that_mends_it(capsys: pytest.CaptureFixture[str]) -> None:
    cut = explained(capsys, str(CORPUS / "genai-openai-1.3b0/span_only/limit_value_length_500.json"))
    assert "`gen_ai.input.messages` is cut off after 500 characters" in cut
    assert "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT" in cut
    evicted = explained(capsys, str(CORPUS / "openinference-openai-0.1.66/limit_101_messages.json"))
    assert "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" in evicted


def test_one_span_is_named_by_the_start_of_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(CORPUS / "traceloop-sdk-0.62.4/workflow.json")
    every = json.loads(explained(capsys, path, "--json"))
    [one] = json.loads(explained(capsys, path, "--json", "--span", every[1]["span_id"][:8]))
    assert one == every[1]
    assert main(["explain", path, "--span", "nothing"]) == 2


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("missing.json", None, 2), ("notes.txt", "{}", 2), ("broken.json", "{", 1)],
)
def test_what_cannot_be_read_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None, code: int
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    assert main(["explain", str(tmp_path / name)]) == code
    assert name in capsys.readouterr().err
