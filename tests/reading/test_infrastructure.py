"""Plumbing is told from work."""

from __future__ import annotations

from typing import Any

import pytest
from corpus import captures

from otel_humanloop.reading import is_infrastructure
from otel_humanloop.spans import Scope, Span


def span(scope: str, attributes: dict[str, Any] | None = None) -> Span:
    return Span(trace_id="1" * 32, span_id="2" * 16, scope=Scope(name=scope), attributes=attributes or {})


def test_in_an_application_http_is_plumbing_and_the_rest_is_not():
    told = {
        (each.scope.name, each.name): is_infrastructure(each) for each in captures.spans("mixed-app/fastapi_llm_error")
    }
    assert told == {
        ("opentelemetry.instrumentation.requests", "GET"): True,
        ("opentelemetry.instrumentation.httpx", "GET"): True,
        ("opentelemetry.instrumentation.fastapi", "GET /ask/{uid}"): True,
        ("opentelemetry.instrumentation.fastapi", "GET /ask/{uid} http send"): True,
        ("opentelemetry.instrumentation.openai.v1", "openai.chat"): False,
        ("my.app", "rag-step"): False,
    }


def test_all_that_is_plumbing_where_models_are_instrumented_is_http_and_what_is_put_into_a_store():
    plumbing = {
        (name.partition("/")[0].rpartition("-")[0], each.name)
        for path in captures.files()
        if not (name := captures.name_of(path)).startswith("mixed-app")
        for each in captures.spans(name)
        if is_infrastructure(each)
    }
    assert plumbing == {
        ("azure-ai-inference", "POST"),
        ("openlit", "POST"),
        ("openlit-langchain", "POST"),
        ("traceloop-chromadb", "chroma.add"),
        ("traceloop-qdrant", "qdrant.upsert"),
    }


@pytest.mark.parametrize(
    ("scope", "attributes", "plumbing"),
    [
        ("opentelemetry.instrumentation.sqlalchemy", {}, True),
        ("opentelemetry.instrumentation.openai_v2", {}, False),
        ("opentelemetry.instrumentation.langchain", {}, False),
        ("@opentelemetry/instrumentation-undici", {}, True),
        ("@opentelemetry/instrumentation-openai", {}, False),
        ("io.opentelemetry.jdbc", {}, True),
        ("io.opentelemetry.openai-java-1.1", {}, False),
        ("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", {}, True),
        ("my.app", {}, False),
        ("my.app", {"app.k": 3}, False),
        ("my.app", {"db.system": "sqlite"}, True),
        ("my.app", {"url.full": "https://example.com", "http.request.method": "GET"}, True),
        ("my.app", {"rpc.system": "grpc"}, True),
        ("my.app", {"messaging.system": "kafka"}, True),
        ("my.app", {"http.request.method": "POST", "gen_ai.operation.name": "chat"}, False),
        ("opentelemetry.instrumentation.botocore.bedrock-runtime", {"gen_ai.request.model": "m"}, False),
        ("opentelemetry.instrumentation.httpx", {"traceloop.workflow.name": "w", "humanloop.session": "s"}, True),
        ("opentelemetry.instrumentation.fastapi", {"humanloop.kind": "agent"}, False),
    ],
)
def test_plumbing_is_told_by_scope_and_attributes_unless_an_ai_convention_claims_it(
    scope: str, attributes: dict[str, Any], plumbing: bool
):
    assert is_infrastructure(span(scope, attributes)) is plumbing
