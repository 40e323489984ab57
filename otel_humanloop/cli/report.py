"""What `otel-humanloop doctor` finds out: versions, settings, what is installed, whether the server answers."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import entry_points
from typing import Any

import msgspec

from otel_humanloop import native
from otel_humanloop.cli import kept
from otel_humanloop.cli.api import Api, without_credentials
from otel_humanloop.cli.checkup import Finding, Surroundings, findings
from otel_humanloop.cli.extras import EXTRAS, installed_version, missing
from otel_humanloop.cli.kept import Kept
from otel_humanloop.errors import HumanloopError, SettingsError
from otel_humanloop.settings import SETTINGS, Settings, load

PARTS = ("otel-humanloop", "opentelemetry-sdk", "httpx", "msgspec")
"""The distributions whose versions a report of a fault needs."""


class SettingInForce(msgspec.Struct, frozen=True, kw_only=True):
    """A setting's variable, its value as text (None: none; a secret masked), and where it came from."""

    variable: str
    value: str | None
    origin: str


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server answers.

    Attributes:
        base_url: Where it was asked.
        milliseconds: How long its answer took, connecting included; None where there was none.
        error: What went wrong; None where nothing did.
        hint: What to do about it.
    """

    base_url: str
    milliseconds: float | None = None
    error: str | None = None
    hint: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that the command says.

    Attributes:
        versions: By distribution, and of `python`.
        compiled: The modules of `native/` that are used, of a package that was built with them.
        extras: Of each extra, the distributions that are missing.
        instrumentations: Of each instrumentation that `opentelemetry-instrument` would load, its distribution.
        settings: Every setting; empty where they cannot be loaded.
        wrong_setting: Why they cannot.
        spools: What is in those on this machine's disk.
        server: None where it was not asked.
        findings: Problems and notes.
    """

    versions: dict[str, str | None]
    compiled: list[str]
    extras: dict[str, list[str]]
    instrumentations: dict[str, str]
    settings: list[SettingInForce]
    wrong_setting: str | None
    spools: list[Kept]
    server: Server | None
    findings: list[Finding]


def look(*, offline: bool) -> Report:
    """Finds out everything; asks the server unless `offline`."""
    settings, wrong = None, None
    try:
        settings = load()
    except SettingsError as error:
        wrong = str(error)
    instrumentations = _instrumentations()
    spools = [] if settings is None else [kept.look(url) for url in kept.known(settings)]
    around = Surroundings(settings=settings, environ=os.environ, instrumentations=instrumentations, spools=spools)
    return Report(
        versions={"python": platform.python_version(), **{part: installed_version(part) for part in PARTS}},
        compiled=native.in_use(),
        extras={extra: missing(extra) for extra in EXTRAS},
        instrumentations=instrumentations,
        settings=[] if settings is None else _in_force(settings),
        wrong_setting=wrong,
        spools=spools,
        server=None if offline or settings is None else _ask(settings),
        findings=findings(around),
    )


def _instrumentations() -> dict[str, str]:
    """What `opentelemetry-instrument` would load, and `name version` of the distribution it is of."""
    found = entry_points(group="opentelemetry_instrumentor")
    return {point.name: point.dist.name for point in found if point.dist is not None}


def _in_force(settings: Settings) -> list[SettingInForce]:
    return [
        SettingInForce(
            variable=setting.variable,
            value=_shown(getattr(settings, setting.name), secret=setting.secret),
            origin=settings.origins[setting.name],
        )
        for setting in SETTINGS
    ]


def _shown(value: Any, *, secret: bool) -> str | None:
    """A value as text. Of a secret only its last characters, and none of one so short that they would tell it."""
    if value is None:
        return None
    if secret:
        return "****" + (str(value)[-4:] if len(str(value)) >= 16 else "")
    if isinstance(value, float):
        return f"{value:g}"
    return without_credentials(value) if isinstance(value, str) and "://" in value else str(value)


def _ask(settings: Settings) -> Server:
    base_url = without_credentials(settings.base_url)
    try:
        with Api(settings) as api:
            began = time.perf_counter()
            api.ask()
            return Server(base_url=base_url, milliseconds=round((time.perf_counter() - began) * 1000, 1))
    except HumanloopError as error:
        return Server(base_url=base_url, error=error.message, hint=error.hint)
