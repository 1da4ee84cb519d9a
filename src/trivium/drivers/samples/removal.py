"""Files of samples that are deleted: each step of a path is opened in the one before it, and no link is followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from trivium.base.clock import microseconds
from trivium.drivers.annotations.directories import kind_of, spelt, stem_of
from trivium.drivers.annotations.files import Hasher
from trivium.drivers.places import innermost
from trivium.resources.datasets.ports import SampleKind
from trivium.resources.models import ArtifactRefused
from trivium.resources.samples.ports import Fate, Removal

ENTER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NO_NAMES: Final = (b"", b".", b"..")
NOT_THERE: Final = (errno.ENOENT, errno.ENAMETOOLONG)
BLOCK: Final = 1024 * 1024
TEXTS: Final = (SampleKind.TEXT, SampleKind.TABLE)
log = structlog.get_logger()


class _Barred(Exception):
    """No file that may be deleted is there."""


class FileRemover:
    """The port `Remover` of the samples room, for local disks."""

    def __init__(self, roots: Sequence[Path], *, hasher: Callable[[], Hasher]) -> None:
        self._roots = tuple(roots)
        self._hasher = hasher

    def remove(self, wanted: Sequence[Removal], *, goes_on: Callable[[], bool]) -> Sequence[Fate]:
        """See the port."""
        fates: list[Fate] = []
        folder = _Folder(self._roots)
        try:
            for one in wanted:
                if not goes_on():
                    break
                fates.append(self._fate(folder, one))
            return fates
        finally:
            folder.close()

    def _fate(self, folder: _Folder, one: Removal) -> Fate:
        directory, _, name = one.path.rpartition(b"/")
        try:
            place = folder.enter(directory)
            if place is not None:
                fate = self._removed(place, name, one)
                if fate is not Fate.GONE:
                    return fate
                if one.beside:
                    _remove_beside(place, name, one.beside)
        except _Barred:
            return Fate.BARRED
        except OSError as error:
            log.warning("samples.file_not_deleted", file=repr(one.path), error=os.strerror(error.errno or 0))
            return Fate.FAILED
        return Fate.GONE

    def _removed(self, folder: int, name: bytes, one: Removal) -> Fate:
        found = _regular(folder, name)
        if found is None:
            return Fate.GONE
        if one.size is not None and found.st_size != one.size:
            return Fate.CHANGED
        if one.digest is None:
            if _changed_at(found) > microseconds(one.came_at):
                return Fate.CHANGED
        elif self._digest(folder, name, found) != one.digest:
            return Fate.CHANGED
        now = _regular(folder, name)
        if now is not None:
            if _state(now) != _state(found):  # another is there by now, or it was written to
                return Fate.CHANGED
            os.unlink(name, dir_fd=folder)
        return Fate.GONE

    def _digest(self, folder: int, name: bytes, found: os.stat_result) -> bytes | None:
        """The checksum of a file; None where it is another by now. OSError."""
        hasher = self._hasher()
        descriptor = os.open(name, READ, dir_fd=folder)
        try:
            if _state(os.fstat(descriptor)) != _state(found):
                return None
            buffer = memoryview(bytearray(min(BLOCK, found.st_size or 1)))
            while count := os.readv(descriptor, [buffer]):
                hasher.update(buffer[:count])
        finally:
            os.close(descriptor)
        return hasher.digest()


def barred(roots: Sequence[Path], paths: Sequence[bytes]) -> bytes | None:
    """The first of these that is no regular file, is behind a link, or lies outside; what is not there is none."""
    folder = _Folder(roots)
    try:
        for path in paths:
            directory, _, name = path.rpartition(b"/")
            try:
                place = folder.enter(directory)
                if place is not None:
                    _regular(place, name)
            except _Barred:
                return path
            except OSError:
                continue  # whoever deletes it will tell
    finally:
        folder.close()
    return None


class _Folder:
    """The directory that files are deleted in: one at a time, as files of one come together."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = roots
        self._path: bytes | None = None
        self._place: int | None = None

    def enter(self, path: bytes) -> int | None:
        """A descriptor of the directory; None where it is not there. `_Barred`, OSError."""
        if path != self._path:
            self.close()
            self._place = self._opened(path)
            self._path = path
        return self._place

    def close(self) -> None:
        """Put to disk what was deleted, and let go of the directory."""
        place, self._place, self._path = self._place, None, None
        if place is not None:
            with suppress(OSError):  # file systems that keep nothing for good say so
                os.fsync(place)
            os.close(place)

    def _opened(self, path: bytes) -> int | None:
        parts = path.split(b"/")[1:]
        if not path.startswith(b"/") or any(part in NO_NAMES for part in parts):
            raise _Barred
        try:
            root, below = innermost(self._roots, Path(os.fsdecode(path)))
        except ArtifactRefused as error:
            raise _Barred from error
        place = os.open(os.path.realpath(root), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in below.split(b"/") if below != b"." else ():
                after = _below(place, part)
                if after is None:
                    os.close(place)
                    return None
                os.close(place)
                place = after
        except BaseException:
            os.close(place)
            raise
        return place


def _below(folder: int, name: bytes) -> int | None:
    """The directory of that name; None where there is none. `_Barred` for a link, OSError."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in NOT_THERE:
            return None
        raise
    if stat.S_ISLNK(found.st_mode):
        raise _Barred
    if not stat.S_ISDIR(found.st_mode):
        return None  # nothing can be in it
    return os.open(name, ENTER, dir_fd=folder)


def _regular(folder: int, name: bytes) -> os.stat_result | None:
    """What is said of the file of that name; None where there is nothing. `_Barred` for anything else, OSError."""
    if name in NO_NAMES:
        raise _Barred
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in NOT_THERE:
            return None
        raise
    if not stat.S_ISREG(found.st_mode):
        raise _Barred
    return found


def _remove_beside(folder: int, name: bytes, ending: bytes) -> None:
    """Delete the labels beside a file that is gone, unless they are another's as well. OSError."""
    stem, kind = stem_of(name), kind_of(name)
    others = (other for each in (TEXTS if kind in TEXTS else (kind,)) for other in spelt(stem, each))
    if stem + ending == name or any(_is_there(folder, other) for other in others):
        return
    with suppress(_Barred):
        if _regular(folder, stem + ending) is not None:
            os.unlink(stem + ending, dir_fd=folder)


def _is_there(folder: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return True


def _state(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _changed_at(found: os.stat_result) -> int:
    """When the file was changed last, in any way, in microseconds."""
    return max(found.st_mtime_ns, found.st_ctime_ns) // 1000
