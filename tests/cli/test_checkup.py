"""What would be lost, told from a program's environment."""

from __future__ import annotations

from typing import Any

import pytest

from otel_humanloop.cli.checkup import Finding, Surroundings, findings
from otel_humanloop.cli.kept import Kept
from otel_humanloop.settings import load

OPENAI = {"openai": "opentelemetry-instrumentation-openai"}
QUIET = {"openai": "opentelemetry-instrumentation-openai-v2"}
# Nothing to complain of: what is left is told of every program.
WELL = {"OTEL_SERVICE_NAME": "chain", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "10000"}


def found(environ: dict[str, str] | None = None, of: dict[str, str] | None = None, **settings: Any) -> list[Finding]:
    around = Surroundings(
        settings=load(settings, environ={}),
        environ=WELL | (environ or {}),
        instrumentations=OPENAI if of is None else of,
    )
    everywhere = findings(Surroundings(settings=load({}, environ={}), environ=WELL, instrumentations=OPENAI))
    return [finding for finding in findings(around) if finding not in everywhere]


def test_of_a_program_set_up_well_only_the_memory_spool_is_said() -> None:
    (only,) = findings(Surroundings(settings=load({}, environ={}), environ=WELL, instrumentations=OPENAI))
    assert only.level == "note"
    assert "memory" in only.what


def test_of_a_spool_in_a_file_nothing_is_said() -> None:
    around = Surroundings(
        settings=load({"spool": "sqlite:////var/lib/app/spool.db"}, environ={}), environ=WELL, instrumentations=OPENAI
    )
    assert findings(around) == []


@pytest.mark.parametrize(
    ("environ", "level", "said"),
    [
        ({"OTEL_SDK_DISABLED": "true"}, "problem", "OTEL_SDK_DISABLED"),
        ({"OTEL_SDK_DISABLED": " TRUE "}, "problem", "OTEL_SDK_DISABLED"),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "problem", "always_off"),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, "problem", "always_off"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio"}, "note", "traceidratio"),
        ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "500"}, "note", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT is 500"),
        ({"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "500"}, "note", "are cut"),
        ({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": ""}, "note", "128 attributes"),
        ({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "64"}, "note", "64 attributes"),
        ({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "", "OTEL_ATTRIBUTE_COUNT_LIMIT": "32"}, "note", "32 attributes"),
        ({"TRACELOOP_TRACE_CONTENT": "False"}, "note", "TRACELOOP_TRACE_CONTENT"),
        ({"OPENINFERENCE_HIDE_INPUTS": "true"}, "note", "OPENINFERENCE_HIDE_INPUTS"),
        ({"OPENINFERENCE_HIDE_OUTPUTS": "true"}, "note", "OPENINFERENCE_HIDE_OUTPUTS"),
        ({"OTEL_SERVICE_NAME": ""}, "note", "unknown_service"),
    ],
)
def test_a_variable_that_costs_something_is_named(environ: dict[str, str], level: str, said: str) -> None:
    (finding,) = found(environ)
    assert finding.level == level
    assert said in finding.what


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_SDK_DISABLED": "false"},
        {"OTEL_TRACES_SAMPLER": "parentbased_always_on"},
        {"OTEL_SERVICE_NAME": "", "OTEL_RESOURCE_ATTRIBUTES": "service.version=1,service.name=chain"},
        {"TRACELOOP_TRACE_CONTENT": "true"},
        {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "", "OTEL_ATTRIBUTE_COUNT_LIMIT": "5000"},
    ],
)
def test_a_variable_that_costs_nothing_is_not(environ: dict[str, str]) -> None:
    assert found(environ) == []


def test_a_project_that_does_not_ask_for_the_services_name_does_not_need_one() -> None:
    assert found({"OTEL_SERVICE_NAME": ""}, project="support") == []


def test_instrumentations_that_record_no_content_unless_told_are_named_until_they_are_told() -> None:
    (finding,) = found(of=QUIET)
    assert "opentelemetry-instrumentation-openai-v2" in finding.what
    assert found({"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only"}, of=QUIET) == []


def test_no_instrumentation_at_all_is_said() -> None:
    (finding,) = found(of={})
    assert "no instrumentation" in finding.what


def test_two_instrumentations_of_one_library_are_named() -> None:
    (finding,) = found(of=OPENAI | {"openai_inference": "openinference-instrumentation-openai"})
    assert "opentelemetry-instrumentation-openai" in finding.what
    assert "openinference-instrumentation-openai" in finding.what


def test_instrumentations_of_two_libraries_are_not() -> None:
    assert found(of=OPENAI | {"openai_agents": "opentelemetry-instrumentation-openai-agents"}) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:8484/v4", "http://localhost/v4", "http://[::1]:8484/v4"])
def test_a_server_on_this_machine_needs_no_key(address: str) -> None:
    assert found(base_url=address) == []


def test_a_server_elsewhere_needs_a_key_and_a_key_an_encrypted_connection() -> None:
    (keyless,) = found(base_url="https://humanloop.internal/v4")
    assert "no API key" in keyless.what
    (open_letter,) = found(base_url="http://humanloop.internal/v4", api_key="hl_sk_1")
    assert "unencrypted" in open_letter.what
    assert found(base_url="https://humanloop.internal/v4", api_key="hl_sk_1") == []


def test_problems_come_first_and_wrong_settings_hide_nothing_else() -> None:
    environ = {"OTEL_SDK_DISABLED": "true", "OTEL_SERVICE_NAME": "", "OTEL_TRACES_SAMPLER": "always_off"}
    levels = [finding.level for finding in findings(Surroundings(settings=None, environ=environ, instrumentations={}))]
    assert levels == ["problem", "problem", "note"]


@pytest.mark.parametrize(
    ("spool", "said"),
    [
        (Kept(url="sqlite:////a.db", spans=5), None),
        (Kept(url="sqlite:////a.db", refused=2), ("note", "refused 2 of the logs in sqlite:////a.db")),
        (Kept(url="sqlite:////a.db", error="it is damaged", hint="move it"), ("problem", "it is damaged")),
    ],
)
def test_what_was_refused_and_what_cannot_be_read_is_said_of_a_spool(spool: Kept, said: tuple[str, str] | None) -> None:
    around = Surroundings(
        settings=load({"spool": spool.url}, environ={}), environ=WELL, instrumentations=OPENAI, spools=[spool]
    )
    found = [(finding.level, finding.what) for finding in findings(around)]
    assert len(found) == (said is not None)
    assert all(level == said[0] and said[1] in what for level, what in found if said is not None)
