"""Statements that write many rows at once, as the drivers take them.

They are put together once and given plain tuples: of a body of a thousand logs, each row would otherwise be named,
converted and put in order anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection


def insert_rows(tx: Connection, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Adds rows: values in the order of the columns."""
    if rows:
        tx.exec_driver_sql(_insertion(table, columns, _mark(tx)), list(rows))


def update_rows(
    tx: Connection, table: str, columns: tuple[str, ...], place: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Changes rows: values in the order of the columns, and last that of the column `place`, which names the row."""
    if rows:
        tx.exec_driver_sql(_alteration(table, columns, place, _mark(tx)), list(rows))


def _mark(tx: Connection) -> str:
    return "?" if tx.dialect.paramstyle == "qmark" else "%s"


@lru_cache
def _insertion(table: str, columns: tuple[str, ...], mark: str) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({", ".join([mark] * len(columns))})'


@lru_cache
def _alteration(table: str, columns: tuple[str, ...], place: str, mark: str) -> str:
    values = ", ".join(f'"{column}" = {mark}' for column in columns)
    return f'UPDATE "{table}" SET {values} WHERE "{place}" = {mark}'
