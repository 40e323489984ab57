"""The rows of one table that a write has seen or changed, in memory until they are written in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select

from otel_humanloop.server.store.statements import insert_rows, one_of_given, update_rows, values


class Keyed(Protocol):
    """A record whose fields are columns of its table, `key` first."""

    __struct_fields__: ClassVar[tuple[str, ...]]

    @property
    def key(self) -> int: ...


RowT = TypeVar("RowT", bound=Keyed)

CHUNK = 5_000
"""Values in one IN list; SQLite takes 32,766 variables in a statement."""


class Rows(Generic[RowT]):
    """Finds rows by key or by what names them, and remembers what it found and what it did not.

    Args:
        names: Sets of columns that name a row, such as `("id",)` and `("project", "hash")`. If several rows have the
            same name (which the table forbids except among nulls), the newest is meant.
        fixed: Columns that never change once the row is there.
        seen: Is told of every row that is found or put.
    """

    def __init__(
        self,
        tx: Connection,
        table: Table,
        record: type[RowT],
        *names: tuple[str, ...],
        fixed: tuple[str, ...] = (),
        seen: Callable[[RowT], None] | None = None,
    ) -> None:
        self._tx = tx
        self._table = table
        self._record = record
        self._fields = record.__struct_fields__
        self._seen = seen
        self._values: Callable[[RowT], tuple[Any, ...]] = attrgetter(*self._fields)
        self._varying = tuple(field for field in self._fields if field != "key" and field not in fixed)
        self._variables: Callable[[RowT], tuple[Any, ...]] = attrgetter(*self._varying, "key")
        self._rows: dict[int, RowT] = {}
        self._places: dict[tuple[str, ...], dict[Any, int | None]] = {name: {} for name in names}
        self._named = [(attrgetter(*name), places) for name, places in self._places.items()]
        self._groups: dict[str, dict[Any, set[int]]] = {}
        self._changed: set[int] = set()
        self._next_key: int | None = None
        self.new: set[int] = set()

    def get(self, key: int) -> RowT:
        """The row with this key, which must exist."""
        if key not in self._rows:
            self.load(self._table.c.key == key)
        return self._rows[key]

    def held(self, key: int) -> RowT | None:
        """The row with this key, if it is in memory."""
        return self._rows.get(key)

    def find(self, **name: Any) -> RowT | None:
        """The row with this name: `find(id="pr_...")`, `find(project=3, hash="...")`."""
        named = tuple(name.values())
        return self.at(tuple(name), named[0] if len(named) == 1 else named)

    def at(self, columns: tuple[str, ...], value: Any, *, there: bool = True) -> RowT | None:
        """As `find`: the value of one column, or those of several. Each log asks some times, so it is told no names.

        Args:
            there: The table may hold such a row; else memory alone can.
        """
        places = self._places[columns]
        if there and value not in places:
            places[value] = None
            pairs = zip(columns, (value,) if len(columns) == 1 else value, strict=True)
            self.load(and_(*(self._table.c[column] == each for column, each in pairs)), newest=True)
        key = places.get(value)
        return None if key is None else self._rows[key]

    def expect(self, column: str, wanted: Iterable[Any]) -> None:
        """Loads in bulk what `find` will be asked for by one column."""
        named = sorted({value for value in wanted if value is not None})
        self.absent((column,), named)
        self.load_by(column, named)

    def absent(self, columns: tuple[str, ...], wanted: Iterable[Any]) -> None:
        """Says that no row in the table beyond those in memory has one of these names, so that `at` need not ask."""
        places = self._places[columns]
        for value in wanted:
            places.setdefault(value, None)

    def load(self, where: ColumnElement[bool], *, newest: bool = False, **given: Any) -> list[RowT]:
        """Rows of the table, each as this write has changed it; deleted ones are left out.

        Args:
            newest: Only the one that came last.
            given: Parameters of `where`.
        """
        statement = _selection(self._table, self._fields).where(where)
        if newest:
            statement = statement.order_by(self._table.c.key.desc()).limit(1)
        return self.run(statement, given)

    def load_by(self, column: str, wanted: Sequence[Any]) -> list[RowT]:
        """As `load`, the rows in whose column stands one of these values."""
        if not wanted:
            return []
        statement = _selection_by(self._tx.dialect.name, self._table, self._fields, column)
        return self.run(statement, {"wanted": values(self._tx, wanted)})

    def run(self, statement: Select[Any], given: Mapping[str, Any]) -> list[RowT]:
        """As `load`, the rows of a statement that selects what a record holds."""
        found: list[RowT] = []
        for line in self._tx.execute(statement, given).all():
            row = self._rows.get(line[0])
            if row is None:
                if line[0] in self._changed:
                    continue  # it is deleted
                row = self._record(**dict(zip(self._fields, line, strict=True)))
                self._keep(row)
            found.append(row)
        return found

    def new_key(self) -> int:
        """A key for a row to be `put`. The one writer makes it unique."""
        key = self._next_key
        if key is None:
            key = 1 + int(self._tx.execute(_highest(self._table)).scalar_one())
        self._next_key = key + 1
        self.new.add(key)
        return key

    def put(self, row: RowT) -> RowT:
        """Adds a row, or puts it in the place of the one with its key."""
        old = self._rows.get(row.key)
        if old is not None:
            self._leave(old)
        self._keep(row)
        self._changed.add(row.key)
        return row

    def forget(self, key: int) -> None:
        """The row is about to be deleted."""
        self._leave(self._rows.pop(key))
        self._changed.add(key)

    def among(self, keys: Iterable[int]) -> list[RowT]:
        """Those of the rows in memory that have one of these keys, in order of arrival."""
        rows = self._rows
        return [rows[key] for key in sorted(keys) if key in rows]

    def having(self, column: str, value: Any) -> list[RowT]:
        """The rows in memory in whose column this value stands, in order of arrival."""
        group = self._groups.get(column)
        if group is None:  # most writes never ask
            group = self._groups[column] = {}
            for key, row in self._rows.items():
                group.setdefault(getattr(row, column), set()).add(key)
        return [row for row in self.among(group.get(value, ())) if getattr(row, column) == value]

    def flush(self, **columns: Mapping[int, Any]) -> None:
        """Writes what was put. `columns` gives, by key, what new rows hold beyond the record."""
        changed = self.among(self._changed)
        table = self._table.name
        given = list(columns.values())
        added = [(*self._values(row), *[held[row.key] for held in given]) for row in changed if row.key in self.new]
        insert_rows(self._tx, table, (*self._fields, *columns), added)
        altered = [self._variables(row) for row in changed if row.key not in self.new]
        update_rows(self._tx, table, self._varying, ("key",), altered)
        self._changed.clear()
        self.new.clear()

    def _leave(self, row: RowT) -> None:
        for value_of, places in self._named:
            places[value_of(row)] = None

    def _keep(self, row: RowT) -> None:
        self._rows[row.key] = row
        if self._seen is not None:
            self._seen(row)
        key = row.key
        for column, group in self._groups.items():
            group.setdefault(getattr(row, column), set()).add(key)
        for value_of, places in self._named:
            value = value_of(row)
            other = places.get(value)
            if other is None or other <= key:
                places[value] = key


@lru_cache
def _selection(table: Table, fields: tuple[str, ...]) -> Select[Any]:
    return select(*[table.c[field] for field in fields])


@lru_cache
def _selection_by(dialect: str, table: Table, fields: tuple[str, ...], column: str) -> Select[Any]:
    return _selection(table, fields).where(one_of_given(dialect, table.c[column], "wanted"))


@lru_cache
def _highest(table: Table) -> Select[Any]:
    return select(func.coalesce(func.max(table.c.key), 0))


def chunks(wanted: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in pieces that fit into one statement."""
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]
