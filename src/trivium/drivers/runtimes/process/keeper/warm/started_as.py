"""What /proc shows that a process was started as: a command line and an environment, of a fork those that it was given.

They are written where the program that was executed had its own, so that what changes titles there goes on doing so.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.launches.members import MARK
from trivium.drivers.runtimes.process.keeper.system import linux
from trivium.drivers.runtimes.process.keeper.system.processes import read

PLACES = (45, 46, 47, 48)  # arg_start, arg_end, env_start and env_end in /proc/<pid>/stat, after the name


class Area(NamedTuple):
    """The addresses of the texts that a program was executed with."""

    arguments: int
    arguments_end: int
    environment: int
    end: int


def show(argv: Iterable[str], environment: Mapping[str, str]) -> None:
    """Have /proc show these. Nothing that this process uses may lie there any more: first set its environment.

    Of an environment that finds no room some variables are not shown. Where the kernel cannot be told how long the two
    are, the command line is one word, and of the environment the launch's mark alone is this one's.
    """
    area = _area()
    room = area.end - area.arguments
    words = b"".join(os.fsencode(word) + b"\0" for word in argv)
    variables = _variables(environment, room - len(words))
    if len(words) > room or not linux.move_arguments(area.arguments, len(words), len(variables)):
        _write_title(area, b" ".join(words.split(b"\0")[:-1]), environment.get(MARK, ""))
        return
    ctypes.memmove(area.arguments, words + variables, len(words) + len(variables))


def _variables(environment: Mapping[str, str], room: int) -> bytes:
    """As many variables as there is room for, the mark first: the keeper looks for it."""
    found: list[bytes] = []
    for name in sorted(environment, key=lambda name: name != MARK):
        variable = os.fsencode(f"{name}={environment[name]}") + b"\0"
        room -= len(variable)
        if room < 0:
            break
        found.append(variable)
    return b"".join(found)


def _write_title(area: Area, title: bytes, mark: str) -> None:
    size = area.arguments_end - area.arguments
    title = title[: size - 2]
    # Where the last byte is not zero, Linux takes the text up to the first zero for the whole command line.
    ctypes.memmove(area.arguments, title + b"\0" + b"\1" * (size - len(title) - 1), size)
    place = ctypes.string_at(area.environment, area.end - area.environment).find(f"{MARK}=".encode()) if mark else -1
    if place >= 0:
        ctypes.memmove(area.environment + place + len(MARK) + 1, mark.encode(), len(mark))


@lru_cache(1)  # what the kernel says changes with what it is told, and the room does not
def _area() -> Area:
    fields = read("/proc/self/stat").rpartition(b")")[2].split()
    return Area(*(int(fields[number]) for number in PLACES))
