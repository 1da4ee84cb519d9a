"""The files of a model: where each is, and that it is still the one that was found."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from trivium.base.values import Value
from trivium.drivers.artifacts.limits import Limits
from trivium.drivers.places import Root, open_file, refusal, shown
from trivium.resources.models import ArtifactRefused, Fault

LIST: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Entry(Value, frozen=True):
    """A regular file, as it was when it was found. A link counts as the file that it leads to, by the link's path."""

    path: bytes  # relative to the model; of a model that is one file, its name
    size: int
    modified: int  # nanoseconds since 1970
    inode: int
    device: int

    @property
    def name(self) -> bytes:
        """The last part of its path."""
        return self.path.rpartition(b"/")[2]

    @property
    def directory(self) -> bytes:
        """What stands before that; empty at the top."""
        return self.path.rpartition(b"/")[0]


class Listing:
    """The files of one model below a root, in the order of the bytes of their paths. `close` the root after it."""

    def __init__(self, root: Root, at: bytes, limits: Limits) -> None:
        """Walk a file or a directory, given as a path below the root. Raises `ArtifactRefused`."""
        self._root = root
        place, names = root.reach(at, name=shown(at) or ".")
        self.at = b"/".join(names)  # without links, so that paths below it can be put together
        try:
            found = os.fstat(place)
            self.is_directory = stat.S_ISDIR(found.st_mode)
            if self.is_directory:
                entries = _Gathering(root, self.at, limits).below(place)
            else:
                entries = [_entry(found, at.rstrip(b"/").rpartition(b"/")[2])]
        finally:
            os.close(place)
        if not entries:
            raise ArtifactRefused(Fault.EMPTY, shown(at) or ".")
        self.entries = tuple(sorted(entries, key=lambda one: one.path))
        self.by_path = {one.path: one for one in self.entries}

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.entries)

    @contextmanager
    def opened(self, entry: Entry) -> Generator[int]:
        """A descriptor to read a file by, checked before and after. Raises `ArtifactRefused` when it changed."""
        name = shown(entry.path)
        path = b"%s/%s" % (self.at, entry.path) if self.is_directory else self.at
        place, _ = self._root.reach(path, name=name)
        try:
            self._check(entry, os.fstat(place))
            descriptor = open_file(place)
        except OSError as error:
            raise refusal(error, name) from error
        finally:
            os.close(place)
        try:
            yield descriptor
            self._check(entry, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    @staticmethod
    def _check(entry: Entry, found: os.stat_result) -> None:
        if _entry(found, entry.path) != entry:
            raise ArtifactRefused(Fault.CHANGED, shown(entry.path))


class _Gathering:
    """One walk, with what it has met so far."""

    def __init__(self, root: Root, at: bytes, limits: Limits) -> None:
        self._root = root
        self._at = at
        self._limits = limits
        self._entries: list[Entry] = []
        self._met = 0
        self._bytes = 0

    def below(self, place: int) -> list[Entry]:
        self._walk(place, b"", 0)
        return self._entries

    def _walk(self, place: int, prefix: bytes, depth: int) -> None:
        if depth > self._limits.depth:
            raise ArtifactRefused(Fault.TOO_DEEP, shown(prefix[:200]), limit=self._limits.depth)
        name = shown(prefix) or "."
        try:
            listed = os.open(f"/proc/self/fd/{place}", LIST)
        except OSError as error:
            raise refusal(error, name) from error
        try:
            with os.scandir(listed) as found:
                directories = [path for one in found if (path := self._take(one, prefix)) is not None]
        except OSError as error:
            raise refusal(error, name) from error
        finally:
            os.close(listed)
        for path in directories:
            below, _ = self._root.reach(b"%s/%s" % (self._at, path), name=shown(path))
            try:
                self._walk(below, path, depth + 1)
            finally:
                os.close(below)

    def _take(self, found: os.DirEntry[str], prefix: bytes) -> bytes | None:
        """Note a file; the path of a directory, which is walked later."""
        name = os.fsencode(found.name)
        path = b"%s/%s" % (prefix, name) if prefix else name
        self._met += 1
        self._bytes += len(path)
        if self._met > self._limits.entries or self._bytes > self._limits.path_bytes:
            raise ArtifactRefused(Fault.TOO_MANY, shown(prefix) or ".", limit=self._limits.entries)
        status = found.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            return path
        self._entries.append(self._linked(path) if stat.S_ISLNK(status.st_mode) else _entry(status, path))
        return None

    def _linked(self, path: bytes) -> Entry:
        """The file that a link leads to, inside the root. A directory is refused: the same could be met without end."""
        place, _ = self._root.reach(b"%s/%s" % (self._at, path), name=shown(path))
        try:
            status = os.fstat(place)
            if stat.S_ISDIR(status.st_mode):
                raise ArtifactRefused(Fault.LINK, shown(path))
            return _entry(status, path)
        finally:
            os.close(place)


def _entry(found: os.stat_result, path: bytes) -> Entry:
    if not stat.S_ISREG(found.st_mode):
        raise ArtifactRefused(Fault.SPECIAL, shown(path))
    return Entry(path=path, size=found.st_size, modified=found.st_mtime_ns, inode=found.st_ino, device=found.st_dev)
