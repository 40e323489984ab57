from collections.abc import Iterator

from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import LogRecord, Span

def spans_of(body: bytes) -> Iterator[Span | DecodeError]: ...
def records_of(body: bytes) -> Iterator[LogRecord | DecodeError]: ...
