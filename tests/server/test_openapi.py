"""What the server says it serves is what it serves, as the contract has it; and nothing that fits it breaks it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Mount, Route

from otel_humanloop.demo.model_server import ModelServer
from otel_humanloop.server.app import create_app
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.store import open_store

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "humanloop-v4-openapi.json").read_text(encoding="utf-8")
)
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)

_store = open_store("sqlite://")
_model = ModelServer()
_app = create_app(_store, providers=ProviderSettings(base_url=_model.base_url))
DESCRIBED = schemathesis.openapi.from_asgi("/openapi.json", _app, headers={"Host": "127.0.0.1"})
SERVED: dict[str, Any] = DESCRIBED.raw_schema


_FEW = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@DESCRIBED.include(method="GET").parametrize()
@_FEW
def test_no_question_that_fits_the_description_breaks_the_server(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS, headers={"Host": "127.0.0.1"})


@pytest.mark.slow
def test_no_request_that_fits_the_description_breaks_the_server(tmp_path: Path) -> None:
    # By schemathesis' command: as a test of pytest's, all these requests are made for whoever only reads its name.
    serve = ["serve", "--port", "0", "--no-otlp", "--database", f"sqlite:///{tmp_path}/own.db"]
    with (
        ModelServer() as model,
        subprocess.Popen(
            [sys.executable, "-m", "otel_humanloop", *serve],
            env={**os.environ, "OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "any"},
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            assert process.stderr is not None
            said = next(line for line in process.stderr if line.startswith("Humanloop at "))
            url = said.removeprefix("Humanloop at ").partition(",")[0].strip().removesuffix("/v4")
            checks = ",".join(check.__name__ for check in CHECKS)
            command = [Path(sys.executable).with_name("schemathesis"), "run", f"{url}/openapi.json", "--checks", checks]
            command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "30", "--generation-deterministic"]
            command += ["--suppress-health-check", "all"]
            run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        finally:
            process.kill()
    assert run.returncode == 0, run.stdout[-10_000:]
    tested = re.search(r"^ *Tested: (\d+)$", run.stdout, re.MULTILINE)
    assert tested is not None
    assert int(tested[1]) == sum(map(len, SERVED["paths"].values()))


def nameless(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_everything_that_is_served_is_described() -> None:
    (mount,) = [route for route in _app.routes if isinstance(route, Mount) and route.path == "/v4"]
    served = {
        (method, nameless(route.path))
        for route in mount.routes
        if isinstance(route, Route) and not route.path.endswith("/feedback-types")
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(method.upper(), nameless(path)) for path, item in SERVED["paths"].items() for method in item}
    assert described == served


def test_what_is_described_is_what_was_published() -> None:
    schemas = {name: schema for name, schema in SERVED["components"]["schemas"].items() if name != "Error"}
    assert schemas == {name: PUBLISHED["components"]["schemas"][name] for name in schemas}
    published = {nameless(path): item for path, item in PUBLISHED["paths"].items()}
    for path, item in SERVED["paths"].items():
        for method, operation in item.items():
            original = published[nameless(path)][method]
            assert operation.get("requestBody") == original.get("requestBody")
            assert operation["operationId"] == original["operationId"]
            assert asked(operation) >= asked(original)


def asked(operation: dict[str, Any]) -> set[str]:
    """What a query string may say."""
    return {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}


@pytest.fixture(scope="module", autouse=True)
def _at_work() -> Iterator[None]:
    with _model:
        yield
    _store.close()
