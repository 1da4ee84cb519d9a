"""Warm parents: for each image in use, one process that has imported what a notebook's server imports, to be forked.

A parent is started once the first launch of its image is through, so that it takes nothing from that one. It ends when
nobody used it for a while, when the machine is short of memory, and with its keeper. It is never waited for: where none
is ready, the start is plain.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper import folders, processes
from trivium.drivers.runtimes.process.keeper.layer import python_of
from trivium.drivers.runtimes.process.keeper.members import MARK
from trivium.drivers.runtimes.process.keeper.processes import Identity
from trivium.drivers.runtimes.process.keeper.spec import Spec

WITHIN = 2.0  # seconds for a parent to fork: less than what a plain start takes longer
CONTROL = 3  # the descriptor over which a parent is asked
ROOT = os.path.realpath(__file__).rsplit("/", 6)[0]  # where the package lies
PACKAGE = "trivium.drivers.runtimes.process"
BOOT = f"""
import sys, types
sys.path[:] = [sys.argv[1], *filter(None, sys.path)]
room = sys.modules["{PACKAGE}"] = types.ModuleType("{PACKAGE}")  # its door needs installed packages
room.__path__ = [sys.argv[1] + "/{PACKAGE.replace(".", "/")}"]
from {PACKAGE}.keeper import {{module}}
del sys.path[0]
{{module}}.main(*sys.argv[2:])
"""
TITLE = 2048  # bytes in which a fork writes what it runs, for those who list processes
READY = b"ready"
FORK = b"fork"
SHORT = 0.1  # share of the machine's memory that must be left
PRESSED = 10.0  # per cent of the time in which everything waits for memory
BETWEEN_LOOKS = 5.0  # seconds between two looks at the machine's memory
AGAIN = 600.0  # seconds until a parent that came to nothing is tried again

Key = tuple[str, tuple[tuple[str, str], ...]]  # the image's directory, and what the operator adds to the environment


class Born(NamedTuple):
    """A fork of a parent that waits for what it is to mind."""

    pid: int
    channel: socket.socket


class Parents:
    """The warm parents of a keeper."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._parents: dict[Key, _Parent] = {}
        self._wanted: dict[Key, float] = {}  # for how long each may be idle
        self._barred: dict[Key, float] = {}  # until when
        self._looked = float("-inf")
        self._is_short = False
        with suppress(OSError):
            folders.remove_tree(folder)  # an earlier keeper's, whose parents ended with it

    def fork(self, spec: Spec, now: float) -> Born | None:
        """A fork of the image's parent; None where there is none that could be forked, which is begun then."""
        if spec.warm <= 0 or spec.command:
            return None
        key = (spec.image, spec.environment)
        parent = self._parents.get(key)
        if parent is None:
            self._wanted[key] = spec.warm
            return None
        parent.used, parent.idle = now, spec.warm
        if not parent.is_ready():
            return None
        return parent.fork()

    @property
    def ready(self) -> list[int]:
        """The pids of those that could be forked now."""
        return [one.pid for one in self._parents.values() if one.is_ready() and one.is_alive()]

    def turn(self, now: float, *, is_busy: bool) -> None:
        """End the parents that are of no use, and unless something else is about to start, start those wanted."""
        if now - self._looked >= BETWEEN_LOOKS:
            self._looked, self._is_short = now, is_short()
        for key, parent in list(self._parents.items()):
            was_ready, is_ready = parent.was_ready, parent.is_ready()
            if is_ready and not was_ready:
                parent.used = now
            patience = parent.idle if is_ready else AGAIN
            if self._is_short or now - parent.used > patience:
                self._drop(key)
            elif not parent.is_alive():
                self._drop(key)
                if is_ready:
                    self._wanted[key] = parent.idle
                else:
                    self._barred[key] = now + AGAIN
        if self._is_short or is_busy:
            return
        wanted, self._wanted = self._wanted, {}
        for key, idle in wanted.items():
            if key not in self._parents and now >= self._barred.get(key, now):
                with suppress(OSError):
                    self._parents[key] = _Parent.start(key, f"{self._folder}/{secrets.token_hex(8)}", now, idle=idle)

    def close(self) -> None:
        """End all of them."""
        for key in list(self._parents):
            self._drop(key)
        with suppress(OSError):
            os.rmdir(self._folder)

    def _drop(self, key: Key) -> None:
        self._parents.pop(key).end()


class _Parent:
    def __init__(self, identity: Identity, control: socket.socket, folder: str, *, used: float, idle: float) -> None:
        self.used = used
        self.idle = idle  # seconds
        self._identity = identity
        self._control = control
        self._folder = folder
        self.was_ready = False

    @property
    def pid(self) -> int:
        return self._identity.pid

    @classmethod
    def start(cls, key: Key, folder: str, now: float, *, idle: float) -> _Parent:
        """Start one; OSError when that cannot be."""
        image, added = key
        python = python_of(image)
        if python is None:
            raise FileNotFoundError(image)
        os.makedirs(folder, mode=0o700)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            boot = BOOT.replace("{module}", "parenting")
            argv = [python, "-I", "-S", "-c", boot, ROOT, image, folder, str(os.getpid())]
            pid = os.posix_spawn(
                python, argv, environment(f"{folder}/home", added),
                file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), CONTROL)],
                setsigdef=[signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM],
            )  # fmt: skip
        ours.settimeout(0)
        return cls(processes.identify(pid) or Identity(pid, 0), ours, folder, used=now, idle=idle)

    def is_alive(self) -> bool:
        return processes.is_alive(self._identity)

    def is_ready(self) -> bool:
        """Whether it has imported everything."""
        if not self.was_ready:
            with suppress(OSError):
                self.was_ready = self._control.recv(16) == READY
        return self.was_ready

    def fork(self) -> Born | None:
        """A fork of it that waits for a plan; None when it does not fork at once."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                socket.send_fds(self._control, [FORK], [theirs.fileno()])
            ours.settimeout(WITHIN)
            pid = int(ours.recv(16))
        except (OSError, ValueError):  # it is gone, or too slow; what it may still fork hears nothing, and ends
            ours.close()
            return None
        return Born(pid, ours)

    def end(self) -> None:
        """End it; what was forked of it goes on."""
        processes.send(self._identity, signal.SIGKILL)
        self._control.close()
        with suppress(OSError):
            folders.remove_tree(self._folder)


def environment(home: str, added: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The environment of a parent, which its forks show as their own in /proc: no secret is in it.

    The mark is room for the fork's own.
    """
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": home, **dict(added), MARK: "0" * 32}


def is_short() -> bool:
    """Whether the machine needs its memory for something else."""
    told = dict(line.split(b":", 1) for line in processes.read("/proc/meminfo").splitlines() if b":" in line)
    total, left = (int(told.get(name, b"0 kB").split()[0]) for name in (b"MemTotal", b"MemAvailable"))
    if left < total * SHORT:
        return True
    for line in processes.read("/proc/pressure/memory").splitlines():
        if line.startswith(b"full avg10="):
            return float(line.split()[1].partition(b"=")[2]) > PRESSED
    return False
