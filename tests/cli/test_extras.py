"""Parts that are not installed: told by the installation's own metadata, and said with the command that helps."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from otel_humanloop.cli.extras import EXTRAS, installed_version, missing, require
from otel_humanloop.errors import MissingExtra

METADATA = f"""\
Metadata-Version: 2.4
Name: otel-humanloop
Version: {version("otel-humanloop")}
Requires-Dist: httpx>=0.27
Requires-Dist: starlette>=0.46; extra == 'server'
Requires-Dist: there-is-no-such-server[standard]>=1.0; extra == "server"
"""


@pytest.fixture
def lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose distribution of ours wants what is not installed, before all others on the path."""
    information = tmp_path / f"otel_humanloop-{version('otel-humanloop')}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(METADATA, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_what_the_tests_are_run_with_is_whole() -> None:
    assert {extra: missing(extra) for extra in EXTRAS} == {extra: [] for extra in EXTRAS}
    for extra in EXTRAS:
        require("the tests", extra)


def test_a_distribution_has_a_version_or_is_not_installed() -> None:
    assert installed_version("msgspec") == version("msgspec")
    assert installed_version("there-is-no-such-thing") is None


@pytest.mark.usefixtures("lacking")
def test_what_an_extra_lacks_is_named() -> None:
    assert missing("server") == ["there-is-no-such-server"]
    assert missing("openai") == []


@pytest.mark.usefixtures("lacking")
def test_a_part_whose_extra_is_not_whole_says_the_command_that_installs_it() -> None:
    with pytest.raises(MissingExtra) as caught:
        require("the server", "server")
    assert caught.value.message.startswith("the server needs")
    assert caught.value.hint == "pip install 'otel-humanloop[server]'"


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_command_without_its_extra_ends_with_1_and_the_hint(command: str, lacking: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "otel_humanloop", command],
        env=os.environ | {"PYTHONPATH": str(lacking)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert hint == "hint: pip install 'otel-humanloop[server]'"
