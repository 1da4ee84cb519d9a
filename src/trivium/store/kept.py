"""What was found in a SQLite database, kept as long as nobody writes to it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

MOST_ROWS: Final = 4096
"""Rows that are kept in all; when there would be more, all of them go."""

LONGEST: Final = 64
"""Rows of one answer; a longer one is not kept."""


class Kept:
    """What views of one SQLite connection found, as long as nobody else has written anything.

    `PRAGMA data_version` tells that within the view itself, whichever process wrote: what is kept is what would be
    found again.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._version = -1
        self._rows = 0
        self._found: dict[Hashable, Any] = {}

    def renew(self) -> None:
        """Forget all when somebody has written since. Within the view, of which this is the first statement."""
        version = self._driver.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._clear()
            self._version = version

    def get(self, key: Hashable) -> Any:
        """What is kept under that key, or None."""
        return self._found.get(key)

    def put(self, key: Hashable, found: object, *, rows: int) -> None:
        """Keep it, unless it is too long."""
        if rows > LONGEST:
            return
        self._rows += rows + 1
        if self._rows > MOST_ROWS:
            self._clear()
            self._rows = rows + 1
        self._found[key] = found

    def _clear(self) -> None:
        self._found.clear()
        self._rows = 0
