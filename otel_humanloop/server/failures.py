"""What an answer that is not a success says, in the contract's two shapes.

Validation is FastAPI's list, `{"detail": [{"loc", "msg", "type"}]}` with status 422. Everything else is
`{"detail": {"type", "message", "code", "origin"}}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response

from otel_humanloop.errors import HumanloopError

Loc = tuple[str | int, ...]
"""Where in a request: ("body", 3, "config", "model") or ("query", "page")."""

_KINDS = {
    400: "bad_request_error",
    401: "unauthorized_error",
    403: "forbidden_error",
    404: "not_found_error",
    405: "method_not_allowed_error",
    409: "conflict_error",
    413: "payload_too_large_error",
    415: "unsupported_media_type_error",
    422: "unprocessable_entity_error",
    429: "rate_limit_error",
    500: "internal_server_error",
    503: "service_unavailable_error",
}


class RequestFailed(HumanloopError):
    """The request cannot be served, for a reason that is not a field of it.

    Attributes:
        status: The HTTP status to answer.
        headers: Headers the answer carries.
        origin: Who says so: this server, or the provider of a model.
    """

    def __init__(
        self, status: int, message: str, *, headers: Mapping[str, str] | None = None, origin: str = "Humanloop"
    ) -> None:
        super().__init__(message)
        self.status = status
        self.origin = origin
        self.headers = dict(headers or {})


class NotFound(RequestFailed):
    """What the request names does not exist."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(404, f"there is no {what} `{name}`")


class Invalid(HumanloopError):
    """A field of the request cannot be what it is.

    Attributes:
        loc: Where it stands.
        kind: FastAPI's `type`, such as "value_error.missing".
    """

    def __init__(self, loc: Loc, message: str, *, kind: str = "value_error") -> None:
        super().__init__(message)
        self.loc = loc
        self.kind = kind

    def within(self, prefix: Loc) -> Invalid:
        """The same, seen from further out."""
        return Invalid((*prefix, *self.loc), self.message, kind=self.kind)


_PATH = re.compile(r"^(?P<said>.*) - at `(?P<key>key in )?\$(?P<path>.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`")


def invalid(error: msgspec.ValidationError, prefix: Loc) -> Invalid:
    """What msgspec says in a sentence (``Expected `int`, got `str` - at `$[3].duration` ``) as a place and a reason."""
    text = str(error)
    match = _PATH.match(text)
    said, path = (match["said"], match["path"]) if match else (text, "")
    steps = ((name, index) for name, index in _STEP.findall(path) if index != "...")
    loc: Loc = (*prefix, *(int(index) if index else name for name, index in steps))
    missing = _MISSING.fullmatch(said)
    if missing:
        return Invalid((*loc, missing["field"]), "field required", kind="value_error.missing")
    return Invalid(loc, said, kind="type_error" if said.startswith("Expected") else "value_error")


def answer(
    status: int, message: str, *, headers: Mapping[str, str] | None = None, origin: str = "Humanloop"
) -> Response:
    """The contract's error object."""
    detail = {
        "type": _KINDS.get(status, "api_error"),
        "message": message,
        "code": status,
        "origin": origin,
    }
    return Response(
        msgspec.json.encode({"detail": detail}), status, media_type="application/json", headers=dict(headers or {})
    )


def answer_to(error: Exception) -> Response:
    """What an error is answered with: 422 with a list of what is wrong, or what `failure_of` makes of it."""
    if isinstance(error, Invalid):
        return invalid_answer(error)
    failure = failure_of(error)
    return answer(failure.status, failure.message, headers=failure.headers, origin=failure.origin)


def failure_of(error: Exception) -> RequestFailed:
    """An error as one with a status: the one it names, 422 for a field, 503 for the database, else 500."""
    if isinstance(error, RequestFailed):
        return error
    if isinstance(error, Invalid):
        return RequestFailed(422, f"{'.'.join(map(str, error.loc))}: {error.message}")
    if isinstance(error, DBAPIError):
        return RequestFailed(503, f"the database cannot be used now: {error.orig}", headers={"Retry-After": "1"})
    return RequestFailed(500, "the server failed; its own log says how")


def invalid_answer(error: Invalid) -> Response:
    """The contract's list of what is wrong, with status 422."""
    problem = {"loc": error.loc, "msg": error.message, "type": error.kind}
    return Response(msgspec.json.encode({"detail": [problem]}), 422, media_type="application/json")
