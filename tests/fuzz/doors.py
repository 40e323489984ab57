"""Every door through which something comes that we did not write, as a function of bytes that must not raise.

What a door says of bad input is its own error; anything else is a finding. `test_doors.py` tries them for seconds, and

    python tests/fuzz/doors.py DOOR [SECONDS]

for as long as one likes: with atheris, where that is installed (coverage tells it where to go on), or else by mutation
of the corpus alone. A finding is written to `tests/fuzz/findings/DOOR-<hash>`, and is tried by the tests from then on.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import random
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from otel_humanloop.delivery import encoding
from otel_humanloop.errors import DecodeError, HumanloopError
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.moves import Create
from otel_humanloop.logs.redact import Redactor
from otel_humanloop.notices import Notices
from otel_humanloop.settings import REDACTION_SETS, load
from otel_humanloop.spans import LogRecord, Span
from otel_humanloop.spans.otlp import JSON, PROTOBUF, decode, sift, sift_logs

ROOT = Path(__file__).parent.parent
FINDINGS = Path(__file__).parent / "findings"

_SETTINGS = load({"redact": ",".join(REDACTION_SETS)}, environ={})
_REDACTOR = Redactor(_SETTINGS, notices=Notices(interval=float("inf")))


def _log(spans: Sequence[Span]) -> None:
    """The whole way of a span that came in: read, redacted, kept, built, encoded."""
    for span in spans:
        kept = encoding.decode(encoding.encode(_REDACTOR.span(span)))
        create = Create(key=("1", "2"), draft=draft(kept), parent=None, session="s", user=None)
        encode(_REDACTOR.log(build_log(create, _SETTINGS)))


def _otlp(content_type: str) -> Callable[[bytes], None]:
    def enter(data: bytes) -> None:
        with contextlib.suppress(DecodeError):
            _log(decode(data, content_type))
        with contextlib.suppress(DecodeError):
            _log(sift(data, content_type).items)

    return enter


def _records(content_type: str) -> Callable[[bytes], None]:
    def enter(data: bytes) -> None:
        try:
            records: Sequence[LogRecord] = sift_logs(data, content_type).items
        except DecodeError:
            return
        for record in records:
            _REDACTOR.record(record)

    return enter


def _spooled(data: bytes) -> None:
    try:
        span = encoding.decode(data)
    except DecodeError:
        return
    _log([span])


def _attributes(data: bytes) -> None:
    """Spans of the SDK, whose attributes may hold any text under any known key."""
    # Bytes that are no UTF-8 become lone surrogates: text, but none that can be encoded.
    text = data.decode("utf-8", "surrogateescape" if data[:1] == b"s" else "replace")
    keys = ("gen_ai.input.messages", "gen_ai.output.messages", "input.value", "llm.invocation_parameters")
    other = ("gen_ai.prompt.0.content", "traceloop.entity.input", "gen_ai.usage.input_tokens", "humanloop.inputs")
    attributes = {"gen_ai.operation.name": "chat", **dict.fromkeys((*keys, *other), text)}
    _log([Span(trace_id="1" * 32, span_id="2" * 16, end_ns=1, attributes=attributes)])


def _settings(data: bytes) -> None:
    with contextlib.suppress(HumanloopError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of expressions that will mean something else one day
        load({}, environ={"HUMANLOOP_REDACT": data.decode("utf-8", "replace")})


DOORS: dict[str, Callable[[bytes], None]] = {
    "otlp-json": _otlp(JSON),
    "otlp-protobuf": _otlp(PROTOBUF),
    "logs-json": _records(JSON),
    "logs-protobuf": _records(PROTOBUF),
    "spool": _spooled,
    "attributes": _attributes,
    "settings": _settings,
}


def corpus(door: str) -> list[bytes]:
    """What a door is known to be entered with: captured spans in its form, and what was found before."""
    captured = [path.read_bytes() for path in sorted((ROOT / "corpus").rglob("*.json"))]
    spans = [data for data in captured if b"resourceSpans" in data[:2000]][:40]
    found = [path.read_bytes() for path in sorted(FINDINGS.glob(f"{door}-*"))]
    if door == "otlp-json":
        return found + spans
    if door == "logs-json":
        return found + [data for data in captured if b"resourceLogs" in data[:2000]][:40]
    if door == "spool":
        return found + [encoding.encode(span) for data in spans[:20] for span in decode(data, JSON)]
    if door == "settings":
        return [*found, b"email,phone key:(?i)^pass value:[0-9]{3,}"]
    if door == "attributes":
        return [*found, b'[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]', b'{"a":{"b":[1,2.5,null]}}']
    return found + _as_protobuf(door, spans if door == "otlp-protobuf" else captured)


def _as_protobuf(door: str, captured: Sequence[bytes]) -> list[bytes]:
    from google.protobuf.json_format import Parse, ParseError
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    message = ExportTraceServiceRequest if door == "otlp-protobuf" else ExportLogsServiceRequest
    field = b"resourceSpans" if door == "otlp-protobuf" else b"resourceLogs"
    written: list[bytes] = []
    for data in captured:
        if field in data[:2000] and len(written) < 40:
            try:
                written.append(Parse(data, message()).SerializeToString())
            except (ParseError, ValueError):
                continue  # OTLP's JSON has hexadecimal ids where protobuf's has base64
    return written


_ODD = (b"-1", b"null", b"1e999", b"{}", b"[]", b'"\\ud800"', b"\xff" * 9)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The data with a few of its bytes changed, moved, doubled or gone."""
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if not mutant:
            break
        at, length = chance.randrange(len(mutant)), chance.randint(1, 16)
        what = chance.randrange(5)
        if what == 0:
            mutant[at] = chance.randrange(256)
        elif what == 1:
            del mutant[at : at + length]
        elif what == 2:
            mutant[at:at] = mutant[at : at + length] * chance.randint(1, 40)
        elif what == 3:
            mutant[at : at + length] = chance.choice(
                [b"-1", b"null", b"1e999", b"{}", b"[]", b'"\\ud800"', b"\xff" * 9]
            )
        else:
            mutant = mutant[: at + 1]
    return bytes(mutant)


def fuzz(door: str, seconds: float, seed: int = 0) -> int:
    """Enters a door with mutants of its corpus for so long; how many. A finding is written down and raised."""
    chance, enter, known = random.Random(seed), DOORS[door], corpus(door)
    until, tries = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        data = mutated(chance.choice(known), chance)
        tries += 1
        try:
            enter(data)
        except BaseException:
            FINDINGS.mkdir(exist_ok=True)
            (FINDINGS / f"{door}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
            raise
    return tries


def _with_atheris(door: str, seconds: float) -> None:
    import atheris  # pyright: ignore[reportMissingImports]

    seeds = FINDINGS.parent / ".seeds" / door
    seeds.mkdir(parents=True, exist_ok=True)
    for data in corpus(door):
        (seeds / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
    atheris.instrument_all()
    FINDINGS.mkdir(exist_ok=True)
    prefix = f"-artifact_prefix={FINDINGS}/{door}-"
    atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds)}", prefix, str(seeds)], DOORS[door])
    atheris.Fuzz()


if __name__ == "__main__":
    chosen, long = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    if importlib.util.find_spec("atheris") is not None:
        _with_atheris(chosen, long)
    else:
        sys.stdout.write(f"{fuzz(chosen, long, seed=time.time_ns())} tries\n")
