"""`grpc://` and `grpcs://`: OTLP/gRPC, the three services, their requests as the bytes they are."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Any

import grpc
import grpc.aio

from otel_humanloop.bridge import answers, bodies
from otel_humanloop.bridge.addresses import Listen, Tls
from otel_humanloop.bridge.door import BUSY, Code, Door, Signal, Verdict
from otel_humanloop.errors import SettingsError
from otel_humanloop.hosts import authority
from otel_humanloop.spans.otlp import PROTOBUF

NAME = "grpc"

_SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": Signal.TRACES,
    "opentelemetry.proto.collector.logs.v1.LogsService": Signal.LOGS,
    "opentelemetry.proto.collector.metrics.v1.MetricsService": Signal.METRICS,
}

_OPTIONS = [
    ("grpc.max_receive_message_length", bodies.MAX_BODY),
    ("grpc.so_reuseport", 0),  # two bridges on one port are a mistake, not a pool
    ("grpc.max_metadata_size", 64 * 1024),
]

_CODES = {code.value[0]: code for code in grpc.StatusCode}

_untyped: Any = grpc
"""grpc's stubs are generic in the messages, which are bytes here."""

Context = Any


async def start(address: Listen, door: Door, threads: Executor) -> tuple[grpc.aio.Server, int]:
    """A receiver that takes requests, and its port.

    Raises:
        SettingsError: The address cannot be had, or the certificate not be used.
    """
    door.serves(NAME)
    server: Any = _untyped.aio.server(options=_OPTIONS)
    handlers = [
        _untyped.method_handlers_generic_handler(
            service, {"Export": _untyped.unary_unary_rpc_method_handler(_Export(signal, door, threads).answer)}
        )
        for service, signal in _SERVICES.items()
    ]
    server.add_generic_rpc_handlers(tuple(handlers))
    where = authority(address.host, address.port)
    try:
        if address.tls is None:
            port = server.add_insecure_port(where)
        else:
            port = server.add_secure_port(where, _credentials(address.tls))
    except RuntimeError as error:
        raise SettingsError(
            f"the bridge cannot listen for gRPC on {where}: {error}", hint="choose another port in --receive"
        ) from error
    await server.start()
    return server, port


class _Export:
    """The one method each of the services has."""

    def __init__(self, signal: Signal, door: Door, threads: Executor) -> None:
        self._signal = signal
        self._door = door
        self._threads = threads

    async def answer(self, request: bytes, context: Context) -> bytes:
        verdict = await self._verdict(request, context)
        self._door.answered(NAME, self._signal, verdict)
        if verdict.code is Code.OK:
            return answers.success(self._signal, verdict).SerializeToString()
        status = answers.failure(verdict)
        trailers = [("grpc-status-details-bin", status.SerializeToString())]
        if verdict.retry_after is not None:
            # Where the Python SDK looks for it.
            trailers.append(("google.rpc.retryinfo-bin", answers.retry_info(verdict.retry_after).SerializeToString()))
        await context.abort(_CODES[status.code], status.message, trailing_metadata=tuple(trailers))
        raise AssertionError("abort does not return")

    async def _verdict(self, request: bytes, context: Context) -> Verdict:
        metadata: dict[str, Any] = dict(context.invocation_metadata() or ())
        if not self._door.admits(metadata.get("authorization")):
            return Verdict(code=Code.UNAUTHENTICATED, message="a known bearer token is needed")
        with self._door.room(len(request)) as has_room:
            if not has_room:
                return BUSY
            return await asyncio.get_running_loop().run_in_executor(
                self._threads,
                lambda: self._door.receive(NAME, self._signal, request, media_type=PROTOBUF, encoding="identity"),
            )


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(tls.key.read_bytes(), tls.cert.read_bytes())],
        root_certificates=tls.client_ca.read_bytes() if tls.client_ca is not None else None,
        require_client_auth=tls.client_ca is not None,
    )
