"""Kills a process as soon as another has forked: `at_fork.py FORKS DIES SECONDS`, with two pids.

In a process of its own, since a fork knows what it is to be within a millisecond. Says `ready` when it looks, and at
the end `too late` where what was forked had begun by then, `in time` where it had not, `never` where nothing forked.
"""

from __future__ import annotations

import os
import signal
import sys
import time


def main(forks: int, dies: int, seconds: float) -> str:
    """Look until the one has a child that it did not have, and kill the other."""
    before = children(forks)
    print("ready", flush=True)
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        new = children(forks) - before
        if new:
            os.kill(dies, signal.SIGKILL)
            return "too late" if any(children(pid) for pid in new) else "in time"
    return "never"


def children(pid: int) -> set[int]:
    """The children of a process that has one thread; none of one that is gone."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:  # noqa: PTH123 - starts at once
            return set(map(int, file.read().split()))
    except OSError:
        return set()


if __name__ == "__main__":
    print(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])), flush=True)
