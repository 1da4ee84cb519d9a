"""Small pictures that were drawn, kept on disk as long as there is room: those that nobody asked for go first.

A file appears whole under its name, which says what it was made of. Several processes may share the directory.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from trivium.base.units import MIB

MOST: Final = 256 * MIB
BLOCK: Final = 4096  # bytes that a file takes at least
NEW: Final = ".new-"
STALE: Final = 3600.0  # seconds after which a file that is not whole was left by who is no more
FRESH: Final = 600.0  # seconds in which a file is not noted as asked for again


class Kept:
    """A directory of them, made when the first is kept."""

    def __init__(self, folder: Path, *, most: int = MOST) -> None:
        self._folder = folder
        self._most = most
        self._lock = threading.Lock()
        self._bytes: int | None = None  # None until somebody has looked

    def find(self, name: str) -> int | None:
        """A descriptor of the one of that name, which the caller closes; None where there is none."""
        path = self._folder / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        with suppress(OSError):
            if time.time() - os.fstat(descriptor).st_mtime > FRESH:
                os.utime(descriptor)
        return descriptor

    def put(self, name: str, content: bytes) -> None:
        """Keep one. OSError where there is no room on the disk."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._folder / f"{NEW}{secrets.token_hex(8)}"
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._folder / name)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        with self._lock:
            if self._bytes is not None:
                self._bytes += max(len(content), BLOCK)
            if self._bytes is None or self._bytes > self._most:
                self._bytes = self._swept()

    def _swept(self) -> int:
        """Remove what was asked for longest ago, until a quarter is free where there was too much; what is left."""
        found = sorted(self._found())
        left = sum(size for _, size, _ in found)
        if left > self._most:
            for _, size, path in found:
                if left <= self._most * 3 // 4:
                    break
                path.unlink(missing_ok=True)
                left -= size
        return left

    def _found(self) -> Iterator[tuple[float, int, Path]]:
        now = time.time()
        with os.scandir(self._folder) as every:
            for one in every:
                with suppress(FileNotFoundError):  # another process swept it
                    at = one.stat(follow_symlinks=False)
                    if not one.name.startswith(NEW):
                        yield at.st_mtime, max(at.st_size, BLOCK), Path(one.path)
                    elif now - at.st_mtime > STALE:
                        Path(one.path).unlink(missing_ok=True)
