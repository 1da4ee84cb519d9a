"""The state of a forked interpreter: put as it is when an interpreter starts, and ended as an interpreter ends."""

from __future__ import annotations

import atexit
import multiprocessing.process
import os
import runpy
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn, cast


def reset_signals() -> None:
    """Signals as an interpreter sets them when it starts."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def set_environment(environment: dict[str, str]) -> None:
    """Have this environment and no other; forget what was computed from the former, or from another directory."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    tempfile.tempdir = None
    cast("Any", multiprocessing.process).ORIGINAL_DIR = os.getcwd()  # where its workers look for modules
    if hasattr(trash := sys.modules.get("send2trash.plat_other"), "uid"):
        cast("Any", trash).uid = os.getuid()  # names the trash directory


def reseed() -> None:
    """Give this process keys and random numbers that no other fork has; Python reseeds `random` at each fork."""
    multiprocessing.process.current_process().authkey = os.urandom(32)
    if "numpy.random" in sys.modules:
        cast("Any", sys.modules["numpy.random"]).seed()


def run(argv: Sequence[str], *more: str) -> NoReturn:
    """Run `python -m module …` as the command line says, with more arguments, and end as an interpreter ends."""
    sys.argv[:] = ["-m", *argv[3:], *more]
    with suppress(AttributeError):  # before Python 3.10
        sys.orig_argv[:] = argv
    code: object = 0
    try:
        runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - the edge of this program
        traceback.print_exc()
        code = 1
    finish(code)


def finish(code: object) -> NoReturn:
    """End with this exit status, or with this text on standard error, after what is registered for an exit has run."""
    status = code if isinstance(code, int) else 0 if code is None else 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)  # noqa: T201 - as an interpreter does
    with suppress(Exception):
        cast("Any", threading)._shutdown()  # noqa: SLF001 - what an interpreter calls at its end
        cast("Any", atexit)._run_exitfuncs()  # noqa: SLF001 - as above
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status & 0xFF)
