"""Whether a launch crossed a limit: what the kernel enforced, and what is watched where the kernel cannot."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.launches.snapshot import Snapshot
from trivium.drivers.runtimes.process.keeper.launches.spec import Note, Paths, Spec
from trivium.drivers.runtimes.process.keeper.system import beside, mounts, processes
from trivium.drivers.runtimes.process.keeper.system.beside import DEPTH, MIB, ROOM, THINGS
from trivium.drivers.runtimes.process.keeper.system.cgroups import Cgroup
from trivium.drivers.runtimes.process.keeper.system.folders import WALK
from trivium.drivers.runtimes.process.keeper.system.processes import Identity

RECENT = 5.0  # seconds within which a limit that was hit explains an end
EVERY = 1.0  # seconds between two sums over a launch's processes
SHORT = 4  # the part of the memory for sockets that is free when it gets short, as a divisor
RESTS = 5.0  # seconds between two searches for what takes that memory unseen
WITHIN = 60.0  # seconds that one may take: for a million descriptors, it takes a few
LOG = 64 * MIB  # bytes after which a log begins anew


class Offence(NamedTuple):
    """A limit that was crossed."""

    ending: str
    detail: str


TOO_MUCH = Offence("no_space", f"It put more than {ROOM // MIB} MiB, or {THINGS} things, into its runtime directory.")
HIDDEN = Offence("no_space", f"It put directories into its runtime directory that are closed, or lie {DEPTH} deep.")
UNSEEN = Offence("no_space", "It has more open than can be looked through, while memory for sockets is short.")


class LimitWatch:
    """The limits of one launch, between two looks."""

    def __init__(self, cgroup: Cgroup | None) -> None:
        self._cgroup = cgroup
        held: frozenset[str] = frozenset() if cgroup is None else cgroup.controllers
        self._watches_memory, self._watches_processes = "memory" not in held, "pids" not in held
        self._killed = self._refused = 0
        self._killed_at = self._refused_at = float("-inf")
        self._watched = float("-inf")
        self._room = RoomWatch()

    def close(self) -> None:
        """Look for nothing more. Repeatable."""
        self._room.close()

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
        pids = [one.pid for one in them]
        return self._room.look(paths.own, pids, snapshot.now) or self._over(spec, them, snapshot)

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


class RoomWatch:
    """Whether a launch has put too much beside its socket: that directory is the machine's memory, not its user's.

    What takes of it unseen is searched for once that memory gets short. Where sockets lie on a disk, other files that
    the launch holds are on that disk, too, and nothing of the kind is searched for.
    """

    def __init__(self) -> None:
        self._search: beside.Search | None = None
        self._rested = float("-inf")

    def look(self, own: str, pids: Iterable[int], now: float) -> Offence | None:
        """What is to be said of it now."""
        try:
            place = os.open(own, WALK)
        except OSError:
            return None  # it is not there yet, or not any more
        try:
            taken = beside.named(place)
        except beside.Hidden:
            return HIDDEN
        except OSError:
            return None  # the keeper itself lacks something
        finally:
            os.close(place)
        if taken.is_too_much:
            return TOO_MUCH
        if self._search is not None:
            return self._hear(self._search, taken, now)
        if now - self._rested >= RESTS and _is_short(own):
            with suppress(OSError):  # no process is to be had
                self._search = beside.Search(own, pids, now)
        return None

    def close(self) -> None:
        """End a search. Repeatable."""
        if self._search is not None:
            self._search.close()
            self._search = None

    def _hear(self, search: beside.Search, taken: beside.Taken, now: float) -> Offence | None:
        found = search.found()
        if found is None:
            return UNSEEN if now - search.began > WITHIN else None
        self.close()
        self._rested = now
        return TOO_MUCH if taken.and_also(found).is_too_much else None


def _is_short(own: str) -> bool:
    """Whether the memory in which sockets lie is nearly full."""
    with suppress(OSError):
        found = os.statvfs(own)
        is_short = found.f_bavail < found.f_blocks / SHORT or found.f_favail < found.f_files / SHORT
        return is_short and mounts.is_memory(os.path.realpath(own))
    return False


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


def memory_detail(spec: Spec) -> str:
    """The sentence for a launch that used more memory than it may."""
    return f"It used more than the {spec.memory // MIB} MiB of memory that it may use."


def processes_detail(spec: Spec) -> str:
    """The sentence for a launch that made more processes than it may."""
    return f"It made more than the {spec.processes} processes and threads that it may have."
