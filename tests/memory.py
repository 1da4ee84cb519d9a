"""What Python's objects take of this process."""

from __future__ import annotations

import gc
import sys


def blocks() -> int:
    """How many blocks of memory hold objects, those apart that are only waiting to be collected."""
    gc.collect()
    return sys.getallocatedblocks()
