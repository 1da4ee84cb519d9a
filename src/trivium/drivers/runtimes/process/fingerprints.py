"""The cheap fingerprints of environments, each read anew only after the kernel has seen something change in it.

To look at every file of an environment takes a good part of what opening a notebook may take. Where changes would not
be seen (a network's file system, more directories than may be watched), it is read each time.
"""

from __future__ import annotations

import ctypes
import os
import select
import threading
from pathlib import Path
from typing import Final, Self

from trivium.drivers.runtimes.process import environments
from trivium.drivers.runtimes.process.keeper.startup.layer import python_of
from trivium.drivers.runtimes.process.keeper.system import mounts

MODIFY, ATTRIB, MOVED_FROM, MOVED_TO, CREATE, DELETE, DELETE_SELF, MOVE_SELF = 2, 4, 64, 128, 256, 512, 1024, 2048
CHANGES: Final = MODIFY | ATTRIB | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
LOCAL: Final = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "tmpfs", "overlay"})
UNREAD: Final = "__pycache__"
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Fingerprints:
    """What is known of the environments that were asked for. Used from threads."""

    def __init__(self) -> None:
        self._watches: dict[Path, tuple[_Watch, str]] = {}
        self._lock = threading.Lock()

    def of(self, path: Path) -> str | None:
        """The fingerprint; None when the environment is not there."""
        with self._lock:
            known = self._watches.get(path)
            if known is not None:
                watch, fingerprint = known
                if watch.is_unchanged() and python_of(str(path)) is not None:
                    return fingerprint
                del self._watches[path]
                watch.close()
            return self._read(path)

    def close(self) -> None:
        """Watch nothing any more. Repeatable."""
        with self._lock:
            watches, self._watches = self._watches, {}
            for watch, _ in watches.values():
                watch.close()

    def _read(self, path: Path) -> str | None:
        watch = _Watch.begin(path)
        fingerprint = environments.fingerprint(path)
        if watch is None:
            return fingerprint
        if fingerprint is not None and watch.is_unchanged():
            self._watches[path] = watch, fingerprint
        else:
            watch.close()
        return fingerprint


class _Watch:
    def __init__(self, path: Path, descriptor: int, identity: tuple[int, int]) -> None:
        self._path = path
        self._descriptor = descriptor
        self._identity = identity

    @classmethod
    def begin(cls, path: Path) -> Self | None:
        """Watch every directory of an environment; None where changes would not be seen."""
        identity = _identity(path)
        if identity is None or mounts.kind_at(os.path.realpath(path)) not in LOCAL:
            return None
        descriptor = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor < 0:
            return None
        for above, directories, _ in os.walk(path):
            if UNREAD in directories:
                directories.remove(UNREAD)
            there = _identity(Path(above)) or (0, 0)
            if there[0] != identity[0] or _LIBC.inotify_add_watch(descriptor, os.fsencode(above), CHANGES) < 0:
                os.close(descriptor)
                return None
        return cls(path, descriptor, identity)

    def is_unchanged(self) -> bool:
        """Whether nothing has changed since it began."""
        return _identity(self._path) == self._identity and not self._has_heard()

    def close(self) -> None:
        os.close(self._descriptor)

    def _has_heard(self) -> bool:
        poll = select.poll()  # `select` knows no descriptors past 1023
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(0))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        entry = path.stat()
    except OSError:
        return None
    return entry.st_dev, entry.st_ino
