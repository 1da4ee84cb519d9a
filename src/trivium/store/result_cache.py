"""A cache of query results on one SQLite connection, valid until any connection commits."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

MOST_ROWS: Final = 4096
"""Rows of all cached results together; when there would be more, the cache is emptied."""

LONGEST: Final = 64
"""Rows of one result; longer ones are not cached."""


class ResultCache:
    """Results of queries on one SQLite connection that itself never writes.

    `PRAGMA data_version`, read within the transaction that is answered, changes when another connection commits, of
    whichever process. So a cached result is what the query would return again.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._version = -1
        self._rows = 0
        self._results: dict[Hashable, Any] = {}

    def expire(self) -> None:
        """Empty the cache if anybody committed since the last call. Must be the first statement of a transaction."""
        version = self._driver.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._clear()
            self._version = version

    def get(self, key: Hashable) -> Any:
        """The result, or None."""
        return self._results.get(key)

    def put(self, key: Hashable, result: object, *, rows: int) -> None:
        """Cache the result, unless it is too long."""
        if rows > LONGEST:
            return
        self._rows += rows + 1
        if self._rows > MOST_ROWS:
            self._clear()
            self._rows = rows + 1
        self._results[key] = result

    def _clear(self) -> None:
        self._results.clear()
        self._rows = 0
