"""The twin of `server/store/texts.py`: the words of a text, each once.

What has been seen stands in two tables, of short words and of long ones, whose places are searched one after the other
from where a word's hash points to. A word of up to seven bytes is one number, read and compared at once.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

cdef uint64_t ONES = 0x0101010101010101
cdef uint64_t HIGHS = 0x8080808080808080
cdef int FEWEST = 10  # places, as a power of two
cdef uint64_t SPREAD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: its product's upper bits tell words apart

cdef struct Long:
    uint64_t hash
    size_t start  # in what has been written
    size_t size  # 0 where the place is free

cdef struct Seen:
    uint64_t* short  # 0 where the place is free
    size_t shorts
    int short_bits
    Long* long
    size_t longs
    int long_bits

cdef unsigned char FOLDED[256]  # what a byte is in a word, 0 between words; a byte beyond ASCII is part of a letter
for _byte in range(256):
    _letter = chr(_byte)
    FOLDED[_byte] = _byte if _byte > 127 else ord(_letter.lower()) if _letter.isalnum() else 0


def each_once(str text not None):
    cdef Py_ssize_t size
    cdef const unsigned char* said = <const unsigned char*> PyUnicode_AsUTF8AndSize(text, &size)
    cdef unsigned char* folded = <unsigned char*> malloc(2 * size + 3 * sizeof(uint64_t))
    cdef unsigned char* written = folded + size + sizeof(uint64_t)
    cdef Seen seen = Seen(NULL, 0, FEWEST, NULL, 0, FEWEST)
    cdef size_t at = 0, start, length, end = 0, beyond = size
    cdef uint64_t word, gaps, below
    cdef bint new
    try:
        if folded is NULL:
            raise MemoryError()
        _grow_short(&seen)
        _grow_long(&seen)
        for start in range(beyond):
            folded[start] = FOLDED[said[start]]
        memset(folded + beyond, 0, sizeof(uint64_t))
        # How long a word is, and whether it is new, no processor can foretell: each branch on it costs more than the
        # rest. So the end of a word is computed, and each is written; what is not new is written over.
        while at < beyond:
            start = at
            word = _loaded(folded + at)
            gaps = (word - ONES) & ~word & HIGHS
            if gaps == 0:
                while folded[at] != 0:
                    at += 1
                length = at - start
                at += 1
                memcpy(written + end, folded + start, length)
                new = _is_new_long(&seen, written, end, length)
            else:
                below = (gaps & (~gaps + 1)) - 1  # all bits up to those of the first byte that is 0
                length = ((below & ONES) * ONES >> 56) - 1
                at += length + 1
                if length == 0:
                    continue
                memcpy(written + end, folded + start, sizeof(uint64_t))
                new = _is_new(&seen, word & below)
            written[end + length] = 32
            end += new * (length + 1)
        return PyUnicode_DecodeUTF8(<const char*> written, end - 1 if end else 0, NULL)
    finally:
        free(folded)
        free(seen.short)
        free(seen.long)


cdef inline uint64_t _loaded(const unsigned char* at) noexcept:
    """Eight bytes, the first of them lowest; compilers make one instruction of it."""
    return (
        <uint64_t> at[0] | <uint64_t> at[1] << 8 | <uint64_t> at[2] << 16 | <uint64_t> at[3] << 24
        | <uint64_t> at[4] << 32 | <uint64_t> at[5] << 40 | <uint64_t> at[6] << 48 | <uint64_t> at[7] << 56
    )


cdef inline bint _is_new(Seen* seen, uint64_t word) except -1:
    cdef size_t most = (<size_t> 1 << seen.short_bits) - 1
    cdef size_t place = word * SPREAD >> (64 - seen.short_bits)
    while (seen.short[place] != 0) & (seen.short[place] != word):
        place = (place + 1) & most
    cdef bint new = seen.short[place] == 0
    seen.short[place] = word
    seen.shorts += new
    if 2 * seen.shorts > most:
        _grow_short(seen)
    return new


cdef bint _is_new_long(Seen* seen, const unsigned char* written, size_t start, size_t size) except -1:
    cdef uint64_t hash = size
    cdef size_t index
    for index in range(start, start + size):
        hash = (hash ^ written[index]) * SPREAD
    cdef size_t most = (<size_t> 1 << seen.long_bits) - 1
    cdef size_t place = hash >> (64 - seen.long_bits)
    cdef Long* other
    while seen.long[place].size != 0:
        other = &seen.long[place]
        if other.hash == hash and other.size == size and memcmp(written + other.start, written + start, size) == 0:
            return False
        place = (place + 1) & most
    seen.long[place] = Long(hash, start, size)
    seen.longs += 1
    if 2 * seen.longs > most:
        _grow_long(seen)
    return True


cdef int _grow_short(Seen* seen) except -1:
    """Four times as many places; the first of all where there are none."""
    cdef int bits = seen.short_bits if seen.short is NULL else seen.short_bits + 2
    cdef uint64_t* places = <uint64_t*> calloc(<size_t> 1 << bits, sizeof(uint64_t))
    cdef size_t index, place
    if places is NULL:
        raise MemoryError()
    if seen.short is not NULL:
        for index in range(<size_t> 1 << seen.short_bits):
            if seen.short[index] != 0:
                place = seen.short[index] * SPREAD >> (64 - bits)
                while places[place] != 0:
                    place = (place + 1) & ((<size_t> 1 << bits) - 1)
                places[place] = seen.short[index]
        free(seen.short)
    seen.short, seen.short_bits = places, bits
    return 0


cdef int _grow_long(Seen* seen) except -1:
    """The same of long words."""
    cdef int bits = seen.long_bits if seen.long is NULL else seen.long_bits + 2
    cdef Long* places = <Long*> calloc(<size_t> 1 << bits, sizeof(Long))
    cdef size_t index, place
    if places is NULL:
        raise MemoryError()
    if seen.long is not NULL:
        for index in range(<size_t> 1 << seen.long_bits):
            if seen.long[index].size != 0:
                place = seen.long[index].hash >> (64 - bits)
                while places[place].size != 0:
                    place = (place + 1) & ((<size_t> 1 << bits) - 1)
                places[place] = seen.long[index]
        free(seen.long)
    seen.long, seen.long_bits = places, bits
    return 0
