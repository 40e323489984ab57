"""The application: routes, and what becomes of an error."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from otel_humanloop.attachments import PATH
from otel_humanloop.server import attachments, calls, feedback, logs, projects, sessions, versions
from otel_humanloop.server.failures import Invalid, RequestFailed, answer_to
from otel_humanloop.server.guard import Guard
from otel_humanloop.server.keyring import Keyring
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.rate import RateLimit
from otel_humanloop.server.requests import ENCODINGS, Call, read_body
from otel_humanloop.server.store import Store
from otel_humanloop.server.viewer import pages

Endpoint = Callable[[Call], Response]
AsyncEndpoint = Callable[[Call], Awaitable[Response]]

_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/logs", logs.create),
    ("PATCH", "/logs", logs.update_by_reference),
    ("GET", "/logs", logs.index),
    ("DELETE", "/logs", logs.delete),
    ("GET", "/logs/{id}", logs.get),
    ("PATCH", "/logs/{id}", logs.update_by_id),
    ("POST", "/feedback", feedback.create),
    ("POST", "/sessions", sessions.create),
    ("GET", "/sessions", sessions.index),
    ("GET", "/sessions/{id}", sessions.get),
    ("POST", "/projects", projects.create),
    ("GET", "/projects", projects.index),
    ("GET", "/projects/{id}", projects.get),
    ("PATCH", "/projects/{id}", projects.update),
    ("POST", "/projects/{id}/feedback-types", feedback.decommissioned),
    ("PATCH", "/projects/{id}/feedback-types", feedback.decommissioned),
    ("DELETE", "/projects/{id}", projects.delete),
    ("POST", "/projects/{id}/export", logs.export),
    ("GET", "/projects/{id}/configs", versions.index),
    ("GET", "/projects/{id}/active-config", versions.active),
    ("DELETE", "/projects/{id}/active-config", projects.deactivate),
    ("GET", "/projects/{id}/deployed-configs", versions.deployments),
    ("PATCH", "/projects/{id}/deploy-config", versions.deploy),
    ("DELETE", "/projects/{id}/deployed-config/{environment_id}", versions.undeploy),
    ("POST", "/model-configs", versions.register),
    ("POST", "/model-configs/serialize", versions.serialize),
    ("POST", "/model-configs/deserialize", versions.deserialize),
    ("GET", "/model-configs/{id}", versions.get),
    ("POST", "/model-configs/{id}/export", versions.export),
)


_BESIDE: tuple[tuple[str, str, Endpoint], ...] = (
    ("HEAD", f"/v4/{PATH}/{{sha256}}", attachments.ask),
    ("GET", f"/v4/{PATH}/{{sha256}}", attachments.get),
    ("PUT", f"/v4/{PATH}/{{sha256}}", attachments.keep),
)
"""What stands beside the API and is no part of the published contract."""


_NOT_BUILT = re.compile(
    "^/v4/(projects/[^/]+/)?(active-)?"
    "(evaluations?|evaluators?|datasets?|datapoints|testsets?|experiments?|finetunes?|(chat|completion)-experiment)(/|$)"
)
"""What Humanloop had besides."""


_CALLS: tuple[tuple[str, AsyncEndpoint], ...] = (
    ("/chat", calls.chat),
    ("/chat-deployed", calls.chat_deployed),
    ("/chat-model-config", calls.chat_model_config),
    ("/completion", calls.completion),
    ("/completion-deployed", calls.completion_deployed),
    ("/completion-model-config", calls.completion_model_config),
)


def create_app(
    store: Store,
    *,
    providers: ProviderSettings | None = None,
    api_keys: Collection[str] = (),
    strict_parents: bool = False,
    allowed_hosts: Collection[str] = (),
    rate_limit: RateLimit | None = None,
) -> Starlette:
    """The server as an ASGI application.

    Whoever runs it may put a function at `app.state.stopping` that says that it is to stop: pages that watch for news
    then let go of it. A function at `app.state.metrics` gives what `/metrics` answers, and of which media type it is.

    Args:
        store: Where everything is kept. Who opened it closes it.
        providers: Where models are called.
        api_keys: Whoever shows one as `X-API-KEY` may come in, as with those in the store. Where there has never been
            any, only programs of this machine may.
        rate_limit: How often each key may call the API; None for as often as it likes.
        strict_parents: Refuse a log whose parent has not been logged, instead of waiting for the parent.
        allowed_hosts: Host names that mean this server, where it has no keys and is reached by another name than
            loopback's.
    """

    settings = providers or ProviderSettings()

    async def read(request: Request) -> Call:
        return Call(
            store=store,
            body=await read_body(request),
            query=request.query_params,
            path=request.path_params,
            media_type=request.headers.get("content-type", ""),
            strict_parents=strict_parents,
            providers=settings,
        )

    def serving(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            return _taking(request, await run_in_threadpool(endpoint, await read(request)))

        return serve

    def calling(endpoint: AsyncEndpoint) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            return _taking(request, await endpoint(await read(request)))

        return serve

    async def ready(_: Request) -> Response:
        await run_in_threadpool(store.read, lambda tx: tx.execute(text("SELECT 1")).scalar_one())
        return Response("ready\n", media_type="text/plain")

    async def metrics(_: Request) -> Response:
        if app.state.metrics is None:
            raise HTTPException(404)
        content, media_type = await run_in_threadpool(app.state.metrics)
        return Response(content, media_type=media_type)

    keyring = Keyring(store, api_keys)

    async def failed(request: Request, error: Exception) -> Response:
        said = _unserved(request, error) if isinstance(error, HTTPException) else error
        return pages.problem(request, said, keyring.digests) or answer_to(said)

    app = Starlette(
        routes=[
            Route("/healthz", _alive),
            Route("/readyz", ready),
            Route("/metrics", metrics),
            Route("/openapi.json", _described),
            *(Route(path, serving(do), methods=[method]) for method, path, do in _BESIDE),
            Mount(
                "/v4",
                routes=[
                    *(Route(path, serving(do), methods=[method]) for method, path, do in _ROUTES),
                    *(Route(path, calling(do), methods=["POST"]) for path, do in _CALLS),
                ],
            ),
            *pages.routes(store, digests=keyring.digests, stopping=lambda: app.state.stopping()),
        ],
        middleware=[
            Middleware(_Addresses),
            Middleware(
                Guard,
                keyring=keyring,
                allowed_hosts=allowed_hosts,
                rate=rate_limit,
            ),
        ],
        exception_handlers=dict.fromkeys((HTTPException, Invalid, RequestFailed, DBAPIError, Exception), failed),
    )
    app.state.stopping = lambda: False
    app.state.metrics = None
    app.router.redirect_slashes = False  # a redirect would lose the body of a POST; `_Addresses` does it better
    return app


def _taking(request: Request, answer: Response) -> Response:
    """The answer, with what bodies of such requests may be packed in."""
    if request.method in ("POST", "PATCH", "PUT"):
        answer.headers["Accept-Encoding"] = ENCODINGS
    return answer


async def _described(_: Request) -> Response:
    """What is served, as OpenAPI: `openapi.json`, which is the published contract without what is not built."""
    return Response((Path(__file__).parent / "openapi.json").read_bytes(), media_type="application/json")


async def _alive(_: Request) -> Response:
    return Response("alive\n", media_type="text/plain")


class _Addresses:
    """Paths with doubled or trailing slashes mean the ones without: SDKs join them from pieces.

    An address with the character U+0000 means nothing: no name holds it, and not every database can be asked for it.
    The API says so; pages are shown as if it were not there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            query: bytes = scope["query_string"]
            path = re.sub("/{2,}", "/", scope["path"])
            if "\0" in path or (b"%00" in query and path.startswith("/v4/")):
                await answer_to(_nul_in(scope))(scope, receive, send)
                return
            scope = {**scope, "path": path.rstrip("/") or "/", "query_string": query.replace(b"%00", b"")}
        await self._app(scope, receive, send)


def _nul_in(scope: Scope) -> Invalid:
    query = QueryParams(scope["query_string"])
    named = (("query", name) for name, value in query.multi_items() if "\0" in name + value)
    return Invalid(next(named, ("path",)), "must not contain the character U+0000")


def _unserved(request: Request, error: HTTPException) -> RequestFailed:
    """What the framework says of an address that is not served, or not so."""
    message, path = error.detail, request.url.path
    if error.status_code in (404, 405):
        message = f"there is no {request.method} {path}"
        if _NOT_BUILT.search(path):
            message += ": evaluations, evaluators, datasets, experiments and fine-tuning are not part of this server"
        elif path.startswith("/v5/"):
            message += ": this server speaks v4 of the API, as Humanloop's SDKs before 0.8 do"
        elif not path.startswith("/v4") and "x-api-key" in request.headers:
            message += ": the API is below /v4, which belongs to an SDK's host"
    return RequestFailed(error.status_code, message, headers=error.headers)
