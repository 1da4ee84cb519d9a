"""Files of samples that are brought: each appears whole, under a name that nothing had, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import structs

from trivium.base.reasons import Reason
from trivium.drivers.annotations.files import File, Files, Folder
from trivium.drivers.annotations.reader import SourceReader
from trivium.drivers.annotations.walk import Met
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import Refusal, Sample
from trivium.resources.samples import NotTaken, SampleFileThere, SampleTooLarge
from trivium.resources.samples.ports import Upload

HIDDEN: Final = b".trivium-upload-"  # imports pass hidden names over
UNNAMED: Final = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
"""What file systems say that know no files without a name."""

MOST: Final = 10_000  # samples of one file


class Arrivals:
    """Writes files into the directories of datasets, inside the roots, and reads them as an import does."""

    def __init__(self, roots: Sequence[Path], reader: Callable[[], SourceReader]) -> None:
        self._roots = tuple(roots)
        self._reader = reader

    def put(self, upload: Upload, *, folder: str, within: str) -> Sequence[Sample]:
        """The samples in a file that was written. `SampleFileThere`, `SampleTooLarge`, `NotTaken`."""
        name = upload.name.encode()
        try:
            with closing(Files(self._roots)) as files, closing(files.folder(os.fsencode(folder), called=b"")) as into:
                return self._put(upload, into, name, base=os.fsencode(folder), within=within)
        except FileExistsError as error:
            raise SampleFileThere(name=upload.name) from error
        except SourceRefused as error:
            raise _not_taken(error.reason, upload.name) from error
        except OSError as error:
            details = {"file": upload.name, "error": os.strerror(error.errno or 0)}
            raise _not_taken(Reason(code="dataset.source.unreadable", details=details), upload.name) from error

    def _put(self, upload: Upload, into: Folder, name: bytes, *, base: bytes, within: str) -> Sequence[Sample]:
        directory = into.opened()
        try:
            if not Path(f"/proc/self/fd/{directory}").readlink().is_relative_to(Path(within).resolve()):
                raise SourceRefused(SourceFault.OUTSIDE, upload.name)
            if into.has(name):  # `link` sees that, too, once the file is written
                raise FileExistsError
            with _new(directory) as (descriptor, link):
                _write(descriptor, upload.content)
                found = self._read(upload, into, name, descriptor=descriptor)
                link(name)
            os.fsync(directory)
        finally:
            os.close(directory)
        return [structs.replace(one, path=b"%s/%s" % (base, one.path)) for one in found]

    def _read(self, upload: Upload, into: Folder, name: bytes, *, descriptor: int) -> list[Sample]:
        """What an import would find in the file. `SourceRefused`, `NotTaken`, `SampleTooLarge`."""
        there = f"/proc/self/fd/{descriptor}"
        file = File(name, os.fstat(descriptor), place=lambda: os.open(there, os.O_PATH | os.O_CLOEXEC))
        with file:
            met = Met(folder=into, name=name, file=file, offset=0, texts=into.has(name.rpartition(b".")[0] + b".txt"))
            found: list[Sample] = []
            for one in self._reader().arrived(met, upload.layout, kind=upload.kind, texts=upload.texts):
                if isinstance(one, Refusal):
                    raise _not_taken(one.reason, upload.name)
                if len(found) == MOST:
                    raise SourceRefused(SourceFault.TOO_LARGE, upload.name, what="samples", limit=MOST)
                found.append(one)
        if not found:
            raise SourceRefused(SourceFault.FIELD, upload.name, problem="no sample is in it")
        return found


@contextmanager
def _new(directory: int) -> Generator[tuple[int, Callable[[bytes], None]]]:
    """A new file without a name, and what gives it one, unless something has that: `FileExistsError`."""
    try:
        descriptor = os.open(b".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o644, dir_fd=directory)
        hidden = None
    except OSError as error:
        if error.errno not in UNNAMED:
            raise
        hidden = HIDDEN + secrets.token_hex(8).encode()
        descriptor = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o644, dir_fd=directory)

    def link(name: bytes) -> None:
        if hidden is None:
            os.link(f"/proc/self/fd/{descriptor}", name, dst_dir_fd=directory, follow_symlinks=True)
        else:
            os.link(hidden, name, src_dir_fd=directory, dst_dir_fd=directory)

    try:
        yield descriptor, link
    finally:
        os.close(descriptor)
        if hidden is not None:
            with suppress(OSError):
                os.unlink(hidden, dir_fd=directory)


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


def _not_taken(reason: Reason, name: str) -> NotTaken | SampleTooLarge:
    """Why a file was not taken, as an import says it."""
    if reason.code == f"dataset.source.{SourceFault.TOO_LARGE.value}":
        return SampleTooLarge(name=name, reason=reason)
    return NotTaken(name=name, reason=reason)
