"""By what right a server acts: one that was passed over while it was stopped is refused when it wakes up."""

from __future__ import annotations

import os
from contextlib import suppress

ACTING = frozenset({"launch", "stop", "forget", "remove", "adopt", "attach", "detach"})


class Epochs:
    """The newest epoch that was heard of, kept in a file so that the next keeper knows it, too."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._newest = 0
        with suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            self._newest = int(file.read())

    def admits(self, op: str, epoch: int) -> bool:
        """Whether a server of that epoch may ask for that; a newer one than was known is written down before it may."""
        if op not in ACTING or epoch == self._newest:
            return True
        if epoch < self._newest:
            return False
        beside = f"{self._path}.new"
        with suppress(OSError):  # without room on the disk the newest is known for as long as we run
            with open(beside, "w", encoding="ascii") as file:
                file.write(str(epoch))
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self._path)
        self._newest = epoch
        return True
