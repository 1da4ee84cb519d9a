"""The names below a directory, in one order whoever asks, and from the middle on.

The order is that of the bytes of names, directory by directory: what lies in a directory comes where its name does. So
a path says all that is needed to go on after it, and nothing of what was met has to be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from trivium.base.values import Value
from trivium.drivers.annotations.files import File, Folder
from trivium.drivers.annotations.limits import Limits
from trivium.drivers.places import shown
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import Refusal

SEPARATOR: Final = b"\0"  # between a path and an offset in the file: no path has it


class Met(Value, frozen=True):
    """A file on the way, which the walk closes when it goes on."""

    folder: Folder
    name: bytes
    file: File
    offset: int  # where in it to begin
    texts: bool  # whether texts lie in its directory

    @property
    def path(self) -> bytes:
        """From the directory where the walk began."""
        return self.folder.path_of(self.name)


def position_in(path: bytes, offset: int) -> bytes:
    """The position of what ends there in a file."""
    return b"%s%s%d" % (path, SEPARATOR, offset)


class Walk:
    """One way through a directory and those below it, after a position, past names that are not wanted."""

    def __init__(self, limits: Limits, wanted: Callable[[bytes], bool], *, after: bytes) -> None:
        path, _, offset = after.partition(SEPARATOR)
        self._limits = limits
        self._wanted = wanted
        self._offset = int(offset) if offset.isdigit() else None
        self._way = path.split(b"/") if path else []

    def files(self, folder: Folder, depth: int = 0) -> Iterator[Met | Refusal]:
        """What is met, in order. Hidden names are passed over: they belong to the tools of those who made the files.

        Raises `SourceRefused` where the first directory cannot be listed.
        """
        resumed = self._way[depth] if len(self._way) > depth else b""
        has_texts = [False]

        def note(name: bytes) -> None:
            has_texts[0] |= name.lower().endswith(b".txt")

        try:
            for name in folder.names(start=resumed, batch=self._limits.batch, note=note):
                if name != resumed:
                    self._way = []
                    self._offset = None
                if not name.startswith(b"."):
                    yield from self._step(folder, name, depth, texts=has_texts[0])
        except SourceRefused as error:
            if depth == 0:
                raise
            yield Refusal(position=folder.path, path=folder.path, reason=error.reason)

    def only(self, folder: Folder, name: bytes) -> Iterator[Met | Refusal]:
        """What has that name in a directory, and is to be read."""
        if self._way != [name]:
            self._way = []
            self._offset = None
        yield from self._step(folder, name, 0, texts=False)

    def _step(self, folder: Folder, name: bytes, depth: int, *, texts: bool) -> Iterator[Met | Refusal]:
        path = folder.path_of(name)
        is_last = len(self._way) == depth + 1
        if is_last and self._offset is None:
            return  # it was dealt with
        offset = self._offset if is_last and self._offset is not None else 0
        try:
            found = folder.find(name)
            if isinstance(found, Folder):
                yield from self._below(found, depth)
            elif found is not None:
                with found:
                    if self._wanted(name):
                        yield Met(folder=folder, name=name, file=found, offset=offset, texts=texts)
        except SourceRefused as error:
            yield Refusal(position=path, path=path, reason=error.reason)

    def _below(self, folder: Folder, depth: int) -> Iterator[Met | Refusal]:
        try:
            if depth >= self._limits.depth:
                raise SourceRefused(SourceFault.TOO_DEEP, shown(folder.path[:200]), limit=self._limits.depth)
            yield from self.files(folder, depth + 1)
        finally:
            folder.close()
