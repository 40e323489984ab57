"""The twin of `reading/usual.py`: messages of text out of their JSON.

What nearly all messages are is read here: a role, and words. JSON of anything else is left to the Python, as is what is
no JSON at all. Words are copied in one piece where nothing in them is escaped, and a loop that only looks whether they
hold what may not stand there goes through many bytes at a time (the compiler makes it so at `-O3`).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp

import msgspec

from otel_humanloop.operation import Message, Text

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    void* PyUnicode_1BYTE_DATA(object text)

cdef object MESSAGE = Message
cdef object TEXT = Text
cdef object decode_text = msgspec.json.Decoder(str).decode


cdef class _Unlike(Exception):
    """It is something else."""


def conversation(text, role):
    if type(text) is str:
        try:
            return _conversation(text, role)
        except (_Unlike, msgspec.DecodeError, UnicodeError):
            pass
    from otel_humanloop.reading.usual import conversation as twin

    return twin.__wrapped__(text, role)


cdef struct Cursor:
    const char* at
    const char* end


cdef tuple _conversation(str text, role):
    cdef bytes encoded
    cdef Cursor cursor
    if PyUnicode_IS_ASCII(text):
        cursor.at = <const char*>PyUnicode_1BYTE_DATA(text)
        cursor.end = cursor.at + PyUnicode_GET_LENGTH(text)
    else:
        encoded = text.encode()
        cursor.at = PyBytes_AS_STRING(encoded)
        cursor.end = cursor.at + PyBytes_GET_SIZE(encoded)
    cdef list messages = []
    _expect(&cursor, b"[")
    if _peek(&cursor) != b"]":
        while True:
            messages.append(_message(&cursor, role))
            if not _goes_on(&cursor):
                break
    _expect(&cursor, b"]")
    _skip(&cursor)
    if cursor.at != cursor.end:
        raise _Unlike
    return tuple(messages)


cdef object _message(Cursor* cursor, role):
    cdef tuple parts = None
    own_role = name = finish_reason = None
    cdef int seen = 0
    cdef int which
    _expect(cursor, b"{")
    while True:
        which = _key(cursor, &seen)
        if which == 4:
            parts = _parts(cursor)
        elif which == 1:
            own_role = _text_or_null(cursor)
        elif which == 2:
            name = _text_or_null(cursor)
        elif which == 8:
            finish_reason = _text_or_null(cursor)
        else:
            raise _Unlike
        if not _goes_on(cursor):
            break
    _expect(cursor, b"}")
    said_by = own_role or role
    if parts is None or said_by == "tool":
        raise _Unlike
    return MESSAGE(role=said_by, parts=parts, name=name or None, finish_reason=finish_reason or None)


cdef tuple _parts(Cursor* cursor):
    cdef list parts = []
    _expect(cursor, b"[")
    if _peek(cursor) != b"]":
        while True:
            parts.append(_part(cursor))
            if not _goes_on(cursor):
                break
    _expect(cursor, b"]")
    return tuple(parts)


cdef object _part(Cursor* cursor):
    content = None
    cdef int seen = 0
    cdef int which
    _expect(cursor, b"{")
    while True:
        which = _key(cursor, &seen)
        if which == 16:
            if _text(cursor) != "text":
                raise _Unlike
        elif which == 32:
            content = _text(cursor)
        else:
            raise _Unlike
        if not _goes_on(cursor):
            break
    _expect(cursor, b"}")
    if seen != 48:
        raise _Unlike
    return TEXT(text=content)


cdef int _key(Cursor* cursor, int* seen) except -1:
    """Which key comes next, a bit of its own each, that was not seen yet; behind it and its colon."""
    cdef int which = _named(cursor)
    if seen[0] & which:
        raise _Unlike
    seen[0] |= which
    _expect(cursor, b":")
    return which


cdef int _named(Cursor* cursor) except -1:
    _expect(cursor, b'"')
    cdef const char* start = cursor.at
    cdef const char* end = <const char*>memchr(start, b'"', cursor.end - start)
    if end == NULL:
        raise _Unlike
    cursor.at = end + 1
    cdef Py_ssize_t length = end - start
    if length == 4:
        if memcmp(start, b"role", 4) == 0:
            return 1
        if memcmp(start, b"name", 4) == 0:
            return 2
        if memcmp(start, b"type", 4) == 0:
            return 16
    elif length == 5 and memcmp(start, b"parts", 5) == 0:
        return 4
    elif length == 7 and memcmp(start, b"content", 7) == 0:
        return 32
    elif length == 13 and memcmp(start, b"finish_reason", 13) == 0:
        return 8
    raise _Unlike


cdef object _text_or_null(Cursor* cursor):
    if _peek(cursor) == b"n":
        if cursor.end - cursor.at < 4 or memcmp(cursor.at, b"null", 4) != 0:
            raise _Unlike
        cursor.at += 4
        return None
    return _text(cursor)


cdef object _text(Cursor* cursor):
    _expect(cursor, b'"')
    cdef const char* start = cursor.at
    cdef const char* end = <const char*>memchr(start, b'"', cursor.end - start)
    if end == NULL:
        raise _Unlike
    if memchr(start, b"\\", end - start) == NULL:
        if _has_controls(start, end):
            raise _Unlike
        cursor.at = end + 1
        return PyUnicode_DecodeUTF8(start, end - start, NULL)
    cdef const char* at = start
    while at < cursor.end and at[0] != b'"':
        at += 2 if at[0] == b"\\" else 1
    if at >= cursor.end:
        raise _Unlike
    cursor.at = at + 1
    return decode_text(PyBytes_FromStringAndSize(start - 1, at - start + 2))


cdef bint _has_controls(const char* start, const char* end) noexcept:
    cdef unsigned char found = 0
    cdef const unsigned char* at = <const unsigned char*>start
    cdef Py_ssize_t length = end - start
    cdef Py_ssize_t i
    for i in range(length):
        found |= at[i] < 0x20
    return found


cdef int _skip(Cursor* cursor) except -1:
    while cursor.at < cursor.end and cursor.at[0] in b" \n\r\t":
        cursor.at += 1
    return 0


cdef char _peek(Cursor* cursor) except? 0:
    """The next character that is no white space; 0 at the end."""
    _skip(cursor)
    return cursor.at[0] if cursor.at < cursor.end else 0


cdef bint _goes_on(Cursor* cursor) except -1:
    """Whether a comma comes next; behind it."""
    if _peek(cursor) != b",":
        return False
    cursor.at += 1
    return True


cdef int _expect(Cursor* cursor, char wanted) except -1:
    if _peek(cursor) != wanted:
        raise _Unlike
    cursor.at += 1
    return 0
