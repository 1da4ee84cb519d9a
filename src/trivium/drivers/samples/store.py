"""Opens the files of samples inside the roots that the configuration allows, and makes small pictures of them."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from trivium.drivers.annotations import SourceReader
from trivium.drivers.places import Root, innermost, open_file, shown
from trivium.drivers.samples import removal
from trivium.drivers.samples.arrivals import Arrivals
from trivium.drivers.samples.files import OpenFile
from trivium.drivers.samples.thumbnails import Thumbnails
from trivium.resources.datasets.ports import Sample
from trivium.resources.models import ArtifactRefused
from trivium.resources.samples import NoSampleFile
from trivium.resources.samples.ports import Resize, Upload


class FileStore:
    """The port `SampleFiles` of the samples room, for local disks."""

    def __init__(self, roots: Sequence[Path], *, thumbnails: Path, reader: Callable[[], SourceReader]) -> None:
        """`thumbnails`: where small pictures are kept; `reader` reads files that are brought, as imports do."""
        self._roots = tuple(roots)
        self._arrivals = Arrivals(roots, reader)
        self._thumbnails = Thumbnails(thumbnails)

    def close(self) -> None:
        """Let the process end that makes small pictures; another is started where it is needed."""
        self._thumbnails.close()

    async def resized(self, path: bytes, wanted: Resize, *, within: str) -> OpenFile:
        """See the port."""
        return await self._thumbnails.of(await asyncio.to_thread(self.open, path, within=within), wanted)

    def open(self, path: bytes, *, within: str) -> OpenFile:
        """See the port."""
        told = shown(path)
        try:
            place, real = self._reached(path, told)
            try:
                inside = os.fsencode(os.path.realpath(within)).rstrip(b"/") + b"/"
                if not real.startswith(inside) or not stat.S_ISREG(os.fstat(place).st_mode):
                    raise NoSampleFile(name=told)
                return _opened(place)
            finally:
                os.close(place)
        except (ArtifactRefused, OSError) as error:
            raise NoSampleFile(name=told) from error

    def put(self, upload: Upload, *, folder: str, within: str) -> Sequence[Sample]:
        """See the port."""
        return self._arrivals.put(upload, folder=folder, within=within)

    def barred(self, paths: Sequence[bytes]) -> bytes | None:
        """See the port."""
        return removal.barred(self._roots, paths)

    def _reached(self, path: bytes, told: str) -> tuple[int, bytes]:
        """A descriptor for the place of what a path leads to, and where that is without links."""
        root_path, below = innermost(self._roots, Path(os.fsdecode(path)))
        root = Root(root_path)
        try:
            place, names = root.reach(below, name=told)
        finally:
            root.close()
        return place, b"/".join((os.fsencode(os.path.realpath(root_path)).rstrip(b"/"), *names))


def _opened(place: int) -> OpenFile:
    descriptor = open_file(place)
    try:
        return OpenFile(descriptor)
    except OSError:
        os.close(descriptor)
        raise
