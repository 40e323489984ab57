"""The twin of `logs/likeness.py`: whether a span's attributes are those of another, in one walk over them."""

from cpython.dict cimport PyDict_Next
from cpython.object cimport PyObject, Py_EQ, PyObject_RichCompareBool
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_Check
from libc.math cimport copysign

cdef extern from "Python.h":
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    Py_UCS4 PyUnicode_READ_CHAR(object text, Py_ssize_t index)


def is_like(attributes, example):
    if type(attributes) is not dict:
        from otel_humanloop.logs.likeness import is_like as twin

        return twin.__wrapped__(attributes, example)
    cdef tuple known
    cdef PyObject* key
    cdef PyObject* value
    cdef Py_ssize_t position = 0
    cdef Py_ssize_t at = 0
    if len(<dict>attributes) != PyTuple_GET_SIZE(example):
        return False
    while PyDict_Next(attributes, &position, &key, &value):
        known = <tuple>PyTuple_GET_ITEM(example, at)
        at += 1
        if key != <PyObject*>known[0] and not PyObject_RichCompareBool(<object>key, known[0], Py_EQ):
            return False
        if not _is_value(<object>value, known[1], known[2]):
            return False
    return True


cdef bint _is_value(value, known_type, known) except -1:
    cdef Py_UCS4 first
    if type(value) is not known_type:
        return False
    if known is ...:
        if known_type is str and PyUnicode_GET_LENGTH(value):
            first = PyUnicode_READ_CHAR(value, 0)
            if first == c"[" or first == c"{":
                return PyUnicode_READ_CHAR(value, PyUnicode_GET_LENGTH(value) - 1) == (c"]" if first == c"[" else c"}")
        return True
    if value is known:
        return known_type is not float or <double>value == <double>value
    if not PyObject_RichCompareBool(value, known, Py_EQ):
        return False
    return known_type is not float or copysign(1, <double>value) == copysign(1, <double>known)
