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
    """A watched limit that was crossed, and who is to be killed for it."""

    ending: str
    detail: str
    killed: frozenset[Identity]
    is_whole: bool  # the launch as a whole offends


class Limits:
    """The limits of one launch."""

    def __init__(self, cgroup: Cgroup | None) -> None:
        self._cgroup = cgroup
        held: frozenset[str] = frozenset() if cgroup is None else cgroup.controllers
        self._watches_memory, self._watches_processes = "memory" not in held, "pids" not in held
        self._killed = self._refused = 0
        self._killed_at = self._refused_at = float("-inf")
        self._watched = float("-inf")

    def look(self, now: float) -> bool:
        """Note what the kernel has enforced since the last look; whether it enforces everything."""
        if self._cgroup is not None:
            killed, refused = self._cgroup.oom_kills(), self._cgroup.refused_forks()
            if killed > self._killed:
                self._killed, self._killed_at = killed, now
            if refused > self._refused:
                self._refused, self._refused_at = refused, now
        return not (self._watches_memory or self._watches_processes)

    def explain(self, spec: Spec, exit_: Note, now: float) -> tuple[str, str] | None:
        """The ending and the detail when a limit explains why the main process ended; None when none does."""
        if exit_.get("signal") == signal.SIGKILL and now - self._killed_at < RECENT:
            return "out_of_memory", memory_detail(spec)
        if exit_.get("code") != 0 and now - self._refused_at < RECENT:
            return "too_many_processes", processes_detail(spec)
        return None

    def watch(self, spec: Spec, them: frozenset[Identity], world: World) -> Offence | None:
        """Whether what is watched is over its limit now."""
        if world.now - self._watched < EVERY:
            return None
        self._watched = world.now
        tasks = sum(world.table[one.pid].threads for one in them)
        if self._watches_processes and tasks > spec.processes:
            return Offence("too_many_processes", processes_detail(spec), them, is_whole=True)
        return self._memory(spec, them, world) if self._watches_memory else None

    def _memory(self, spec: Spec, them: frozenset[Identity], world: World) -> Offence | None:
        page = os.sysconf("SC_PAGE_SIZE")
        if sum(world.table[one.pid].resident for one in them) * page <= spec.memory:
            return None  # shared pages counted twice and still within
        shares = sorted(((processes.memory_of(one.pid), one) for one in them), reverse=True)
        over = sum(share for share, _ in shares) - spec.memory
        killed: set[Identity] = set()
        for share, one in shares:
            if over <= 0:
                break
            killed.add(one)
            over -= share
        return Offence("out_of_memory", memory_detail(spec), frozenset(killed), is_whole=False) if killed else None


def memory_detail(spec: Spec) -> str:
    """The sentence for a launch that used more memory than it may."""
    return f"It used more than the {spec.memory // MIB} MiB of memory that it may use."


def processes_detail(spec: Spec) -> str:
    """The sentence for a launch that made more processes than it may."""
    return f"It made more than the {spec.processes} processes and threads that it may have."
