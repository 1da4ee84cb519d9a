"""A cache of query results, valid until anybody commits."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final, NamedTuple

MOST_ROWS: Final = 4096
"""Rows of all cached results together; when there would be more, the cache is emptied."""

LONGEST: Final = 512
"""Rows of one result; longer ones are not cached. The longest pages of nodes have 500."""

MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes of all cached texts together: a walk through 10,000 nodes is some 7 MiB."""

LONGEST_TEXT: Final = 2 * 1024 * 1024


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
        self._bytes = 0
        self._texts: dict[Hashable, Any] = {}

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

    def get_text(self, key: Hashable) -> Any:
        """What was made of results as text, or None."""
        return self._texts.get(key)

    def put_text(self, key: Hashable, made: object, *, size: int) -> None:
        """Cache what was made of results as a text of so many bytes, unless it is too long."""
        if size > LONGEST_TEXT:
            return
        self._bytes += size
        if self._bytes > MOST_BYTES:
            self._texts.clear()
            self._bytes = size
        self._texts[key] = made
