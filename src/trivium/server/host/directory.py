"""The data directory as its servers share it: the lock on it, the host's id, and which leader's process is alive.

All locks are `flock`s: the kernel releases them when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from trivium.base.errors import Conflict

LOCK: Final = "server.lock"
HOST: Final = "host-id"
LEADERS: Final = "holders"


class AnotherServer(Conflict):
    """A server works on that data directory already."""

    code = "server.another_here"


@contextmanager
def lock_exclusively(data: Path) -> Generator[str]:
    """Lock the data directory for this process alone while the block runs; yields the host's id.

    The id stays the same from start to start. Raises `AnotherServer`.
    """
    descriptor = _locked(data, fcntl.LOCK_EX)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield _host_id(data / HOST)
    finally:
        os.close(descriptor)


@contextmanager
def lock_shared(data: Path) -> Generator[str]:
    """The same beside other servers that lock it shared. Raises `AnotherServer` when one holds it exclusively."""
    descriptor = _locked(data, fcntl.LOCK_SH)
    try:
        yield _host_id(data / HOST)
    finally:
        os.close(descriptor)


def host_of(data: Path) -> str:
    """The id of the host that the data directory stands for; servers on it act for that."""
    return _host_id(data / HOST)


def show_alive(data: Path, epoch: int) -> int | None:
    """Lock the file of that epoch, so that other servers on this machine see that its leader is alive.

    Returns the open descriptor, whose closing gives the lock up; None when another process has or looks at it.
    """
    (data / LEADERS).mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(data / LEADERS / str(epoch), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def newest_epoch(data: Path) -> int:
    """The newest epoch of which there is a file; 0 where there is none. The database may be an older copy."""
    if not (data / LEADERS).is_dir():
        return 0
    return max((int(file.name) for file in (data / LEADERS).iterdir() if file.name.isdecimal()), default=0)


def forget_before(data: Path, epoch: int) -> None:
    """Remove the files of earlier epochs."""
    for file in (data / LEADERS).iterdir():
        if file.name.isdecimal() and int(file.name) < epoch:
            file.unlink(missing_ok=True)


def is_dead(data: Path, epoch: int) -> bool:
    """Whether the leader of that epoch, which ran on this machine, has ended. False where that cannot be told."""
    with suppress(OSError):
        descriptor = os.open(data / LEADERS / str(epoch), os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(descriptor)
    return False


def machine_id() -> str:
    """The kernel's boot id and our pid namespace: within these, locks and pids of others can be seen."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"


def _locked(data: Path, how: int) -> int:
    descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        message = f"another server (pid {pid}) works on {data}; stop it first, or give --data another directory"
        raise AnotherServer(message, data=str(data), pid=pid) from error
    return descriptor


def _host_id(file: Path) -> str:
    """The id in the file, which is made where there is none; of several who make it at once, one wins."""
    if not file.exists():
        beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            beside.write_text(uuid4().hex, "ascii")
            with suppress(FileExistsError):
                os.link(beside, file)
        finally:
            beside.unlink(missing_ok=True)
    return file.read_text("ascii").strip()
