"""When the keeper keeps fork servers, and when the machine's memory is for something else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.waiting import until
from trivium.drivers.runtimes.process.keeper.launches.spec import Spec
from trivium.drivers.runtimes.process.keeper.warm.pool import BETWEEN_LOOKS, WarmPool

SPEC = Spec(
    launch=1,
    generation=1,
    user=1,
    uid=None,
    image=sys.prefix,
    layers=(),
    command=(),
    cores=1.0,
    memory=1 << 30,
    processes=100,
    devices=None,
    mount_home=False,
    mounts=(),
    start_command=None,
    base_url="/",
    token="",
    ready_within=60.0,
    cgroups=False,
    environment=(),
    warm=60.0,
)


class Machine:
    """What a kernel says of its memory, as files."""

    def __init__(self, proc: Path) -> None:
        self.proc = proc
        (proc / "pressure").mkdir(parents=True)
        self.says()

    def says(self, *, available: int = 50, pressure: float = 0.0) -> None:
        """`available` of 100 kB, and the per cent of the time in which everything waited for memory."""
        (self.proc / "meminfo").write_text(f"MemTotal: 100 kB\nMemFree: 1 kB\nMemAvailable: {available} kB\n")
        full = f"full avg10={pressure:.2f} avg60=0.00 avg300=0.00 total=0\n"
        (self.proc / "pressure" / "memory").write_text(f"some avg10=90.00 avg60=0.00 avg300=0.00 total=0\n{full}")


@contextmanager
def pool_of(folder: Path, machine: Machine) -> Iterator[WarmPool]:
    pool = WarmPool(str(folder), proc=str(machine.proc))
    try:
        yield pool
    finally:
        pool.close()


def servers(folder: Path) -> list[int]:
    """The pids of the fork servers that live; those that ended are reaped, as the keeper does."""
    found: list[int] = []
    for child in psutil.Process().children():
        if child.status() == psutil.STATUS_ZOMBIE:
            os.waitpid(child.pid, 0)
        elif str(folder) in " ".join(child.cmdline()):
            found.append(child.pid)
    return found


@pytest.mark.parametrize("short", [{"available": 9}, {"pressure": 10.5}], ids=["little is left", "all wait for it"])
def test_fork_servers_end_when_memory_is_short_and_none_starts_until_there_is_more(
    tmp_path: Path, short: dict[str, int | float]
) -> None:
    folder, machine = tmp_path / "warm", Machine(tmp_path / "proc")
    with pool_of(folder, machine) as pool:
        pool.want(SPEC)
        machine.says(**short)  # pyright: ignore[reportArgumentType]
        pool.turn(0.0, is_busy=False)
        assert servers(folder) == []
        machine.says(available=11, pressure=9.5)
        pool.turn(BETWEEN_LOOKS, is_busy=False)
        until(lambda: len(servers(folder)) == 1)  # a process says what it is a moment after it is there
        machine.says(**short)  # pyright: ignore[reportArgumentType]
        pool.turn(2 * BETWEEN_LOOKS, is_busy=False)
        until(lambda: servers(folder) == [])


def test_a_fork_server_waits_while_a_launch_starts(tmp_path: Path) -> None:
    folder, machine = tmp_path / "warm", Machine(tmp_path / "proc")
    with pool_of(folder, machine) as pool:
        pool.want(SPEC)
        pool.turn(0.0, is_busy=True)
        assert servers(folder) == []
        pool.turn(0.1, is_busy=False)
        until(lambda: len(servers(folder)) == 1)  # a process says what it is a moment after it is there
    until(lambda: servers(folder) == [])
