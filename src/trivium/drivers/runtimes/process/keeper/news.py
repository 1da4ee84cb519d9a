"""Telling those who wait that something is the case that was not."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from trivium.drivers.runtimes.process.keeper.journal import Note

Reply = Callable[[Note], None]


class News:
    """Who waits for a launch to come on."""

    def __init__(self) -> None:
        self._phases: Mapping[str, str] = {}
        self._number = 0
        self._waiting: list[Reply] = []

    def tell(self, known: str, reply: Reply) -> None:
        """Reply what is the latest, as soon as it is another than `known`."""
        if known == self._latest()["latest"]:
            self._waiting.append(reply)
        else:
            reply(self._latest())

    def look(self, phases: Mapping[str, str]) -> None:
        """Tell those who wait where any launch is not in the phase in which it was."""
        if phases == self._phases:
            return
        self._phases = phases
        self._number += 1
        waiting, self._waiting = self._waiting, []
        for reply in waiting:
            reply(self._latest())

    def _latest(self) -> Note:
        return {"latest": f"{os.getpid()}-{self._number}"}
