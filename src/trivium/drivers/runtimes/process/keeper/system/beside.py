"""What a launch has put beside its socket, which may be the machine's memory and not its user's.

What has a name there is counted in the keeper, where it takes a bounded time. What else takes that memory is searched
for in a process of its own: a launch may have millions of descriptors to look through.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.system import children, processes
from trivium.drivers.runtimes.process.keeper.system.folders import WALK

MIB = 1 << 20
ROOM = 8 * MIB  # bytes that a launch may put there
THINGS = 1000  # as many entries may it have there: a kernel has six
DEPTH = 32  # as many directories may lie in one another there: each takes a descriptor to look into
ATTRIBUTE = 64  # bytes that the kernel takes for an extended attribute, besides its name and value
GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})  # or something else in its place


class Hidden(Exception):
    """Something that cannot be looked into, because of how deep it lies or what its owner has made of it."""


class Taken(NamedTuple):
    """What was counted, as far as it was: nothing is counted beyond what is too much."""

    size: int
    things: int

    @property
    def is_too_much(self) -> bool:
        """Whether it is more than a launch may have."""
        return self.size > ROOM or self.things > THINGS

    def and_also(self, other: Taken) -> Taken:
        """Both together."""
        return Taken(self.size + other.size, self.things + other.things)


def named(own: int) -> Taken:
    """What lies in an open directory. `Hidden` where that cannot be said."""
    taken = Taken(0, 0)
    for _, entry in _walk(own, DEPTH):
        taken = Taken(taken.size + _size(entry), taken.things + 1)
        if taken.is_too_much:
            break
    return taken


def unnamed(own: int, pids: Iterable[int]) -> Taken:
    """What else these processes take of the memory that an open directory is in.

    Extended attributes, which come out of the room for inodes; and files that have no name any more, and that they have
    open or mapped.
    """
    taken = Taken(_attributes(f"/proc/self/fd/{own}/."), 0)
    for above, entry in _walk(own, DEPTH):
        taken = Taken(taken.size + _attributes(f"/proc/self/fd/{above}/{entry.name}"), taken.things)
        if taken.is_too_much:
            return taken
    device, known = os.fstat(own).st_dev, set[int]()
    for link in (one for pid in pids for one in processes.nameless(pid)):
        with suppress(OSError):
            found = os.stat(link)
            if found.st_dev == device and not found.st_nlink and found.st_ino not in known:
                known.add(found.st_ino)
                taken = taken.and_also(Taken(found.st_blocks * 512 + _attributes(link, follows=True), 1))
        if taken.is_too_much:
            break
    return taken


class Search:
    """A search for what is unnamed, by a process of its own. `close` lets go of it."""

    def __init__(self, own: str, pids: Iterable[int], began: float) -> None:
        self.began = began
        self._answer, told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            children.apart(partial(_tell, told, own, tuple(pids)), kept=(told,))
        except OSError:
            self.close()
            raise
        finally:
            os.close(told)

    def found(self) -> Taken | None:
        """What it has found; None while it goes on. Nothing where it came to no end."""
        try:
            said = os.read(self._answer, 4096)
        except BlockingIOError:
            return None
        return Taken(*json.loads(said)) if said else Taken(0, 0)

    def close(self) -> None:
        """Hear no more of it: it ends by itself."""
        os.close(self._answer)


def _tell(told: int, own: str, pids: tuple[int, ...]) -> None:
    with suppress(OSError, Hidden):
        os.write(told, json.dumps(unnamed(os.open(own, WALK), pids)).encode())


def _walk(above: int, depth: int) -> Iterator[tuple[int, os.DirEntry[str]]]:
    """All that lies below an open directory, each with the descriptor of what it is in. No path is too long for it."""
    with os.scandir(above) as found:
        for entry in found:
            yield above, entry
            below = _opened(above, entry, depth) if entry.is_dir(follow_symlinks=False) else None
            if below is None:
                continue
            try:
                yield from _walk(below, depth - 1)
            finally:
                os.close(below)


def _opened(above: int, entry: os.DirEntry[str], depth: int) -> int | None:
    """A directory to look into; None when it is gone meanwhile."""
    if not depth:
        raise Hidden
    try:
        return os.open(entry.name, WALK, dir_fd=above)
    except OSError as error:
        if error.errno in GONE:
            return None
        if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}:
            raise  # that is not the launch's doing
        raise Hidden from error


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return 0


def _attributes(path: str, *, follows: bool = False) -> int:
    """Bytes that the extended attributes of a user's own take."""
    try:
        names = os.listxattr(path, follow_symlinks=follows)
    except OSError as error:  # more names than can be told, or it is gone, or this file system has none
        return ROOM + 1 if error.errno == errno.E2BIG else 0
    size = 0
    for name in names:
        if name.startswith("user.") and size <= ROOM:
            size += ATTRIBUTE + len(os.fsencode(name))
            with suppress(OSError):
                size += len(os.getxattr(path, name, follow_symlinks=follows))
    return size
