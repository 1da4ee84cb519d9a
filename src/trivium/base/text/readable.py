"""Names on disk, as people are shown them."""

from __future__ import annotations

import os


def readable(path: bytes) -> str:
    """A path as text: a byte that is no UTF-8 is a question mark, wherever paths are kept or compared."""
    return os.fsdecode(path).encode(errors="replace").decode()
