"""The keeper's program: `main` becomes a process of its own, or ends where a keeper has the directory already."""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import sys
import time
import traceback
from contextlib import suppress

from trivium.drivers.runtimes.process.keeper.boot import SOCKET
from trivium.drivers.runtimes.process.keeper.control import ControlSocket, serve
from trivium.drivers.runtimes.process.keeper.keeper import Keeper
from trivium.drivers.runtimes.process.keeper.system import linux

LOG_SIZE = 1 << 20  # bytes past which the keeper's own log begins anew
LOCK_WITHIN = 3.0  # seconds for a former keeper's children to let go of its lock


def main(data: str, run: str) -> None:
    """Keep the launches of `data`, with sockets in `run`; comes back when there is nothing left to keep."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    above = f"{data}/keeper"
    os.makedirs(above, mode=0o700, exist_ok=True)
    lock = os.open(f"{above}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _lock(lock):
        return
    _redirect(f"{above}/keeper.log")
    linux.become_subreaper()
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("-500")
    selector = selectors.DefaultSelector()
    _listen_to_signals(selector)
    try:
        keeper = Keeper(data, run, selector)
        signal.signal(signal.SIGTERM, lambda _number, _frame: keeper.dismiss())
        control = ControlSocket(f"{run}/{SOCKET}", keeper, selector)
        serve(keeper, control, selector)
        control.close()
        keeper.leave()
    except Exception:  # the edge of this program
        traceback.print_exc()
        sys.stderr.flush()
        raise


def _lock(lock: int) -> bool:
    deadline = time.monotonic() + LOCK_WITHIN
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _redirect(log: str) -> None:
    with suppress(OSError):
        if os.stat(log).st_size > LOG_SIZE:
            os.replace(log, f"{log}.1")
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(nothing, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(nothing)


def _listen_to_signals(selector: selectors.BaseSelector) -> None:
    """Wake up when a child ends; the rest is for the programs that people stop."""
    heard, woken = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)

    def drain() -> None:
        with suppress(BlockingIOError):
            os.read(heard, 4096)

    selector.register(heard, selectors.EVENT_READ, drain)
