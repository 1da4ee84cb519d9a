"""One server for each data directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from trivium.base.errors import Conflict

LOCK: Final = "server.lock"
HOST: Final = "host-id"


class AnotherServer(Conflict):
    """A server works on that data directory already."""

    code = "server.another_here"


@contextmanager
def alone(data: Path) -> Generator[str]:
    """Hold the data directory while the block runs, and give the host's id, which stays the same from start to start.

    The kernel lets go of it whatever end we find. Raises `AnotherServer`.
    """
    descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        message = f"another server (pid {pid}) works on {data}; stop it first, or give --data another directory"
        raise AnotherServer(message, data=str(data), pid=pid) from error
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield _host_id(data / HOST)
    finally:
        os.close(descriptor)


def _host_id(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except FileNotFoundError:
        beside = file.with_suffix(".new")
        beside.write_text(uuid4().hex, "ascii")
        beside.replace(file)
        return file.read_text("ascii").strip()
