"""The keeper's pool of fork servers ("warm parents"): for each image in use, one process to fork notebooks of.

A fork server is started once the first launch of its image has been answered, so that it takes nothing from that one.
It ends when it was not used for a while, when the machine is short of memory, and with its keeper. Nobody waits for
it: where none is ready, the start is plain.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper import boot
from trivium.drivers.runtimes.process.keeper.launches.members import MARK
from trivium.drivers.runtimes.process.keeper.launches.spec import Spec
from trivium.drivers.runtimes.process.keeper.startup.layer import python_of
from trivium.drivers.runtimes.process.keeper.startup.targets import is_below
from trivium.drivers.runtimes.process.keeper.system import folders, processes
from trivium.drivers.runtimes.process.keeper.system.processes import Identity

MODULE = "warm.forkserver"
CONTROL = 3  # the descriptor over which a fork server is asked
READY = b"ready"
FORK = b"fork"
FORK_WITHIN = 2.0  # seconds for a fork: less than what a plain start takes longer
LEAST_MEMORY = 0.1  # share of the machine's memory that must be available
MOST_PRESSURE = 10.0  # per cent of the time in which everything waits for memory (/proc/pressure/memory)
BETWEEN_LOOKS = 5.0  # seconds between two looks at the machine's memory
RETRY = 600.0  # seconds until a fork server that did not become ready is tried again

Key = tuple[str, tuple[tuple[str, str], ...]]  # the image's directory, and what the operator adds to the environment


class Fork(NamedTuple):
    """A fork of a fork server, which waits for its plan on the channel."""

    identity: Identity
    channel: socket.socket


class WarmPool:
    """The fork servers of a keeper."""

    def __init__(self, folder: str, *, proc: str = "/proc") -> None:
        self._folder = folder
        self._proc = proc
        self._edition = boot.edition()
        self._servers: dict[Key, _ForkServer] = {}
        self._wanted: dict[Key, float] = {}  # images that need one, and the seconds for which it may be idle
        self._barred: dict[Key, float] = {}  # images whose fork server failed, and until when none is tried
        self._looked = float("-inf")
        self._is_short = False
        with suppress(OSError):
            folders.remove_tree(folder)  # an earlier keeper's, whose fork servers ended with it

    def fork(self, spec: Spec, now: float) -> Fork | None:
        """A fork of the image's fork server; None where none is ready, and then one is wanted."""
        if not _may_be_forked(spec):
            return None
        key = _key(spec)
        server = self._servers.get(key)
        if server is None:
            self.want(spec)
            return None
        server.used, server.idle = now, spec.warm
        if not server.is_ready():
            return None
        fork = server.fork()
        if fork is None:  # it is gone, or hangs: the next launch must not wait for it again
            self._drop(key)
            self.want(spec)
        return fork

    def want(self, spec: Spec) -> None:
        """Have a fork server for the launch's image as soon as nothing else starts."""
        if _may_be_forked(spec):
            self._wanted[_key(spec)] = spec.warm

    def set_idle(self, idle: float) -> None:
        """Let each wait so many seconds to be used, whatever was said when it was started; 0: end all of them."""
        if idle == 0:
            self._wanted.clear()
            for key in list(self._servers):
                self._drop(key)
        self._wanted = dict.fromkeys(self._wanted, idle)
        for server in self._servers.values():
            server.idle = idle

    @property
    def ready(self) -> list[int]:
        """The pids of those that could be forked now."""
        return [one.pid for one in self._servers.values() if one.is_ready() and one.is_alive()]

    def turn(self, now: float, *, is_busy: bool) -> None:
        """End fork servers that are of no use; unless a launch `is_busy` starting, start those that are wanted."""
        if now - self._looked >= BETWEEN_LOOKS:
            self._looked, self._is_short = now, is_short_of_memory(self._proc)
        for key, server in list(self._servers.items()):
            self._check(key, server, now)
        if self._is_short or is_busy:
            return
        wanted, self._wanted = self._wanted, {}
        for key, idle in wanted.items():
            if key not in self._servers and now >= self._barred.get(key, now):
                folder = f"{self._folder}/{secrets.token_hex(8)}"
                with suppress(OSError):  # the image is gone, or no process can be made
                    self._servers[key] = _ForkServer.start(key, folder, self._edition, used=now, idle=idle)

    def close(self) -> None:
        """End all of them."""
        for key in list(self._servers):
            self._drop(key)
        with suppress(OSError):
            os.rmdir(self._folder)

    def _check(self, key: Key, server: _ForkServer, now: float) -> None:
        """Drop a fork server that is idle, dead or not affordable; one that died after it was ready is replaced."""
        was_ready, is_ready = server.was_ready, server.is_ready()
        if is_ready and not was_ready:
            server.used = now
        if self._is_short or now - server.used > (server.idle if is_ready else RETRY):
            self._drop(key)
        elif not server.is_alive():
            self._drop(key)
            if is_ready:
                self._wanted[key] = server.idle
            else:
                self._barred[key] = now + RETRY

    def _drop(self, key: Key) -> None:
        self._servers.pop(key).end()


