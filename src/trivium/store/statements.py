"""SELECT statements that are compiled once for each database and then run on the driver itself.

SQLAlchemy would compile or look up, bind and convert at every execution, which on the hot path costs more than the
database does.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any, Final, Protocol

from msgspec import Struct
from sqlalchemy import BindParameter, LargeBinary, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import visitors

from trivium.store.transactions import Read

MOST_ROW_TYPES: Final = 256
"""Sets of columns: each list has one or two, and clients that choose fields make others."""

_FLOAT8: Final = 701
"""PostgreSQL's type code of a double, which SQLAlchemy's numbers ask for: its driver gives floats."""


class Row(Protocol):
    """A row of a statement: a named tuple of its columns, which only the statement knows."""

    def __getattr__(self, name: str, /) -> Any: ...


class Statement(Struct, frozen=True, eq=False):
    """A compiled SELECT."""

    sql: str
    places: tuple[int, ...]  # for each placeholder the index of its value; constants come after the caller's values
    constants: tuple[Any, ...]
    binders: tuple[tuple[int, Callable[[Any], Any]], ...]  # conversions of values, by index
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]  # conversions of columns, by index

    def fetch(self, tx: Read, values: Iterable[Any]) -> list[Any]:
        """Every row as the driver returns it. `values` are in the order of the parameters that it was compiled with."""
        given = [*values]
        for index, bind in self.binders:
            given[index] = bind(given[index])
        given += self.constants
        return tx.fetch(self.sql, [given[index] for index in self.places])

    def converted(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """The rows with each column as its Python type."""
        if not self.converters:
            return [*rows]
        found = [list(row) for row in rows]
        for index, convert in self.converters:
            for row in found:
                if row[index] is not None:
                    row[index] = convert(row[index])
        return found


def compiled(statement: Select[Any], parameters: Sequence[BindParameter[Any]], dialect: Dialect) -> Statement:
    """Compile the statement; other parameters than these are constants.

    An expanding parameter takes as many values as it holds now.
    """
    made: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    flat = [(name, parameter) for parameter in parameters for name in _names(parameter, made)]
    places = {name: index for index, (name, _) in enumerate(flat)}
    constants = [name for name in made.positiontup if name not in places]
    places |= {name: len(flat) + index for index, name in enumerate(constants)}
    binders = (_binder(parameter, dialect) for _, parameter in flat)
    converters = (
        column.type.dialect_impl(dialect).result_processor(dialect, _FLOAT8) for column in statement.selected_columns
    )
    return Statement(
        sql=made.string,
        places=tuple(places[name] for name in made.positiontup),
        constants=tuple(made.params[name] for name in constants),
        binders=_present(binders),
        converters=_present(converters),
    )


@lru_cache(MOST_ROW_TYPES)
def row_type(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    """What makes a named tuple of a row's values; one for all statements with these columns, for a type takes 9 KB."""
    made: Any = namedtuple("Row", names, rename=True)  # noqa: PYI024  # pyright: ignore[reportUntypedNamedTuple]
    new: Any = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - as `_make`, without a call of Python for each row
    return partial(new, made)


class Prepared:
    """A SELECT that is asked on nearly every request.

    `names` are its parameters, in the order in which `rows` is given their values; none may be a list. `of` makes what
    is wanted of each row, and of the row alone: what it makes is cached, too, and must not be changed.
    """

    def __init__(
        self, statement: Select[*tuple[Any, ...]], *names: str, of: Callable[[Any], Any] | None = None
    ) -> None:
        self._statement = statement
        self._names = names
        self._of = of

    def rows(self, tx: Read, *values: Any) -> list[Any]:
        """Every row as a named tuple, each column as its Python type; or what `of` makes of it."""
        found: list[Any] | None = tx.cached((self, values))
        if found is None:
            statement, row = tx.statements.get(self) or self._compiled(tx)
            found = [row(each) for each in statement.converted(statement.fetch(tx, values))]
            if self._of is not None:
                found = [self._of(each) for each in found]
            tx.cache((self, values), found, rows=len(found))
        return found

    def first(self, tx: Read, *values: Any) -> Any:
        """The first row, or None."""
        rows = self.rows(tx, *values)
        return rows[0] if rows else None

    def _compiled(self, tx: Read) -> tuple[Statement, Callable[[Iterable[Any]], Any]]:
        by_name: dict[str, BindParameter[Any]] = {
            element.key: element for element in visitors.iterate(self._statement) if isinstance(element, BindParameter)
        }
        statement = compiled(self._statement, [by_name[name] for name in self._names], tx.connection.dialect)
        made = statement, row_type(tuple(str(column.key) for column in self._statement.selected_columns))
        tx.statements.put(self, made)
        return made


def _names(parameter: BindParameter[Any], made: Any) -> list[str]:
    """The names that a parameter has in the text: one, or one for each value of a list.

    A clause that can never hold takes its neighbours out of the text, and their parameters with them.
    """
    name = made.bind_names.get(parameter, "")
    if not parameter.expanding:
        return [name]
    values: Any = parameter.effective_value
    return [f"{name}_{index}" for index in range(1, len(values) + 1)]


def _binder(parameter: BindParameter[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What a value of the parameter must go through. Bytes go as they are, for psycopg's wrapper of them is no key."""
    if isinstance(parameter.type, LargeBinary):
        return None
    return parameter.type.dialect_impl(dialect).bind_processor(dialect)


def _present(functions: Iterable[Any]) -> tuple[tuple[int, Any], ...]:
    return tuple((index, function) for index, function in enumerate(functions) if function is not None)
