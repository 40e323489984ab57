"""The twins of `reading/usual.py`, `logs/casting.py` and `logs/mould.py`: messages of text out of their JSON, and into
a log's.

What nearly all messages are is done here: a role, and words. JSON of anything else is left to the Python, as is what is
no JSON at all. Words are copied in one piece where nothing in them is escaped, and a loop that only looks whether
anything is goes through many bytes at a time (the compiler makes it so at `-O3`).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp, memcpy

import msgspec

from otel_humanloop.operation import Message, Text

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    void* PyUnicode_1BYTE_DATA(object text)

cdef object MESSAGE = Message
cdef object TEXT = Text
cdef object decode_text = msgspec.json.Decoder(str).decode
cdef object encode = msgspec.json.Encoder().encode

cdef dict ROLES = {role: b'{"role":"%b","content":' % role.encode() for role in ("user", "assistant", "system", "tool")}


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


def written(messages):
    cdef list pieces = []
    cdef bytes head
    for message in messages:
        parts = message.parts
        head = ROLES.get(message.role)
        if head is None or len(parts) != 1 or type(parts[0]) is not TEXT or message.name:
            from otel_humanloop.logs.casting import written as twin

            return twin.__wrapped__(messages)
        pieces.append(head)
        pieces.append(_json(parts[0].text))
        pieces.append(b"},")
    if not pieces:
        return b"[]"
    pieces[-1] = b"}]"
    pieces[0] = b"[" + pieces[0]
    return b"".join(pieces)


def answer(messages):
    cdef bytes words
    if len(messages) == 1:
        message = messages[0]
        parts = message.parts
        head = ROLES.get(message.role)
        if head is not None and len(parts) == 1 and type(parts[0]) is TEXT and not message.name:
            words = _json(parts[0].text)
            return b"%b%b}" % (head, words), words
    from otel_humanloop.logs.casting import answer as twin

    return twin.__wrapped__(messages)


def filled(pieces, places, values):
    cdef Part[MOST_PARTS] parts
    cdef char[MOST_PARTS][DIGITS_OF_A_NUMBER] numbers
    cdef Py_ssize_t count = len(places)
    cdef Py_ssize_t total = 0
    cdef Py_ssize_t i
    cdef list kept = []  # what was made here, for as long as its bytes are pointed to
    cdef bytes encoded, made
    cdef tuple place
    if count > MOST_PARTS or type(pieces) is not tuple or len(pieces) != count + 1:
        from otel_humanloop.logs.mould import filled as twin

        return twin.__wrapped__(pieces, places, values)
    for i in range(count):
        place = places[i]
        value = values[place[0]]
        parts[i].is_quoted = False
        if type(value) is str and _is_plain(value):
            parts[i].is_quoted = True
            parts[i].start = <const char*>PyUnicode_1BYTE_DATA(value)
            parts[i].length = PyUnicode_GET_LENGTH(value)
        elif type(value) is int and 0 <= value < 10**19:
            parts[i].length = _digits(value, numbers[i])
            parts[i].start = &numbers[i][DIGITS_OF_A_NUMBER - parts[i].length]
        else:
            encoded = value if place[1] else _json(value) if type(value) is str else encode(value)
            kept.append(encoded)
            parts[i].start = PyBytes_AS_STRING(encoded)
            parts[i].length = PyBytes_GET_SIZE(encoded)
        total += parts[i].length + 2 * parts[i].is_quoted
    for piece in <tuple>pieces:
        total += PyBytes_GET_SIZE(piece)
    made = PyBytes_FromStringAndSize(NULL, total)
    cdef char* out = PyBytes_AS_STRING(made)
    for i in range(count + 1):
        encoded = pieces[i]
        memcpy(out, PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded))
        out += PyBytes_GET_SIZE(encoded)
        if i == count:
            break
        if parts[i].is_quoted:
            out[0] = c'"'
            out += 1
        memcpy(out, parts[i].start, parts[i].length)
        out += parts[i].length
        if parts[i].is_quoted:
            out[0] = c'"'
            out += 1
    return made


# Out of JSON


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
            if _peek(&cursor) != b",":
                break
            cursor.at += 1
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
        which = _key(cursor)
        if seen & which:
            raise _Unlike
        seen |= which
        _expect(cursor, b":")
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
        if _peek(cursor) != b",":
            break
        cursor.at += 1
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
            if _peek(cursor) != b",":
                break
            cursor.at += 1
    _expect(cursor, b"]")
    return tuple(parts)


cdef object _part(Cursor* cursor):
    content = None
    cdef int seen = 0
    cdef int which
    _expect(cursor, b"{")
    while True:
        which = _key(cursor)
        if seen & which:
            raise _Unlike
        seen |= which
        _expect(cursor, b":")
        if which == 16:
            if _text(cursor) != "text":
                raise _Unlike
        elif which == 32:
            content = _text(cursor)
        else:
            raise _Unlike
        if _peek(cursor) != b",":
            break
        cursor.at += 1
    _expect(cursor, b"}")
    if seen != 48:
        raise _Unlike
    return TEXT(text=content)


cdef int _key(Cursor* cursor) except -1:
    """Which key comes next: a bit of its own each."""
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


cdef int _expect(Cursor* cursor, char wanted) except -1:
    if _peek(cursor) != wanted:
        raise _Unlike
    cursor.at += 1
    return 0


# Into JSON


cdef enum:
    MOST_PARTS = 64
    DIGITS_OF_A_NUMBER = 20


cdef struct Part:
    # What stands in one place: its JSON, or a text that is its own JSON but for the quotes.
    const char* start
    Py_ssize_t length
    bint is_quoted


cdef bint _is_plain(text):
    """Whether a text is short, and stands in JSON as it is."""
    cdef const unsigned char* source
    cdef unsigned char c
    cdef unsigned char escapes = 0
    cdef Py_ssize_t i
    if not PyUnicode_IS_ASCII(text):
        return False
    source = <const unsigned char*>PyUnicode_1BYTE_DATA(text)
    for i in range(PyUnicode_GET_LENGTH(text)):
        c = source[i]
        escapes |= (c < 0x20) | (c == 0x22) | (c == 0x5C)
    return not escapes


cdef Py_ssize_t _digits(unsigned long long number, char* buffer) noexcept:
    """Writes a number to the end of a buffer; how many digits it has."""
    cdef Py_ssize_t at = DIGITS_OF_A_NUMBER
    while True:
        at -= 1
        buffer[at] = c"0" + <char>(number % 10)
        number //= 10
        if not number:
            return DIGITS_OF_A_NUMBER - at


cdef bytes _json(str text):
    """A text as JSON has it."""
    cdef bytes encoded, made
    cdef const unsigned char* source
    cdef Py_ssize_t length
    if PyUnicode_IS_ASCII(text):
        source = <const unsigned char*>PyUnicode_1BYTE_DATA(text)
        length = PyUnicode_GET_LENGTH(text)
    else:
        encoded = text.encode()
        source = <const unsigned char*>PyBytes_AS_STRING(encoded)
        length = PyBytes_GET_SIZE(encoded)
    cdef Py_ssize_t i
    cdef Py_ssize_t more = 0
    cdef unsigned char c
    cdef unsigned char escapes = 0
    for i in range(length):
        c = source[i]
        escapes |= (c < 0x20) | (c == 0x22) | (c == 0x5C)
    if escapes:
        for i in range(length):
            more += _longer(source[i])
    made = PyBytes_FromStringAndSize(NULL, length + more + 2)
    cdef unsigned char* out = <unsigned char*>PyBytes_AS_STRING(made)
    out[0] = 0x22
    if not escapes:
        memcpy(out + 1, source, length)
        out += length + 1
    else:
        out += 1
        for i in range(length):
            c = source[i]
            if c >= 0x20 and c != 0x22 and c != 0x5C:
                out[0] = c
                out += 1
            else:
                out[0] = 0x5C
                out[1] = SHORT[c]
                out += 2
                if out[-1] == 0x75:  # u
                    out[0] = out[1] = 0x30
                    out[2] = DIGITS[c >> 4]
                    out[3] = DIGITS[c & 15]
                    out += 4
    out[0] = 0x22
    return made


cdef unsigned char[128] SHORT
cdef const char* DIGITS = b"0123456789abcdef"


cdef void _prepare() noexcept:
    cdef int c
    for c in range(0x20):
        SHORT[c] = 0x75
    SHORT[0x08] = 0x62
    SHORT[0x09] = 0x74
    SHORT[0x0A] = 0x6E
    SHORT[0x0C] = 0x66
    SHORT[0x0D] = 0x72
    SHORT[0x22] = 0x22
    SHORT[0x5C] = 0x5C


cdef inline Py_ssize_t _longer(unsigned char c) noexcept:
    """How many bytes more a character takes in JSON."""
    if c >= 0x20 and c != 0x22 and c != 0x5C:
        return 0
    return 5 if SHORT[c] == 0x75 else 1


_prepare()
