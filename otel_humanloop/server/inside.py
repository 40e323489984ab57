"""Requests from within this process: what its own receivers take in is logged without a network in between.

The same questions and the same answers as at the door: status, headers and JSON, given once what was logged is
committed. What is left out is what only strangers need: the key, the count of requests, a body that is unpacked, and
doubts about JSON that this process has just made (`handed.py`).
"""

from __future__ import annotations

import logging
from functools import partial

import httpx
from starlette.datastructures import QueryParams
from starlette.responses import Response

from otel_humanloop.attachments import PATH
from otel_humanloop.server import attachments, logs
from otel_humanloop.server.failures import RequestFailed, answer_to
from otel_humanloop.server.outcome import outcome
from otel_humanloop.server.requests import Call
from otel_humanloop.server.store import Store

_log = logging.getLogger(__name__)

_ATTACHMENTS = f"/v4/{PATH}/"


class Inside(httpx.BaseTransport):
    """Carries a pipeline's requests to a store, on the thread of whoever asks.

    Args:
        strict_parents: A log whose parent has not been logged is refused.
    """

    def __init__(self, store: Store, *, strict_parents: bool = False) -> None:
        self._store = store
        self._strict_parents = strict_parents

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, whatever happens: what goes wrong is answered as it is at the door."""
        answer = outcome(partial(self._answer, request))
        if isinstance(answer, Exception):
            error, answer = answer, answer_to(answer)
            if answer.status_code == 500:
                _log.error("a request from within could not be answered", exc_info=error)
        return httpx.Response(answer.status_code, headers=answer.headers.items(), content=bytes(answer.body))

    def _answer(self, request: httpx.Request) -> Response:
        path = request.url.path
        call = Call(
            store=self._store,
            body=request.read(),
            query=QueryParams(request.url.query.decode("ascii")),
            path={"sha256": path.removeprefix(_ATTACHMENTS)},
            media_type=request.headers.get("content-type", ""),
            ours=True,
            strict_parents=self._strict_parents,
        )
        asked = request.method, "/v4/attachments" if path.startswith(_ATTACHMENTS) else path
        if asked == ("POST", "/v4/logs"):
            return logs.create(call)
        if asked == ("PATCH", "/v4/logs"):
            return logs.update_by_reference(call)
        if asked == ("HEAD", "/v4/attachments"):
            return attachments.ask(call)
        if asked == ("PUT", "/v4/attachments"):
            return attachments.keep(call)
        raise RequestFailed(404, f"there is no {request.method} {path}")
