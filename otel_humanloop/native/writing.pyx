"""The twins of `logs/casting.py` and `logs/mould.py`: messages of text into a log's JSON, and a mould filled.

What nearly all messages are is written here: a role, and words. Anything else is left to the Python. Words are copied in
one piece where nothing in them is to be escaped, and a loop that only looks whether anything is goes through many bytes
at a time (the compiler makes it so at `-O3`).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcpy

import msgspec

from otel_humanloop.operation import Text

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    void* PyUnicode_1BYTE_DATA(object text)

cdef object TEXT = Text
cdef object encode = msgspec.json.Encoder().encode

cdef dict ROLES = {role: b'{"role":"%b","content":' % role.encode() for role in ("user", "assistant", "system", "tool")}


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
