"""Files that are held open while they are sent."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b


class OpenFile:
    """A regular file by its descriptor; fulfils `SampleFile`."""

    def __init__(self, descriptor: int, *, tag: str = "", modified: datetime | None = None) -> None:
        """Tag and time are the file's own unless they are told. OSError where the descriptor cannot be asked."""
        self._descriptor = -1
        self._lock = threading.Lock()  # a descriptor that is closed while it is read may be another file's by then
        self._is_over = False
        found = os.fstat(descriptor)
        self._descriptor = descriptor
        self.size = found.st_size
        self.modified = modified or datetime.fromtimestamp(found.st_mtime_ns // 1_000_000_000, UTC)
        said = f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns}".encode()
        self.tag = tag or blake2b(said, digest_size=12).hexdigest()

    def at(self, offset: int, count: int) -> bytes:
        """See the protocol."""
        with self.lent() as descriptor:
            return os.pread(descriptor, min(count, self.size - offset), offset)

    @contextmanager
    def lent(self) -> Generator[int]:
        """The descriptor, which stays open meanwhile. OSError where the file is closed."""
        with self._lock:
            try:
                if self._is_over:
                    raise OSError(errno.EBADF, "the file is closed")
                yield self._descriptor
            finally:
                if self._is_over:
                    self._let_go()

    def close(self) -> None:
        """See the protocol. Nobody is waited for: a thread that reads closes it then."""
        self._is_over = True
        if self._lock.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._lock.release()

    def __del__(self) -> None:
        """Of one that an answer was cut off from nothing stays open."""
        self._let_go()

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
