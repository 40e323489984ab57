"""`otel-humanloop spool`, on what a bridge left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from humanloop import Humanloop
from support_otlp import PROTOBUF, body, hexadecimal, span, until

from otel_humanloop.cli import main


@pytest.fixture
def spool(bridges: Any, humanloop: Humanloop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command on a spool of which one log was refused and one span waits."""
    monkeypatch.setenv("HUMANLOOP_BASE_URL", humanloop.base_url)
    humanloop.answers += [422]
    with bridges() as bridge:
        httpx.post(f"{bridge.url('http')}/v1/traces", content=body(span(1, 2)), headers=PROTOBUF, trust_env=False)
        until(lambda: bridge.keeper.counts.refused)
    with bridges(base_url="http://127.0.0.1:1/v4", shutdown_timeout=0.1) as bridge:
        httpx.post(f"{bridge.url('http')}/v1/traces", content=body(span(3, 4)), headers=PROTOBUF, trust_env=False)
    return lambda *arguments: main(["spool", "--spool", f"sqlite:///{tmp_path}/spool.db", *arguments])


def test_it_lists_what_waits_and_what_was_refused(
    spool: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert spool() == 0
    shown = capsys.readouterr().out
    assert "1 spans of about" in shown
    assert "1 logs were refused" in shown
    assert hexadecimal(2) in shown
    assert "422" in shown


def test_as_json_with_what_was_sent(spool: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert spool("--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["spans"] == 1
    assert [(log["reference_id"], log["status"], log["body"]["project"]) for log in told["refused"]] == [
        (hexadecimal(2), 422, "shop")
    ]


def test_resend_forgets_what_is_taken(
    spool: Callable[..., int], humanloop: Humanloop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spool("--resend") == 0
    assert [log["reference_id"] for log in humanloop.logs()] == [hexadecimal(2)]
    assert "0 logs were refused" in capsys.readouterr().out


def test_resend_keeps_what_is_refused_again_or_could_not_be_sent(
    spool: Callable[..., int], humanloop: Humanloop, capsys: pytest.CaptureFixture[str]
) -> None:
    humanloop.answers += [413]
    assert spool("--resend") == 1
    assert "413" in capsys.readouterr().out
    humanloop.answers += [503]
    assert spool("--resend") == 1
    told = capsys.readouterr()
    assert "1 logs were refused" in told.out
    assert "1 were not sent" in told.err


def test_discard_forgets_them(
    spool: Callable[..., int], humanloop: Humanloop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spool("--discard") == 0
    assert "0 logs were refused" in capsys.readouterr().out
    assert humanloop.logs() == []


def test_looking_at_what_is_not_there_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for url in (f"sqlite:///{tmp_path}/none.db", "memory:"):
        assert main(["spool", "--spool", url]) == 2
        assert "there is no spool" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
