"""Which spans are plumbing: HTTP, database, RPC and messaging instrumentation, which shows nothing of what an AI did.

Told by the scope's name, as the instrumentation libraries of each language name theirs, and by attributes of the
semantic conventions that only plumbing writes.
"""

from __future__ import annotations

from otel_humanloop.spans import Span

_LIBRARIES = (
    "opentelemetry.instrumentation.",  # Python
    "@opentelemetry/instrumentation-",  # JavaScript
    "io.opentelemetry.",  # Java
    "go.opentelemetry.io/contrib/instrumentation/",
    "OpenTelemetry.Instrumentation.",  # .NET
    "OpenTelemetry::Instrumentation::",  # Ruby
)
"""How scopes of instrumentation libraries begin; what is instrumented follows."""

_AI = (
    "agno",
    "aleph",
    "anthropic",
    "autogen",
    "bedrock",
    "claude",
    "cohere",
    "crewai",
    "genai",
    "google_gen",
    "google-gen",
    "groq",
    "haystack",
    "langchain",
    "litellm",
    "llama",
    "mcp",
    "mistral",
    "ollama",
    "openai",
    "replicate",
    "sagemaker",
    "together",
    "transformers",
    "vertex",
    "voyage",
    "watsonx",
    "writer",
)
"""How the names of what is not plumbing begin."""

_KEYS = frozenset(
    {
        "asgi.event.type",
        "db.operation",
        "db.operation.name",
        "db.query.text",
        "db.statement",
        "db.system",
        "db.system.name",
        "http.method",
        "http.request.method",
        "http.response.status_code",
        "http.status_code",
        "http.url",
        "messaging.operation",
        "messaging.operation.name",
        "messaging.system",
        "rpc.method",
        "rpc.service",
        "rpc.system",
        "rpc.system.name",
        "url.full",
    }
)


def is_plumbing(span: Span) -> bool:
    """Whether the span's scope or attributes are those of plumbing, whoever else claims it."""
    scope = span.scope.name
    if scope.startswith(_LIBRARIES):
        library = next(filter(scope.startswith, _LIBRARIES))
        if not scope[len(library) :].lower().startswith(_AI):
            return True
    return not _KEYS.isdisjoint(span.attributes)
