"""Kernels by forking: a process in the notebook, forked of its server before that has threads, that becomes kernels.

It waits for the server's provisioner to ask (`provisioning`), forks, and tells how each fork ended. Like its server it
belongs to the notebook's user, and has nothing that the server would not give a kernel. It ends with the server.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple, NoReturn

from trivium.drivers.runtimes.process.keeper import interpreter
from trivium.drivers.runtimes.process.keeper.interpreter import Forgettable

ASK = b"kernel"
PART = 65536
IDLE_TITLE = "trivium: waits to become a kernel"
READER = ("ipykernel", "kernelapp")  # reads its environment when it is imported


class Nest(NamedTuple):
    """Where the server asks for kernels."""

    control: socket.socket
    names: frozenset[str]  # what a kernel has imported before it begins
    sites: tuple[str, ...]  # the layers, whose packages come before the image's


def begin(forgettable: Forgettable, sites: tuple[str, ...]) -> Nest:
    """Fork the process that becomes kernels, which forgets what it can. OSError when it cannot be."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        try:
            ours.close()
            _serve(theirs, forgettable.modules)
        finally:
            os._exit(1)
    theirs.close()
    return Nest(ours, forgettable.kept, sites)


def _serve(control: socket.socket, forgotten: Iterable[str]) -> NoReturn:
    os.setsid()
    interpreter.show(IDLE_TITLE)
    held = interpreter.forget(forgotten)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    heard, woken = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    waiting: dict[int, socket.socket] = {}
    while True:
        ready = select.select([control, heard], [], [])[0]
        if heard in ready:
            with suppress(BlockingIOError):
                os.read(heard, PART)
        _reap(waiting)
        if control in ready:
            message, descriptors, _, _ = socket.recv_fds(control, 16, 1)
            if message != ASK:
                os._exit(0)
            channel = socket.socket(fileno=descriptors[0])
            pid = os.fork()
            if pid == 0:
                _close_all_but(channel.fileno())
                _hatch(channel, held)
            waiting[pid] = channel


def _reap(waiting: dict[int, socket.socket]) -> None:
    """Tell how kernels ended; who they were is theirs until that is told."""
    with suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            channel = waiting.pop(ended.si_pid, None)
            if channel is not None:
                code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
                with suppress(OSError), channel:
                    channel.send(f"ended {code}\n".encode())
            os.waitpid(ended.si_pid, 0)


def _hatch(channel: socket.socket, _held: list[object]) -> NoReturn:
    """Become the kernel that is asked for."""
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
            os._exit(1)  # the server did without us
        note = json.loads(b"".join(parts))
        os.chdir(note["cwd"])
        environment: dict[str, str] = note["environment"]
        if environment.pop("JPY_PARENT_PID", None) is not None:
            environment["JPY_PARENT_PID"] = str(os.getppid())
        interpreter.set_surroundings(environment)
        interpreter.make_unlike_others()
        _forget_reader()
        sys.path[0] = os.getcwd()
        interpreter.show(" ".join(note["argv"]))
        interpreter.run(note["argv"])
    finally:
        os._exit(1)


def _forget_reader() -> None:
    package, name = READER
    if sys.modules.pop(f"{package}.{name}", None) is not None:
        vars(sys.modules[package]).pop(name, None)


def _close_all_but(kept: int) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != kept:  # noqa: PLR2004 - standard error
            with suppress(OSError):
                os.close(int(name))
