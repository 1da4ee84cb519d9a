"""The minder: one small process beside each launch, to which all its orphans are given, and which sees how it ends.

It outlives the keeper. It runs as the keeper's user and outside of the launch's limits, so that what it minds cannot
reach it; it ends when nothing of the launch is left. When the launch's notes are gone (the data directory was removed),
it ends what it minds itself.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, NoReturn

from trivium.drivers.runtimes.process.keeper.launches import journal
from trivium.drivers.runtimes.process.keeper.startup import steps
from trivium.drivers.runtimes.process.keeper.startup.steps import Launcher, Plan
from trivium.drivers.runtimes.process.keeper.system import descriptors, linux, processes
from trivium.drivers.runtimes.process.keeper.system.processes import Identity

LOOK = 5.0  # seconds between two looks whether the notes are still there
CAPTURED = 64 * 1024  # bytes of a command's output that are kept
SPAWN_FAILED = 70


def mind(plan: Plan, directory: str, *, go: int, launcher: Launcher = steps.PLAIN) -> NoReturn:
    """Start the launch when `go` says so, and mind it until nothing of it is left. Never returns."""
    report = os.open(f"{directory}/{journal.REPORT}", os.O_WRONLY | os.O_CLOEXEC)
    log = open_log(plan)
    _settle(go, report, log)

    def tell(note: journal.Note) -> None:
        journal.report(report, journal.STARTER, note)

    main, hold = _fork(lambda: steps.start(plan, log, tell, launcher=launcher))
    note: journal.Note = {"main": list(processes.identify(main) or (main, 0))}
    journal.report(report, journal.MINDER, note)
    os.write(hold, b"!")
    os.close(hold)
    os.close(log)

    def ended(status: int) -> None:
        journal.report(report, journal.MINDER, {**note, "exit": outcome(status), "at": time.time()})

    _reap({main: ended}, directory)
    os._exit(0)


class Command(NamedTuple):
    """A shell command to run inside a launch."""

    main: Identity  # whose namespaces it enters
    text: str
    within: float  # seconds after which what it has printed is reported


def attend(plan: Plan, directory: str, *, go: int, answer: int, command: Command) -> NoReturn:
    """Run a command inside the launch, tell what came of it, and mind what it leaves. Never returns."""
    _settle(go, answer)
    heard, spoken = os.pipe2(os.O_CLOEXEC)

    def run() -> NoReturn:
        os.dup2(spoken, 1)
        os.dup2(spoken, 2)
        steps.execute(plan, command.main, command.text)

    child, hold = _fork(run)
    os.write(hold, b"!")
    os.close(hold)
    os.close(spoken)
    _relay(child, heard, answer=answer, within=command.within)
    _reap({}, directory, drain=heard)
    os._exit(0)


def outcome(status: int) -> journal.Note:
    """How a process ended, from its wait status."""
    if os.WIFSIGNALED(status):
        return {"code": None, "signal": os.WTERMSIG(status)}
    return {"code": os.WEXITSTATUS(status), "signal": None}


def open_log(plan: Plan) -> int:
    """The launch's log, which its user may write to and nobody else may read."""
    for place in (os.path.dirname(os.path.dirname(plan.paths.log)), os.path.dirname(plan.paths.log)):
        with suppress(FileExistsError):
            os.mkdir(place, 0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(plan.paths.log, flags, 0o600)
    if plan.spec.uid is not None and os.geteuid() == 0:
        os.fchown(descriptor, plan.spec.uid, plan.spec.uid)
    return descriptor


def _settle(go: int, *kept: int) -> None:
    """Become a process of its own that keeps nothing of the keeper's, and wait until it may begin."""
    os.setsid()
    signal.set_wakeup_fd(-1)  # the keeper's; its number will be another descriptor's here
    descriptors.close_all_but({go, *kept})
    linux.become_subreaper()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGCHLD})
    if os.read(go, 1) != b"!":  # the keeper died before it had written down who we are
        os._exit(0)
    os.close(go)


def _fork(run: Callable[[], NoReturn]) -> tuple[int, int]:
    """A child that runs `run` once a byte comes through the descriptor that is returned with its pid."""
    wait, hold = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid:
        os.close(wait)
        return pid, hold
    try:
        os.close(hold)
        steps.reset_signals()
        if os.read(wait, 1) == b"!":
            os.close(wait)
            run()
    finally:
        os._exit(SPAWN_FAILED)


def _reap(watched: dict[int, Callable[[int], None]], directory: str, drain: int | None = None) -> None:
    """Reap everything until nothing is left below this process."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid in watched:
            watched.pop(pid)(status)
        if pid:
            continue
        if drain is not None:
            drain = _drain(drain)
        else:
            signal.sigtimedwait({signal.SIGCHLD}, LOOK)
        if not os.path.isdir(directory):
            _kill_below()


def _drain(heard: int) -> int | None:
    """Throw away what a command in the background still says; None once it is silent for good."""
    if select.select([heard], [], [], 0.5)[0] and not os.read(heard, CAPTURED):
        os.close(heard)
        return None
    return heard


def _relay(child: int, heard: int, *, answer: int, within: float) -> None:
    """Collect what the command says until it ends or its time is over, and pass it on."""
    said = bytearray()
    deadline = time.monotonic() + within
    code: int | None = None
    is_open, is_over = True, False
    while time.monotonic() < deadline and not is_over:
        is_over, code = _ended(child)
        wait = 0.0 if is_over else 0.05
        while is_open and select.select([heard], [], [], wait)[0]:
            part = os.read(heard, CAPTURED)
            is_open = bool(part)
            said += part[: max(CAPTURED - len(said), 0)]
            wait = 0.0
            if time.monotonic() > deadline:
                break
        if not is_open and not is_over:
            signal.sigtimedwait({signal.SIGCHLD}, 0.05)
    note = {"code": code, "output": base64.b64encode(bytes(said)).decode("ascii")}
    with suppress(OSError):  # the keeper is gone; the command goes on
        _write_all(answer, json.dumps(note).encode() + b"\n")
    os.close(answer)


def _ended(child: int) -> tuple[bool, int | None]:
    pid, status = os.waitpid(child, os.WNOHANG)
    if not pid:
        return False, None
    return True, os.waitstatus_to_exitcode(status)


def _kill_below() -> None:
    table = processes.everyone()
    for pid in processes.descendants([os.getpid()], table):
        processes.send(table[pid].identity, signal.SIGKILL)


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
