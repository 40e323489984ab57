"""Who takes part, and in which environment. Imports nothing, so that every side may know it."""

EXPORTERS = {
    "ours": "installed-compiled",
    "ours-gzip": "installed-compiled",
    "ours-zstd": "ours",
    "ours-priced": "ours",
    "ours-base": "installed-base",
    "ours-base-gzip": "installed-base",
    "otlp-http": "otlp",
    "otlp-http-gzip": "otlp",
    "otlp-grpc": "otlp",
    "langfuse": "langfuse",
    "langsmith": "langsmith",
    "humanloop": "humanloop",
}
"""Exporter -> its environment."""
