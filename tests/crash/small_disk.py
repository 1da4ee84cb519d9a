"""A file system that is soon full."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

IS_ROOT = os.geteuid() == 0
DETACH = 2  # umount2's MNT_DETACH


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """A file system of that size, such as 24m, at a directory that is made for it. Only root may."""
    libc = ctypes.CDLL(None, use_errno=True)
    place.mkdir(mode=0o711)
    options = f"size={size},mode=711".encode()
    assert libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", 0, options) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        assert libc.umount2(os.fsencode(place), DETACH) == 0
        with suppress(OSError):  # what was removed as far as it could be while this was mounted
            place.rmdir()
            place.parent.rmdir()


def fill(filler: Path) -> None:
    """Leave not a byte."""
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)
