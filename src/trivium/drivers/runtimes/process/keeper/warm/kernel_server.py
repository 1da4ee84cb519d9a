"""The fork server for a notebook's kernels: forked of the notebook's server before that has threads.

It waits until the server's kernel provisioner (`provisioner`) asks, forks, and reports how each fork ended. Like its
server it runs as the notebook's user, and has nothing that the server would not give a kernel. It ends with the server.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import warnings
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn, cast

from trivium.drivers.runtimes.process.keeper.system import descriptors
from trivium.drivers.runtimes.process.keeper.warm import interpreter, modules, started_as
from trivium.drivers.runtimes.process.keeper.warm.modules import Unloadable

ASK = b"kernel"
PART = 65536
TITLE = "trivium: kernel fork server"
READS_ENVIRONMENT = ("ipykernel", "kernelapp")  # package and module: read the environment when they are imported

Filters = tuple[Any, ...]  # of warnings, as the interpreter has them


class KernelServer(NamedTuple):
    """Where a notebook's server asks for kernels."""

    control: socket.socket
    names: frozenset[str]  # the top-level names of what a kernel has imported before it begins
    sites: tuple[str, ...]  # the layers' site directories, which come before the image's


def start(unloadable: Unloadable, filters: Filters, sites: tuple[str, ...]) -> KernelServer:
    """Fork it; it unloads what it can, and has these filters of warnings. OSError when no process can be made."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        try:
            ours.close()
            _serve(theirs, unloadable.modules, filters)
        finally:
            os._exit(1)
    theirs.close()
    return KernelServer(ours, unloadable.kept, sites)


def _serve(control: socket.socket, unloaded: Iterable[str], filters: Filters) -> NoReturn:
    os.setsid()
    started_as.show([TITLE], os.environ)
    held = modules.unload(unloaded)
    warnings.resetwarnings()
    cast("Any", warnings.filters).extend(filters)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    heard, woken = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    running: dict[int, socket.socket] = {}
    while True:
        ready = select.select([control, heard], [], [])[0]
        if heard in ready:
            with suppress(BlockingIOError):
                os.read(heard, PART)
        _reap(running)
        if control in ready:
            message, handles, _, _ = socket.recv_fds(control, 16, 1)
            if message != ASK:
                os._exit(0)
            channel = socket.socket(fileno=handles[0])
            pid = os.fork()
            if pid == 0:
                descriptors.close_all_but({channel.fileno()})
                _become_kernel(channel, held)
            running[pid] = channel


def _reap(running: dict[int, socket.socket]) -> None:
    """Report how kernels ended; a pid stays theirs until that is reported."""
    with suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            channel = running.pop(ended.si_pid, None)
            if channel is not None:
                code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
                with suppress(OSError), channel:
                    channel.send(f"ended {code}\n".encode())
            os.waitpid(ended.si_pid, 0)


def _become_kernel(channel: socket.socket, _held: list[object]) -> NoReturn:
    """Become the kernel that is asked for; what was unloaded is held on to."""
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        interpreter.reset_signals()
        channel.sendall(f"pid {os.getpid()}\n".encode())
        parts: list[bytes] = []
        while part := channel.recv(PART):
            parts.append(part)
        channel.close()
        if not parts:
            os._exit(1)  # the provisioner gave up waiting
        note = json.loads(b"".join(parts))
        _close_input()
        os.chdir(note["cwd"])
        environment: dict[str, str] = note["environment"]
        if environment.pop("JPY_PARENT_PID", None) is not None:
            environment["JPY_PARENT_PID"] = str(os.getppid())
        interpreter.set_environment(environment)
        interpreter.reseed()
        _unload_reader()
        sys.path[0] = os.getcwd()
        started_as.show(note["argv"], environment)
        interpreter.run(note["argv"])
    finally:
        os._exit(1)


def _close_input() -> None:
    """Have a pipe as standard input that nobody writes to, as jupyter_client gives kernels."""
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    os.close(writing)


def _unload_reader() -> None:
    package, name = READS_ENVIRONMENT
    if sys.modules.pop(f"{package}.{name}", None) is not None:
        vars(sys.modules[package]).pop(name, None)
