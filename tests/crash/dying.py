"""The server of the tests that kill at a named step: the product's own, with its steps counted from outside.

`python -m tests.crash.dying POINT PASSED server start …` runs the command line that follows. POINT is an `At` as JSON;
each step that is passed is a line of the file PASSED, so that a run without a point tells which steps there are. The
steps are commits of writing transactions, calls to the keeper, and work on whole directories: whatever a server
changes, it changes in one of these.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from tests.crash import machine
from tests.waiting import until
from trivium.base.threads import DaemonThreads
from trivium.cli import main as command_line
from trivium.drivers.runtimes.process.client import KeeperClient
from trivium.store import Store

AT_FORK = Path(__file__).with_name("at_fork.py")
FORKS_WITHIN = 20.0  # seconds between what the keeper is told and the fork


@dataclass(frozen=True)
class At:
    """What is to befall, and when: at the `number`th time that a step called `label` is reached."""

    label: str
    number: int = 1
    befalls: str = "server"  # which of the two is killed there: server, or keeper
    late: float = 0.0  # seconds between the step and the death of the keeper
    at_fork: bool = False  # the keeper dies once a warm parent has forked, before the fork is told what it is to be

    def __str__(self) -> str:
        if self.at_fork:
            return f"{self.befalls} killed over a fork, {self.label}, for the {self.number}. time"
        late = f" {1000 * self.late:g} ms" if self.late else ""
        return f"{self.befalls} killed{late} {self.label}, for the {self.number}. time"


class Points:
    """Counts the steps of this process, and does at one of them what was asked."""

    def __init__(self, at: At | None, passed: Path) -> None:
        self._at = at
        self.watched = passed.with_name("watched")
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._passed = os.open(passed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._writing = threading.local()

    def reach(self, label: str) -> None:
        """A step: between what came before and what comes next. From any thread."""
        with self._lock:
            self._counts[label] += 1
            number = self._counts[label]
            os.write(self._passed, f"{label}\n".encode())
        if self._at is None or (label, number) != (self._at.label, self._at.number):
            return
        if self._at.befalls == "server":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._at.at_fork:
            self._kill_keeper_at_fork()
        elif self._at.late:
            threading.Timer(self._at.late, self._kill_keeper).start()
        else:
            self._kill_keeper()

    def _kill_keeper(self) -> None:
        pid = machine.keeper_of(_data())
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def _kill_keeper_at_fork(self) -> None:
        """Set somebody on it, who writes what came of it beside the steps that were passed."""
        (parent,), keeper = machine.parents_of(_data()), machine.keeper_of(_data())
        command = [sys.executable, "-I", "-S", str(AT_FORK), str(parent), str(keeper), str(FORKS_WITHIN)]
        with self.watched.open("w") as output:
            subprocess.Popen(command, stdout=output)
        until(self.watched.read_text, what="somebody who looks")

    def count_commits(self) -> None:
        """Both sides of each commit of a transaction that writes."""
        written, commit = _private(Store, "_written"), _private(Connection, "_commit_impl")

        def in_transaction(store: Store, use: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            self._writing.use = use
            try:
                return written(store, use, *args, **kwargs)
            finally:
                self._writing.use = None

        def committed(connection: Connection) -> None:
            use = getattr(self._writing, "use", None)
            if use is None:
                commit(connection)
                return
            name = _name_of(use)
            self.reach(f"before the commit of {name}")
            commit(connection)
            self.reach(f"after the commit of {name}")

        setattr(Store, "_written", in_transaction)  # noqa: B010
        setattr(Connection, "_commit_impl", committed)  # noqa: B010

    def count_calls(self) -> None:
        """Both sides of each call to the keeper, and of each piece of work on whole directories."""
        exchange, heavy = _private(KeeperClient, "_exchange"), DaemonThreads.run

        async def exchanged(client: KeeperClient, op: str, told: Any) -> Any:
            self.reach(f"before the keeper is told {op}")
            answer = await exchange(client, op, told)
            self.reach(f"after the keeper was told {op}")
            return answer

        async def worked(room: DaemonThreads, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            self.reach(f"before {work.__name__}")
            result: Any = await heavy(room, work, *args, **kwargs)
            self.reach(f"after {work.__name__}")
            return result

        setattr(KeeperClient, "_exchange", exchanged)  # noqa: B010
        setattr(DaemonThreads, "run", worked)  # noqa: B010


def _data() -> Path:
    return Path(sys.argv[sys.argv.index("--data") + 1])


def _name_of(use: Any) -> str:
    """The room's own function, whatever was put around it."""
    while "use" in getattr(getattr(use, "__code__", None), "co_freevars", ()):
        use = use.__closure__[use.__code__.co_freevars.index("use")].cell_contents
    return f"{use.__module__.removeprefix('trivium.')}.{use.__qualname__}"


def _private(owner: type, name: str) -> Any:
    return getattr(owner, name)


def main() -> None:
    """Run the rest of the command line with all steps counted."""
    at, passed = sys.argv[1:3]
    points = Points(msgspec.json.decode(at, type=At | None), Path(passed))
    sys.argv[1:] = sys.argv[3:]
    points.count_commits()
    points.count_calls()
    command_line()


if __name__ == "__main__":
    main()
