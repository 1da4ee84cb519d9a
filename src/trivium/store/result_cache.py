"""A cache of query results, valid until anybody commits."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final, NamedTuple

MOST_ROWS: Final = 4096
"""Rows of all cached results together; when there would be more, the cache is emptied."""

LONGEST: Final = 64
"""Rows of one result; longer ones are not cached."""


class BoundStatement(NamedTuple):
    """A statement for the driver with its parameters: the key of a result."""

    sql: str
    parameters: tuple[Any, ...] = ()
    types: tuple[type, ...] = ()  # of the parameters: 1, 1.0 and True are equal in Python, and not in PostgreSQL


def bound_statement(sql: str, parameters: Sequence[Any]) -> BoundStatement:
    """The statement with these parameters."""
    return BoundStatement(sql, tuple(parameters), tuple(map(type, parameters)))


class ResultCache:
    """Results in one version of a database: a cached result is what the query would return again."""

    def __init__(self, version: Hashable) -> None:
        self.version = version
        self._rows = 0
        self._results: dict[Hashable, Any] = {}

    def get(self, key: Hashable) -> Any:
        """The result, or None."""
        return self._results.get(key)

    def put(self, key: Hashable, result: object, *, rows: int) -> None:
        """Cache the result, unless it is too long."""
        if rows > LONGEST:
            return
        self._rows += rows + 1
        if self._rows > MOST_ROWS:
            self._results.clear()
            self._rows = rows + 1
        self._results[key] = result
