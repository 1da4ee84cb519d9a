"""Opening files inside a root, whatever is swapped meanwhile.

Each step of a path is opened in the directory before it, and no step is followed blindly: a link is read and walked
like the rest, so nothing outside the root is ever opened.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from trivium.resources.models import ArtifactRefused, Fault

HOPS: Final = 40  # links on one path, as in Linux
STEP: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
PARTS: Final = 4096


def shown(path: bytes) -> str:
    """A path for people: bytes that are no UTF-8 and control characters are escaped."""
    text = path.decode(errors="backslashreplace")
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def innermost(roots: Iterable[Path], path: Path) -> tuple[Path, bytes]:
    """The innermost root that an absolute path is in, and the path below it. Raises `ArtifactRefused`."""
    raw = os.fsencode(path)
    inside = [root for root in roots if path.is_relative_to(root)]
    if not path.is_absolute() or b"\0" in raw or not inside:
        raise ArtifactRefused(Fault.OUTSIDE, shown(raw))
    root = max(inside, key=lambda one: len(one.parts))
    return root, os.fsencode(path.relative_to(root))


class Root:
    """A directory that files may be read from, held open. `close` lets go of it."""

    def __init__(self, path: Path) -> None:
        """OSError where it cannot be opened."""
        self._path = os.fsencode(os.path.realpath(path))
        self._descriptor = os.open(self._path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._descriptor)

    def reach(self, path: bytes, *, name: str) -> tuple[int, tuple[bytes, ...]]:
        """A descriptor, for its place only, of what stands at a path below the root, and where that is without links.

        The caller closes it. Raises `ArtifactRefused`, with that name.
        """
        walk = _Walk(self._descriptor, self._path, name)
        try:
            walk.go(path.split(b"/"))
            return walk.taken(), walk.names()
        finally:
            walk.close()


class _Walk:
    """The directories from the root to where a path has led so far."""

    def __init__(self, root: int, root_path: bytes, name: str) -> None:
        self._root_path = root_path
        self._name = name
        self._stack: list[tuple[bytes, int]] = [(b"", os.dup(root))]

    def go(self, parts: Sequence[bytes]) -> None:
        waiting = list(reversed(parts))
        hops = 0
        while waiting:
            part = waiting.pop()
            if part in (b"", b"."):
                continue
            if part == b"..":
                self._up()
                continue
            if (target := self._down(part)) is None:
                continue
            hops += 1
            if hops > HOPS or len(waiting) > PARTS:
                raise ArtifactRefused(Fault.LINK, self._name)
            waiting.extend(reversed(self._inside(target).split(b"/")))

    def taken(self) -> int:
        """The last one, which `close` then leaves open."""
        name, descriptor = self._stack[-1]
        self._stack[-1] = (name, os.dup(descriptor))
        return descriptor

    def names(self) -> tuple[bytes, ...]:
        return tuple(name for name, _ in self._stack[1:])

    def close(self) -> None:
        for _, descriptor in self._stack:
            os.close(descriptor)

    def _up(self) -> None:
        if len(self._stack) == 1:
            raise ArtifactRefused(Fault.OUTSIDE, self._name)
        os.close(self._stack.pop()[1])

    def _down(self, part: bytes) -> bytes | None:
        """One step; what a link says where that is one, which is not entered."""
        try:
            descriptor = os.open(part, STEP, dir_fd=self._stack[-1][1])
        except OSError as error:
            raise refusal(error, self._name) from error
        if not stat.S_ISLNK(os.fstat(descriptor).st_mode):
            self._stack.append((part, descriptor))
            return None
        try:
            return os.readlink(b"", dir_fd=descriptor)
        finally:
            os.close(descriptor)

    def _inside(self, target: bytes) -> bytes:
        """A link's target as a way on from here; an absolute one is started from the root, if it leads into it."""
        if not target.startswith(b"/"):
            return target
        root = self._root_path.rstrip(b"/")
        if not (target == root or target.startswith(root + b"/")):
            raise ArtifactRefused(Fault.LINK, self._name)
        while len(self._stack) > 1:
            self._up()
        return target[len(root) :]


def open_file(place: int) -> int:
    """A descriptor to read a regular file by, given one for its place. OSError where it may not be read.

    It goes by the file itself and not by its name, so it is the very file that was looked at.
    """
    return os.open(f"/proc/self/fd/{place}", READ)


def refusal(error: OSError, name: str) -> ArtifactRefused:
    """What the system said of a file, as a refusal."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL):
        return ArtifactRefused(Fault.ABSENT, name)
    with suppress(TypeError, ValueError):
        return ArtifactRefused(Fault.UNREADABLE, name, error=os.strerror(error.errno or 0))
    return ArtifactRefused(Fault.UNREADABLE, name, error=str(error))
