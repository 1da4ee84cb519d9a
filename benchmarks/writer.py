"""Somebody who writes while lists are read: statuses of notebooks change, so many in a second, from another process.

`python -m benchmarks.writer URL RATE` prints a line once it has begun, goes on until SIGTERM, and prints how many
changes were committed and in how many seconds.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from itertools import count
from typing import Final

from sqlalchemy import text

from trivium.base.clock import SystemClock
from trivium.store import Read, Store, Write

TOUCHED: Final = 1000  # of the newest notebooks, in turn: the page that is asked for changes too


class Writer:
    """A writer that has begun; `rate` is known when it has ended."""

    rate: float = 0.0  # changes committed per second


@contextlib.contextmanager
def writing(url: str, rate: int) -> Generator[Writer]:
    """A writer in a process of its own, for as long as the context lasts."""
    command = [sys.executable, "-m", "benchmarks.writer", url, str(rate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    writer = Writer()
    try:
        yield writer
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
        changes, seconds = said.split()
        writer.rate = int(changes) / float(seconds)


def _newest(tx: Read) -> list[int]:
    return [row.id for row in tx.all(text(f"SELECT id FROM notebooks ORDER BY id DESC LIMIT {TOUCHED}"))]


def _change(tx: Write, id: int) -> None:
    statement = (
        "UPDATE notebooks SET status = CASE status WHEN 'failed' THEN 'stopped' ELSE 'failed' END WHERE id = :id"
    )
    tx.run(text(statement), {"id": id})


def _write(store: Store, ids: Sequence[int], rate: int) -> tuple[int, float]:
    """How many were committed until SIGTERM, and in how many seconds."""
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    print("writing", flush=True)
    began = time.perf_counter()
    for number in count():
        if ended:
            return number, time.perf_counter() - began
        store.write_now(_change, ids[number % len(ids)])
        time.sleep(max(0.0, began + (number + 1) / rate - time.perf_counter()))
    raise AssertionError


def main() -> None:
    """Write until SIGTERM."""
    store = Store.open(sys.argv[1], SystemClock(), "cli")
    try:
        changes, seconds = _write(store, store.read_now(_newest), int(sys.argv[2]))
    finally:
        store.close()
    print(changes, seconds)


if __name__ == "__main__":
    main()
