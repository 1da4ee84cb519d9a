"""What a server costs that nobody asks anything: how long until it is ready, and what memory it holds.

Bare uvicorn (the command as it comes, with an application of ten lines) from the start of its process to its first 200,
against `trivium server start` to a 200 of `/readyz`: on an empty data directory, and on one with many notebooks. Beside
them uvicorn with everything left out that can be: no command line, no WebSockets, no lifespan. Each directory was
started on before; its keeper runs. All have what `make install` gives and no more: some libraries import what tests
bring besides where they find it.
"""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from benchmarks.growth_rows import rows_of
from benchmarks.peers import installed
from benchmarks.plan import Plan
from benchmarks.processes import NotReady, Place, end_keeper, free_port, scratch, start_command
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, span, sqlite
from benchmarks.rounds import interleaved, median, ratio
from trivium.base.values import Value

RESTS: Final = 2.0  # seconds after which a server that answers is at rest
STEP: Final = 0.002  # seconds between two looks
WITHIN: Final = 120.0
BARE: Final = "bare uvicorn"
LIBRARIES: Final = ("uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy")


class _Contestant(Value, frozen=True, kw_only=True):
    command: tuple[str, ...]
    port: int
    path: str


class _Start(Value, frozen=True, kw_only=True):
    ready: float  # milliseconds from the start of the process to the answer
    cpu: float  # milliseconds of processor until then
    pss: float  # MiB at rest
    rss: float


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        many = rows_of(plan.sizes[-1], plan.keep or folder, plan.database)
        empty = Place(data=folder / "empty")
        for place in (empty, many.place):
            stack.callback(end_keeper, place)
        programs = installed(folder / "venv")
        contestants = {
            BARE: _uvicorn(programs, "uvicorn", "benchmarks.bare:app", "--port"),
            "uvicorn, the least of it": _uvicorn(programs, "benchmarks.floor"),
            "trivium, no rows": _trivium(programs, empty),
            f"trivium, {many.rows:,} rows": _trivium(programs, many.place),
        }
        ways = {name: partial(_start, one, folder / "idle.log") for name, one in contestants.items()}
        _print(interleaved(ways, plan.rounds), plan)


def _uvicorn(programs: Path, *module: str) -> _Contestant:
    port = free_port()
    return _Contestant(command=(str(programs / "python"), "-m", *module, str(port)), port=port, path="/")


def _trivium(programs: Path, place: Place) -> _Contestant:
    (_, *arguments), port, _ = start_command(place)
    return _Contestant(command=(str(programs / "trivium"), *arguments), port=port, path="/readyz")


def _start(one: _Contestant, log: Path) -> _Start:
    """One start, a rest, and the end."""
    with log.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(one.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            ready = _ready(process, one, began=began)
            held = psutil.Process(process.pid)
            times = held.cpu_times()
            time.sleep(RESTS)
            memory = held.memory_full_info()
        finally:
            process.terminate()
            process.wait(timeout=30)
    cpu = times.user + times.system
    return _Start(ready=ready * 1000, cpu=cpu * 1000, pss=memory.pss / 2**20, rss=memory.rss / 2**20)


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
    message = f"{one.command!r} is not ready"
    raise NotReady(message)


def _print(found: Mapping[str, list[_Start]], plan: Plan) -> None:
    print_head(
        f"idle: from the start of the process to the first 200, and memory {RESTS:g} s later",
        (
            f"baseline: {BARE} (its command, an application of ten lines); Trivium to the first 200 of /readyz",
            f"medians of {plan.rounds} interleaved rounds",
        ),
        packages=LIBRARIES,
        database="PostgreSQL" if plan.database else sqlite(),
    )
    bare = found[BARE]
    print_table(
        ("", "ms", "least–most", "of bare", "CPU ms", "PSS MiB", "RSS MiB"),
        [
            (
                name,
                f"{median(starts, _time):.0f}",
                span([start.ready for start in starts]),
                f"{ratio(starts, bare, _time):.2f}",
                f"{median(starts, lambda one: one.cpu):.0f}",
                f"{median(starts, lambda one: one.pss):.1f}",
                f"{median(starts, lambda one: one.rss):.1f}",
            )
            for name, starts in found.items()
        ],
    )
    name, many = list(found.items())[-1]
    print_targets(
        [
            Target(name=f"ready, {name} / {BARE}", measured=ratio(many, bare, _time), bound=Bound.MOST, wanted=3),
            Target(
                name=f"memory (PSS), {name}",
                measured=median(many, lambda one: one.pss),
                bound=Bound.MOST,
                wanted=60,
                unit=" MiB",
            ),
        ]
    )


def _time(start: _Start) -> float:
    return start.ready
