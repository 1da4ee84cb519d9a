"""What is mounted where."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.system import processes

ESCAPED = re.compile(rb"\\([0-7]{3})")  # what would end a word, or begin such a number


class Mount(NamedTuple):
    """A file system, and where it is shown."""

    place: str  # bytes that are no text are kept in it as the interpreter keeps them in names of files
    kind: str  # as the kernel names it, such as tmpfs
    options: str  # of the file system


def mounts() -> list[Mount]:
    """All that this process sees, in the order in which they were mounted; none where there is no `/proc`."""
    return [_mount(line) for line in processes.read("/proc/self/mountinfo").split(b"\n") if line]


def kind_at(place: str) -> str:
    """The kind of the file system that a path without links in it is on; empty where there is no `/proc`."""
    kinds = {mount.place: mount.kind for mount in mounts()}  # the last mount at a place is the one on top
    while place not in kinds and place != "/":
        place = os.path.dirname(place)
    return kinds.get(place, "")


def is_memory(place: str) -> bool:
    """Whether a directory, whose path has no links in it, is on a file system that is kept in memory."""
    return kind_at(place) == "tmpfs"


def _mount(line: bytes) -> Mount:
    """What a line says. Only the space divides its words: names have anything else in them, as users give them."""
    words = line.split(b" ")
    kind, _, *options = words[words.index(b"-", 6) + 1 :]
    return Mount(_name(words[4]), os.fsdecode(kind), os.fsdecode(b" ".join(options)))


def _name(word: bytes) -> str:
    return os.fsdecode(ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), word))
