"""Protobuf's wire format, read from bytes that anyone may have written.

Every read is held against the end of what it is in, before it. What is wrong is a `ValueError`: it is the decoder's to
say of what. https://protobuf.dev/programming-guides/encoding/
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_DecodeUTF8

ctypedef const unsigned char* Bytes
ctypedef unsigned long long uint64
ctypedef unsigned int uint32


cdef struct Cursor:
    # What is left of a message, or of a field's content.
    Bytes at
    Bytes end


cdef enum Wire:
    VARINT = 0
    FIXED64 = 1
    SIZED = 2
    GROUP = 3
    END_GROUP = 4
    FIXED32 = 5


cdef inline int malformed() except -1:
    raise ValueError("malformed")


cdef inline int varint(Cursor* cursor, uint64* value) except -1:
    cdef uint64 read = 0
    cdef uint32 shift = 0
    cdef unsigned char byte
    while cursor.at < cursor.end and shift < 70:
        byte = cursor.at[0]
        cursor.at += 1
        read |= <uint64>(byte & 0x7F) << shift
        if byte < 0x80:
            value[0] = read
            return 0
        shift += 7
    return malformed()


cdef inline int short_varint(Cursor* cursor, uint64 most, uint64* value) except -1:
    """One that five bytes are enough for: a tag or a length, which protobuf takes no longer."""
    cdef Bytes start = cursor.at
    varint(cursor, value)
    if cursor.at - start > 5 or value[0] > most:
        return malformed()
    return 0


cdef inline uint32 tag(Cursor* cursor) except 0:
    """A field's number and its wire type."""
    cdef uint64 read = 0
    if cursor.at < cursor.end and 8 <= cursor.at[0] < 0x80:
        cursor.at += 1
        return cursor.at[-1]
    short_varint(cursor, 0xFFFFFFFF, &read)
    if read < 8:  # no field has the number 0
        malformed()
    return <uint32>read


cdef inline int content(Cursor* cursor, Cursor* inner) except -1:
    """What is behind a length, which the cursor then stands behind."""
    cdef uint64 size = 0
    if cursor.at < cursor.end and cursor.at[0] < 0x80:
        size = cursor.at[0]
        cursor.at += 1
    else:
        short_varint(cursor, 0x7FFFFFFF, &size)
    if size > <uint64>(cursor.end - cursor.at):
        return malformed()
    inner.at = cursor.at
    cursor.at += size
    inner.end = cursor.at
    return 0


cdef inline int message(Cursor* cursor, Cursor* inner, int depth) except -1:
    """A message within one that may hold so many, one in the other."""
    if depth <= 0:
        return malformed()
    return content(cursor, inner)


cdef inline object text(Cursor* cursor):
    cdef Cursor inner
    content(cursor, &inner)
    return PyUnicode_DecodeUTF8(<const char*>inner.at, inner.end - inner.at, "strict")


cdef inline object raw(Cursor* cursor):
    cdef Cursor inner
    content(cursor, &inner)
    return PyBytes_FromStringAndSize(<const char*>inner.at, inner.end - inner.at)


cdef inline int fixed64(Cursor* cursor, uint64* value) except -1:
    cdef int place
    if cursor.end - cursor.at < 8:
        return malformed()
    value[0] = 0
    for place in range(8):
        value[0] |= <uint64>cursor.at[place] << 8 * place
    cursor.at += 8
    return 0


cdef inline int fixed32(Cursor* cursor, uint32* value) except -1:
    cdef int place
    if cursor.end - cursor.at < 4:
        return malformed()
    value[0] = 0
    for place in range(4):
        value[0] |= <uint32>cursor.at[place] << 8 * place
    cursor.at += 4
    return 0


cdef inline int skip(Cursor* cursor, uint32 field, int depth) except -1:
    """Passes over the content of a field that is not looked at."""
    cdef uint64 unused
    cdef uint32 unused_half
    cdef Cursor inner
    cdef uint32 wire = field & 7
    if wire == VARINT:
        return varint(cursor, &unused)
    if wire == FIXED64:
        return fixed64(cursor, &unused)
    if wire == SIZED:
        return content(cursor, &inner)
    if wire == FIXED32:
        return fixed32(cursor, &unused_half)
    if wire == GROUP:
        return skip_group(cursor, field >> 3, depth)
    return malformed()  # the end of a group that never began, or a type that there is not


cdef inline int skip_group(Cursor* cursor, uint32 number, int depth) except -1:
    cdef uint64 field = 0
    if depth <= 0:
        return malformed()
    while True:
        short_varint(cursor, 0xFFFFFFFF, &field)  # in here, protobuf does not mind the number 0
        if field & 7 == END_GROUP:
            return 0 if field >> 3 == number else malformed()
        skip(cursor, <uint32>field, depth - 1)
