"""What root sees of a process, and what a process of some uid may do that got out of its namespaces."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path


def may(uid: int, act: Callable[[], object]) -> bool:
    """Whether it may do something."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            act()
        except PermissionError:
            os._exit(1)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def connect(place: Path) -> None:
    """Connect to a unix socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place))


def read(path: str) -> str:
    """A file's text."""
    return Path(path).read_text("utf-8", "replace")


def descriptors(pid: int) -> list[str]:
    """What the open descriptors of a process lead to."""
    return [str(held.readlink()) for held in Path(f"/proc/{pid}/fd").iterdir()]
