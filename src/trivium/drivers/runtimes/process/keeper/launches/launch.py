"""One launch in the keeper's hands: from the intent, over its start and its life, to how it ended."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from collections.abc import Mapping
from contextlib import suppress

from trivium.drivers.runtimes.process.keeper.launches import journal, limits, members, probe
from trivium.drivers.runtimes.process.keeper.launches.journal import Journal, Note
from trivium.drivers.runtimes.process.keeper.launches.log_lines import error_line, last_line
from trivium.drivers.runtimes.process.keeper.launches.snapshot import Snapshot
from trivium.drivers.runtimes.process.keeper.launches.spec import Paths, Spec, paths_of, read_spec
from trivium.drivers.runtimes.process.keeper.startup import minder
from trivium.drivers.runtimes.process.keeper.startup.steps import FULL, Plan
from trivium.drivers.runtimes.process.keeper.system import listeners, processes, sweeping
from trivium.drivers.runtimes.process.keeper.system.cgroups import Cgroup, Hierarchy, Limits
from trivium.drivers.runtimes.process.keeper.system.processes import Identity, Seen
from trivium.drivers.runtimes.process.keeper.warm import handover
from trivium.drivers.runtimes.process.keeper.warm.pool import Fork, WarmPool

LEFTOVERS = 2.0  # seconds that what a server leaves behind has to end by itself
BETWEEN_PROBES = 0.1  # seconds
SURE = 8  # looks in a row after which a stranger on a port is believed
STEPS = {"": 10, "layer": 40, "program": 60}  # per cent that are done after each step
SNAPSHOT = 2.0  # seconds between two notes of who belongs to a launch that has no cgroup


class Launch:
    """One launch. `turn` is called again and again and brings it on; it never waits."""

    def __init__(self, spec: Spec, notes: Journal, *, paths: Paths, hierarchies: tuple[Hierarchy, ...]) -> None:
        self.spec = spec
        self.paths = paths
        self.notes = notes
        self.ended: Note | None = None
        self.is_forgotten = False
        self.is_begun = False
        self.is_ready = False
        self.main: Identity | None = None
        self.port = 0
        self._hierarchies = hierarchies
        self._mark = ""
        self._boot = ""
        self.cpus: frozenset[int] | None = None
        self._cgroup = Cgroup(hierarchies, spec.name) if hierarchies and spec.cgroups else None
        self._minder: Identity | None = None
        self._attendants: set[Identity] = set()
        self._known: frozenset[Identity] = frozenset()
        self._noted = 0.0
        self._began = 0.0
        self._stop: Note | None = None
        self._asked_main = self._asked_all = False
        self._pids: set[int] = set()
        self._exit: Note | None = None
        self._gone_since = 0.0
        self._probe: probe.Probe | None = None
        self._probed = 0.0
        self._strangers = 0
        self._limits = limits.LimitWatch(self._cgroup)

    # ---- what is asked of it -------------------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        """Whether it has begun and not ended."""
        return self.is_begun and self.ended is None

    @property
    def is_starting(self) -> bool:
        """Whether it may begin to answer at any moment."""
        return self.is_alive and not self.is_ready and not self.is_stopping

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to end, or is being ended."""
        return self._stop is not None or self._exit is not None

    @property
    def minders(self) -> frozenset[Identity]:
        """The keeper's own processes beside it."""
        return frozenset(self._attendants | ({self._minder} if self._minder else set()))

    def stop(self, grace: float, *, ending: str = "stopped", detail: str = "") -> None:
        """Ask it to end within `grace` seconds. A second call can only make it sooner."""
        if self.ended is not None:
            return
        by = time.monotonic() + grace
        if self._stop is not None:
            by, ending, detail = min(by, self._stop["by"]), self._stop["ending"], self._stop["detail"]
        self._stop = {"by": by, "ending": ending, "detail": detail, "boot": processes.boot()}
        with suppress(OSError):  # on a full disk it is stopped all the same
            self.notes.write(journal.STOP, self._stop)
        if not self.is_begun:
            self._end({"ending": ending, "detail": detail})

    def fail(self, ending: str, detail: str) -> None:
        """It cannot even begin."""
        self.is_begun = True
        self._end({"ending": ending, "detail": detail})

    def holds(self, controller: str) -> bool:
        """Whether the kernel holds this limit of it."""
        return self._cgroup is not None and controller in self._cgroup.controllers

    def forget(self) -> None:
        """Drop it as soon as it has ended, and end it at once where it has not."""
        self.is_forgotten = True
        if self.ended is None:
            with suppress(OSError):
                self.notes.write(journal.FORGET, {})
            self.stop(0)

    def drop(self) -> bool:
        """Remove all that is kept of an ended launch, its log apart; False when something still holds on to it."""
        if self._cgroup is not None and not self._cgroup.remove():
            return False
        sweeping.sweep_sockets(self.paths.run)
        sweeping.sweep(self.paths.temporary)
        self.notes.remove()
        return True

    def begin(self, snapshot: Snapshot, pool: WarmPool, *, port: int, cpus: frozenset[int] | None) -> None:
        """Start it, of a fork server where there is one; who minds it is written down before anything runs."""
        self._boot, self._began, self.cpus = snapshot.boot, snapshot.now, cpus
        self.port, self._mark = port, secrets.token_hex(16)
        try:
            if self._cgroup is not None:
                self._cgroup.create(Limits(self.spec.cores, self.spec.memory, self.spec.processes))
            os.close(minder.open_log(self.plan()))
            self._entrust(pool.fork(self.spec, snapshot.now))
        except OSError as error:
            self.is_begun = True
            ending = "no_space" if error.errno in FULL else "failed_to_start"
            self._end(
                {"ending": ending, "detail": f"{error.strerror or error}: {error.filename or self.notes.directory}"}
            )

    def plan(self) -> Plan:
        """The launch with what was decided for it."""
        return Plan(self.spec, self.paths, self.port, self._cgroup, self.cpus, self._mark)

    def attended(self, attendant: Identity) -> None:
        """Take in the minder of a command that runs inside it; OSError when that cannot be written down."""
        self._attendants.add(attendant)
        self._write_state()

    def pids(self, table: Mapping[int, Seen]) -> set[int]:
        """Its living processes."""
        return members.of(self._roots(), table)

    def observe(self) -> Note:
        """What is the case, as the server is told."""
        name = self.phase()
        note: Note = {"key": {"launch": self.spec.launch, "generation": self.spec.generation}, "phase": name}
        if name == "queued":
            note["reason"] = "An earlier start of this notebook has not ended yet."
        if name == "starting":
            note["progress"] = STEPS.get(str(self.notes.reported(journal.STARTER).get("step", "")), 10)
        if name in {"running", "stopping"} and self.is_ready:
            note["address"] = {"socket": self.paths.link} if self._uses_socket else {"port": self.port}
        if self.ended is not None:
            note["exit"] = self.ended
        return note

    def phase(self) -> str:
        """One word for how far it has come."""
        if self.ended is not None:
            return "lost" if self.ended["ending"] == "lost" else "ended"
        if self.is_stopping:
            return "stopping"
        if not self.is_begun:
            return "queued"
        return "running" if self.is_ready else "starting"

    # ---- what it does by itself ----------------------------------------------------------------------------------

    def turn(self, snapshot: Snapshot) -> None:
        """Look how it is, and do what is next."""
        if not self.is_alive:
            return
        self._pids = members.of(self._roots(), snapshot.table)
        if not all(processes.is_alive(one) for one in self.minders):
            self._known |= members.identities(self._pids, snapshot.table)
            self._attendants = {one for one in self._attendants if processes.is_alive(one)}
        self._look_at_main(snapshot)
        if self._exit is None and self._stop is None:
            self._remember(snapshot)
            self._check_limits(snapshot)
            self._check_ready(snapshot)
        if self.is_stopping:
            self._bring_to_end(snapshot)

    def has_news(self, now: float) -> bool:
        """Whether there is a sign that it begins to answer. Costs next to nothing."""
        if not self.is_starting:
            return False
        if self._probe is not None:
            return self._probe.has_news()
        return self._uses_socket and now - self._probed >= BETWEEN_PROBES and self._may_listen

    def wait(self) -> float:
        """Seconds until it should have its next turn."""
        if not self.is_alive:
            return 1.0
        if self.is_stopping:
            return 0.05
        return 1.0 if self.is_ready else 0.1

    def recall(self, boot: str) -> None:
        """Take up what an earlier keeper wrote down of it."""
        self.is_forgotten = self.notes.read(journal.FORGET) is not None
        self.ended = self.notes.read(journal.ENDED)
        state = self.notes.read(journal.STATE)
        stop = self.notes.read(journal.STOP)
        if self.ended is not None:
            self.is_begun = True
            return
        if stop is not None:
            by = stop["by"] if stop.get("boot") == boot else time.monotonic()
            self._stop = {**stop, "by": by, "boot": boot}
        if state is None:
            if stop is not None:
                self.is_begun = True
                self._end({"ending": stop["ending"], "detail": stop["detail"]})
            return
        self.is_begun = True
        self._boot = str(state["boot"])
        self.port, self._mark, self._began = int(state["port"]), str(state["mark"]), float(state["began"])
        self.is_ready = self.notes.read(journal.READY) is not None
        if self._boot != boot:
            self._settle_exit(None)
            self._end(self._lost())
            return
        self._minder = Identity(*state["minder"])
        self._attendants = {Identity(*one) for one in state["attendants"]}
        self._known = frozenset(Identity(*one) for one in state["known"])

    # ---- the parts of a turn -------------------------------------------------------------------------------------

    @property
    def _uses_socket(self) -> bool:
        return not self.spec.command or any("{socket}" in word for word in self.spec.command)

    @property
    def _may_listen(self) -> bool:
        """Whether it is worth while to look who listens."""
        return not self._uses_socket or os.path.lexists(self.paths.socket)

    def _roots(self) -> members.Roots:
        return members.Roots(
            minders=self.minders,
            main=self.main,
            known=self._known,
            mark=self._mark,
            uid=self.spec.uid if os.geteuid() == 0 else os.geteuid(),
            cgroup=self._cgroup,
        )

    def _entrust(self, fork: Fork | None) -> None:
        """Give it to the fork of a fork server, or else to a fork of the keeper's."""
        if fork is None or not self._hand_over(fork):
            self._fork_minder()

    def _hand_over(self, fork: Fork) -> bool:
        """Send it to a fork; False when that is gone, and has begun nothing."""
        with fork.channel:
            self._minder = fork.identity
            self._write_state()
            note = handover.encode(self.plan(), self.notes.directory, self._hierarchies)
            try:
                fork.channel.send(json.dumps(note).encode())
                fork.channel.send(b"!")
            except OSError:
                return False
            self.is_begun = True
            return True

    def _fork_minder(self) -> None:
        wait, go = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            try:
                os.close(go)
                minder.mind(self.plan(), self.notes.directory, go=wait)
            finally:
                os._exit(minder.SPAWN_FAILED)
        os.close(wait)
        try:
            self._minder = processes.identify(pid)
            self._write_state()
            self.is_begun = True
            os.write(go, b"!")
        finally:
            os.close(go)  # without the byte it ends by itself

    def _write_state(self) -> None:
        self.notes.write_for_boot(
            journal.STATE,
            {
                "minder": self._minder,
                "attendants": sorted(self._attendants),
                "known": sorted(self._known),
                "boot": self._boot,
                "port": self.port,
                "mark": self._mark,
                "began": self._began,
            },
        )

    def _look_at_main(self, snapshot: Snapshot) -> None:
        """Find out whether the main process still runs, and if not, what is known of its end."""
        if self._exit is not None:
            return
        told = self.notes.reported(journal.MINDER)
        if "main" in told:
            self.main = Identity(*told["main"])
        if "exit" in told:
            self._settle_exit({**told["exit"], "at": told["at"]})
        elif processes.is_alive(self.main) or (self.main is None and processes.is_alive(self._minder)):
            self._gone_since = 0.0
        elif self.main is not None and self.main.pid in snapshot.reaped:
            self._settle_exit({**minder.outcome(snapshot.reaped[self.main.pid]), "at": time.time()})
        elif not self._gone_since:
            self._gone_since = snapshot.now  # the minder may be about to tell
        elif snapshot.now - self._gone_since > 1:
            self._settle_exit({})

    def _settle_exit(self, exit_: Note | None) -> None:
        self._exit = exit_ or {}
        self._limits.look(time.monotonic())

    def _remember(self, snapshot: Snapshot) -> None:
        """Note who belongs to it, for a time when neither keeper nor minder is there to know."""
        if self._cgroup is not None or snapshot.now - self._noted < SNAPSHOT:
            return
        known = members.identities(self._pids, snapshot.table)
        if known != self._known:
            self._known, self._noted = known, snapshot.now
            with suppress(OSError):
                self._write_state()

    def _check_limits(self, snapshot: Snapshot) -> None:
        """End a launch that crossed a limit as a whole: what is left of it after the kernel killed a part is no use."""
        self._limits.look(snapshot.now)
        them = members.identities(self._pids, snapshot.table)
        offence = self._limits.crossed(self.spec, self.paths, them=them, snapshot=snapshot)
        if offence is not None:
            self.stop(0, ending=offence.ending, detail=offence.detail)

    def _check_ready(self, snapshot: Snapshot) -> None:
        if self.is_ready or self.main is None or self._exit is not None:
            return
        if snapshot.now - self._began > self.spec.ready_within:
            detail = (
                f"It did not answer within {self.spec.ready_within:g} seconds. {error_line(self.paths.log)}".strip()
            )
            self.stop(LEFTOVERS, ending="never_ready", detail=detail)
            return
        if self._probe is None and snapshot.now - self._probed >= BETWEEN_PROBES and self._may_listen:
            self._probed = snapshot.now
            self._ask(snapshot.now)
        answered = None if self._probe is None else self._probe.look(snapshot.now)
        if answered is not None:
            self._probe = None
        if answered:
            self.is_ready = True
            with suppress(OSError):
                self.notes.write_for_boot(journal.READY, {"at": time.time()})

    def _ask(self, now: float) -> None:
        """Begin to ask whether it answers, where its own processes listen."""
        path = self.spec.base_url if self.spec.command else f"{self.spec.base_url}api/status"
        target = probe.Target(
            socket=self.paths.link if self._uses_socket else None,
            port=self.port,
            path=path,
            token=self.spec.token,
            any_status=bool(self.spec.command),
        )
        if self._uses_socket:
            if probe.show_socket(self.paths.socket, self.paths.link, self.spec.uid):
                self._probe = probe.Probe(target, now)
        elif listeners.of(self._pids, self.port):
            self._probe = probe.Probe(target, now)
        elif self._is_anothers_port():
            self.stop(LEFTOVERS, ending="port_taken", detail=f"Another program listens on port {self.port}.")

    def _is_anothers_port(self) -> bool:
        """Whether somebody else listens there, at several looks: a process of its own may just have been born."""
        self._strangers = self._strangers + 1 if listeners.on_port(self.port) else 0
        return self._strangers > SURE

    def _bring_to_end(self, snapshot: Snapshot) -> None:
        """Ask, then make, every process end; when none is left, say how it ended."""
        if not self._pids and self._exit is not None:
            self._end(self._reckon())
            return
        if self._stop is None:
            self._stop = {"by": snapshot.now + LEFTOVERS, "ending": None, "detail": "", "boot": snapshot.boot}
        if self._exit is not None:
            self._stop["by"] = min(self._stop["by"], snapshot.now + LEFTOVERS)
        them = members.identities(self._pids, snapshot.table)
        if snapshot.now >= self._stop["by"]:
            self._kill(them)
        elif self._exit is not None and not self._asked_all:
            self._asked_all = True
            for one in them:
                processes.send(one, signal.SIGTERM)
                processes.send(one, signal.SIGCONT)
        elif not self._asked_main and self.main is not None:
            self._asked_main = True
            processes.send(self.main, signal.SIGTERM)
            for one in them:
                processes.send(one, signal.SIGCONT)

    def _kill(self, them: frozenset[Identity]) -> None:
        if self._cgroup is not None:
            self._cgroup.kill()
        for number in (signal.SIGSTOP, signal.SIGKILL):  # none may fork while the others are killed
            for one in them:
                processes.send(one, number)

    def _reckon(self) -> Note:
        """How it ended, in one note."""
        exit_ = self._exit or {}
        note = {"code": exit_.get("code"), "signal": exit_.get("signal"), "at": exit_.get("at", time.time())}
        told = self.notes.reported(journal.STARTER)
        if self._stop is not None and self._stop["ending"] is not None:
            return {**note, "ending": self._stop["ending"], "detail": self._stop["detail"]}
        if "failed" in told:
            return {**note, "code": None, "ending": told["failed"], "detail": told.get("detail", "")}
        if not exit_:
            return self._lost()
        limit = self._limits.explain(self.spec, exit_, time.monotonic())
        if limit is not None:
            return {**note, "ending": limit[0], "detail": limit[1]}
        if not self.is_ready and not self._uses_socket and listeners.on_port(self.port):
            return {**note, "ending": "port_taken", "detail": f"Another program listens on port {self.port}."}
        return {**note, "ending": "exited", "detail": last_line(self.paths.log)}

    def _lost(self) -> Note:
        return {"ending": "lost", "detail": "It is gone, and nobody saw how it ended.", "at": time.time()}

    def _end(self, note: Note) -> None:
        """It has ended: drop what it held, and write down how it was."""
        self.ended = {"code": None, "signal": None, "detail": "", "at": time.time(), **note}
        # The name of a user's file may be no text, and nobody could read an answer that has it in it.
        self.ended["detail"] = str(self.ended["detail"]).encode(errors="replace").decode()
        if self._probe is not None:
            self._probe.close()
        self._limits.close()
        if self._cgroup is not None:
            self._cgroup.remove()
        sweeping.sweep_sockets(self.paths.run)
        sweeping.sweep(self.paths.temporary)
        self.write_end()

    def write_end(self) -> bool:
        """Write down how it ended; False where the disk is full, to be tried again."""
        try:
            if self.ended is not None and self.notes.read(journal.ENDED) is None:
                self.notes.write(journal.ENDED, self.ended)
        except OSError:
            return False
        return True


def recalled(directory: str, data: str, *, run: str, hierarchies: tuple[Hierarchy, ...]) -> Launch | None:
    """The launch whose notes lie in a directory; None when they cannot be read."""
    notes = Journal(directory)
    intent = notes.read(journal.INTENT)
    if intent is None:
        return None
    try:
        spec = read_spec(intent)
    except (KeyError, TypeError, ValueError):
        return None
    return Launch(spec, notes, paths=paths_of(spec, data, run), hierarchies=hierarchies)
