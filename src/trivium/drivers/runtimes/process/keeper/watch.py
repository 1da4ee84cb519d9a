"""The limits of a launch between two looks: what the kernel enforced, and what is watched where it cannot."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper import processes
from trivium.drivers.runtimes.process.keeper.cgroups import Cgroup
from trivium.drivers.runtimes.process.keeper.processes import Identity
from trivium.drivers.runtimes.process.keeper.spec import Note, Spec
from trivium.drivers.runtimes.process.keeper.world import World

RECENT = 5.0  # seconds within which a limit that was hit explains an end
EVERY = 1.0  # seconds between two sums over a launch's processes
MIB = 1 << 20


class Offence(NamedTuple):
    """A limit that was crossed."""

    ending: str
    detail: str


class Limits:
    """The limits of one launch."""

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

    def crossed(self, spec: Spec, them: frozenset[Identity], world: World) -> Offence | None:
        """The limit that the launch crossed: the kernel killed a part of it for memory, or what is watched is over."""
        if self._killed:
            return Offence("out_of_memory", memory_detail(spec))
        if not (self._watches_memory or self._watches_processes) or world.now - self._watched < EVERY:
            return None
        self._watched = world.now
        tasks = sum(world.table[one.pid].threads for one in them)
        if self._watches_processes and tasks > spec.processes:
            return Offence("too_many_processes", processes_detail(spec))
        if self._watches_memory and self._is_over_memory(spec, them, world):
            return Offence("out_of_memory", memory_detail(spec))
        return None

    def _is_over_memory(self, spec: Spec, them: frozenset[Identity], world: World) -> bool:
        page = os.sysconf("SC_PAGE_SIZE")
        if sum(world.table[one.pid].resident for one in them) * page <= spec.memory:
            return False  # shared pages counted twice and still within
        return sum(processes.memory_of(one.pid) for one in them) > spec.memory


def memory_detail(spec: Spec) -> str:
    """The sentence for a launch that used more memory than it may."""
    return f"It used more than the {spec.memory // MIB} MiB of memory that it may use."


def processes_detail(spec: Spec) -> str:
    """The sentence for a launch that made more processes than it may."""
    return f"It made more than the {spec.processes} processes and threads that it may have."
