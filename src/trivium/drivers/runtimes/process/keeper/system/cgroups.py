"""Limits held by the kernel: cgroups of version 2, or of version 1 with its separate hierarchies."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.system import mounts, processes

CONTROLLERS = ("memory", "cpu", "pids")
PERIOD = 100_000  # microseconds over which a CPU quota counts
LIMIT_FILES = {
    1: {"memory": "memory.limit_in_bytes", "cpu": "cpu.cfs_quota_us", "pids": "pids.max"},
    2: {"memory": "memory.max", "cpu": "cpu.max", "pids": "pids.max"},
}


class Hierarchy(NamedTuple):
    """One tree of cgroups that is ours to use, and what it limits."""

    version: int
    base: str  # the directory below which each launch has one
    controllers: tuple[str, ...]


class Limits(NamedTuple):
    """What a launch may use."""

    cores: float
    memory: int  # bytes
    processes: int


def directory_of(data: str) -> str:
    """The name of the directory that the launches of a data directory share in each hierarchy."""
    return f"trivium-{hashlib.sha256(os.path.realpath(data).encode()).hexdigest()[:8]}"


def find(name: str) -> tuple[Hierarchy, ...]:
    """The hierarchies in which a directory `name` can be made; empty where none is writable. Makes it there."""
    left = list(CONTROLLERS)
    found: list[Hierarchy] = []
    for version, place, offered in sorted(_mounted(), reverse=True):
        wanted = tuple(one for one in left if one in offered)
        ours = _claim(version, f"{place}/{name}", wanted) if wanted else ()
        if ours:
            found.append(Hierarchy(version, f"{place}/{name}", ours))
            left = [one for one in left if one not in ours]
    return tuple(found)


def offered(name: str) -> frozenset[str]:
    """The controllers that `find` would get; what it has to make for that is removed again."""
    were = {base for _, place, _ in _mounted() if os.path.isdir(base := f"{place}/{name}")}
    found = find(name)
    release(tuple(one for one in found if one.base not in were))
    return frozenset(controller for one in found for controller in one.controllers)


def release(hierarchies: tuple[Hierarchy, ...]) -> None:
    """Remove the directories that `find` made, where nothing is in them."""
    for hierarchy in hierarchies:
        with suppress(OSError):
            os.rmdir(hierarchy.base)


def names(hierarchies: tuple[Hierarchy, ...]) -> set[str]:
    """The launches that have a cgroup."""
    found: set[str] = set()
    for hierarchy in hierarchies:
        with suppress(OSError):
            found.update(entry.name for entry in os.scandir(hierarchy.base) if entry.is_dir(follow_symlinks=False))
    return found


class Cgroup:
    """The cgroups of one launch, one in each hierarchy."""

    def __init__(self, hierarchies: tuple[Hierarchy, ...], name: str) -> None:
        self._places = tuple((one.version, one.controllers, f"{one.base}/{name}") for one in hierarchies)

    @property
    def controllers(self) -> frozenset[str]:
        """What it limits."""
        return frozenset(one for _, controllers, _ in self._places for one in controllers)

    def create(self, limits: Limits) -> None:
        """Make it with its limits; OSError when the kernel refuses."""
        for version, controllers, place in self._places:
            os.makedirs(place, 0o755, exist_ok=True)
            for controller in controllers:
                _write(f"{place}/{LIMIT_FILES[version][controller]}", _limit(version, controller, limits))
            with suppress(OSError):  # without swap there is no such file
                _write(f"{place}/memory.memsw.limit_in_bytes", str(limits.memory))
            with suppress(OSError):
                _write(f"{place}/memory.swap.max", "0")

    def join(self) -> None:
        """Move the calling process in."""
        for _, _, place in self._places:
            _write(f"{place}/cgroup.procs", "0")

    def pids(self) -> set[int]:
        """Who is in it."""
        found: set[int] = set()
        for _, _, place in self._places:
            for path in _below(place):
                found.update(int(line) for line in processes.read(f"{path}/cgroup.procs").split())
        return found - {0}

    def oom_kills(self) -> int:
        """How many of its processes the kernel has killed for memory."""
        return sum(
            _field(f"{place}/{'memory.oom_control' if version == 1 else 'memory.events'}", b"oom_kill")
            for version, controllers, place in self._places
            if "memory" in controllers
        )

    def refused_forks(self) -> int:
        """How often a new process was refused."""
        return sum(
            _field(f"{place}/pids.events", b"max") for _, controllers, place in self._places if "pids" in controllers
        )

    def kill(self) -> None:
        """Kill everything in it once; nothing in it can make a new process from then on."""
        for version, controllers, place in self._places:
            with suppress(OSError):
                if "pids" in controllers:
                    _write(f"{place}/pids.max", "0")
            with suppress(OSError):
                if version != 1:
                    _write(f"{place}/cgroup.kill", "1")
        for pid in self.pids():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def remove(self) -> bool:
        """Remove it; False while something is still in it. Repeatable."""
        gone = True
        for _, _, place in self._places:
            for path in reversed(_below(place)):
                try:
                    os.rmdir(path)
                except FileNotFoundError:
                    continue
                except OSError:
                    gone = False
        return gone


def clear(hierarchies: tuple[Hierarchy, ...], name: str) -> None:
    """Kill what is in a cgroup that belongs to nobody, and remove it."""
    cgroup = Cgroup(hierarchies, name)
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        cgroup.kill()
        if not cgroup.pids() and cgroup.remove():
            return
        time.sleep(0.01)


def _mounted() -> list[tuple[int, str, frozenset[str]]]:
    found: list[tuple[int, str, frozenset[str]]] = []
    for mount in mounts.mounts():
        if mount.kind == "cgroup":
            found.append((1, mount.place, frozenset(mount.options.split(","))))
        elif mount.kind == "cgroup2":
            offered = frozenset(processes.read(f"{mount.place}/cgroup.controllers").decode().split())
            found.append((2, mount.place, offered))
    return found


def _claim(version: int, base: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Make `base`, and say which of the wanted controllers really work there."""
    if version != 1:
        _hand_down(os.path.dirname(base), wanted)
    try:
        os.mkdir(base, 0o755)
    except FileExistsError:
        pass
    except OSError:
        return ()
    if version != 1:
        _hand_down(base, wanted)
    ours = tuple(one for one in wanted if _is_ours(version, base, one))
    if not ours:
        with suppress(OSError):
            os.rmdir(base)
    return ours


def _is_ours(version: int, base: str, controller: str) -> bool:
    """Whether the controller's limits can be set in directories below `base`, which looks as these will."""
    is_handed_down = version == 1 or controller.encode() in processes.read(f"{base}/cgroup.subtree_control").split()
    return is_handed_down and os.access(f"{base}/{LIMIT_FILES[version][controller]}", os.W_OK)


def _hand_down(place: str, wanted: tuple[str, ...]) -> None:
    for controller in wanted:
        with suppress(OSError):
            _write(f"{place}/cgroup.subtree_control", f"+{controller}")


def _limit(version: int, controller: str, limits: Limits) -> str:
    if controller == "memory":
        return str(limits.memory)
    if controller == "pids":
        return str(limits.processes)
    quota = str(max(int(limits.cores * PERIOD), 1000))
    return quota if version == 1 else f"{quota} {PERIOD}"


def _below(place: str) -> list[str]:
    """The cgroup and what the notebook made inside it, parents first."""
    found = [place]
    for path in found:
        with suppress(OSError):
            found.extend(entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False))
    return found


def _field(path: str, name: bytes) -> int:
    for line in processes.read(path).splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == name:  # noqa: PLR2004 - a name and its number
            return int(words[1])
    return 0


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
