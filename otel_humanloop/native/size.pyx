"""The twin of `delivery/size.py`: about how many bytes a span takes, for the bound of a spool."""

from cpython.unicode cimport PyUnicode_GET_LENGTH

cdef Py_ssize_t SPAN = 600  # a span without attributes, with its ids and times
cdef Py_ssize_t ENTRY = 100  # a key and the objects that hold it and its value
cdef Py_ssize_t VALUE = 32  # a value that has no length: a number, a truth value, nothing


def size_of(span):
    cdef Py_ssize_t size = SPAN + len(span.name) + _size(span.attributes)
    message = span.status.message
    if message is not None:
        size += len(message)
    for event in span.events:
        size += SPAN // 4 + len(event.name) + _size(event.attributes)
    for link in span.links:
        size += SPAN // 4 + _size(link.attributes)
    return size


cdef Py_ssize_t _size(object attributes) except -1:
    if type(attributes) is not dict:
        attributes = dict(attributes)
    cdef dict entries = attributes
    cdef Py_ssize_t size = ENTRY * len(entries)
    cdef list nested = None
    for key, value in entries.items():
        size += len(key)
        if type(value) is str:
            size += PyUnicode_GET_LENGTH(value)
        elif value is not None and type(value) is not int and type(value) is not float and type(value) is not bool:
            if nested is None:
                nested = []
            nested.append(value)
    return size if nested is None else size + _nested_size(nested)


cdef Py_ssize_t _nested_size(list nested) except -1:
    """A list of its own instead of recursion: an attribute may be nested deeper than the stack."""
    cdef Py_ssize_t size = 0
    while nested:
        value = nested.pop()
        size += VALUE
        if isinstance(value, (str, bytes)):
            size += len(value)
        elif isinstance(value, (list, tuple)):
            nested.extend(value)
        elif isinstance(value, dict):
            nested.extend(value)
            nested.extend(value.values())
    return size
