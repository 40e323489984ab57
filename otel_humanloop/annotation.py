"""`annotate`: names what an instrumentation cannot know, on spans it has not made yet."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import Token
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

import msgspec
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

_KEY = context_api.create_key("otel-humanloop-annotation")
_MARK = "_otel_humanloop_annotates"

P = ParamSpec("P")
R = TypeVar("R")


class _Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """Attributes for the spans started directly under one span (None: under none)."""

    under: int | None
    attributes: Mapping[str, str]


class annotate:
    """Puts names and values on the spans started directly inside a block or function.

    ```python
    with annotate(project="moderator", inputs={"user_request": request}):
        client.chat.completions.create(...)  # the span this makes carries them
    ```

    Spans further down are not touched, except that they belong to the session and user of their ancestors. Blocks
    nest: an inner one adds to an outer one, and wins where both say something. It is a context manager for sync and
    async code, and a decorator for functions and coroutine functions. Under a tracer that records nothing it does
    nothing.

    Args:
        project: The Humanloop project of the log.
        inputs: Values of the prompt's template variables, by name.
        session: What ties several traces into one session; in Humanloop its `reference_id`.
        user: Whom this is done for.
        metadata: Anything else to keep with the log.
        prompt_template: A completion's prompt with `{{name}}` where an input goes.
        chat_template: Messages (`{"role": ..., "content": ...}`) with `{{name}}` where an input goes.
        environment: The Humanloop environment.

    Raises:
        TypeError: `inputs`, `metadata` or `chat_template` holds what cannot be written as JSON.
    """

    def __init__(
        self,
        *,
        project: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        session: str | None = None,
        user: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        prompt_template: str | None = None,
        chat_template: Sequence[Mapping[str, Any]] | None = None,
        environment: str | None = None,
    ) -> None:
        texts = {"project": project, "session": session, "user": user, "prompt_template": prompt_template}
        texts["environment"] = environment
        values = {"inputs": inputs, "metadata": metadata, "chat_template": chat_template}
        self._attributes = {f"humanloop.{name}": text for name, text in texts.items() if text is not None}
        self._attributes.update(
            {
                f"humanloop.{name}": msgspec.json.encode(value).decode()
                for name, value in values.items()
                if value is not None
            }
        )
        self._tokens: list[Token[Context]] = []

    def __enter__(self) -> annotate:
        _make_heard(trace.get_tracer_provider())
        under = trace.get_current_span().get_span_context()
        outer = context_api.get_value(_KEY)
        attributes: Mapping[str, str] = self._attributes
        parent = under.span_id if under.is_valid else None
        if isinstance(outer, _Annotation) and outer.under == parent:
            attributes = {**outer.attributes, **attributes}
        annotation = _Annotation(under=parent, attributes=attributes)
        self._tokens.append(context_api.attach(context_api.set_value(_KEY, annotation)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        context_api.detach(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._fresh():
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", run_async)

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._fresh():
                return function(*args, **kwargs)

        return run

    def _fresh(self) -> annotate:
        """The same annotation to enter anew: a function may run in several threads or tasks at once."""
        fresh = annotate()
        fresh._attributes = self._attributes
        return fresh


def apply(span: Span, parent_context: Context | None) -> None:
    """Gives a starting span the annotation it was started under, if it was."""
    annotation = context_api.get_value(_KEY, parent_context)
    if not isinstance(annotation, _Annotation):
        return
    parent = span.parent
    if (parent.span_id if parent is not None else None) == annotation.under:
        span.set_attributes(annotation.attributes)


class AnnotationProcessor(SpanProcessor):
    """Applies annotations where spans are exported by a processor that is not ours."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        apply(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        pass


def _make_heard(provider: trace.TracerProvider) -> None:
    """Has a provider's new spans annotated. The provider remembers it, so that it is done once."""
    if isinstance(provider, TracerProvider) and not hasattr(provider, _MARK):
        setattr(provider, _MARK, True)
        provider.add_span_processor(AnnotationProcessor())