class _ForkServer:
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
    def start(cls, key: Key, folder: str, edition: str, *, used: float, idle: float) -> _ForkServer:
        """Start one; OSError when that cannot be."""
        image, added = key
        python = python_of(image)
        if python is None:
            raise FileNotFoundError(image)
        os.makedirs(folder, mode=0o700)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            argv = [python, "-I", "-S", "-c", boot.code(MODULE), boot.ROOT, image, folder, str(os.getpid()), edition]
            pid = os.posix_spawn(
                python, argv, environment(f"{folder}/home", added),
                file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), CONTROL)],
                setsigdef=[signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM],
            )  # fmt: skip
        ours.settimeout(0)
        return cls(processes.identify(pid) or Identity(pid, 0), ours, folder, used=used, idle=idle)

    def is_alive(self) -> bool:
        return processes.is_alive(self._identity)

    def is_ready(self) -> bool:
        """Whether it has imported everything."""
        if not self.was_ready:
            with suppress(OSError):
                self.was_ready = self._control.recv(16) == READY
        return self.was_ready

    def fork(self) -> Fork | None:
        """A fork of it that waits for a plan; None when it does not fork at once."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                socket.send_fds(self._control, [FORK], [theirs.fileno()])
            ours.settimeout(FORK_WITHIN)
            identity = processes.identify(int(ours.recv(16)))
        except (OSError, ValueError):
            identity = None
        if identity is None:  # what it may still fork finds the channel closed, and ends
            ours.close()
            return None
        return Fork(identity, ours)

    def end(self) -> None:
        """End it; what was forked of it goes on."""
        processes.send(self._identity, signal.SIGKILL)
        self._control.close()
        with suppress(OSError):
            folders.remove_tree(self._folder)


def environment(home: str, added: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The environment of a fork server, which /proc shows for its forks too: no secret is in it.

    The mark is room for each fork's own.
    """
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": home, **dict(added), MARK: "0" * 32}


def is_short_of_memory(proc: str) -> bool:
    """Whether the machine needs its memory for something else, by `meminfo` and `pressure/memory` below `proc`."""
    told = dict(line.split(b":", 1) for line in processes.read(f"{proc}/meminfo").splitlines() if b":" in line)
    total, available = (int(told.get(name, b"0 kB").split()[0]) for name in (b"MemTotal", b"MemAvailable"))
    if available < total * LEAST_MEMORY:
        return True
    for line in processes.read(f"{proc}/pressure/memory").splitlines():
        if line.startswith(b"full avg10="):
            return float(line.split()[1].partition(b"=")[2]) > MOST_PRESSURE
    return False


def _may_be_forked(spec: Spec) -> bool:
    return spec.warm > 0 and not spec.command and not _changes_image(spec)


def _changes_image(spec: Spec) -> bool:
    """Whether something is shown where the image, or the Python that it is made of, has its files.

    What a fork still imports would come from there, as root even, until its rights are given up.
    """
    base = os.path.dirname(os.path.dirname(os.path.realpath(f"{spec.image}/bin/python")))
    places = (os.path.realpath(spec.image), base)
    targets = [os.path.realpath(mount.target) for mount in spec.mounts]
    return any(
        target == place or is_below(target, place) or is_below(place, target) for target in targets for place in places
    )


def _key(spec: Spec) -> Key:
    return spec.image, spec.environment
