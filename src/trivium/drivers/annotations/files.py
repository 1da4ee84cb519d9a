"""Files of a source: each is opened in a directory that is held open, inside a root, and only if it is regular."""

from __future__ import annotations

import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from trivium.base.units import MIB
from trivium.drivers.places import Root, innermost, open_file, shown
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.models import ArtifactRefused

LIST: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
LOOK: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
BLOCK: Final = MIB
KEPT: Final = 64  # directories that are held open
NOT_THERE: Final = (errno.ENOENT, errno.ENAMETOOLONG)
NO_NAMES: Final = (b"", b".", b"..")
NO_FOLDER: Final = (SourceFault.FILE, SourceFault.SPECIAL)


class Hasher(Protocol):
    """A checksum in the making."""

    def update(self, data: memoryview, /) -> object:
        """Take more bytes."""
        ...

    def digest(self) -> bytes:
        """The checksum of all of them."""
        ...


class File:
    """A regular file as it was found, opened when it is read, and only if it is still the one that was found."""

    def __init__(self, path: bytes, found: os.stat_result, *, place: Callable[[], int]) -> None:
        """`place` gives a descriptor for where it is. It may raise `SourceRefused` and OSError."""
        self._place = place
        self._descriptor: int | None = None
        self._found = found
        self._name = ""
        self.path = path
        self.size = found.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    @property
    def name(self) -> str:
        """What people call it: its path, unless it was named otherwise."""
        return self._name or shown(self.path)

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    def descriptor(self) -> int:
        """One to read by. Raises `SourceRefused`."""
        if self._descriptor is None:
            try:
                self._descriptor = self._opened()
            except OSError as error:
                raise refused(error, self.name) from error
        return self._descriptor

    def _opened(self) -> int:
        place = self._place()
        try:
            found = os.fstat(place)
            if (found.st_ino, found.st_dev, found.st_mode) != (
                self._found.st_ino,
                self._found.st_dev,
                self._found.st_mode,
            ):
                raise SourceRefused(SourceFault.CHANGED, self.name)
            return open_file(place)
        finally:
            os.close(place)

    def at(self, offset: int, count: int) -> bytes:
        """So many bytes from there, fewer at the end."""
        try:
            return os.pread(self.descriptor(), count, offset)
        except OSError as error:
            raise refused(error, self.name) from error

    def whole(self, limit: int, what: str) -> bytes:
        """All of a small file."""
        raw = self.at(0, limit + 1) if self.size <= limit else b""
        if self.size > limit or len(raw) > limit:
            raise SourceRefused(SourceFault.TOO_LARGE, self.name, what=what, limit=limit)
        return raw

    def digest(self, hasher: Hasher) -> bytes:
        """The checksum of all of it; `SourceRefused` where it is changed meanwhile."""
        buffer = memoryview(bytearray(BLOCK))
        descriptor = self.descriptor()
        try:
            left = self.size
            while left and (count := os.readv(descriptor, [buffer[: min(BLOCK, left)]])):
                hasher.update(buffer[:count])
                left -= count
            after = os.fstat(descriptor)
        except OSError as error:
            raise refused(error, self.name) from error
        same = (after.st_size, after.st_mtime_ns) == (self._found.st_size, self._found.st_mtime_ns)
        if left or not same:
            raise SourceRefused(SourceFault.CHANGED, self.name)
        return hasher.digest()


