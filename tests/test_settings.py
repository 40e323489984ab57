"""Settings: where each comes from, and what is said of one that cannot be."""

from __future__ import annotations

import ast
import inspect
import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop import environment_variables
from otel_humanloop.errors import SettingsError
from otel_humanloop.settings import SETTINGS, Setting, Settings, load

BY_NAME = {setting.name: setting for setting in SETTINGS}

GOOD: dict[str, list[tuple[str, Any]]] = {
    "api_key": [("hl_sk_1", "hl_sk_1"), (" hl_sk_1\n", "hl_sk_1")],
    "base_url": [
        ("https://humanloop.internal/v4/", "https://humanloop.internal/v4"),
        ("http://[::1]:8484/v4", "http://[::1]:8484/v4"),
    ],
    "project": [
        ("support", "support"),
        ("{service.name}/{deployment.environment}", "{service.name}/{deployment.environment}"),
    ],
    "spans": [("all", "all"), ("AI", "ai")],
    "session": [("conversation", "conversation"), ("Trace", "trace")],
    "hold": [("0", 0.0), ("2.5", 2.5)],
    "spool": [("memory:", "memory:")],
    "max_spans": [("1", 1), ("5e3", 5000)],
    "max_bytes": [("1", 1), ("1048576", 1048576)],
    "delay": [("0", 0.0), ("0.25", 0.25)],
    "timeout": [("0.5", 0.5), ("30", 30.0)],
    "shutdown_timeout": [("0", 0.0), ("12", 12.0)],
    "compression": [("gzip", "gzip"), ("NONE", "none")],
    "reference_ids": [("trace-span", "trace-span"), ("span", "span")],
    "prices": [("auto", "auto"), ("none", "none")],
    "capture_content": [("false", False), ("True", True), ("0", False), ("1", True)],
    "redact": [
        ("email", ("email",)),
        ("email,phone card", ("email", "phone", "card")),
        (r"iban value:INV-\d{2,6} key:(?i)^pass", ("iban", r"value:INV-\d{2,6}", "key:(?i)^pass")),
    ],
}

NO_SECONDS = ["-1", "-0.001", "soon", "10s", "nan", "inf", "-inf", "1,5"]
NO_COUNT = ["0", "-1", "1.5", "many", "nan", "inf", "20 000"]

BAD: dict[str, list[str]] = {
    "api_key": ["   ", "hl_sk_\x00", "hl_sk_1\r\nX-Other: 1", "schlüssel"],
    "base_url": [
        "   ",
        "127.0.0.1:8484",
        "humanloop",
        "ftp://127.0.0.1/v4",
        "http://",
        "http:///v4",
        "http://127.0.0.1:port/v4",
        "http://127.0.0.1:70000/v4",
        "http://127.0.0.1/v4?key=1",
        "http://127.0.0.1/v4#top",
        "http://[::1/v4",
        "http://a\x07b/v4",
        "http://\ud800/v4",
    ],
    "project": ["   ", "\n"],
    "spans": ["none", "ai,all", " "],
    "session": ["user", "traces", " "],
    "hold": NO_SECONDS,
    "spool": [" "],
    "max_spans": NO_COUNT,
    "max_bytes": [*NO_COUNT, "256MB"],
    "delay": NO_SECONDS,
    "timeout": ["0", *NO_SECONDS],
    "shutdown_timeout": NO_SECONDS,
    "compression": ["zstd", "deflate", " "],
    "reference_ids": ["trace", "span-trace", " "],
    "prices": ["always", " "],
    "capture_content": ["no content", "2", " "],
    "redact": ["e-mail", "email;phone", "value:(", "key:[a-", "key:", " "],
}

GOOD_CASES = [(name, text, value) for name, cases in GOOD.items() for text, value in cases]
BAD_CASES = [(name, text) for name, texts in BAD.items() for text in texts]


def variable(name: str) -> str:
    return BY_NAME[name].variable


def test_every_setting_has_good_and_bad_values_here() -> None:
    assert list(GOOD) == list(BAD) == list(BY_NAME)


def test_with_nothing_said_every_setting_has_its_default_and_says_so() -> None:
    settings = load(environ={})
    for setting in SETTINGS:
        assert getattr(settings, setting.name) == setting.default
        assert settings.origins[setting.name] == "the default"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_default_is_a_value_the_setting_allows(setting: Setting) -> None:
    if setting.default is not None:
        assert setting.parse(setting.default) == setting.default
        assert setting.parse(str(setting.default)) == setting.default


def test_settings_and_the_table_have_the_same_names_in_the_same_order() -> None:
    assert [name for name in Settings.__struct_fields__ if name != "origins"] == list(BY_NAME)


@pytest.mark.parametrize(("name", "text", "value"), GOOD_CASES)
def test_a_good_value_is_taken_from_the_variable_and_from_the_argument(name: str, text: str, value: Any) -> None:
    by_variable = load(environ={variable(name): text})
    assert getattr(by_variable, name) == value
    assert by_variable.origins[name] == variable(name)
    by_argument = load({name: text}, environ={})
    assert getattr(by_argument, name) == value
    assert name in by_argument.origins[name]
    assert variable(name) not in by_argument.origins[name]


@pytest.mark.parametrize(("name", "text"), BAD_CASES)
def test_a_bad_variable_names_itself_its_value_and_what_is_allowed(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ={variable(name): text})
    said = str(caught.value)
    assert variable(name) in caught.value.message
    assert BY_NAME[name].allowed in caught.value.message
    if BY_NAME[name].secret:
        assert text.strip() == "" or text not in said
    else:
        assert f"`{text}`" in caught.value.message
    assert caught.value.hint is not None


