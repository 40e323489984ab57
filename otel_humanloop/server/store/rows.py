"""The rows of one table that a write has seen or changed, in memory until they are written in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from otel_humanloop.server.store.statements import insert_rows, update_rows


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
        seen: Is told of every row that is found or put.
    """

    def __init__(
        self,
        tx: Connection,
        table: Table,
        record: type[RowT],
        *names: tuple[str, ...],
        seen: Callable[[RowT], None] | None = None,
    ) -> None:
        self._tx = tx
        self._table = table
        self._record = record
        self._fields = record.__struct_fields__
        self._seen = seen
        self._values: Callable[[RowT], tuple[Any, ...]] = attrgetter(*self._fields)
        self._columns = [table.c[field] for field in self._fields]
        self._rows: dict[int, RowT] = {}
        self._places: dict[tuple[str, ...], dict[Any, int | None]] = {name: {} for name in names}
        self._named = [(attrgetter(*name), places) for name, places in self._places.items()]
        self._changed: set[int] = set()
        self._next_key: int | None = None
        self.new: set[int] = set()

    def get(self, key: int) -> RowT:
        """The row with this key, which must exist."""
        if key not in self._rows:
            self.load(self._table.c.key == key)
        return self._rows[key]

    def find(self, **name: Any) -> RowT | None:
        """The row with this name: `find(id="pr_...")`, `find(project=3, hash="...")`."""
        places, value = self._places[tuple(name)], _value(name)
        if value not in places:
            places[value] = None
            same = and_(*(self._table.c[column] == value for column, value in name.items()))
            self.load(same, newest=True)
        key = places[value]
        return None if key is None else self._rows[key]

    def expect(self, column: str, values: Iterable[Any]) -> None:
        """Loads in bulk what `find` will be asked for by one column."""
        wanted = sorted({value for value in values if value is not None})
        places = self._places[column,]
        for value in wanted:
            places.setdefault(value, None)
        for chunk in chunks(wanted):
            self.load(self._table.c[column].in_(chunk))

    def absent(self, **name: Any) -> None:
        """Says that no row in the table has this name, so that `find` need not ask."""
        self._places[tuple(name)].setdefault(_value(name), None)

    def load(self, where: ColumnElement[bool], *, newest: bool = False) -> list[RowT]:
        """Rows of the table, each as this write has changed it; deleted ones are left out."""
        statement = select(*self._columns).where(where)
        if newest:
            statement = statement.order_by(self._table.c.key.desc()).limit(1)
        found: list[RowT] = []
        for line in self._tx.execute(statement):
            if line[0] in self._changed and line[0] not in self._rows:
                continue
            if line[0] not in self._rows:
                self._keep(self._record(**dict(zip(self._fields, line, strict=True))))
            found.append(self._rows[line[0]])
        return found

    def new_key(self) -> int:
        """A key for a row to be `put`. The one writer makes it unique."""
        key = self._next_key
        if key is None:
            key = 1 + int(self._tx.execute(select(func.coalesce(func.max(self._table.c.key), 0))).scalar_one())
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
        return [self._rows[key] for key in sorted(keys) if key in self._rows]

    def flush(self, **columns: Mapping[int, Any]) -> None:
        """Writes what was put. `columns` gives, by key, what new rows hold beyond the record."""
        changed = [self._rows[key] for key in sorted(self._changed) if key in self._rows]
        table = self._table.name
        given = list(columns.values())
        added = [(*self._values(row), *[values[row.key] for values in given]) for row in changed if row.key in self.new]
        insert_rows(self._tx, table, (*self._fields, *columns), added)
        altered = [(*self._values(row)[1:], row.key) for row in changed if row.key not in self.new]
        update_rows(self._tx, table, self._fields[1:], self._fields[0], altered)
        self._changed.clear()
        self.new.clear()

    def _leave(self, row: RowT) -> None:
        for value_of, places in self._named:
            places[value_of(row)] = None

    def _keep(self, row: RowT) -> None:
        self._rows[row.key] = row
        if self._seen is not None:
            self._seen(row)
        for value_of, places in self._named:
            value = value_of(row)
            other = places.get(value)
            if other is None or other <= row.key:
                places[value] = row.key


def _value(name: Mapping[str, Any]) -> Any:
    """What a row of that name is remembered by: the value of one column, or those of several."""
    values = tuple(name.values())
    return values[0] if len(values) == 1 else values


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in pieces that fit into one statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
