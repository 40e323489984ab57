"""What a user may import, and what an installation registers."""

from __future__ import annotations

import ast
import inspect
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import otel_humanloop

GROUPS = {
    "opentelemetry_traces_exporter": {"humanloop": "otel_humanloop.exporter:HumanloopSpanExporter"},
    "opentelemetry_logs_exporter": {"humanloop": "otel_humanloop.log_exporter:HumanloopLogExporter"},
    "opentelemetry_configurator": {"humanloop": "otel_humanloop.configurator:HumanloopConfigurator"},
    "opentelemetry_environment_variables": {"humanloop": "otel_humanloop.environment_variables"},
    "console_scripts": {"otel-humanloop": "otel_humanloop.cli:main"},
}


def test_all_is_what_type_checkers_see() -> None:
    """The names under TYPE_CHECKING and the names that are loaded on first use are the same."""
    module = ast.parse(inspect.getsource(otel_humanloop))
    checked = [node for node in module.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    seen = {
        alias.name: node.module
        for branch in checked
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(seen) == sorted(otel_humanloop.__all__)
    for name, home in seen.items():
        assert getattr(otel_humanloop, name).__module__ == home


def test_all_is_sorted_and_says_each_name_once() -> None:
    assert otel_humanloop.__all__ == sorted(set(otel_humanloop.__all__))


@pytest.mark.parametrize("name", otel_humanloop.__all__)
def test_every_public_name_can_be_imported_listed_and_read_about(name: str) -> None:
    value = getattr(otel_humanloop, name)
    assert getattr(otel_humanloop, name) is value
    assert name in dir(otel_humanloop)
    assert inspect.getdoc(value)


def test_the_version_is_that_of_the_distribution() -> None:
    assert otel_humanloop.__version__ == version("otel-humanloop")
    assert "__version__" in dir(otel_humanloop)


def test_a_name_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'HumanloopTracer'"):
        otel_humanloop.HumanloopTracer  # noqa: B018


def test_errors_say_their_hint_on_a_line_of_its_own_and_keep_it_apart() -> None:
    error = otel_humanloop.SettingsError("it is so", hint="do this")
    assert isinstance(error, otel_humanloop.HumanloopError)
    assert (error.message, error.hint, str(error)) == ("it is so", "do this", "it is so\nhint: do this")
    assert str(otel_humanloop.HumanloopError("it is so")) == "it is so"


@pytest.mark.parametrize("group", GROUPS)
def test_an_installation_registers_its_entry_points_and_they_load(group: str) -> None:
    ours = {point.name: point for point in entry_points(group=group) if point.value.startswith("otel_humanloop")}
    assert {name: point.value for name, point in ours.items()} == GROUPS[group]
    for point in ours.values():
        assert point.load() is not None


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(inspect.getfile(otel_humanloop)).with_name("py.typed").exists()
