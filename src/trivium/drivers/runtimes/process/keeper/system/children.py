"""Work that may take long, in a process of its own: the keeper has all launches to look after meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from trivium.drivers.runtimes.process.keeper.system import descriptors

PATIENT = 19  # the least of the processor's time


def apart(act: Callable[[], object], *, kept: tuple[int, ...] = ()) -> None:
    """Begin to do it, with `kept` the only descriptors left; the caller reaps. OSError when no process is to be had."""
    if os.fork():
        return
    try:
        signal.set_wakeup_fd(-1)
        descriptors.close_all_but(kept)  # the keeper's lock and sockets among them
        os.nice(PATIENT)
        act()
    finally:
        os._exit(0)
