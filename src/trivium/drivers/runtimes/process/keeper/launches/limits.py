"""Whether a launch crossed a limit: what the kernel enforced, and what is watched where the kernel cannot."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.launches.snapshot import Snapshot
from trivium.drivers.runtimes.process.keeper.launches.spec import Note, Paths, Spec
from trivium.drivers.runtimes.process.keeper.system import mounts, processes
from trivium.drivers.runtimes.process.keeper.system.cgroups import Cgroup
from trivium.drivers.runtimes.process.keeper.system.processes import Identity

RECENT = 5.0  # seconds within which a limit that was hit explains an end
EVERY = 1.0  # seconds between two sums over a launch's processes
MIB = 1 << 20
ROOM = 8 * MIB  # bytes that a launch may put beside its socket, where the machine keeps them in memory
THINGS = 4000  # as many entries may it have there
SHORT = 4  # the part of that memory that is free when it gets short, as a divisor
LOG = 64 * MIB  # bytes after which a log begins anew


class Offence(NamedTuple):
    """A limit that was crossed."""

    ending: str
    detail: str


TOO_MUCH = Offence("no_space", f"It put more than {ROOM // MIB} MiB into its runtime directory.")


class LimitWatch:
    """The limits of one launch, between two looks."""

    def __init__(self, cgroup: Cgroup | None) -> None:
        self._cgroup = cgroup
        held: frozenset[str] = frozenset() if cgroup is None else cgroup.controllers
        self._watches_memory, self._watches_processes = "memory" not in held, "pids" not in held
        self._killed = self._refused = 0
        self._killed_at = self._refused_at = float("-inf")
        self._watched = float("-inf")

    def look(self, now: float) -> None:
        """Note what the kernel has enforced since the last look."""
        if self._cgroup is not None:
            killed, refused = self._cgroup.oom_kills(), self._cgroup.refused_forks()
            if killed > self._killed:
                self._killed, self._killed_at = killed, now
            if refused > self._refused:
                self._refused, self._refused_at = refused, now

    def explain(self, spec: Spec, exit_: Note, now: float) -> tuple[str, str] | None:
        """The ending and the detail when a limit explains why the main process ended; None when none does."""
        if exit_.get("signal") == signal.SIGKILL and now - self._killed_at < RECENT:
            return "out_of_memory", memory_detail(spec)
        if exit_.get("code") != 0 and now - self._refused_at < RECENT:
            return "too_many_processes", processes_detail(spec)
        return None

    def crossed(self, spec: Spec, paths: Paths, *, them: frozenset[Identity], snapshot: Snapshot) -> Offence | None:
        """The limit that the launch crossed: the kernel killed a part of it for memory, or what is watched is over."""
        if self._killed:
            return Offence("out_of_memory", memory_detail(spec))
        if snapshot.now - self._watched < EVERY:
            return None
        self._watched = snapshot.now
        begin_anew(paths.log)
        return overfull(paths.own, [one.pid for one in them]) or self._over(spec, them, snapshot)

    def _over(self, spec: Spec, them: frozenset[Identity], snapshot: Snapshot) -> Offence | None:
        """The limit that no cgroup holds, and that it crossed."""
        if not (self._watches_memory or self._watches_processes):
            return None
        tasks = sum(snapshot.table[one.pid].threads for one in them)
        if self._watches_processes and tasks > spec.processes:
            return Offence("too_many_processes", processes_detail(spec))
        if self._watches_memory and self._is_over_memory(spec, them, snapshot):
            return Offence("out_of_memory", memory_detail(spec))
        return None

    def _is_over_memory(self, spec: Spec, them: frozenset[Identity], snapshot: Snapshot) -> bool:
        page = os.sysconf("SC_PAGE_SIZE")
        if sum(snapshot.table[one.pid].resident for one in them) * page <= spec.memory:
            return False  # shared pages counted twice and still within
        return sum(processes.memory_of(one.pid) for one in them) > spec.memory


def overfull(own: str, pids: Iterable[int]) -> Offence | None:
    """Whether a launch has put too much beside its socket: that directory is the machine's memory, not its user's.

    What it has unlinked and still holds is counted once that memory gets short: to see it takes a look at all that it
    has open. Where sockets lie on a disk, other files that it holds are on that disk, too, and none of them is counted.
    """
    size = things = 0
    waiting = [own]
    for place in waiting:
        try:
            with os.scandir(place) as found:
                for entry in found:
                    size += _size(entry)
                    things += 1
                    if size > ROOM or things > THINGS:
                        return TOO_MUCH
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue  # gone meanwhile, or too deep for a path
    if _is_short(own) and size + _unlinked(own, pids) > ROOM:
        return TOO_MUCH
    return None


def _is_short(own: str) -> bool:
    """Whether the memory in which sockets lie is nearly full."""
    with suppress(OSError):
        found = os.statvfs(own)
        is_short = found.f_bavail < found.f_blocks / SHORT or found.f_favail < found.f_files / SHORT
        return is_short and mounts.is_memory(os.path.realpath(own))
    return False


def _unlinked(own: str, pids: Iterable[int]) -> int:
    """Bytes of files there that have no name any more, and that these processes have open or mapped."""
    with suppress(OSError):
        device = os.stat(own).st_dev
        found = (one for pid in pids for one in processes.held(pid) if one.st_dev == device and not one.st_nlink)
        return sum({one.st_ino: one.st_blocks * 512 for one in found}.values())
    return 0


def begin_anew(log: str) -> None:
    """Empty a log that has grown too long; what writes to it goes on at its beginning."""
    with suppress(OSError):
        if os.stat(log).st_size <= LOG:
            return
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"[Trivium: more than {LOG // MIB} MiB were printed, and are dropped.]\n".encode())
        finally:
            os.close(descriptor)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return 0


def memory_detail(spec: Spec) -> str:
    """The sentence for a launch that used more memory than it may."""
    return f"It used more than the {spec.memory // MIB} MiB of memory that it may use."


def processes_detail(spec: Spec) -> str:
    """The sentence for a launch that made more processes than it may."""
    return f"It made more than the {spec.processes} processes and threads that it may have."
