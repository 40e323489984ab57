"""`otel-humanloop replay`: captured files to a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from corpus import captures
from humanloop import Humanloop

from otel_humanloop.cli import main

CORPUS = captures.FOLDER


@pytest.fixture(autouse=True)
def _pointed_at_it(humanloop: Humanloop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMANLOOP_BASE_URL", humanloop.base_url)


def test_files_become_sessions_and_it_is_told_what_became_of_them(
    humanloop: Humanloop, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["traceloop-sdk-0.62.4/workflow.json", "openai-v2-2.4b0/default-content_true/chat.json"]
    assert main(["replay", *(str(CORPUS / file) for file in files)]) == 0
    assert capsys.readouterr().out == "7 spans became 7 logs in 2 sessions\n"
    logs = humanloop.logs()
    assert len(logs) == 7
    assert {log["output"] for log in logs if log["config"]["type"] == "model"} == {"Hello! How can I help you today?"}


def test_what_has_no_log_is_told_with_the_reason(humanloop: Humanloop, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(CORPUS / "traceloop-anthropic-0.62.4/messages.json")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 spans became 1 logs in 1 sessions",
        "1 without a log: another span of the same call tells more",
    ]
    assert len(humanloop.logs()) == 1


def test_twice_is_once(humanloop: Humanloop) -> None:
    for _ in range(2):
        assert main(["replay", str(CORPUS / "traceloop-sdk-0.62.4/workflow.json")]) == 0
    assert len(humanloop.logs()) == 6


def test_a_collectors_lines_hold_spans_and_records_in_any_order(humanloop: Humanloop, tmp_path: Path) -> None:
    folder = CORPUS / "openai-v2-2.4b0/default-content_true"
    requests = [json.loads((folder / name).read_text()) for name in ("chat.json", "chat.logs.json", "chat_tools.json")]
    path = tmp_path / "file.jsonl"
    path.write_text("\n\n".join(json.dumps(request) for request in requests) + "\n")
    assert main(["replay", str(path)]) == 0
    outputs = [log.get("output") for log in humanloop.logs()]
    assert sorted(outputs, key=str) == ["Hello! How can I help you today?", None]


def test_a_refusal_is_told_and_the_others_arrive(humanloop: Humanloop, capsys: pytest.CaptureFixture[str]) -> None:
    humanloop.answers.extend([422, 422])
    assert main(["replay", str(CORPUS / "traceloop-openai-0.62.4/chat.json")]) == 1
    assert "was refused" in capsys.readouterr().err


def test_where_nothing_answers_it_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANLOOP_BASE_URL", "http://127.0.0.1:9/v4")
    assert main(["replay", str(CORPUS / "traceloop-openai-0.62.4/chat.json"), "--patience", "1"]) == 1
    assert "1 spans were not delivered" in capsys.readouterr().err


def test_a_broken_line_is_told_and_the_others_arrive(
    humanloop: Humanloop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes((CORPUS / "traceloop-openai-0.62.4/chat.json").read_bytes().replace(b"\n", b"") + b"\n{]\n")
    assert main(["replay", str(path)]) == 1
    assert str(path) in capsys.readouterr().err
    assert len(humanloop.logs()) == 1
