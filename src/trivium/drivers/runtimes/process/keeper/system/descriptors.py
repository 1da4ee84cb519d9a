"""Open file descriptors of this process."""

from __future__ import annotations

import os
from collections.abc import Container
from contextlib import suppress

STANDARD = 2  # the last of standard input, output and error


def close_all_but(kept: Container[int] = ()) -> None:
    """Close every descriptor except the three standard ones and `kept`."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > STANDARD and int(name) not in kept:
            with suppress(OSError):  # the listing's own
                os.close(int(name))
