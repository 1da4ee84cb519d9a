"""What statements gave on SQLite, kept as long as nobody writes."""

from __future__ import annotations

from typing import Any, Final

MOST_ROWS: Final = 4096
"""Rows that are kept in all; whatever more is given, all of them go."""

LONGEST: Final = 64
"""Rows of one answer; a longer one is not kept."""


class Kept:
    """What statements gave on one SQLite connection, as long as nobody else has written anything.

    `PRAGMA data_version` tells that within the view itself, whichever process wrote: an answer that is kept is what the
    statement would give again. The text of a statement fixes the types of its parameters, so equal ones are the same.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._version = -1
        self._rows = 0
        self._answers: dict[tuple[str, tuple[Any, ...]], list[Any]] = {}

    def renew(self) -> None:
        """Forget all when somebody has written since. Within the view, of which this is the first statement."""
        version = self._driver.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._clear()
            self._version = version

    def get(self, key: tuple[str, tuple[Any, ...]]) -> list[Any] | None:
        """What the statement gave with these parameters, if that is kept."""
        return self._answers.get(key)

    def put(self, key: tuple[str, tuple[Any, ...]], rows: list[Any]) -> None:
        """Keep what a statement gave."""
        if len(rows) > LONGEST:
            return
        self._rows += len(rows) + 1
        if self._rows > MOST_ROWS:
            self._clear()
        self._answers[key] = rows

    def _clear(self) -> None:
        self._answers.clear()
        self._rows = 0
