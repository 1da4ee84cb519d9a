"""Checksums of models.

A model that is one file has that file's SHA-256. A directory has the SHA-256 of its *canonical listing*: for each
regular file below it, in the order of the bytes of its path, the file's SHA-256 in 64 lower-case hexadecimal digits,
two spaces, `./`, the path as it is on disk with `/` between its parts, and a byte 0. Links to files count as files,
under the path of the link; empty directories, modes, owners and times do not count. It is what coreutils would say:

    find -L . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -z | sha256sum
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import Final

from trivium.base.units import GIB, MIB
from trivium.drivers.artifacts.listing import Entry, Listing
from trivium.drivers.places import refusal, shown
from trivium.resources.models import ArtifactRefused, Fault, FileDone, Progress

BLOCK: Final = MIB
NOTE_SECONDS: Final = 2.0
NOTE_BYTES: Final = GIB


class Stopped(Exception):
    """The reading was to end."""


class Hashing:
    """Reads all files of a model once, from where an earlier reading ended."""

    def __init__(
        self,
        listing: Listing,
        *,
        resume: Progress | None,
        note: Callable[[Progress], None] | None,
        stopped: Callable[[], bool],
    ) -> None:
        self._listing = listing
        self._known = {one.path: one for one in resume.done} if resume is not None else {}
        self._note = note
        self._stopped = stopped
        self._buffer = memoryview(bytearray(BLOCK))
        self._done: list[FileDone] = []
        self._bytes = 0
        self._total = listing.size
        self._noted_at = time.monotonic()
        self._noted_bytes = 0

    def checksum(self) -> str:
        """64 hex. Raises `ArtifactRefused`, and `Stopped` when it was to stop."""
        whole = hashlib.sha256()
        digest = b""
        for entry in self._listing.entries:
            digest = self._digest(entry)
            whole.update(b"%s  ./%s\0" % (digest.hex().encode(), entry.path))
        self._tell()
        return whole.hexdigest() if self._listing.is_directory else digest.hex()

    def _digest(self, entry: Entry) -> bytes:
        known = self._known.pop(entry.path, None)
        if known is not None and (known.size, known.modified, known.inode) == (
            entry.size,
            entry.modified,
            entry.inode,
        ):
            self._bytes += entry.size
            self._done.append(known)
            return known.digest
        digest = self._read(entry)
        self._done.append(
            FileDone(path=entry.path, size=entry.size, modified=entry.modified, inode=entry.inode, digest=digest)
        )
        self._tell_if_due()
        return digest

    def _read(self, entry: Entry) -> bytes:
        whole = hashlib.sha256()
        left = entry.size
        with self._listing.opened(entry) as descriptor:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while left and (count := self._fill(descriptor, entry, left)):
                whole.update(self._buffer[:count])
                left -= count
                self._bytes += count
                self._tell_if_due()
        if left:
            raise ArtifactRefused(Fault.CHANGED, shown(entry.path))
        return whole.digest()

    def _fill(self, descriptor: int, entry: Entry, left: int) -> int:
        try:
            return os.readv(descriptor, [self._buffer[: min(BLOCK, left)]])
        except OSError as error:
            raise refusal(error, shown(entry.path)) from error

    def _tell_if_due(self) -> None:
        if self._stopped():
            raise Stopped
        is_late = time.monotonic() - self._noted_at >= NOTE_SECONDS
        if is_late or self._bytes - self._noted_bytes >= NOTE_BYTES:
            self._tell()

    def _tell(self) -> None:
        if self._note is not None:
            self._note(
                Progress(
                    bytes_done=self._bytes,
                    bytes_total=self._total,
                    files_total=len(self._listing.entries),
                    done=tuple(self._done),
                )
            )
        self._noted_at = time.monotonic()
        self._noted_bytes = self._bytes
