"""A field's number and its wire type as they are on the wire: OTLP's .proto files in numbers.

https://github.com/open-telemetry/opentelemetry-proto
"""

from otel_humanloop.native.wire cimport FIXED32, FIXED64, SIZED, VARINT


cdef enum Field:
    REQUEST_GROUP = 1 << 3 | SIZED  # ResourceSpans, ResourceLogs
    GROUP_RESOURCE = 1 << 3 | SIZED
    GROUP_SCOPED = 2 << 3 | SIZED  # ScopeSpans, ScopeLogs
    GROUP_SCHEMA_URL = 3 << 3 | SIZED
    RESOURCE_ATTRIBUTES = 1 << 3 | SIZED
    RESOURCE_ENTITY_REFS = 3 << 3 | SIZED
    ENTITY_FIRST_TEXT = 1 << 3 | SIZED
    ENTITY_LAST_TEXT = 4 << 3 | SIZED
    SCOPED_SCOPE = 1 << 3 | SIZED
    SCOPED_ITEMS = 2 << 3 | SIZED
    SCOPED_SCHEMA_URL = 3 << 3 | SIZED
    SCOPE_NAME = 1 << 3 | SIZED
    SCOPE_VERSION = 2 << 3 | SIZED
    SCOPE_ATTRIBUTES = 3 << 3 | SIZED
    PAIR_KEY = 1 << 3 | SIZED
    PAIR_VALUE = 2 << 3 | SIZED
    VALUE_TEXT = 1 << 3 | SIZED
    VALUE_BOOL = 2 << 3 | VARINT
    VALUE_INT = 3 << 3 | VARINT
    VALUE_DOUBLE = 4 << 3 | FIXED64
    VALUE_ARRAY = 5 << 3 | SIZED
    VALUE_PAIRS = 6 << 3 | SIZED
    VALUE_BYTES = 7 << 3 | SIZED
    VALUE_TEXT_INDEX = 8 << 3 | VARINT
    LIST_VALUES = 1 << 3 | SIZED
    SPAN_TRACE_ID = 1 << 3 | SIZED
    SPAN_SPAN_ID = 2 << 3 | SIZED
    SPAN_TRACE_STATE = 3 << 3 | SIZED
    SPAN_PARENT_ID = 4 << 3 | SIZED
    SPAN_NAME = 5 << 3 | SIZED
    SPAN_KIND = 6 << 3 | VARINT
    SPAN_START = 7 << 3 | FIXED64
    SPAN_END = 8 << 3 | FIXED64
    SPAN_ATTRIBUTES = 9 << 3 | SIZED
    SPAN_DROPPED_ATTRIBUTES = 10 << 3 | VARINT
    SPAN_EVENTS = 11 << 3 | SIZED
    SPAN_DROPPED_EVENTS = 12 << 3 | VARINT
    SPAN_LINKS = 13 << 3 | SIZED
    SPAN_DROPPED_LINKS = 14 << 3 | VARINT
    SPAN_STATUS = 15 << 3 | SIZED
    SPAN_FLAGS = 16 << 3 | FIXED32
    STATUS_MESSAGE = 2 << 3 | SIZED
    STATUS_CODE = 3 << 3 | VARINT
    EVENT_TIME = 1 << 3 | FIXED64
    EVENT_NAME = 2 << 3 | SIZED
    EVENT_ATTRIBUTES = 3 << 3 | SIZED
    EVENT_DROPPED_ATTRIBUTES = 4 << 3 | VARINT
    LINK_TRACE_ID = 1 << 3 | SIZED
    LINK_SPAN_ID = 2 << 3 | SIZED
    LINK_TRACE_STATE = 3 << 3 | SIZED
    LINK_ATTRIBUTES = 4 << 3 | SIZED
    LINK_DROPPED_ATTRIBUTES = 5 << 3 | VARINT
    RECORD_TIME = 1 << 3 | FIXED64
    RECORD_SEVERITY_TEXT = 3 << 3 | SIZED
    RECORD_BODY = 5 << 3 | SIZED
    RECORD_ATTRIBUTES = 6 << 3 | SIZED
    RECORD_TRACE_ID = 9 << 3 | SIZED
    RECORD_SPAN_ID = 10 << 3 | SIZED
    RECORD_OBSERVED_TIME = 11 << 3 | FIXED64
    RECORD_EVENT_NAME = 12 << 3 | SIZED
