"""What importing costs an application: nothing before it is used, and never a part it does not use."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import requires

import pytest

SERVER = {"starlette", "uvicorn", "sqlalchemy", "alembic", "jinja2", "otel_humanloop.server"}
OTHERS = {"rich", "grpc", "openai", "otel_humanloop.demo", "otel_humanloop.bridge", "otel_humanloop.cli"}


def loaded_by(statement: str) -> set[str]:
    """The modules in a fresh interpreter after a statement, that were not there before."""
    listing = "print(json.dumps(sorted(set(sys.modules) - before)))"
    program = f"import json, sys; before = set(sys.modules)\n{statement}\n{listing}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_else() -> None:
    loaded = loaded_by("import otel_humanloop")
    assert "otel_humanloop" in loaded
    assert not {name for name in loaded if name.startswith("otel_humanloop.")}
    assert not loaded & {"httpx", "msgspec", "opentelemetry", *SERVER, *OTHERS}


@pytest.mark.parametrize(
    "statement",
    [
        "from otel_humanloop import HumanloopSpanExporter",
        "from otel_humanloop import HumanloopSpanProcessor",
        "from otel_humanloop import annotate",
        "import otel_humanloop.configurator",
        "import otel_humanloop.environment_variables",
    ],
)
def test_what_an_application_imports_loads_neither_an_http_client_nor_a_server(statement: str) -> None:
    assert not loaded_by(statement) & {"httpx", *SERVER, *OTHERS}


def test_the_command_line_starts_without_an_http_client_and_without_the_server() -> None:
    loaded = loaded_by("import otel_humanloop.cli")
    assert "otel_humanloop.cli.sessions" in loaded
    assert not loaded & {"httpx", *SERVER, *OTHERS - {"otel_humanloop.cli"}}


def test_an_application_installs_three_dependencies() -> None:
    direct = [requirement for requirement in requires("otel-humanloop") or () if "extra ==" not in requirement]
    names = {re.split(r"[<>=!~ ;\[]", requirement, maxsplit=1)[0] for requirement in direct}
    assert names == {"httpx", "msgspec", "opentelemetry-sdk"}
    assert len(direct) == 3
