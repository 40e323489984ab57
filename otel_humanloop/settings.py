"""Every setting of the pipeline in one table: keyword, variable, default, meaning, what is allowed.

A setting is looked for in this order: the keyword argument, its `HUMANLOOP_*` variable, the standard `OTEL_*` variable
that says the same, the default. A value may be text wherever it comes from (declarative configuration files give
text), and is checked at start: a wrong one raises `SettingsError` naming the variable, the value and what is allowed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from otel_humanloop import values
from otel_humanloop.errors import SettingsError

DEFAULT_PORT = 8484
DEFAULT_BASE_URL = f"http://127.0.0.1:{DEFAULT_PORT}/v4"
DEFAULT_PROVIDER_TIMEOUT = 300
"""Seconds the provider of a model may say nothing to a server that calls it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force. `origins` tells for each where it came from, in words."""

    api_key: str | None
    base_url: str
    project: str
    spans: Literal["ai", "all"]
    session: Literal["trace", "conversation"]
    hold: float
    spool: str
    max_spans: int
    max_bytes: int
    delay: float
    timeout: float
    shutdown_timeout: float
    compression: Literal["auto", "gzip", "none"]
    reference_ids: Literal["span", "trace-span"]
    prices: Literal["auto", "none"]
    capture_content: bool
    redact: tuple[str | Callable[[str, str], str], ...] | None
    origins: Mapping[str, str] = {}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table.

    Attributes:
        name: The keyword argument.
        variable: The environment variable.
        default: The value where nobody says anything.
        meaning: A sentence for the README.
        allowed: What a value may be, as said to someone who gave another.
        parse: Makes the value of text or of the plain value given; raises ValueError or TypeError.
        standard: An OTEL_* variable that already says it, with the factor from its unit to ours.
        secret: Never printed whole.
    """

    name: str
    variable: str
    default: Any
    meaning: str
    allowed: str
    parse: Callable[[Any], Any]
    standard: tuple[str, float] | None = None
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="api_key",
        variable="HUMANLOOP_API_KEY",
        default=None,
        meaning="Sent as `X-API-KEY`. A server of your own on loopback needs none.",
        allowed="printable ASCII text",
        parse=values.plain_ascii,
        secret=True,
    ),
    Setting(
        name="base_url",
        variable="HUMANLOOP_BASE_URL",
        default=DEFAULT_BASE_URL,
        meaning="Where Humanloop's v4 API is, `/v4` included.",
        allowed="an http:// or https:// address with a host, and without ? or #",
        parse=values.url,
    ),
    Setting(
        name="project",
        variable="HUMANLOOP_PROJECT",
        default="{service.name}",
        meaning="The project of logs whose span names none. `{key}` is replaced by that resource attribute.",
        allowed="text that is not empty",
        parse=values.text,
    ),
    Setting(
        name="spans",
        variable="HUMANLOOP_SPANS",
        default="ai",
        meaning="`ai`: traces with an AI operation in them, without HTTP, database and RPC spans. `all`: every span.",
        allowed="ai or all",
        parse=values.one_of("ai", "all"),
    ),
    Setting(
        name="session",
        variable="HUMANLOOP_SESSION",
        default="trace",
        meaning="What makes a session: a `trace`, or a `conversation` (several traces with one conversation id).",
        allowed="trace or conversation",
        parse=values.one_of("trace", "conversation"),
    ),
    Setting(
        name="hold",
        variable="HUMANLOOP_HOLD",
        default=10.0,
        meaning="Seconds a log waits for a parent that has not ended, before the parent is logged as it stands.",
        allowed="seconds, 0 or more",
        parse=values.seconds,
    ),
    Setting(
        name="spool",
        variable="HUMANLOOP_SPOOL",
        default="memory:",
        meaning="Where accepted spans are kept until Humanloop has their logs.",
        allowed="memory: or sqlite:///path/to/file",
        parse=values.text,
    ),
    Setting(
        name="max_spans",
        variable="HUMANLOOP_MAX_SPANS",
        default=20_000,
        meaning="How many spans the spool keeps; when it is full the newest are dropped and counted.",
        allowed="a whole number, 1 or more",
        parse=values.count,
        standard=("OTEL_BSP_MAX_QUEUE_SIZE", 1),
    ),
    Setting(
        name="max_bytes",
        variable="HUMANLOOP_MAX_BYTES",
        default=256 * 1024 * 1024,
        meaning="How many bytes of spans the spool keeps; when it is full the newest are dropped and counted.",
        allowed="a whole number of bytes, 1 or more",
        parse=values.count,
    ),
    Setting(
        name="delay",
        variable="HUMANLOOP_DELAY",
        default=1.0,
        meaning="Seconds ended spans gather before they are sent together.",
        allowed="seconds, 0 or more",
        parse=values.seconds,
        standard=("OTEL_BSP_SCHEDULE_DELAY", 0.001),
    ),
    Setting(
        name="timeout",
        variable="HUMANLOOP_TIMEOUT",
        default=10.0,
        meaning="Seconds one request may take.",
        allowed="seconds, more than 0",
        parse=values.positive_seconds,
    ),
    Setting(
        name="shutdown_timeout",
        variable="HUMANLOOP_SHUTDOWN_TIMEOUT",
        default=5.0,
        meaning="Seconds a program's exit may wait for logs that are not yet acknowledged.",
        allowed="seconds, 0 or more",
        parse=values.seconds,
    ),
    Setting(
        name="compression",
        variable="HUMANLOOP_COMPRESSION",
        default="auto",
        meaning="`gzip`, `none`, or `auto`: none on this machine, zstd (extra `zstd`) where the server takes it, else"
        " gzip, which the extra `gzip` makes in a quarter of the time.",
        allowed="auto, gzip or none",
        parse=values.one_of("auto", "gzip", "none"),
    ),
    Setting(
        name="reference_ids",
        variable="HUMANLOOP_REFERENCE_IDS",
        default="span",
        meaning="A log's `reference_id`: the `span` id, or `trace-span`: `<trace id>-<span id>`.",
        allowed="span or trace-span",
        parse=values.one_of("span", "trace-span"),
    ),
    Setting(
        name="prices",
        variable="HUMANLOOP_PRICES",
        default="auto",
        meaning="`auto`: calls whose span states no cost are priced, where the extra `prices` is installed. `none`:"
        " not.",
        allowed="auto or none",
        parse=values.one_of("auto", "none"),
    ),
    Setting(
        name="capture_content",
        variable="HUMANLOOP_CAPTURE_CONTENT",
        default=True,
        meaning="`false`: nothing of what was said, asked or answered is kept or sent; models, tokens, cost and times"
        " are.",
        allowed="true or false",
        parse=values.truth,
    ),
    Setting(
        name="redact",
        variable="HUMANLOOP_REDACT",
        default=None,
        meaning="What is replaced before anything is kept or sent: names of sets (`api_keys,bearer,email,phone,card,"
        "iban`), and regular expressions as `key:...` and `value:...`, apart by spaces.",
        allowed=f"names out of {', '.join(values.REDACTION_SETS)}, key:REGEX or value:REGEX (in code also a callable)",
        parse=values.redactions,
    ),
)


