"""What a server costs that nobody asks anything: how long until it is ready, and what memory it holds.

Bare uvicorn (the command as it comes, with an application of ten lines) from the start of its process to its first 200,
against `trivium server start` to a 200 of `/readyz`: on an empty data directory, and on one with many notebooks. Beside
them uvicorn with everything left out that can be: no command line, no WebSockets, no lifespan. Starts are interleaved,
so that what else the machine does meets all. Each directory was started on before; its keeper runs.
"""

from __future__ import annotations

import http.client
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from benchmarks.growth_rows import rows_of
from benchmarks.plan import Plan
from benchmarks.processes import NotReady, free_port, trivium
from trivium.base.values import Value

LEAST_ROUNDS: Final = 5
RESTS: Final = 2.0  # seconds after which a server that answers is at rest
STEP: Final = 0.002  # seconds between two knocks
WITHIN: Final = 120.0
MOST_MEMORY: Final = 60  # MiB, aimed at
MOST_TIMES: Final = 3.0
LIBRARIES: Final = ("uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy")


class _Contestant(Value, frozen=True, kw_only=True):
    name: str
    command: tuple[str, ...]
    port: int
    path: str


class _Start(Value, frozen=True, kw_only=True):
    seconds: float  # from the start of the process to the answer
    cpu: float  # seconds of processor until then
    pss: float  # MiB at rest
    rss: float


def run(plan: Plan) -> None:
    """Measure and print."""
    rows = plan.sizes[-1]
    with ExitStack() as stack:
        folder = plan.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trivium-idle-")))
        many = rows_of(rows, folder, plan.database)
        empty = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trivium-idle-"))) / "data"
        contestants = (
            _uvicorn("bare uvicorn", "uvicorn", "benchmarks.bare:app", "--port"),
            _uvicorn("uvicorn, the least of it", "benchmarks.floor"),
            _trivium("trivium, empty", "--data", str(empty)),
            _trivium(
                f"trivium, {rows} rows",
                *("--data", str(many.folder), *(["--database", many.url] if plan.database else [])),
            ),
        )
        for one in contestants:  # files are read once, and first starts make what is not there yet
            _start(one, folder)
        found: dict[str, list[_Start]] = {one.name: [] for one in contestants}
        for _ in range(max(plan.rounds, LEAST_ROUNDS)):
            for one in contestants:
                found[one.name].append(_start(one, folder))
    _print(found, plan)


def _uvicorn(name: str, *module: str) -> _Contestant:
    port = free_port()
    return _Contestant(name=name, command=(sys.executable, "-m", *module, str(port)), port=port, path="/")


def _trivium(name: str, *place: str) -> _Contestant:
    port = free_port()
    options = ("--port", str(port), "--proxy-port", str(free_port()), *place)
    return _Contestant(name=name, command=tuple(trivium("server", "start", *options)), port=port, path="/readyz")


def _start(one: _Contestant, folder: Path) -> _Start:
    """One start, a rest, and the end."""
    with (folder / "idle.log").open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(one.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            seconds = _ready(process, one, began=began)
            held = psutil.Process(process.pid)
            times = held.cpu_times()
            time.sleep(RESTS)
            memory = held.memory_full_info()
        finally:
            process.terminate()
            process.wait(timeout=30)
    return _Start(seconds=seconds, cpu=times.user + times.system, pss=memory.pss / 2**20, rss=memory.rss / 2**20)


def _ready(process: subprocess.Popen[bytes], one: _Contestant, *, began: float) -> float:
    while time.perf_counter() - began < WITHIN and process.poll() is None:
        with suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=10)
            connection.request("GET", one.path)
            status = connection.getresponse().status
            connection.close()
            if status == http.client.OK:
                return time.perf_counter() - began
        time.sleep(STEP)
    message = f"{one.name} is not ready"
    raise NotReady(message)


def _print(found: dict[str, list[_Start]], plan: Plan) -> None:
    database = "PostgreSQL" if plan.database else "SQLite"
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    print(
        f"idle: process start to the first 200, and memory {RESTS:.0f} s later; {database}, {psutil.cpu_count()} cores"
    )
    print(f"      {max(plan.rounds, LEAST_ROUNDS)} rounds, interleaved, medians; Trivium to /readyz")
    print(f"      trivium {version('trivium')}, Python {platform.python_version()}, {libraries}")
    print(f"      {'':24}{'ms':>7}{'(least–most)':>16}{'CPU ms':>9}{'times bare':>12}{'PSS MiB':>9}{'RSS MiB':>9}")
    bare = _median(next(iter(found.values())), "seconds")
    for name, starts in found.items():
        seconds = _median(starts, "seconds")
        span = f"({min(one.seconds for one in starts) * 1e3:.0f}–{max(one.seconds for one in starts) * 1e3:.0f})"
        print(
            f"      {name:24}{seconds * 1e3:>7.0f}{span:>16}{_median(starts, 'cpu') * 1e3:>9.0f}"
            f"{seconds / bare:>12.2f}{_median(starts, 'pss'):>9.1f}{_median(starts, 'rss'):>9.1f}"
        )
    print(f"      aimed at: at most {MOST_TIMES:g} times bare with {plan.sizes[-1]} rows, and {MOST_MEMORY} MiB")


def _median(starts: Sequence[_Start], what: str) -> float:
    return statistics.median(getattr(one, what) for one in starts)
