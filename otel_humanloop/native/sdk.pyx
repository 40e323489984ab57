"""The twin of `spans/sdk.py`: a `Span` of the SDK's `ReadableSpan`.

The SDK's properties are Python functions, and a span has twenty. Of an ended span as the SDK makes it, what they
return is looked up where they have it from. Any other span, and one of an SDK that keeps it elsewhere, is asked for it
as the Python does, by the Python.
"""

from collections.abc import Mapping, Sequence

from cpython.dict cimport PyDict_Copy
from cpython.long cimport PyLong_AsUnsignedLongLong
from cpython.tuple cimport PyTuple_GET_ITEM
from cpython.unicode cimport PyUnicode_DecodeASCII

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext
from opentelemetry.trace import SpanKind as SdkKind
from opentelemetry.trace import StatusCode as SdkCode

from otel_humanloop.spans import Event, Link, Span, SpanKind, Status, StatusCode

cdef extern from "Python.h":
    int Py_EnterRecursiveCall(const char* where) except -1
    void Py_LeaveRecursiveCall()

cdef object READABLE_SPAN = ReadableSpan
cdef object BOUNDED_ATTRIBUTES = BoundedAttributes
cdef object BOUNDED_LIST = BoundedList
cdef object SPAN_CONTEXT = SpanContext
# Its properties ask for the items of a tuple, which it is.
cdef bint CONTEXT_IS_TUPLE = tuple(SpanContext(1, 2, True))[:3] == (1, 2, True)

cdef object UNSET = SdkCode.UNSET
cdef object NO_STATUS = Status()

# The SDK numbers its kinds from INTERNAL = 0, OTLP from UNSPECIFIED = 0; the names are the same. They are few, and each
# is one object: to look for it is quicker than to ask it for its hash, which an enum works out in Python.
cdef list KINDS = [(kind, SpanKind[kind.name]) for kind in SdkKind]

cdef tuple SCALARS = (str, bool, int, float, bytes, type(None))


def from_readable(span, shared=None):
    if type(span) is READABLE_SPAN and shared is not None:
        try:
            return _ended(span, shared)
        except AttributeError:
            pass
    from otel_humanloop.spans.sdk import from_readable as twin

    return twin.__wrapped__(span, shared)


cdef object _ended(span, shared):
    cdef tuple context = _context(span._context)
    cdef tuple known
    parent = span._parent
    parent_id = None
    parent_is_remote = False
    if parent is not None:
        known = _context(parent)
        number, parent_is_remote = known[1], known[2]
        parent_id = _hex16(number) if number else None
    attributes = span._attributes
    cdef tuple events = _items(span._events)
    cdef tuple links = _items(span._links)
    status = span._status
    return Span(
        trace_id=_trace_id(shared, context[0]),
        span_id=_hex16(context[1]),
        parent_id=parent_id,
        parent_is_remote=parent_is_remote,
        name=span._name,
        kind=_kind(span._kind),
        start_ns=span._start_time or 0,
        end_ns=span._end_time,
        attributes=plain_map(attributes),
        events=tuple([_event(event) for event in events]) if events else (),
        links=tuple([_link(link) for link in links]) if links else (),
        status=NO_STATUS
        if status._status_code is UNSET and not status._description
        else Status(code=StatusCode(status._status_code.value), message=status._description or None),
        resource=_resource(shared, span._resource),
        scope=_scope(shared, span._instrumentation_scope),
        dropped_attributes=attributes.dropped if type(attributes) is BOUNDED_ATTRIBUTES else span.dropped_attributes,
        dropped_events=_dropped(span._events, "dropped_events", span),
        dropped_links=_dropped(span._links, "dropped_links", span),
    )


cdef object _trace_id(shared, number):
    cdef tuple last = shared._trace
    return last[1] if last[0] == number else shared.trace_id(number)


cdef object _resource(shared, resource):
    known = (<dict?>shared._resources).get(id(resource))
    return (<tuple?>known)[1] if known is not None else shared.resource(resource)


cdef object _scope(shared, scope):
    known = (<dict?>shared._scopes).get(id(scope))
    return (<tuple?>known)[1] if known is not None else shared.scope(scope)


cdef tuple _context(context):
    """A trace's id, a span's, and whether it is remote."""
    if type(context) is SPAN_CONTEXT and CONTEXT_IS_TUPLE:
        return <tuple>context
    return context.trace_id, context.span_id, context.is_remote


cdef tuple _items(items):
    """Events or links, copied; an SDK's list of them is asked how long it is without its lock."""
    if type(items) is BOUNDED_LIST and not items._dq:
        return ()
    return tuple(items)


cdef object _dropped(items, property, span):
    return items.dropped if type(items) is BOUNDED_LIST else getattr(span, property)


cdef object _kind(kind):
    for theirs, ours in KINDS:
        if theirs is kind:
            return ours
    return SpanKind[kind.name]


cdef object _event(event):
    return Event(
        name=event.name,
        time_ns=event.timestamp,
        attributes=plain_map(event.attributes),
        dropped_attributes=event.dropped_attributes,
    )


cdef object _link(link):
    context = link.context
    return Link(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        attributes=plain_map(link.attributes),
        dropped_attributes=link.dropped_attributes,
    )


cdef object _hex16(number):
    """A span's id as 16 lowercase hex digits, more if it has more."""
    if type(number) is not int or not 0 <= number < 0x1_0000_0000_0000_0000:
        return f"{number:016x}"
    cdef unsigned long long left = PyLong_AsUnsignedLongLong(number)
    cdef char digits[16]
    cdef int place
    for place in range(15, -1, -1):
        digits[place] = b"0123456789abcdef"[left & 15]
        left >>= 4
    return PyUnicode_DecodeASCII(digits, 16, NULL)


def plain_map(attributes):
    if attributes is None:
        return {}
    cdef dict copied = _copied(attributes)
    for key, value in copied.items():
        if not _is_plain(value):
            copied[key] = _plain(value)  # a key that is there: what is gone through does not change by it
    return copied


cdef dict _copied(attributes):
    """A copy as it is at one moment, though its program goes on writing to it."""
    if type(attributes) is BOUNDED_ATTRIBUTES and type(attributes._dict) is dict:
        return PyDict_Copy(attributes._dict)
    # The SDK's own containers copy themselves in one step, which no other thread can come between.
    copy = getattr(attributes, "copy", None)
    if copy is not None:
        try:
            copied = copy()
        except AttributeError:  # of a view on something that has no such method
            copied = None
        if type(copied) is dict:
            return copied
    # `get`: a key may be evicted between our seeing it and reading it.
    return {key: attributes.get(key) for key in list(attributes)}


cdef inline bint _is_plain(value):
    cdef object kind = type(value)
    return kind is str or kind is int or kind is bool or kind is float or value is None or kind is bytes


def plain(value):
    return _plain(value)


cdef object _plain(value):
    if _is_plain(value) or isinstance(value, SCALARS):
        return value
    Py_EnterRecursiveCall(" while a value was copied")
    try:
        if type(value) is tuple:  # as the SDK keeps sequences
            return [_plain(item) for item in <tuple>value]
        if isinstance(value, Mapping):
            return {str(key): _plain(item) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [_plain(item) for item in value]
    finally:
        Py_LeaveRecursiveCall()
    return str(value)
