"""Who takes part, and in which environment. Imports nothing, so that every side may know it."""

EXPORTERS = {
    "ours": "installed-base",
    "ours-gzip": "installed-base",
    "ours-zstd": "ours",
    "ours-priced": "ours",
    "otlp-http": "otlp",
    "otlp-http-gzip": "otlp",
    "otlp-grpc": "otlp",
    "langfuse": "langfuse",
    "langsmith": "langsmith",
    "humanloop": "humanloop",
}
"""Exporter -> its environment."""
