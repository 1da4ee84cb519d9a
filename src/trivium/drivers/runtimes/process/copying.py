"""Copying a notebook's own packages to where their user cannot write to them any more.

Until then the user may exchange anything at any moment. So each step goes from an open directory to a name in it,
follows no link, waits for nobody, and takes files, directories and links only.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from trivium.drivers.runtimes.process.keeper.startup.layer import CHAIN

WALK = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
PARTS = ("bin", "lib", "lib64", "share", "etc", "include")
INTERPRETER = re.compile(r"(python|pip)[0-9.]*")
DEEPEST = 100  # directories within each other, each of which is held open
TEXT = 1 << 20  # bytes past which a file is not looked through for paths
PIECE = 1 << 20
ENTRY = 4096  # bytes that a name is counted with, besides those of its file
GROWTH = 64 << 20  # bytes by which an environment in use may grow between its being measured and being copied
PREAMBLE = """#!/bin/sh
'''exec' "${TRIVIUM_PYTHON:-python3}" "$0" "$@"
' '''
"""


class Moved(NamedTuple):
    """What a copy puts into its texts: another place instead of the one that the environment was in."""

    old: str
    new: str


class Room:
    """How much may be written in a directory: what was measured and a little more, and nothing of the disk's reserve.

    Whoever is saved may write meanwhile, so that what was measured bounds nothing by itself.
    """

    def __init__(self, place: Path, measured: int, *, reserve: int) -> None:
        self._place = place
        self._left = measured + GROWTH
        self._reserve = reserve
        self._must_have(measured)  # a file of holes takes no space of its user's and all of ours, and days to be read

    def take(self, size: int) -> None:
        """Count what is written next; OSError where it must not be."""
        self._left -= size
        if self._left < 0:
            raise OSError(errno.EFBIG, "it grew too much while it was saved")
        self._must_have(size)

    def _must_have(self, size: int) -> None:
        if size + self._reserve > shutil.disk_usage(self._place).free:
            raise OSError(errno.ENOSPC, "No space left for a layer of this size")


def open_top(venv: Path) -> int:
    """A descriptor of an environment's directory. OSError where something else is in its place."""
    above = os.open(venv.parent, WALK)
    try:
        return os.open(venv.name, WALK, dir_fd=above)
    except (NotADirectoryError, FileNotFoundError) as error:
        raise OSError(error.errno, f"its packages are not in the directory {venv.name} any more") from error
    finally:
        os.close(above)


def copy(top: int, target: Path, moved: Moved, *, reserve: int) -> None:
    """Copy an environment whose directory is open; what vanishes meanwhile is left out.

    OSError when there is no room for it beside the reserve, or no end of directories in directories.
    """
    room = Room(target.parent, _measure(top), reserve=reserve)
    copying = _Copying(moved, os.fstat(top).st_uid, room)
    target.mkdir(mode=0o755)
    target.chmod(0o755)
    for name in PARTS:
        with suppress(FileNotFoundError):
            copying.entry(top, name, target / name)


def _measure(top: int) -> int:
    """The bytes that a copy will have, holes filled and each name on its own."""
    size = 0
    for name in PARTS:
        with suppress(FileNotFoundError):
            size += _size(top, name, 0)
    return size


def _size(parent: int, name: str, depth: int) -> int:
    entry = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISREG(entry.st_mode):
        return ENTRY + entry.st_size
    size = ENTRY
    if stat.S_ISDIR(entry.st_mode):
        here = _enter(parent, name, depth)
        try:
            for below in os.listdir(here):  # noqa: PTH208 - an open directory has no path
                with suppress(FileNotFoundError):
                    size += _size(here, below, depth + 1)
        finally:
            os.close(here)
    return size


def _enter(parent: int, name: str, depth: int) -> int:
    if depth == DEEPEST:
        raise OSError(errno.ELOOP, "too many directories lie within each other")
    return os.open(name, WALK, dir_fd=parent)


class _Copying:
    """One copy of an environment that belongs to the uid `owner`."""

    def __init__(self, moved: Moved, owner: int, room: Room) -> None:
        self._moved = moved
        self._owner = owner
        self._room = room

    def entry(self, parent: int, name: str, target: Path, *, depth: int = 0) -> None:
        """Copy what is called so in an open directory."""
        self._room.take(ENTRY)
        entry = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISLNK(entry.st_mode):
            if not (target.parent.name == "bin" and INTERPRETER.fullmatch(name)):
                target.symlink_to(os.readlink(name, dir_fd=parent).replace(*self._moved))
        elif stat.S_ISDIR(entry.st_mode):
            here = _enter(parent, name, depth)
            try:
                self._all_of(here, target, depth)
            finally:
                os.close(here)
        elif stat.S_ISREG(entry.st_mode) and name != CHAIN:
            self._file(parent, name, target)

    def _all_of(self, here: int, target: Path, depth: int) -> None:
        target.mkdir(mode=0o755)
        target.chmod(0o755)
        for below in os.listdir(here):
            with suppress(FileNotFoundError):
                self.entry(here, below, target / below, depth=depth + 1)

    def _file(self, parent: int, name: str, target: Path) -> None:
        source = os.open(name, READ, dir_fd=parent)
        with os.fdopen(source, "rb") as reading:
            entry = os.fstat(source)
            if not stat.S_ISREG(entry.st_mode) or _is_closed(entry, self._owner):
                return
            is_script = target.parent.name == "bin"
            head = reading.read(TEXT) if is_script or name.endswith((".pth", "kernel.json")) else b""
            if is_script and _is_ours(name, head):
                return
            with target.open("xb") as writing:
                self._write(writing, _with_paths(head, self._moved, is_script=is_script))
                while piece := reading.read(PIECE):
                    self._write(writing, piece)
                os.fchmod(writing.fileno(), 0o755 if entry.st_mode & 0o111 else 0o644)
        os.utime(target, ns=(entry.st_atime_ns, entry.st_mtime_ns))  # bytecode is good for this very time

    def _write(self, file: BinaryIO, piece: bytes) -> None:
        self._room.take(len(piece))
        file.write(piece)
        file.flush()  # so that the next look at the disk sees it


def _is_closed(entry: os.stat_result, owner: int) -> bool:
    """Whether it is another's file that is not open to all: a hard link, which some machines let everybody make."""
    return entry.st_uid != owner and not entry.st_mode & stat.S_IROTH


def _is_ours(name: str, head: bytes) -> bool:
    """Whether it is the `pip` that every layer is given when it is made."""
    return INTERPRETER.fullmatch(name) is not None and b"from pip._internal.cli.main import main; sys.exit" in head


def _with_paths(head: bytes, moved: Moved, *, is_script: bool) -> bytes:
    """The beginning of a file with its old place replaced by the new; scripts run on the layer that is on top."""
    old, new = (path.encode() for path in moved)
    if is_script and head.startswith(b"#!"):
        first, _, rest = head.partition(b"\n")
        if old + b"/bin/python" in first:
            head = PREAMBLE.encode() + rest
        elif rest.startswith(b"'''exec' ") and old + b"/bin/python" in rest.partition(b"\n")[0]:
            head = PREAMBLE.encode() + rest.split(b"\n", 2)[2]
    return head.replace(old, new)
