"""The URLs of `--receive`: where spans come in.

| URL | Receiver |
|---|---|
| `http://host:4318`, `https://host:4318?cert=FILE&key=FILE[&client_ca=FILE]` | OTLP/HTTP |
| `grpc://host:4317`, `grpcs://host:4317?cert=FILE&key=FILE[&client_ca=FILE]` | OTLP/gRPC |
| `kafka://host:9092[,host:9092]/topic[,topic]?group=NAME[&signal=logs][&dead_letter=TOPIC][&property=value]` | Kafka |
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from otel_humanloop.errors import SettingsError
from otel_humanloop.hosts import is_loopback

_PORTS = {"http": 4318, "https": 4318, "grpc": 4317, "grpcs": 4317}
_EXAMPLES = "http://127.0.0.1:4318, grpc://127.0.0.1:4317 or kafka://127.0.0.1:9092/otlp_spans?group=otel-humanloop"
DEFAULT_GROUP = "otel-humanloop"


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver shows, and what it asks for.

    Attributes:
        cert, key: Files in PEM: the receiver's certificate chain and its private key.
        client_ca: A file in PEM: whoever connects must show a certificate that one of these signed.
    """

    cert: Path
    key: Path
    client_ca: Path | None = None


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver that others connect to. `port` 0 is any that is free."""

    scheme: str
    host: str
    port: int
    tls: Tls | None = None

    @property
    def is_loopback(self) -> bool:
        """Only programs of this machine can reach it."""
        return is_loopback(self.host)


class Consume(msgspec.Struct, frozen=True, kw_only=True):
    """A Kafka topic to read.

    Attributes:
        brokers: `host:port`, separated by commas.
        signal: What is in the topics.
        dead_letter: Where messages go that cannot be read; None for the topic's name with `-dead-letter` after it.
        properties: For librdkafka, by its own names.
    """

    brokers: str
    topics: tuple[str, ...]
    group: str
    signal: Literal["traces", "logs"] = "traces"
    dead_letter: str | None = None
    properties: dict[str, str] = {}


Address = Listen | Consume


def parse(url: str) -> Address:
    """What a URL of `--receive` means.

    Raises:
        SettingsError: It means nothing. Says what is allowed.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port if parts.scheme != "kafka" else None
    except ValueError as error:
        raise _wrong(url, str(error)) from error
    if parts.scheme == "kafka":
        return _consume(url, parts)
    if parts.scheme not in _PORTS:
        raise _wrong(url, f"`{parts.scheme}` is none of {', '.join(_PORTS)}, kafka")
    if not parts.hostname or parts.path not in ("", "/"):
        raise _wrong(url, "it must name a host and no path")
    options = _options(url, parts, allowed={"cert", "key", "client_ca"})
    return Listen(
        scheme=parts.scheme.removesuffix("s"),
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        tls=_tls(url, parts.scheme.endswith("s"), options),
    )


def shown(url: str) -> str:
    """The URL without the secrets that properties of librdkafka may hold."""
    return _SECRET.sub(r"\1***", url)


_SECRET = re.compile(r"([?&][^=&]*(?:password|secret|jaas|oauthbearer|\.pem)[^=&]*=)[^&]+", re.IGNORECASE)


def _consume(url: str, parts: SplitResult) -> Consume:
    topics = tuple(topic for topic in unquote(parts.path.lstrip("/")).split(",") if topic)
    if not parts.netloc or not topics:
        raise _wrong(url, "it must name a broker and a topic")
    options = _options(url, parts, allowed=None)
    group = options.pop("group", DEFAULT_GROUP)
    dead_letter = options.pop("dead_letter", None)
    signal = options.pop("signal", "traces")
    if signal not in ("traces", "logs"):
        raise _wrong(url, f"`{signal}` is none of traces, logs")
    return Consume(
        brokers=parts.netloc,
        topics=topics,
        group=group,
        signal="logs" if signal == "logs" else "traces",
        dead_letter=dead_letter,
        properties=options,
    )


def _options(url: str, parts: SplitResult, *, allowed: set[str] | None) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name, value in options.items():
        if allowed is not None and name not in allowed:
            raise _wrong(url, f"`{name}` is none of {', '.join(sorted(allowed))}")
        if not value:
            raise _wrong(url, f"`{name}` has no value")
    return options


def _tls(url: str, wanted: bool, options: dict[str, str]) -> Tls | None:
    if not wanted:
        if options:
            raise _wrong(url, f"`{next(iter(options))}` needs https:// or grpcs://")
        return None
    if not {"cert", "key"} <= options.keys():
        raise _wrong(url, "TLS needs cert=FILE and key=FILE")
    for name, file in options.items():
        if not Path(file).is_file():
            raise _wrong(url, f"there is no file `{file}` for `{name}`")
    client_ca = options.get("client_ca")
    return Tls(
        cert=Path(options["cert"]),
        key=Path(options["key"]),
        client_ca=Path(client_ca) if client_ca is not None else None,
    )


def _wrong(url: str, why: str) -> SettingsError:
    return SettingsError(f"--receive is `{shown(url)}`: {why}", hint=f"such an address looks like {_EXAMPLES}")
