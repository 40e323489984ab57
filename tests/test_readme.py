"""The papers say what is so: their tables, their commands and their programs are held to the real ones."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import otel_humanloop
from otel_humanloop.cli import main
from otel_humanloop.demo.model_server import ModelServer
from otel_humanloop.server.serve import running
from otel_humanloop.server.store import open_store
from otel_humanloop.settings import SETTINGS, Setting

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

ASKING = """
import openai
print(openai.OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}]))
"""
"""A program with no line of ours in it."""


def blocks(language: str) -> list[str]:
    """The code blocks of a language in the README, without the indentation they stand at."""
    found = [(indent, body) for indent, name, body in BLOCK.findall(README) if name == language]
    return [re.sub(f"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def table_below(heading: str) -> list[list[str]]:
    """The rows of the table of a section, without its head."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def test_the_table_of_settings_is_the_table_of_settings() -> None:
    assert table_below("Settings") == [
        [f"`{setting.variable}`", f"`{setting.name}`", default_text(setting), meaning(setting)] for setting in SETTINGS
    ]


def default_text(setting: Setting) -> str:
    if setting.default is None:
        return ""
    return f"`{setting.default:g}`" if isinstance(setting.default, float) else f"`{setting.default}`"


def meaning(setting: Setting) -> str:
    return setting.meaning if setting.standard is None else f"{setting.meaning} Also `{setting.standard[0]}`."


def test_every_command_is_in_the_readme_and_every_one_in_the_readme_is_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = re.findall(r"^    (\w+) +\w", capsys.readouterr().out, re.MULTILINE)
    documented = re.findall(r"^\| `otel-humanloop (\w+(?: show)?)", README, re.MULTILINE)
    own = ["sessions", "sessions show", "doctor"]
    kept = ["serve", "keys", "export", "import", "vacuum"]
    assert documented == ["demo", *kept, "bridge", "spool", "replay", "explain", *own]
    assert [command for command in documented if " " not in command] == listed


@pytest.mark.parametrize("row", re.findall(r"^\| `otel-humanloop (.+?)`", README, re.MULTILINE))
def test_every_option_the_readme_gives_a_command_is_one_it_has(row: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = re.sub(r" (ID|FILE\.*)$", "", row.partition(" [")[0]).split()
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    explained = capsys.readouterr().out
    assert [option for option in re.findall(r"--[a-z-]+", row) if option not in explained] == []


def test_every_target_of_make_in_the_papers_is_one_there_is() -> None:
    papers = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z-]+)(?=[`\n])", papers))
    assert {"demo", "test", "check", "fix", "contracts"} <= named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


@pytest.mark.parametrize("paper", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "collector-config/README.md"])
def test_every_file_a_paper_points_to_is_there(paper: str) -> None:
    path = ROOT / paper
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize(("paper", "most"), [("README.md", 250), ("CONTRIBUTING.md", 80)])
def test_papers_are_short_enough_to_be_read(paper: str, most: int) -> None:
    assert len((ROOT / paper).read_text(encoding="utf-8").splitlines()) <= most


def test_every_place_the_contributors_page_names_is_there() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    layers = page.partition("\n| Layer")[2].partition("\n\n")[0].splitlines()
    named = [place for row in layers for place in re.findall(r"`([a-z0-9_/.]+)`", row)]
    assert len(named) > 10
    assert [place for place in named if not (Path(otel_humanloop.__file__).parent / place).exists()] == []


@pytest.mark.parametrize("program", blocks("python"))
def test_every_program_in_the_readme_compiles(program: str) -> None:
    compile(program, "README.md", "exec")


@pytest.fixture
def surroundings(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a program of the README runs in: a server, a model, and nothing of the tests' own environment."""
    ours = ("HUMANLOOP_", "OTEL_", "OPENAI_", "TRACELOOP_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    scripts = str(Path(sys.executable).parent)
    with open_store("sqlite://") as store, running(store=store) as server, ModelServer() as model:
        yield kept | {
            "PATH": f"{scripts}{os.pathsep}{kept.get('PATH', '')}",
            "HOME": str(tmp_path),
            "HUMANLOOP_BASE_URL": f"{server.url}/v4",
            "OTEL_SERVICE_NAME": "readme",
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "none",
        }


def logs_at(base_url: str) -> list[dict[str, Any]]:
    """The logs of the one session a server has."""
    (session,) = httpx.get(f"{base_url}/sessions").raise_for_status().json()["records"]
    answer = httpx.get(f"{base_url}/logs", params={"session_id": session["id"]}).raise_for_status()
    return list(answer.json()["records"])


def test_the_setup_in_the_readme_makes_a_session_of_a_call(surroundings: dict[str, str], tmp_path: Path) -> None:
    (setup, *_) = blocks("python")
    program = tmp_path / "app.py"
    program.write_text(setup + ASKING, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)], env=surroundings, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    (log,) = logs_at(surroundings["HUMANLOOP_BASE_URL"])
    assert log["project"] == "readme"
    assert log["config"]["model"] == "gpt-4o-mini"
    assert log["messages"][0]["content"] == "Hello"
    assert log["output"] in done.stdout


def test_what_annotate_says_in_the_readme_is_on_the_log(surroundings: dict[str, str], tmp_path: Path) -> None:
    setup, annotated, *_ = blocks("python")
    call = ASKING.replace("\n", "\n    ").strip()
    program = tmp_path / "app.py"
    program.write_text(setup + annotated.replace("...  # the call of the model", call), encoding="utf-8")
    subprocess.run([sys.executable, str(program)], env=surroundings, capture_output=True, timeout=60, check=True)
    (log,) = logs_at(surroundings["HUMANLOOP_BASE_URL"])
    assert log["project"] == "moderator"
    assert log["inputs"] == {"user_request": "Is this allowed?"}
    assert log["session_reference_id"] == "conversation-1"
    assert log["metadata"]["user"] == "anna"


WAYS = [line for block in blocks("console") for line in block.splitlines() if "opentelemetry-instrument" in line]


def test_the_readme_names_three_ways_without_code() -> None:
    assert len(WAYS) == 3


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.partition("=")[0])
def test_each_way_without_code_makes_a_session_of_a_call(
    way: str, surroundings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(ASKING, encoding="utf-8")
    (configuration,) = blocks("yaml")
    (tmp_path / "otel.yaml").write_text(configuration, encoding="utf-8")
    words = shlex.split(way)
    variables = dict(word.split("=", 1) for word in words if "=" in word)
    command = [word for word in words if "=" not in word]
    done = subprocess.run(
        command, env=surroundings | variables, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    (log,) = logs_at(surroundings["HUMANLOOP_BASE_URL"])
    assert log["project"] == ("support" if "OTEL_CONFIG_FILE" in variables else "readme")
    assert log["messages"][0]["content"] == "Hello"
    assert log["output"] in done.stdout
