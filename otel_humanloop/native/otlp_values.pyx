"""What attributes and ids of OTLP in protobuf are: the part that spans and log records have in common."""

from cpython.unicode cimport PyUnicode_DecodeASCII, PyUnicode_DecodeUTF8
from libc.string cimport memcmp, memcpy

from otel_humanloop.native.otlp_fields cimport *
from otel_humanloop.native.wire cimport (
    Cursor, content, fixed64, message, raw, skip, tag, text, uint32, uint64, varint,
)

from otel_humanloop.errors import DecodeError

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL


cdef class Values:
    """Those of one request, for what comes again in it: keys with each span, and a trace's id.

    In each of the methods, `depth` is how many messages may be in one another below what is read.
    """

    def __cinit__(self):
        self.keys = [""] * KEYS
        self.trace = None
        self.made = 0

    cdef int let_others(self) except -1:
        """Lets other threads have a turn after some thousand values: what is hostile can be millions of them."""
        self.made += 1
        if self.made % TURN == 0:
            with nogil:
                pass
        return 0

    cdef int pair(self, Cursor* outer, dict into, int depth) except -1:
        """Puts an attribute, which `outer` stands before, among others."""
        cdef Cursor cursor, inner
        cdef uint32 field
        cdef int kind = 0
        key = ""
        value = None
        self.let_others()
        message(outer, &cursor, depth)
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == PAIR_KEY:
                key = self.key(&cursor)
            elif field == PAIR_VALUE:
                message(&cursor, &inner, depth - 1)
                value = self.value(inner, value, &kind, depth - 2)
            else:
                skip(&cursor, field, depth - 1)
        into[key] = value
        return 0

    cdef object value(self, Cursor cursor, value, int* kind, int depth):
        """What a value is, after it was `value` by the field `kind`: lists and maps that come twice go on."""
        cdef Cursor inner
        cdef uint32 field
        cdef uint64 number = 0
        cdef double real
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == VALUE_TEXT:
                value = text(&cursor)
            elif field == VALUE_INT:
                varint(&cursor, &number)
                value = <long long>number
            elif field == VALUE_BOOL:
                varint(&cursor, &number)
                value = number != 0
            elif field == VALUE_DOUBLE:
                fixed64(&cursor, &number)
                memcpy(&real, &number, 8)
                value = real
            elif field == VALUE_ARRAY:
                message(&cursor, &inner, depth)
                if kind[0] != VALUE_ARRAY:
                    value = []
                self.array(inner, value, depth - 1)
            elif field == VALUE_PAIRS:
                message(&cursor, &inner, depth)
                if kind[0] != VALUE_PAIRS:
                    value = {}
                self.pairs(inner, value, depth - 1)
            elif field == VALUE_BYTES:
                value = raw(&cursor)
            elif field == VALUE_TEXT_INDEX:
                varint(&cursor, &number)
                value = <int>number
            else:
                skip(&cursor, field, depth)
                continue
            kind[0] = field
        return value

    cdef int array(self, Cursor cursor, list into, int depth) except -1:
        cdef Cursor inner
        cdef uint32 field
        cdef int kind
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == LIST_VALUES:
                message(&cursor, &inner, depth)
                kind = 0
                self.let_others()
                into.append(self.value(inner, None, &kind, depth - 1))
            else:
                skip(&cursor, field, depth)
        return 0

    cdef int pairs(self, Cursor cursor, dict into, int depth) except -1:
        cdef uint32 field
        while cursor.at < cursor.end:
            field = tag(&cursor)
            if field == LIST_VALUES:
                self.pair(&cursor, into, depth)
            else:
                skip(&cursor, field, depth)
        return 0

    cdef object key(self, Cursor* cursor):
        """An attribute's key. The same come with each span, and are made once for all of them."""
        cdef Cursor inner
        cdef Py_ssize_t size, known_size
        cdef const char* known
        content(cursor, &inner)
        size = inner.end - inner.at
        if not 0 < size <= LONGEST_KEY:
            return PyUnicode_DecodeUTF8(<const char*>inner.at, size, "strict")
        cdef uint32 place = size * 131 + inner.at[size - 1] * 31 + inner.at[size // 2] * 7 + inner.at[size // 3]
        place &= KEYS - 1
        remembered = self.keys[place]
        known = PyUnicode_AsUTF8AndSize(remembered, &known_size)
        if known_size == size and memcmp(known, inner.at, size) == 0:
            return remembered
        made = PyUnicode_DecodeUTF8(<const char*>inner.at, size, "strict")
        self.keys[place] = made
        return made

    cdef object trace_id(self, Cursor written):
        """A trace's id; spans that come one after the other are mostly of one trace."""
        if written.end - written.at != TRACE_ID:
            return identifier(written, TRACE_ID, "trace_id")
        if self.trace is None or memcmp(self.trace_bytes, written.at, TRACE_ID) != 0:
            self.trace = identifier(written, TRACE_ID, "trace_id")
            memcpy(self.trace_bytes, written.at, TRACE_ID)
        return self.trace


cdef object identifier(Cursor written, int size, field):
    """In hex; None for the empty one and for zeros."""
    cdef char digits[2 * TRACE_ID]
    cdef Py_ssize_t length = written.end - written.at
    cdef int place, seen = 0
    if length == 0:
        return None
    if length != size:
        raise DecodeError(f"`{field}` has {length} bytes, but must have {size}")
    for place in range(size):
        seen |= written.at[place]
        digits[2 * place] = b"0123456789abcdef"[written.at[place] >> 4]
        digits[2 * place + 1] = b"0123456789abcdef"[written.at[place] & 15]
    return PyUnicode_DecodeASCII(digits, 2 * size, NULL) if seen else None
