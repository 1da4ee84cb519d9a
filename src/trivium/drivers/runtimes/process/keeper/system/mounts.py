"""What is mounted where."""

from __future__ import annotations

import os
from typing import NamedTuple


class Mount(NamedTuple):
    """A file system, and where it is shown."""

    place: str
    kind: str  # as the kernel names it, such as tmpfs


def mounts() -> list[Mount]:
    """All that this process sees, in the order in which they were mounted. OSError where there is no `/proc`."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split() for line in file]
    return [Mount(words[4], words[words.index("-") + 1]) for words in lines]


def is_memory(place: str) -> bool:
    """Whether a directory, whose path has no links in it, is on a file system that is kept in memory.

    OSError where there is no `/proc`.
    """
    kinds = {mount.place: mount.kind for mount in mounts()}  # the last mount at a place is the one on top
    while place not in kinds and place != "/":
        place = os.path.dirname(place)
    return kinds.get(place) == "tmpfs"
