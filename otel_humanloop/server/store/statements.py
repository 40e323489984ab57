"""Statements of the hot path, as the drivers take them: many rows written at once, and rows looked up by many values.

They are put together once and are the same however many rows they are about: of a body of a thousand logs, each row
and each value would otherwise be named, converted and put in order anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BindParameter, ColumnElement, Connection, any_, bindparam, func, select


def insert_rows(tx: Connection, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Adds rows: values in the order of the columns."""
    if rows:
        tx.exec_driver_sql(_insertion(table, columns, _mark(tx)), list(rows))


def update_rows(
    tx: Connection, table: str, columns: tuple[str, ...], places: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Changes rows: values in the order of the columns, then those of the columns `places`, which name the row."""
    if rows:
        tx.exec_driver_sql(_alteration(table, columns, places, _mark(tx)), list(rows))


def add_to_rows(
    tx: Connection, table: str, summed: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Adds to the column `summed`, and changes others: what is added, values in the order of the columns, the key."""
    if rows:
        tx.exec_driver_sql(_addition(table, summed, columns, _mark(tx)), list(rows))


def one_of(tx: Connection, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Is a column's value one of those the parameter `name` holds? It is given what `values` makes of them."""
    return one_of_given(tx.dialect.name, column, name)


def one_of_given(dialect: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The same for a database of that dialect: what is made of it can be kept for other transactions."""
    if dialect == "sqlite":
        given = func.json_each(bindparam(name)).table_valued("value", name=f"given_{name}")
        return column.in_(select(given.c.value))
    each: BindParameter[Any] = bindparam(name, type_=ARRAY(column.type))
    return column == any_(each)


def values(tx: Connection, given: Collection[int] | Collection[str]) -> Any:
    """Values as the parameter of `one_of`."""
    return msgspec.json.encode(list(given)).decode() if tx.dialect.name == "sqlite" else list(given)


def _mark(tx: Connection) -> str:
    return "?" if tx.dialect.paramstyle == "qmark" else "%s"


@lru_cache
def _insertion(table: str, columns: tuple[str, ...], mark: str) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({", ".join([mark] * len(columns))})'


@lru_cache
def _alteration(table: str, columns: tuple[str, ...], places: tuple[str, ...], mark: str) -> str:
    changed = ", ".join(f'"{column}" = {mark}' for column in columns)
    there = " AND ".join(f'"{place}" = {mark}' for place in places)
    return f'UPDATE "{table}" SET {changed} WHERE {there}'


@lru_cache
def _addition(table: str, summed: str, columns: tuple[str, ...], mark: str) -> str:
    changed = "".join(f', "{column}" = {mark}' for column in columns)
    return f'UPDATE "{table}" SET "{summed}" = "{summed}" + {mark}{changed} WHERE "key" = {mark}'
