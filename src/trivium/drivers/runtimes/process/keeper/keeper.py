"""The keeper's state: the launches it has, and what may be asked of it."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from trivium.drivers.runtimes.process.keeper.commands import Commands, Reply
from trivium.drivers.runtimes.process.keeper.epochs import ACTING, Epochs
from trivium.drivers.runtimes.process.keeper.launches.journal import BESIDE, Journal, Note
from trivium.drivers.runtimes.process.keeper.launches.launch import Launch, recalled
from trivium.drivers.runtimes.process.keeper.launches.snapshot import Snapshot
from trivium.drivers.runtimes.process.keeper.launches.spec import Mount, paths_of, read_spec
from trivium.drivers.runtimes.process.keeper.startup import attaching
from trivium.drivers.runtimes.process.keeper.startup.steps import FULL
from trivium.drivers.runtimes.process.keeper.system import cgroups, folders, listeners, processes, sweeping
from trivium.drivers.runtimes.process.keeper.waiters import Waiters
from trivium.drivers.runtimes.process.keeper.warm.pool import WarmPool

PROTOCOL = 1
NAME = re.compile(r"[0-9]+-[0-9]+")
IDLE = 30.0  # seconds without anything to keep and anybody who asks, after which the keeper ends
GLANCE = 0.01  # seconds between two looks whether a notebook that starts begins to answer
REAPED = 4096  # wait statuses that are remembered


class Refused(Exception):
    """Something that was asked for and cannot be done; the text says why."""


class Keeper:
    """What the keeper knows. `ask` answers, `turn` brings every launch on."""

    def __init__(self, data: str, run: str, selector: selectors.BaseSelector) -> None:
        self.data, self.run = data, run
        self._commands = Commands(selector)
        self._pool = WarmPool(f"{data}/warm")
        self._above = f"{data}/keeper"
        self._epochs = Epochs(f"{data}/keeper/epoch")
        self._boot = processes.boot()
        self._place = _identity(data)
        self._hierarchies = cgroups.find(cgroups.directory_of(data))
        self._launches: dict[str, Launch] = {}
        self._reaped: dict[int, int] = {}
        self._complaints: set[str] = set()
        self._is_dismissed = False
        self._waiters = Waiters()
        self._due = 0.0
        self._used = time.monotonic()
        self._recall()

    # ---- what may be asked ---------------------------------------------------------------------------------------

    def ask(self, op: str, note: Note, reply: Reply) -> None:
        """Do what is asked, and reply now or later; `Refused` says why not."""
        self._used = time.monotonic()
        if op in ACTING:
            self._due = 0.0  # what is asked for is begun in the next turn
        if not self._epochs.admits(op, int(note.get("epoch", 0))):
            raise Refused("another server acts here by now")
        if op == "execute":
            self._execute(note, reply)
            return
        if op in ("attach", "detach"):
            self._show(op, note, reply)
            return
        if op == "changed":
            self._waiters.add(str(note.get("known", "")), reply)
            return
        operations: dict[str, Callable[[Note], Note]] = {
            "hello": self._hello,
            "launch": self._launch,
            "observe": self._observe,
            "stop": self._stop,
            "forget": self._forget,
            "remove": self._remove,
            "adopt": self._adopt,
            "listener": self._listener,
            "accepted": self._accepted,
        }
        if op not in operations:
            raise Refused(f"the keeper does not know {op!r}")
        reply(operations[op](note))

    def turn(self) -> float:
        """Bring every launch on where that is due; seconds until it is to be seen again whether it is."""
        now = time.monotonic()
        if self._reap() or now >= self._due or any(one.has_news(now) for one in self._launches.values()):
            self._due = now + self._bring_on(now)
        starts = any(one.is_starting for one in self._launches.values())
        return max(min(self._due - time.monotonic(), GLANCE if starts else self._due), 0.0)

    def _bring_on(self, now: float) -> float:
        alive = [one for one in self._launches.values() if one.is_alive]
        table = processes.everyone() if alive else {}
        snapshot = Snapshot(now, self._boot, table, self._reaped)
        for launch in list(self._launches.values()):
            try:
                launch.turn(snapshot)
                self._begin(launch, snapshot)
                self._tidy(launch)
            except Exception as error:  # noqa: BLE001 - one launch's fault must not end the keeper of all others
                self._complain(launch, error)
        phases = {name: one.phase() for name, one in self._launches.items()}
        self._waiters.update(phases)
        self._pool.turn(now, is_busy=not {"queued", "starting"}.isdisjoint(phases.values()))
        return min((one.wait() for one in self._launches.values()), default=1.0)

    def is_over(self, *, is_watched: bool) -> bool:
        """Whether there is nothing to keep any more: nobody asks and nothing runs, or the data directory is gone."""
        if self._is_dismissed:
            return True
        if _identity(self.data) != self._place:
            for launch in self._launches.values():
                launch.stop(0)
            return not any(one.is_alive for one in self._launches.values())
        if is_watched or any(one.ended is None for one in self._launches.values()):
            self._used = time.monotonic()
        return time.monotonic() - self._used > IDLE

    def dismiss(self) -> None:
        """End at the next turn, and leave every launch running: the next keeper takes them up."""
        self._is_dismissed = True

    def leave(self) -> None:
        """Let go of what is kept for launches in general; of a data directory that is gone, of everything."""
        self._pool.close()
        cgroups.release(self._hierarchies)
        if _identity(self.data) != self._place:
            for name in filter(NAME.fullmatch, os.listdir(self.run)):
                with suppress(OSError):
                    folders.remove_tree(f"{self.run}/{name}")
        with suppress(OSError):
            os.rmdir(self.run)  # the operator's own files, and launches that go on, keep it

    def _hello(self, _: Note) -> Note:
        return {"protocol": PROTOCOL, "pid": os.getpid(), "launches": len(self._launches), "warm": self._pool.ready}

    def _launch(self, note: Note) -> Note:
        try:
            spec = read_spec(note)
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"this is no launch: {error!r}") from error
        if spec.name in self._launches:
            return {}
        notes = Journal(f"{self._above}/{spec.name}")
        launch = Launch(spec, notes, paths=paths_of(spec, self.data, self.run), hierarchies=self._hierarchies)
        self._launches[spec.name] = launch
        try:
            notes.create(note)
        except OSError as error:
            ending = "no_space" if error.errno in FULL else "failed_to_start"
            launch.fail(ending, f"Nothing can be written to the data directory: {error.strerror}.")
        return {}

    def _observe(self, note: Note) -> Note:
        found = (self._launches.get(f"{one['launch']}-{one['generation']}") for one in note["keys"])
        return {"seen": [one.observe() for one in found if one is not None]}

    def _stop(self, note: Note) -> Note:
        launch = self._find(note)
        if launch is not None:
            launch.stop(float(note["grace"]))
        return {}

    def _forget(self, note: Note) -> Note:
        launch = self._find(note)
        if launch is not None:
            launch.forget()
            self._tidy(launch)
        return {}

    def _remove(self, note: Note) -> Note:
        mine = [one for one in self._launches.values() if one.spec.launch == int(note["launch"])]
        for launch in mine:
            launch.forget()
            self._tidy(launch)
        return {"gone": not any(one.spec.launch == int(note["launch"]) for one in self._launches.values())}

    def _adopt(self, note: Note) -> Note:
        """Clear away what belongs to no launch, or what the server has no use for, and name every launch."""
        if "warm" in note:  # not from a server of an earlier version
            self._pool.set_idle(float(note["warm"]))
        for name in cgroups.names(self._hierarchies) - set(self._launches):
            if NAME.fullmatch(name):
                cgroups.clear(self._hierarchies, name)
        for name in os.listdir(self.run):
            if NAME.fullmatch(name) and name not in self._launches:
                sweeping.sweep_sockets(f"{self.run}/{name}")
        sweeping.clear(f"{self.data}/temporary", kept=self._launches, begins=False)
        kept = [one.spec for one in self._launches.values() if not one.is_forgotten]
        return {"keys": [{"launch": one.launch, "generation": one.generation} for one in kept]}

    def _listener(self, note: Note) -> Note:
        launch = self._find(note)
        if launch is None or not launch.is_alive:
            return {"host": None}
        return {"host": listeners.of(launch.pids(processes.everyone()), int(note["port"]))}

    def _accepted(self, note: Note) -> Note:
        launch = self._find(note)
        if launch is None or not launch.is_alive:
            return {"own": False}
        here, client = ((str(note[end]["host"]), int(note[end]["port"])) for end in ("here", "client"))
        return {"own": listeners.have_accepted(launch.pids(processes.everyone()), here, client)}

    def _execute(self, note: Note, reply: Reply) -> None:
        launch = self._running(note)
        try:
            self._commands.run(launch, str(note["command"]), within=float(note["timeout"]), reply=reply)
        except OSError as error:
            raise Refused(f"the command could not be started: {error.strerror}") from error

    def _show(self, op: str, note: Note, reply: Reply) -> None:
        launch = self._running(note)
        paths, area = launch.plan().paths, launch.spec.attach_at
        if area is None:
            raise Refused("nothing can be shown to this notebook while it runs")
        mount = Mount(str(note.get("source", "")), str(note["target"]), bool(note.get("writable")))
        act = partial(attaching.attach, paths, area, mount)
        if op == "detach":
            act = partial(attaching.detach, area, mount.target)
        try:
            self._commands.inside(launch, act, reply=reply)
        except OSError as error:
            raise Refused(f"the notebook cannot be entered: {error.strerror}") from error

    def _running(self, note: Note) -> Launch:
        launch = self._find(note)
        if launch is None or not launch.is_alive or launch.is_stopping or not processes.is_alive(launch.main):
            raise Refused("the notebook does not run")
        return launch

    # ---- what it does by itself ----------------------------------------------------------------------------------

    def _find(self, note: Note) -> Launch | None:
        return self._launches.get(f"{note['key']['launch']}-{note['key']['generation']}")

    def _recall(self) -> None:
        """Take up every launch of which there are notes, and what was being removed."""
        sweeping.resume(self.run)
        sweeping.clear(f"{self.data}/temporary", kept=set(os.listdir(self._above)), begins=True)
        for name in sorted(os.listdir(self._above)):
            if name.startswith(".") and name.endswith(BESIDE):
                shutil.rmtree(f"{self._above}/{name}", ignore_errors=True)
            if not NAME.fullmatch(name):
                continue
            launch = recalled(f"{self._above}/{name}", self.data, run=self.run, hierarchies=self._hierarchies)
            if launch is None:
                continue
            self._launches[name] = launch
            try:
                launch.recall(self._boot)
                if launch.is_alive:
                    self._pool.want(launch.spec)
            except (KeyError, TypeError, ValueError) as error:
                self._complain(launch, error)
                launch.fail("failed_to_start", "What was written down of it cannot be read.")

    def _begin(self, launch: Launch, snapshot: Snapshot) -> None:
        if launch.is_begun or launch.ended is not None:
            return
        mine = launch.spec.launch
        if any(one.is_alive and one.spec.launch == mine for one in self._launches.values()):
            return
        ports = [one.port for one in self._launches.values()]
        launch.begin(snapshot, self._pool, port=listeners.free_port(ports), cpus=self._choose_cpus(launch))

    def _tidy(self, launch: Launch) -> None:
        if launch.ended is None:
            return
        if launch.is_forgotten:
            if launch.drop():
                self._launches.pop(launch.spec.name, None)
        else:
            launch.write_end()

    def _complain(self, launch: Launch, error: Exception) -> None:
        """Write a fault down, once."""
        complaint = f"{launch.spec.name}: {error!r}"
        if complaint not in self._complaints:
            self._complaints.add(complaint)
            traceback.print_exception(error)

    def _choose_cpus(self, launch: Launch) -> frozenset[int] | None:
        """The processors for a launch whose share no cgroup holds: those that fewest others have."""
        if launch.holds("cpu"):
            return None
        load = dict.fromkeys(sorted(os.sched_getaffinity(0)), 0)
        for other in self._launches.values():
            for cpu in other.cpus or () if other.is_alive else ():
                load[cpu] = load.get(cpu, 0) + 1
        count = max(1, -int(-launch.spec.cores // 1))
        return frozenset(sorted(load, key=lambda cpu: load[cpu])[:count])

    def _reap(self) -> bool:
        """Reap minders, fork servers, and orphans whose minder was killed; whether there was any."""
        found = False
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                found = True
                self._reaped[pid] = status
                if len(self._reaped) > REAPED:
                    self._reaped.pop(next(iter(self._reaped)))
        return found


def _identity(path: str) -> tuple[int, int] | None:
    try:
        entry = os.stat(path)
    except OSError:
        return None
    return entry.st_dev, entry.st_ino