class Folder:
    """A directory, held open by its place."""

    def __init__(self, root: Root, place: int, *, below: bytes, path: bytes) -> None:
        self._root = root
        self._place = place
        self._below = below  # from the root, without links
        self.path = path  # as people and samples know it

    def close(self) -> None:
        """Let go of it."""
        os.close(self._place)

    def opened(self) -> int:
        """A descriptor of the directory to list it and to make files in it, which the caller closes. OSError."""
        return os.open(f"/proc/self/fd/{self._place}", LIST)

    def path_of(self, name: bytes) -> bytes:
        """The path of what has that name in it."""
        return b"%s/%s" % (self.path, name) if self.path else name

    def find(self, name: bytes) -> File | Folder | None:
        """What has that name; None where there is none. Links to files count as these.

        Raises `SourceRefused` for what is neither a file nor a directory, and for other links.
        """
        path = self.path_of(name)
        try:
            found = os.stat(name, dir_fd=self._place, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                return File(path, found, place=partial(os.open, name, LOOK, dir_fd=self._place))
            if stat.S_ISDIR(found.st_mode):
                place = os.open(name, LOOK | os.O_DIRECTORY, dir_fd=self._place)
                return Folder(self._root, place, below=b"%s/%s" % (self._below, name), path=path)
        except OSError as error:
            if error.errno in NOT_THERE:
                return None
            raise refused(error, shown(path)) from error
        if stat.S_ISLNK(found.st_mode):
            return self._linked(name, path)
        raise SourceRefused(SourceFault.SPECIAL, shown(path))

    def file(self, name: bytes) -> File | None:
        """The file of that name; None where there is none. Raises `SourceRefused` for anything else."""
        found = self.find(name)
        if isinstance(found, Folder):
            found.close()
            raise SourceRefused(SourceFault.FOLDER, shown(self.path_of(name)))
        return found

    def has(self, name: bytes) -> bool:
        """Whether there is anything of that name."""
        try:
            os.stat(name, dir_fd=self._place, follow_symlinks=False)
        except OSError:
            return False
        return True

    def lacks(self, name: bytes) -> bool:
        """Whether no file can be of that name: there is none, or a directory. What cannot be looked at may be one."""
        try:
            return stat.S_ISDIR(os.stat(name, dir_fd=self._place, follow_symlinks=False).st_mode)
        except OSError as error:
            return error.errno in NOT_THERE

    def is_empty(self) -> bool:
        """Whether there is nothing in it but hidden names. Raises `SourceRefused`."""
        try:
            with self._listed() as found:
                return all(one.name.startswith(".") for one in found)
        except OSError as error:
            raise refused(error, shown(self.path) or ".") from error

    def names(self, *, start: bytes, batch: int, note: Callable[[bytes], None]) -> Iterator[bytes]:
        """Its names from `start` on, in the order of their bytes; `note` hears all of them once, before the first.

        However many there are, two batches are held at most: the directory is listed anew for each batch, and the
        smallest names after the last one are kept.
        """
        more = True
        while more:
            held, more = self._smallest(start, batch, note)
            note = _nothing
            yield from held
            if held:
                start = held[-1] + b"\0"  # the next that there can be

    def _smallest(self, start: bytes, batch: int, note: Callable[[bytes], None]) -> tuple[list[bytes], bool]:
        """The smallest names from `start` on, a batch or more if there are so many, and whether others are left."""
        held: list[bytes] = []
        ceiling: bytes | None = None
        try:
            with self._listed() as found:
                for one in found:
                    name = os.fsencode(one.name)
                    note(name)
                    if name < start or (ceiling is not None and name > ceiling):
                        continue
                    held.append(name)
                    if len(held) >= 2 * batch:
                        held.sort()
                        del held[batch:]
                        ceiling = held[-1]
        except OSError as error:
            raise refused(error, shown(self.path) or ".") from error
        held.sort()
        return held, ceiling is not None

    @contextmanager
    def _listed(self) -> Generator[Iterator[os.DirEntry[str]]]:
        """What is in it, as it comes. OSError."""
        listed = os.open(f"/proc/self/fd/{self._place}", LIST)
        try:
            with os.scandir(listed) as found:
                yield found
        finally:
            os.close(listed)

    def _linked(self, name: bytes, path: bytes) -> File:
        place = self._reached(name, path)
        try:
            found = os.fstat(place)
        finally:
            os.close(place)
        if stat.S_ISREG(found.st_mode):
            return File(path, found, place=partial(self._reached, name, path))
        fault = SourceFault.LINK if stat.S_ISDIR(found.st_mode) else SourceFault.SPECIAL
        raise SourceRefused(fault, shown(path))

    def _reached(self, name: bytes, path: bytes) -> int:
        told = shown(path)
        try:
            return self._root.reach(b"%s/%s" % (self._below, name), name=told)[0]
        except ArtifactRefused as error:
            raise translated(error, told) from error


class Files:
    """Files and directories by their absolute paths, inside the roots. `close` lets go of all that are held."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._allowed = roots
        self._roots: dict[Path, Root] = {}
        self._folders: OrderedDict[bytes, Folder] = OrderedDict()

    def close(self) -> None:
        """Let go of every directory."""
        for folder in self._folders.values():
            folder.close()
        for root in self._roots.values():
            root.close()

    def folder(self, path: bytes, *, called: bytes) -> Folder:
        """A directory, which the caller closes; `called` is what people and samples know it by. `SourceRefused`."""
        told = shown(called or path)
        try:
            root_path, below = innermost(self._allowed, Path(os.fsdecode(path)))
            root = self._roots.get(root_path) or self._opened(root_path)
            place, names = root.reach(below, name=told)
        except ArtifactRefused as error:
            raise translated(error, told) from error
        mode = os.fstat(place).st_mode
        if not stat.S_ISDIR(mode):
            os.close(place)
            raise SourceRefused(SourceFault.FILE if stat.S_ISREG(mode) else SourceFault.SPECIAL, told)
        return Folder(root, place, below=b"/".join(names), path=called)

    def file(self, path: bytes) -> File:
        """A file. Raises `SourceRefused` also where there is none."""
        head, _, name = path.rpartition(b"/")
        if name in NO_NAMES:
            raise SourceRefused(SourceFault.FOLDER, shown(path))
        if b"\0" in path:
            raise SourceRefused(SourceFault.ABSENT, shown(path))
        found = self._kept(head or b"/").file(name)
        if found is None:
            raise SourceRefused(SourceFault.ABSENT, shown(path))
        return found

    def lacks(self, path: bytes) -> bool:
        """Whether there is no file of that path any more. What cannot be looked at, or a link leads away to, may be."""
        head, _, name = path.rpartition(b"/")
        try:
            return self._kept(head or b"/").lacks(name)
        except SourceRefused as error:
            if error.fault is SourceFault.ABSENT:  # the directory is gone, or what a link to it names
                return self.lacks(head)
            return error.fault in NO_FOLDER  # there is something else

    def check_source(self, path: bytes) -> None:
        """Raise `SourceRefused` where a source is not there, or is a directory with nothing in it."""
        try:
            folder = self.folder(path, called=path)
        except SourceRefused as error:
            if error.fault is not SourceFault.FILE:
                raise
            self.file(path)
            return
        with closing(folder):
            if folder.is_empty():
                raise SourceRefused(SourceFault.EMPTY, shown(path))

    def _kept(self, path: bytes) -> Folder:
        """A directory that is held open for the next file in it, as long as it is among the last ones."""
        kept = self._folders.get(path)
        if kept is not None:
            self._folders.move_to_end(path)
            return kept
        made = self._folders[path] = self.folder(path, called=path)
        if len(self._folders) > KEPT:
            self._folders.popitem(last=False)[1].close()
        return made

    def _opened(self, path: Path) -> Root:
        try:
            root = self._roots[path] = Root(path)
        except OSError as error:
            raise refused(error, str(path)) from error
        return root


def translated(error: ArtifactRefused, name: str) -> SourceRefused:
    """The refusal of a place, of a source instead of a model."""
    details = {key: value for key, value in error.reason.details.items() if key != "file"}
    return SourceRefused(SourceFault(error.fault.value), name, **details)


def refused(error: OSError, name: str) -> SourceRefused:
    """What the system said of a file, as a refusal."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SourceRefused(SourceFault.ABSENT, name)
    return SourceRefused(SourceFault.UNREADABLE, name, error=os.strerror(error.errno or 0))


def _nothing(_name: bytes) -> None:
    """Hears of a name that was told before."""
