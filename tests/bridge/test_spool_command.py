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
from otel_humanloop.cli.serve import default_database
from otel_humanloop.delivery.spools import open_spool


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
    assert "1 span waits in sqlite:///" in shown
    assert "1 log was refused" in shown
    assert "shop" in shown
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
    assert "1 log was refused" in told.out
    assert "1 log was not sent" in told.err


def test_discard_forgets_them(
    spool: Callable[..., int], humanloop: Humanloop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spool("--discard") == 0
    assert "0 logs were refused" in capsys.readouterr().out
    assert humanloop.logs() == []


@pytest.fixture
def three(bridges: Any, humanloop: Humanloop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command on a spool of which three logs were refused: ids that end with 11, 12 and 21."""
    monkeypatch.setenv("HUMANLOOP_BASE_URL", humanloop.base_url)
    humanloop.answers += [422] * 5  # all three, then the first and the others, and these one by one
    spans = [span(number, number << 56 | number) for number in (0x11, 0x12, 0x21)]
    with bridges() as bridge:
        httpx.post(f"{bridge.url('http')}/v1/traces", content=body(*spans), headers=PROTOBUF, trust_env=False)
        until(lambda: bridge.keeper.counts.refused == 3)
    return lambda *arguments: main(["spool", "--spool", f"sqlite:///{tmp_path}/spool.db", *arguments])


def test_one_is_shown_whole_by_the_start_of_its_id(
    three: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert three("11") == 0
    shown = capsys.readouterr().out
    head, reason, *sent = shown.splitlines()
    assert head.startswith(hexadecimal(0x11 << 56 | 0x11))
    assert reason.startswith("422 ")
    assert json.loads("\n".join(sent))["project"] == "shop"


def test_what_is_named_is_resent_or_discarded_and_nothing_else(
    three: Callable[..., int], humanloop: Humanloop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert three("--resend", "11") == 0
    assert "1 of 1 were taken" in capsys.readouterr().err
    assert three("2", "--discard") == 0
    told = capsys.readouterr()
    assert "1 log was forgotten" in told.err
    assert "1 log was refused" in told.out
    assert [log["reference_id"] for log in humanloop.logs()] == [hexadecimal(0x11 << 56 | 0x11)]
    assert three("--json") == 0
    (left,) = json.loads(capsys.readouterr().out)["refused"]
    assert left["reference_id"] == hexadecimal(0x12 << 56 | 0x12)


@pytest.mark.parametrize("action", [[], ["--resend"], ["--discard"], ["--json"]])
def test_a_name_that_is_none_does_nothing(
    action: list[str], three: Callable[..., int], humanloop: Humanloop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert three("11", "ff", *action) == 1
    assert "`ff`" in capsys.readouterr().err
    assert humanloop.logs() == []
    assert three() == 0
    assert "3 logs were refused" in capsys.readouterr().out


def test_where_only_a_servers_spool_is_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("HUMANLOOP_SPOOL", raising=False)
    assert main(["spool"]) == 2
    assert "humanloop.db-otlp" not in capsys.readouterr().err
    url = f"{default_database()}-otlp"
    open_spool(url, max_spans=1, max_bytes=1).close()
    assert main(["spool"]) == 2
    assert f"--spool {url}" in capsys.readouterr().err
    assert main(["spool", "--spool", url]) == 0


@pytest.mark.usefixtures("three")
def test_the_doctor_tells_of_the_spools_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/spool.db"
    monkeypatch.setenv("HUMANLOOP_SPOOL", url)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    assert main(["doctor", "--offline", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["url"], each["spans"], each["refused"]) for each in told["spools"]] == [(url, 0, 3)]
    assert main(["doctor", "--offline"]) == 0
    assert "0 wait  3 refused  sqlite:///" in capsys.readouterr().out
    (tmp_path / "none").mkdir()
    (tmp_path / "spool.db").write_bytes(b"something else")
    assert main(["doctor", "--offline"]) == 1
    assert "✗ " in capsys.readouterr().out
    assert list((tmp_path / "none").iterdir()) == [], "looking makes nothing"


def test_looking_at_what_is_not_there_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for url in (f"sqlite:///{tmp_path}/none.db", "memory:"):
        assert main(["spool", "--spool", url]) == 2
        assert "there is no spool" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
