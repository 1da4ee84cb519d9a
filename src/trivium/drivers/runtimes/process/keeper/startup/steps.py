"""The steps from a fork of the keeper to the notebook's own program, taken inside the process that becomes it."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, NoReturn

from trivium.drivers.runtimes.process.keeper.launches.members import MARK
from trivium.drivers.runtimes.process.keeper.launches.spec import Failed, Note, Paths, Spec
from trivium.drivers.runtimes.process.keeper.startup import layer, namespaces, privileges, program
from trivium.drivers.runtimes.process.keeper.startup.layer import Interpreter
from trivium.drivers.runtimes.process.keeper.system import folders
from trivium.drivers.runtimes.process.keeper.system.cgroups import Cgroup
from trivium.drivers.runtimes.process.keeper.system.processes import Identity, identify

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
FAILED = 120  # the exit status of a start that failed; the report says why
NAMESPACE_HELP = (
    "Give the notebook's user the right to cross the directories above it (chmod o+x), or let the server make mount "
    "namespaces (CAP_SYS_ADMIN)."
)
STORM = 4  # times the processes of one notebook, past which its user gets no more where they are only watched


class Plan(NamedTuple):
    """A launch with all that was decided for it."""

    spec: Spec
    paths: Paths
    port: int
    cgroup: Cgroup | None
    cpus: frozenset[int] | None
    mark: str  # a random word that its processes carry


class Launcher(NamedTuple):
    """How a launch's program comes to run."""

    interpreter: Interpreter | None  # the image's, where it is known already
    run: Callable[[program.Program], None]  # runs it in this process; comes back where it is to be executed


Tell = Callable[[Note], None]


def _execute(_: program.Program) -> None:
    """Nothing: the program is to be executed."""


PLAIN = Launcher(None, _execute)


def start(plan: Plan, log: int, tell: Tell, *, launcher: Launcher) -> NoReturn:
    """Become the notebook's server. What fails is told, and ends the process."""
    try:
        _prepare(plan)
        join(plan, log)
        _isolate(plan)
        drop(plan)
        ready = _equip(plan, launcher)
        tell({"step": "layer"})
        os.chdir(plan.paths.home)
        if plan.spec.start_command:
            _run_beside(plan.spec.start_command, ready.environment)
        tell({"step": "program"})
        launcher.run(ready)
        os.execve(ready.path, ready.argv, ready.environment)
    except Failed as failed:
        _give_up(tell, failed.ending, failed.detail)
    except OSError as error:
        ending = "no_space" if error.errno in FULL else "failed_to_start"
        _give_up(tell, ending, f"{error.strerror or error}: {error.filename}" if error.filename else str(error))


def execute(plan: Plan, main: Identity, command: str) -> NoReturn:
    """Become a shell command inside a running notebook: its limits, its namespace, its user, its environment."""
    try:
        handles = namespaces.open_of(main.pid)
        if identify(main.pid) != main:
            os._exit(FAILED)
        join(plan, None)
        namespaces.enter(handles)
        drop(plan)
        environment = _surroundings(plan, _interpreter(plan))
        os.chdir(plan.paths.home)
        os.execve("/bin/sh", ["/bin/sh", "-c", command], environment)
    except (Failed, OSError) as error:
        os.write(2, f"{error}\n".encode())
        os._exit(FAILED)


def join(plan: Plan, log: int | None) -> None:
    """A session of its own, the launch's limits, no input, and its output where it belongs."""
    os.setsid()
    if plan.cgroup is not None:
        plan.cgroup.join()
    if plan.cpus:
        with suppress(OSError):
            os.sched_setaffinity(0, plan.cpus)
    with suppress(OSError):
        os.write(_opened("/proc/self/oom_score_adj"), b"300")  # let the kernel take a notebook before the server
    os.dup2(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), 0)
    if log is not None:
        os.dup2(log, 1)
        os.dup2(log, 2)


def drop(plan: Plan) -> None:
    """Become the notebook's user for good."""
    # A storm of forks outruns whoever looks once a second, so all that the user has comes to an end.
    is_held = plan.cgroup is not None and "pids" in plan.cgroup.controllers
    privileges.drop(plan.spec.uid, processes=None if is_held else STORM * plan.spec.processes)


def _prepare(plan: Plan) -> None:
    folders.must_have_room(plan.paths.data, plan.spec.disk_reserve)
    if layer.python_of(plan.spec.image) is None:
        raise Failed("environment_gone", f"There is no Python environment in {plan.spec.image} any more.")
    for path in plan.spec.layers:
        if not os.path.isdir(path):
            raise Failed("environment_gone", f"The saved layer {os.path.basename(path)} is not there any more.")
    folders.prepare(plan.spec, plan.paths)


def _isolate(plan: Plan) -> None:
    """A mount namespace where it can be made; without it, links in the home for what a link can do."""
    if os.geteuid() == 0:
        try:
            namespaces.make(plan.spec, plan.paths)
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.ENOSYS, errno.EINVAL}:
                raise
        else:
            return
    namespaces.link(plan.spec, plan.paths)


def _equip(plan: Plan, launcher: Launcher) -> program.Program:
    """Make the layer, and say what to run over it; with the notebook's own rights."""
    spec, paths = plan.spec, plan.paths
    interpreter = _interpreter(plan, launcher)
    layer.make(paths.venv, spec.layers, interpreter)
    os.makedirs(f"{paths.own}/jupyter", mode=0o700, exist_ok=True)
    return program.program(spec, paths, port=plan.port, environment=_surroundings(plan, interpreter))


def _interpreter(plan: Plan, launcher: Launcher = PLAIN) -> Interpreter:
    python = layer.python_of(plan.spec.image)
    if python is None or not os.access(python, os.X_OK):
        raise _unreachable(f"the interpreter in {plan.spec.image}")
    if not os.access(plan.paths.home, os.R_OK | os.W_OK | os.X_OK):
        raise _unreachable(f"its home {plan.paths.home}")
    return launcher.interpreter or layer.ask(python)


def _unreachable(what: str) -> Failed:
    return Failed("unreachable", f"The notebook's user cannot reach {what}. {NAMESPACE_HELP}")


def _surroundings(plan: Plan, interpreter: Interpreter) -> dict[str, str]:
    return {**program.environment(plan.spec, plan.paths, interpreter), MARK: plan.mark}


def _run_beside(command: str, environment: dict[str, str]) -> None:
    """Run the start command as an orphan, so that the minder has it and not the notebook's server."""
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        return
    if os.fork():
        os._exit(0)
    os.setsid()
    try:
        os.execve("/bin/sh", ["/bin/sh", "-c", command], environment)
    except OSError:
        os._exit(FAILED)


def reset_signals() -> None:
    """Signals as a fresh program expects them."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _give_up(tell: Tell, ending: str, detail: str) -> NoReturn:
    tell({"failed": ending, "detail": detail[:400]})
    os._exit(FAILED)


def _opened(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
