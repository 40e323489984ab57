"""The twin of `spans/otlp_protobuf.py`: spans and log records from OTLP in protobuf, without a message in between.

It takes what protobuf's own decoder (upb) takes, and refuses what it refuses: messages are nested 100 deep at most,
text is UTF-8, unknown fields and those of another wire type than theirs are passed over, the last of a field that
comes twice counts, and messages that come twice are one.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from otel_humanloop.native.otlp_fields cimport *
from otel_humanloop.native.otlp_values cimport Values, identifier
from otel_humanloop.native.wire cimport (
    Bytes, Cursor, content, fixed32, fixed64, message, skip, tag, text, uint32, uint64, varint,
)

from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import Event, Link, LogRecord, Resource, Scope, Span, SpanKind, Status, StatusCode, event_name

cdef enum:
    MAX_DEPTH = 100  # messages in one another, the request not counted
    SPAN_ID = 8  # bytes
    REMOTE = 0x300  # the flags that say that it is known whether a parent is remote, and that it is

cdef tuple KINDS = tuple(SpanKind)
cdef tuple CODES = tuple(StatusCode)
cdef object NO_STATUS = Status()


def spans_of(body):
    return iter(_Request().items(bytes(body), True))


def records_of(body):
    return iter(_Request().items(bytes(body), False))


cdef class _Request:
    """One request, and what its items have in common.

    In each of the methods, `depth` is how many messages may be in one another below the one that is read.
    """

    cdef Values values

    def __cinit__(self):
        self.values = Values()

    cdef list items(self, bytes body, bint spans):
        """All spans, or all log records; in the place of one that is none, what it lacks."""
        cdef Cursor cursor, inner
        cdef uint32 field
        cdef list made = []
        cursor.at = <Bytes>PyBytes_AS_STRING(body)
        cursor.end = cursor.at + PyBytes_GET_SIZE(body)
        try:
            while cursor.at < cursor.end:
                field = tag(&cursor)
                if field == REQUEST_GROUP:
                    message(&cursor, &inner, MAX_DEPTH)
                    self.group(inner, made, spans, MAX_DEPTH - 1)
                else:
                    skip(&cursor, field, MAX_DEPTH)
        except ValueError as error:  # of text that is not UTF-8, too
            raise DecodeError("the bytes are not OTLP in protobuf") from error
        return made

    cdef int group(self, Cursor cursor, list made, bint spans, int depth) except -1:
        """The items of one resource. It may stand behind them, so that the bytes are gone through twice."""
        cdef Cursor inner, again = cursor
        cdef uint32 field
        cdef dict attributes = {}
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == GROUP_RESOURCE:
                message(&cursor, &inner, depth)
                self.resource(inner, attributes, depth - 1)
            elif field == GROUP_SCHEMA_URL:
                text(&cursor)
            else:
                skip(&cursor, field, depth)
        resource = Resource(attributes=attributes)
        while again.at < again.end:
            field = tag(&again)
            if field == GROUP_SCOPED:
                message(&again, &inner, depth)
                self.scoped(inner, resource, made, spans, depth - 1)
            else:
                skip(&again, field, depth)
        return 0

    cdef int resource(self, Cursor cursor, dict attributes, int depth) except -1:
        cdef Cursor inner
        cdef uint32 field
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == RESOURCE_ATTRIBUTES:
                self.values.pair(&cursor, attributes, depth)
            elif field == RESOURCE_ENTITY_REFS:
                message(&cursor, &inner, depth)
                self.entity(inner, depth - 1)
            else:
                skip(&cursor, field, depth)
        return 0

    cdef int entity(self, Cursor cursor, int depth) except -1:
        """Nothing is made of it; its texts are texts all the same."""
        cdef uint32 field
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if ENTITY_FIRST_TEXT <= field <= ENTITY_LAST_TEXT and field & 7 == ENTITY_FIRST_TEXT & 7:
                text(&cursor)
            else:
                skip(&cursor, field, depth)
        return 0

    cdef int scoped(self, Cursor cursor, resource, list made, bint spans, int depth) except -1:
        """The items of one scope, which may stand behind them likewise."""
        cdef Cursor inner, again = cursor
        cdef uint32 field
        cdef dict attributes = {}
        name = version = schema_url = ""
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == SCOPED_SCOPE:
                message(&cursor, &inner, depth)
                while inner.at < inner.end:
                    field = tag(&inner)
                    if field == SCOPE_NAME:
                        name = text(&inner)
                    elif field == SCOPE_VERSION:
                        version = text(&inner)
                    elif field == SCOPE_ATTRIBUTES:
                        self.values.pair(&inner, attributes, depth - 1)
                    else:
                        skip(&inner, field, depth - 1)
            elif field == SCOPED_SCHEMA_URL:
                schema_url = text(&cursor)
            else:
                skip(&cursor, field, depth)
        scope = Scope(name=name, version=version or None, schema_url=schema_url or None, attributes=attributes)
        while again.at < again.end:
            field = tag(&again)
            if field == SCOPED_ITEMS:
                message(&again, &inner, depth)
                if spans:
                    made.append(self.span(inner, resource, scope, depth - 1))
                else:
                    made.append(self.record(inner, resource, scope, depth - 1))
            else:
                skip(&again, field, depth)
        return 0

    cdef object span(self, Cursor cursor, resource, scope, int depth):
        """A `Span`, or the `DecodeError` that tells what it lacks."""
        cdef Cursor trace_id, span_id, parent_id, inner
        cdef uint32 field, flags = 0
        cdef uint64 start = 0, end = 0, kind = 0, code = 0
        cdef uint64 dropped_attributes = 0, dropped_events = 0, dropped_links = 0
        cdef dict attributes = {}
        cdef list events = None, links = None
        name = message_of_status = ""
        trace_id = span_id = parent_id = Cursor(NULL, NULL)
        self.values.let_others()
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == SPAN_ATTRIBUTES:
                self.values.pair(&cursor, attributes, depth)
            elif field == SPAN_TRACE_ID:
                content(&cursor, &trace_id)
            elif field == SPAN_SPAN_ID:
                content(&cursor, &span_id)
            elif field == SPAN_PARENT_ID:
                content(&cursor, &parent_id)
            elif field == SPAN_TRACE_STATE:
                text(&cursor)
            elif field == SPAN_NAME:
                name = text(&cursor)
            elif field == SPAN_KIND:
                varint(&cursor, &kind)
            elif field == SPAN_START:
                fixed64(&cursor, &start)
            elif field == SPAN_END:
                fixed64(&cursor, &end)
            elif field == SPAN_DROPPED_ATTRIBUTES:
                varint(&cursor, &dropped_attributes)
            elif field == SPAN_EVENTS:
                message(&cursor, &inner, depth)
                events = [] if events is None else events
                events.append(self.event(inner, depth - 1))
            elif field == SPAN_DROPPED_EVENTS:
                varint(&cursor, &dropped_events)
            elif field == SPAN_LINKS:
                message(&cursor, &inner, depth)
                links = [] if links is None else links
                links.append(self.link(inner, depth - 1))
            elif field == SPAN_DROPPED_LINKS:
                varint(&cursor, &dropped_links)
            elif field == SPAN_FLAGS:
                fixed32(&cursor, &flags)
            elif field == SPAN_STATUS:
                message(&cursor, &inner, depth)
                while inner.at < inner.end:
                    field = tag(&inner)
                    if field == STATUS_MESSAGE:
                        message_of_status = text(&inner)
                    elif field == STATUS_CODE:
                        varint(&inner, &code)
                    else:
                        skip(&inner, field, depth - 1)
            else:
                skip(&cursor, field, depth)
        try:
            parent = identifier(parent_id, SPAN_ID, "parent_span_id")
            trace = self.values.trace_id(trace_id)
            if trace is None:
                raise DecodeError("a span has no `trace_id`")
            itself = identifier(span_id, SPAN_ID, "span_id")
            if itself is None:
                raise DecodeError("a span has no `span_id`")
        except DecodeError as error:
            return error
        if links is not None:
            for link in links:
                if isinstance(link, DecodeError):
                    return link
        return Span(
            trace_id=trace,
            span_id=itself,
            parent_id=parent,
            parent_is_remote=parent is not None and flags & REMOTE == REMOTE,
            name=name,
            kind=KINDS[_enum(kind, 5)],
            start_ns=start,
            end_ns=end if end else None,
            attributes=attributes,
            events=tuple(events) if events is not None else (),
            links=tuple(links) if links is not None else (),
            status=Status(code=CODES[_enum(code, 2)], message=message_of_status or None)
            if code or message_of_status
            else NO_STATUS,
            resource=resource,
            scope=scope,
            dropped_attributes=<uint32>dropped_attributes,
            dropped_events=<uint32>dropped_events,
            dropped_links=<uint32>dropped_links,
        )

    cdef object event(self, Cursor cursor, int depth):
        cdef uint32 field
        cdef uint64 time = 0, dropped = 0
        cdef dict attributes = {}
        name = ""
        self.values.let_others()
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == EVENT_TIME:
                fixed64(&cursor, &time)
            elif field == EVENT_NAME:
                name = text(&cursor)
            elif field == EVENT_ATTRIBUTES:
                self.values.pair(&cursor, attributes, depth)
            elif field == EVENT_DROPPED_ATTRIBUTES:
                varint(&cursor, &dropped)
            else:
                skip(&cursor, field, depth)
        return Event(name=name, time_ns=time, attributes=attributes, dropped_attributes=<uint32>dropped)

    cdef object link(self, Cursor cursor, int depth):
        """A `Link`, or the `DecodeError` for which its span is none."""
        cdef Cursor trace_id, span_id
        cdef uint32 field
        cdef uint64 dropped = 0
        cdef dict attributes = {}
        trace_id = span_id = Cursor(NULL, NULL)
        self.values.let_others()
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == LINK_TRACE_ID:
                content(&cursor, &trace_id)
            elif field == LINK_SPAN_ID:
                content(&cursor, &span_id)
            elif field == LINK_TRACE_STATE:
                text(&cursor)
            elif field == LINK_ATTRIBUTES:
                self.values.pair(&cursor, attributes, depth)
            elif field == LINK_DROPPED_ATTRIBUTES:
                varint(&cursor, &dropped)
            else:
                skip(&cursor, field, depth)
        try:
            trace = self.values.trace_id(trace_id) or ""
            span = identifier(span_id, SPAN_ID, "span_id") or ""
        except DecodeError as error:
            return error
        return Link(trace_id=trace, span_id=span, attributes=attributes, dropped_attributes=<uint32>dropped)

    cdef object record(self, Cursor cursor, resource, scope, int depth):
        """A `LogRecord`, or the `DecodeError` that tells what is wrong with it."""
        cdef Cursor trace_id, span_id, inner
        cdef uint32 field
        cdef uint64 time = 0, observed = 0
        cdef int kind = 0
        cdef dict attributes = {}
        stated = ""
        body = None
        trace_id = span_id = Cursor(NULL, NULL)
        self.values.let_others()
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == RECORD_TIME:
                fixed64(&cursor, &time)
            elif field == RECORD_OBSERVED_TIME:
                fixed64(&cursor, &observed)
            elif field == RECORD_SEVERITY_TEXT:
                text(&cursor)
            elif field == RECORD_BODY:
                message(&cursor, &inner, depth)
                body = self.values.value(inner, body, &kind, depth - 1)
            elif field == RECORD_ATTRIBUTES:
                self.values.pair(&cursor, attributes, depth)
            elif field == RECORD_TRACE_ID:
                content(&cursor, &trace_id)
            elif field == RECORD_SPAN_ID:
                content(&cursor, &span_id)
            elif field == RECORD_EVENT_NAME:
                stated = text(&cursor)
            else:
                skip(&cursor, field, depth)
        try:
            trace = self.values.trace_id(trace_id)
            span = identifier(span_id, SPAN_ID, "span_id")
        except DecodeError as error:
            return error
        return LogRecord(
            trace_id=trace,
            span_id=span,
            event_name=event_name(stated, attributes),
            time_ns=time or observed,
            body=body,
            attributes=attributes,
            resource=resource,
            scope=scope,
        )


cdef int _enum(uint64 number, int last):
    """One of its numbers; any that is not known is the first, as protobuf treats it."""
    cdef int known = <int>number
    return known if 0 <= known <= last else 0
