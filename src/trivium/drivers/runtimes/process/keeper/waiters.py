"""Clients that wait for any launch to come on to another phase (long polling)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from trivium.drivers.runtimes.process.keeper.launches.journal import Note

Reply = Callable[[Note], None]


class Waiters:
    """Who is to be told of the next change, and how many changes there were."""

    def __init__(self) -> None:
        self._phases: Mapping[str, str] = {}
        self._number = 0
        self._waiting: list[Reply] = []

    def add(self, known: str, reply: Reply) -> None:
        """Reply the number of the latest change, as soon as it is another than `known`."""
        if known == self._latest()["latest"]:
            self._waiting.append(reply)
        else:
            reply(self._latest())

    def update(self, phases: Mapping[str, str]) -> None:
        """Tell all who wait, where any launch is in another phase than at the last call."""
        if phases == self._phases:
            return
        self._phases = phases
        self._number += 1
        waiting, self._waiting = self._waiting, []
        for reply in waiting:
            reply(self._latest())

    def _latest(self) -> Note:
        return {"latest": f"{os.getpid()}-{self._number}"}  # another keeper's numbers are its own