def load(arguments: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force, checked.

    Args:
        arguments: Keyword settings; None for a value means it is not given.
        environ: Environment variables; the process's own by default. An empty variable is as good as none, as the
            OpenTelemetry specification has it.

    Raises:
        SettingsError: A keyword no setting has, or a value no setting can hold.
    """
    given = dict(arguments or {})
    variables = os.environ if environ is None else environ
    found: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        value, origins[setting.name], written = _find(setting, given.pop(setting.name, None), variables)
        if written is None:
            found[setting.name] = value
            continue
        try:
            found[setting.name] = setting.parse(value)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            shown = "a value it cannot be" if setting.secret else f"`{written}`"
            raise SettingsError(
                f"{origins[setting.name]} is {shown}, but must be {setting.allowed}",
                hint=f"set {setting.variable} (or the keyword `{setting.name}`) to {setting.allowed},"
                f" or leave it out for {setting.default!r}",
            ) from error
    if given:
        known = ", ".join(setting.name for setting in SETTINGS)
        raise SettingsError(f"there is no setting `{next(iter(given))}`", hint=f"the settings are: {known}")
    return Settings(origins=origins, **found)


def _find(setting: Setting, argument: Any, variables: Mapping[str, str]) -> tuple[Any, str, Any]:
    """The value to parse, where it came from, and how it was written there (None for the default)."""
    if argument is not None:
        return argument, f"the argument `{setting.name}`", argument
    text = variables.get(setting.variable)
    if text:
        return text, setting.variable, text
    if setting.standard is not None:
        variable, factor = setting.standard
        text = variables.get(variable)
        if text:
            try:
                return float(text) * factor, variable, text
            except ValueError:
                return text, variable, text
    return setting.default, "the default", None
