"""How soon a notebook opens, and to its first executed cell: Trivium's, warm and cold, against a bare `jupyter lab`.

The same environment for all: the one that this runs in. Trivium's way is the user's: the call that creates the
notebook, `Running`, and requests through the proxy; warm with a warm parent of the image, cold with none
(`runtime.warm = 0s`). It may use all of the machine's cores, as the bare server may. Memory is the proportional share
(PSS) of everything that one more notebook brings, kernels left out.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from benchmarks.api import Api
from benchmarks.jupyter import STEP, Jupyter
from benchmarks.plan import Plan
from benchmarks.processes import Place, Served, administer, free_port, keeper, scratch, serving, until
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, span
from benchmarks.rounds import interleaved, median, ratio
from trivium.base.values import Value

TOKEN: Final = "a-token-for-the-bare-server"
QUIET: Final = 1.0  # seconds before a start, in which what the former left has its end
CORES: Final = len(os.sched_getaffinity(0))  # a notebook may use as many as the bare server does
PACKAGES: Final = ("jupyterlab", "jupyter_server", "ipykernel")


class _Start(Value, frozen=True, kw_only=True):
    answered: float  # milliseconds to the first 200
    executed: float  # milliseconds to the output of the first cell
    memory: float  # MiB


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        warm = stack.enter_context(_product(folder / "warm", "30m"))
        cold = stack.enter_context(_product(folder / "cold", "0s"))
        warm.start()  # plain, and after it the image has its parent
        until(lambda: keeper(warm.place)["warm"], "there is no warm parent")
        ways: dict[str, Callable[[], _Start]] = {
            "bare jupyter lab": lambda: _bare(folder),
            "trivium, cold": cold.start,
            "trivium, warm": warm.start,
        }
        _print(plan, interleaved(ways, plan.rounds))


class _Product:
    """A server on which notebooks are created."""

    def __init__(self, served: Served) -> None:
        self.place = served.place
        self._api = Api(served)
        self._port = served.proxy.port
        self._image = str(administer(served.place, "image", "list")[0]["path"])

    def start(self) -> _Start:
        """Create a notebook, run a cell in it, and release it."""
        time.sleep(QUIET)
        before = self._memory()
        began = time.perf_counter()
        id = self._api.create(self._image, cores=CORES)
        try:
            link = urlsplit(self._api.link(id, step=STEP))
            base, token = link.path.rpartition("lab")[0], link.query.removeprefix("token=")
            measured = _measured(Jupyter(port=self._port, base=base, token=token), began)
            return _Start(answered=measured[0], executed=measured[1], memory=self._memory() - before)
        finally:
            self._api.stop(id)
            self._api.release(id)

    def _memory(self) -> float:
        """What the keeper holds, and everything that it has started."""
        return _memory_of(keeper(self.place)["pid"])


@contextlib.contextmanager
def _product(data: Path, warm: str) -> Generator[_Product]:
    with serving(Place(data=data), environment={"TRIVIUM_RUNTIME__WARM": warm}) as served:
        yield _Product(served)


def _bare(folder: Path) -> _Start:
    time.sleep(QUIET)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    port = free_port()
    options = {"port": str(port), "root_dir": str(home), "allow_root": "True", "open_browser": "False"}
    command = [sys.executable, "-m", "jupyterlab", *(f"--ServerApp.{name}={value}" for name, value in options.items())]
    path = f"{sys.prefix}/bin:{os.defpath}"
    environment = {"PATH": path, "HOME": str(home), "JUPYTER_TOKEN": TOKEN, "LANG": "C.UTF-8"}
    began = time.perf_counter()
    with (folder / "bare.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home)
    try:
        answered, executed = _measured(Jupyter(port=port, base="/", token=TOKEN), began)
        return _Start(answered=answered, executed=executed, memory=_memory_of(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _measured(reached: Jupyter, began: float) -> tuple[float, float]:
    """Milliseconds to the first answer and to the first cell."""
    reached.await_answer()
    answered = time.perf_counter() - began
    return answered * 1000, (reached.run_cell() - began) * 1000


def _memory_of(root: int) -> float:
    """MiB that a process and all below it hold: of what they share with others, their part."""
    held = 0
    for process in (psutil.Process(root), *psutil.Process(root).children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            held += process.memory_full_info().pss
    return held / 2**20


def _print(plan: Plan, found: Mapping[str, list[_Start]]) -> None:
    print_head(
        "launch: from the call that creates a notebook to its first 200 through the proxy, and to its first cell",
        (
            "baseline: a bare `jupyter lab` of the same environment, from the start of its process",
            f"each may use {CORES} cores; medians of {plan.rounds} interleaved rounds",
            "memory: PSS of one more notebook without kernels",
        ),
        packages=PACKAGES,
    )
    bare, cold, warm = found.values()
    print_table(
        ("", "first 200 ms", "least–most", "of bare", "cell ms", "least–most", "of bare", "MiB", "of bare"),
        [
            (
                name,
                f"{median(starts, _answered):.0f}",
                span([start.answered for start in starts]),
                f"{ratio(starts, bare, _answered):.2f}",
                f"{median(starts, _executed):.0f}",
                span([start.executed for start in starts]),
                f"{ratio(starts, bare, _executed):.2f}",
                f"{median(starts, _memory):.0f}",
                f"{ratio(starts, bare, _memory):.2f}",
            )
            for name, starts in found.items()
        ],
    )
    of_bare = (
        ("warm, first 200", ratio(warm, bare, _answered), 0.2, 0.1),
        ("warm, first cell", ratio(warm, bare, _executed), 0.33, None),
        ("warm, memory", ratio(warm, bare, _memory), 0.5, None),
        ("cold, first 200", ratio(cold, bare, _answered), 1.1, None),
        ("cold, first cell", ratio(cold, bare, _executed), 1.1, None),
    )
    print_targets(
        [
            Target(name=f"{name} / bare", measured=measured, bound=Bound.MOST, wanted=wanted, aim=aim)
            for name, measured, wanted, aim in of_bare
        ]
    )


def _answered(start: _Start) -> float:
    return start.answered


def _executed(start: _Start) -> float:
    return start.executed


def _memory(start: _Start) -> float:
    return start.memory
