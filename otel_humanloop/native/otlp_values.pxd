from otel_humanloop.native.wire cimport Cursor

cdef enum:
    KEYS = 256  # attribute keys that are remembered: a power of two
    LONGEST_KEY = 64
    TRACE_ID = 16  # bytes
    TURN = 4096


cdef class Values:
    cdef list keys  # each at a place that its bytes tell
    cdef unsigned char trace_bytes[TRACE_ID]
    cdef object trace  # the last of the traces' ids, in hex
    cdef unsigned int made  # how much, for `let_others`

    cdef int let_others(self) except -1
    cdef int pair(self, Cursor* outer, dict into, int depth) except -1
    cdef object value(self, Cursor cursor, value, int* kind, int depth)
    cdef int array(self, Cursor cursor, list into, int depth) except -1
    cdef int pairs(self, Cursor cursor, dict into, int depth) except -1
    cdef object key(self, Cursor* cursor)
    cdef object trace_id(self, Cursor written)


cdef object identifier(Cursor written, int size, field)
