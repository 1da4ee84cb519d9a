"""How fast a server answers, and the floor that this is held against."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.load import Order, ask
from benchmarks.processes import Running, free_port, running
from benchmarks.rounds import median
from trivium.base.values import Value


class Rate(Value, frozen=True, kw_only=True):
    """One round of asking."""

    rate: float  # answers per second
    cpu: float  # microseconds of the server's processor for each answer
    p50: float  # milliseconds
    p99: float
    load: float  # share of one processor that the asking took


TITLES: Final = ("p50 ms", "p99 ms", "CPU µs", "load")
"""Of the columns that `cells` gives."""


def measured(server: Running, order: Order) -> Rate:
    """Ask a server as the order says. Raises `WrongAnswer`."""
    before = server.cpu
    counted = ask(order)
    return Rate(
        rate=counted.answers / counted.seconds,
        cpu=(server.cpu - before) / counted.answers * 1e6,
        p50=counted.p50 * 1000,
        p99=counted.p99 * 1000,
        load=counted.cpu / counted.seconds,
    )


def cells(rounds: Sequence[Rate]) -> tuple[str, ...]:
    """The medians of several rounds, as a table shows them."""
    return (
        f"{median(rounds, lambda one: one.p50):.2f}",
        f"{median(rounds, lambda one: one.p99):.2f}",
        f"{median(rounds, lambda one: one.cpu):.0f}",
        f"{median(rounds, lambda one: one.load):.0%}",
    )


@contextmanager
def floor(folder: Path, body: bytes) -> Generator[Running]:
    """The same server software, answering these bytes from memory."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.floor", str(port)]
    with running(command, port, ready="/", log=folder / f"floor-{port}.log", given=body) as server:
        yield server
