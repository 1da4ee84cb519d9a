"""Statements that are compiled once for each database and then run straight on the driver."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct
from sqlalchemy import Select
from sqlalchemy.engine import Dialect

from trivium.store.transactions import Read


class Row(Protocol):
    """A row of a statement: a named tuple of its columns, which only the statement knows."""

    def __getattr__(self, name: str, /) -> Any: ...


class Prepared:
    """A SELECT for the hot path: what a room asks on nearly every request.

    `names` are its parameters' names in the order in which `rows` is given their values; none may be a list.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], *names: str) -> None:
        self._statement = statement
        self._names = names

    def rows(self, tx: Read, *values: Any) -> list[Any]:
        """Every row as a named tuple, each column in its Python form."""
        found: list[Any] | None = tx.recall((self, values))
        if found is None:
            found = self._asked(tx, values)
            tx.keep((self, values), found, rows=len(found))
        return found

    def first(self, tx: Read, *values: Any) -> Any:
        """The first row, or None."""
        rows = self.rows(tx, *values)
        return rows[0] if rows else None

    def _asked(self, tx: Read, values: tuple[Any, ...]) -> list[Any]:
        plan: _Plan | None = tx.shapes.get(self)
        if plan is None:
            plan = _compiled(self._statement, self._names, tx.connection.dialect)
            tx.shapes.put(self, plan)
        return [plan.row(row) for row in tx.fetch(plan.sql, [bind(values[index]) for index, bind in plan.places])]


class _Plan(Struct, frozen=True, eq=False):
    sql: str
    places: tuple[tuple[int, Callable[[Any], Any]], ...]  # for each place in the text which value goes there, and how
    row: Callable[[tuple[Any, ...]], Any]


def _compiled(statement: Select[*tuple[Any, ...]], names: tuple[str, ...], dialect: Dialect) -> _Plan:
    made: Any = statement.compile(dialect=dialect)
    places: list[tuple[int, Callable[[Any], Any]]] = []
    for name in made.positiontup:
        bind = made.binds[name].type.dialect_impl(dialect).bind_processor(dialect) or _same
        places.append((names.index(name), bind) if name in names else (0, _always(bind(made.params[name]))))
    return _Plan(made.string, tuple(places), _row(statement, dialect))


def _row(statement: Select[*tuple[Any, ...]], dialect: Dialect) -> Callable[[tuple[Any, ...]], Any]:
    """What makes a named tuple of the driver's row."""
    columns: list[Any] = list(statement.selected_columns)
    names: list[str] = [column.key for column in columns]  # known only now
    named: Any = namedtuple("Row", names)  # noqa: PYI024  # pyright: ignore[reportUntypedNamedTuple]
    found = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    convert = [(index, function) for index, function in enumerate(found) if function is not None]

    def row(given: tuple[Any, ...]) -> Any:
        values = list(given)
        for index, function in convert:
            if values[index] is not None:
                values[index] = function(values[index])
        return named._make(values)

    return row


def _same(value: Any) -> Any:
    return value


def _always(value: Any) -> Callable[[Any], Any]:
    """A constant of the statement's own: whatever is given, it is what goes in."""
    return lambda _: value