@pytest.mark.parametrize(("name", "text"), BAD_CASES)
def test_a_bad_argument_names_itself_and_the_variable_it_could_have_been(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({name: text}, environ={})
    assert f"`{name}`" in caught.value.message
    assert BY_NAME[name].allowed in caught.value.message
    assert variable(name) in str(caught.value)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_value_of_a_wrong_kind_is_refused(setting: Setting) -> None:
    for value in (b"bytes", ["list"], {"a": "dict"}, object(), True, math.nan):
        if value is True and setting.name == "capture_content":
            continue
        with pytest.raises(SettingsError, match=f"`{setting.name}`"):
            load({setting.name: value}, environ={})


def test_what_to_redact_may_be_a_list_of_names_patterns_and_callables_or_one_callable() -> None:
    def hide(key: str, value: str) -> str:
        return f"{key}: {len(value)}"

    assert load({"redact": ["email", "value:a b", hide]}, environ={}).redact == ("email", "value:a b", hide)
    assert load({"redact": hide}, environ={}).redact == (hide,)
    for bad in ([], ["value:("], [1], ["email", None]):
        with pytest.raises(SettingsError, match="`redact`"):
            load({"redact": bad}, environ={})


def test_an_argument_comes_before_a_variable_and_a_variable_before_the_standard_one() -> None:
    environ = {"HUMANLOOP_DELAY": "2", "OTEL_BSP_SCHEDULE_DELAY": "3000"}
    assert load({"delay": 1}, environ).delay == 1
    assert load(environ=environ).delay == 2
    assert load(environ={"OTEL_BSP_SCHEDULE_DELAY": "3000"}).delay == 3
    assert load(environ={"OTEL_BSP_SCHEDULE_DELAY": "3000"}).origins["delay"] == "OTEL_BSP_SCHEDULE_DELAY"


STANDARD = [setting.standard[0] for setting in SETTINGS if setting.standard is not None]


@pytest.mark.parametrize("standard", STANDARD)
@pytest.mark.parametrize("text", ["-1", "soon", "nan"])
def test_a_bad_standard_variable_is_named_with_the_value_as_it_was_written(standard: str, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ={standard: text})
    assert f"{standard} is `{text}`" in caught.value.message


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_an_empty_variable_is_as_good_as_none(setting: Setting) -> None:
    assert getattr(load(environ={setting.variable: ""}), setting.name) == setting.default


@pytest.mark.parametrize("name", ["hold", "delay", "shutdown_timeout"])
def test_zero_is_a_value_and_not_an_absence(name: str) -> None:
    assert getattr(load({name: 0}, environ={}), name) == 0


def test_a_setting_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="no setting `holds`") as caught:
        load({"holds": 3}, environ={})
    assert caught.value.hint is not None
    assert all(name in caught.value.hint for name in BY_NAME)


def refusal(name: str, value: Any) -> SettingsError | None:
    """What is said of a value; None where it is taken."""
    try:
        load({name: value}, environ={})
    except SettingsError as error:
        return error
    return None


ANYTHING = st.text() | st.floats() | st.integers() | st.booleans() | st.binary() | st.lists(st.text())


@given(name=st.sampled_from(list(BY_NAME)), value=ANYTHING)
def test_whatever_a_value_is_it_is_taken_or_refused_in_words(name: str, value: Any) -> None:
    setting = BY_NAME[name]
    error = refusal(name, value)
    if error is None:
        taken = getattr(load({name: value}, environ={}), name)
        assert setting.parse(taken) == taken, "what was taken once is taken again as it is"
    else:
        assert f"`{name}`" in error.message
        assert setting.allowed in error.message
        assert setting.variable in str(error)


@given(text=st.text(st.characters(codec="ascii"), min_size=1))
def test_a_key_that_is_refused_is_not_shown(text: str) -> None:
    key = f"hl_sk_\x00{text}"
    error = refusal("api_key", key)
    assert error is not None
    assert "hl_sk_" not in str(error)


def _documented(module: Any) -> dict[str, str]:
    """The docstring below each constant of a module."""
    body = ast.parse(inspect.getsource(module)).body
    found: dict[str, str] = {}
    for statement, after in itertools.pairwise(body):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            assert isinstance(after, ast.Expr)
            assert isinstance(after.value, ast.Constant)
            found[statement.targets[0].id] = inspect.cleandoc(str(after.value.value))
    return found


def test_the_entry_point_of_environment_variables_has_every_setting_as_the_table_has_it() -> None:
    documented = _documented(environment_variables)
    assert list(documented) == [setting.variable for setting in SETTINGS]
    for setting in SETTINGS:
        assert getattr(environment_variables, setting.variable) == setting.variable
        said = documented[setting.variable].replace("``", "`")
        directive, _, rest = said.partition("\n\n")
        meaning, _, default = rest.rpartition("\nDefault: ")
        assert directive == f".. envvar:: {setting.variable}"
        assert " ".join(meaning.split()) == setting.meaning
        assert default == default_text(setting)


def default_text(setting: Setting) -> str:
    if setting.default is None:
        return "none"
    return f"`{setting.default:g}`" if isinstance(setting.default, float) else f"`{setting.default}`"


def test_a_number_no_float_can_hold_is_refused_like_any_other() -> None:
    with pytest.raises(SettingsError, match="hold"):
        load({"hold": 10**400}, environ={})
