"""What would be lost between a program and its sessions, told from its environment and what is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from otel_humanloop.cli.kept import Kept
from otel_humanloop.settings import Settings

Level = Literal["problem", "note"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something a user should know.

    Attributes:
        level: A `problem` keeps sessions from arriving; a `note` costs a part of them.
        what: What is so, and what it costs.
        remedy: What to do about it.
    """

    level: Level
    what: str
    remedy: str


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules look at.

    Attributes:
        settings: None where they cannot be loaded.
        environ: The environment variables.
        instrumentations: Name of each installed instrumentation, and the distribution it is of.
        spools: What is in those on this machine's disk.
    """

    settings: Settings | None
    environ: Mapping[str, str]
    instrumentations: Mapping[str, str]
    spools: Sequence[Kept] = ()


def findings(around: Surroundings) -> list[Finding]:
    """Everything worth saying, problems first."""
    found = [finding for rule in _RULES for finding in rule(around)]
    return sorted(found, key=lambda finding: finding.level != "problem")


def _disabled(around: Surroundings) -> Iterator[Finding]:
    if around.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield Finding(
            level="problem",
            what="OTEL_SDK_DISABLED is true: the SDK records no span at all",
            remedy="unset OTEL_SDK_DISABLED",
        )


def _sampled(around: Surroundings) -> Iterator[Finding]:
    sampler = around.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if sampler.endswith("always_off"):
        yield Finding(
            level="problem",
            what=f"OTEL_TRACES_SAMPLER is {sampler}: no trace is recorded",
            remedy="set OTEL_TRACES_SAMPLER to parentbased_always_on",
        )
    elif sampler and not sampler.endswith("always_on"):
        yield Finding(
            level="note",
            what=f"OTEL_TRACES_SAMPLER is {sampler}: traces it leaves out make no session",
            remedy="set OTEL_TRACES_SAMPLER to parentbased_always_on to keep every trace",
        )


def _cut_values(around: Surroundings) -> Iterator[Finding]:
    for variable in ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"):
        if around.environ.get(variable, "").strip():
            yield Finding(
                level="note",
                what=f"{variable} is {around.environ[variable]}: longer messages and outputs are cut",
                remedy=f"unset {variable}",
            )


def _few_attributes(around: Surroundings) -> Iterator[Finding]:
    """Instrumentations that write an attribute for each message lose the oldest: the model's name, the first messages.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits
    """
    variables = ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")
    limit = next(
        (around.environ[variable] for variable in variables if around.environ.get(variable, "").strip()), "128"
    )
    if limit.strip().isdigit() and int(limit) <= 128 and around.instrumentations:
        yield Finding(
            level="note",
            what=f"a span keeps {limit} attributes: instrumentations that write several for each message"
            " (OpenInference, older OpenLLMetry) lose the first ones of long chats",
            remedy="set OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=10000",
        )


def _content_off(around: Surroundings) -> Iterator[Finding]:
    if around.environ.get("TRACELOOP_TRACE_CONTENT", "").strip().lower() == "false":
        yield Finding(
            level="note",
            what="TRACELOOP_TRACE_CONTENT is false: OpenLLMetry's spans hold no messages, tools, inputs or outputs",
            remedy="unset TRACELOOP_TRACE_CONTENT, if content may be kept",
        )
    for variable in ("OPENINFERENCE_HIDE_INPUTS", "OPENINFERENCE_HIDE_OUTPUTS"):
        if around.environ.get(variable, "").strip().lower() == "true":
            yield Finding(
                level="note",
                what=f"{variable} is true: OpenInference redacts that content",
                remedy=f"unset {variable}, if content may be kept",
            )


_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def _content_not_on(around: Surroundings) -> Iterator[Finding]:
    """OpenTelemetry's own instrumentations keep content only where they are told to."""
    told = around.environ.get(_CONTENT, "").strip().lower() in ("true", "span_only", "span_and_event")
    for distribution in sorted(set(around.instrumentations.values()) & _QUIET):
        if not told:
            yield Finding(
                level="note",
                what=f"{distribution} records no messages on spans unless it is told to",
                remedy=f"set {_CONTENT}=SPAN_ONLY and OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental",
            )


_QUIET = {"opentelemetry-instrumentation-openai-v2", "opentelemetry-instrumentation-genai-openai"}


def _no_instrumentation(around: Surroundings) -> Iterator[Finding]:
    if not around.instrumentations:
        yield Finding(
            level="note",
            what="no instrumentation is installed: only spans the program makes itself become logs",
            remedy="pip install 'otel-humanloop[openai]', or the instrumentation of what the program calls",
        )


def _twice(around: Surroundings) -> Iterator[Finding]:
    openai = sorted(
        {of for of in around.instrumentations.values() if "instrumentation" in of and "openai" in of}
        - {"opentelemetry-instrumentation-openai-agents", "openinference-instrumentation-openai-agents"}
    )
    if len(openai) > 1:
        yield Finding(
            level="note",
            what=f"several instrumentations record each OpenAI call: {', '.join(openai)}",
            remedy="keep one, or name the others in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        )


def _nameless(around: Surroundings) -> Iterator[Finding]:
    if around.settings is None or "{service.name}" not in around.settings.project:
        return
    named = around.environ.get("OTEL_SERVICE_NAME") or "service.name=" in around.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    if not named:
        yield Finding(
            level="note",
            what="OTEL_SERVICE_NAME is not set: unless the program names its service, its logs go to `unknown_service`",
            remedy="set OTEL_SERVICE_NAME or HUMANLOOP_PROJECT",
        )


def _keyless(around: Surroundings) -> Iterator[Finding]:
    if around.settings is None:
        return
    address = urlsplit(around.settings.base_url)
    if address.hostname in ("127.0.0.1", "localhost", "::1"):
        return
    if around.settings.api_key is None:
        yield Finding(
            level="note",
            what=f"there is no API key, and {address.hostname} is not this machine",
            remedy="set HUMANLOOP_API_KEY",
        )
    elif address.scheme == "http":
        yield Finding(
            level="note",
            what=f"the API key and all content go to {address.hostname} unencrypted",
            remedy="set HUMANLOOP_BASE_URL to an https:// address",
        )


def _forgetful(around: Surroundings) -> Iterator[Finding]:
    if around.settings is not None and around.settings.spool.startswith("memory:"):
        yield Finding(
            level="note",
            what="spans wait in memory: what Humanloop has not taken when the program is killed is lost,"
            f" and so is what it has not taken {around.settings.shutdown_timeout:g} s after the program's end",
            remedy="set HUMANLOOP_SPOOL=sqlite:///PATH: what is left there is sent when the program next starts",
        )


def _refused(around: Surroundings) -> Iterator[Finding]:
    for spool in around.spools:
        if spool.error is not None:
            yield Finding(
                level="problem", what=spool.error, remedy=spool.hint or "name another file in HUMANLOOP_SPOOL"
            )
        elif spool.refused:
            yield Finding(
                level="note",
                what=f"Humanloop refused {spool.refused} of the logs in {spool.url}",
                remedy=f"otel-humanloop spool --spool {spool.url} tells which and why",
            )


_RULES: tuple[Callable[[Surroundings], Iterator[Finding]], ...] = (
    _disabled,
    _sampled,
    _keyless,
    _nameless,
    _no_instrumentation,
    _twice,
    _content_off,
    _content_not_on,
    _cut_values,
    _few_attributes,
    _forgetful,
    _refused,
)
