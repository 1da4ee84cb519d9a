"""What /proc says of processes, and signals that reach the process that was meant and no other."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.system import linux


class Identity(NamedTuple):
    """Which process is meant: a pid alone may have been given to another one since."""

    pid: int
    started: int  # clock ticks after boot


class Seen(NamedTuple):
    """One process as /proc shows it."""

    pid: int
    parent: int
    session: int
    state: str
    started: int
    threads: int
    resident: int  # pages

    @property
    def identity(self) -> Identity:
        """Who it is."""
        return Identity(self.pid, self.started)

    @property
    def is_alive(self) -> bool:
        """Whether it still runs. A zombie does not, unless it is only its first thread that has ended."""
        return self.state not in "ZX" or self.threads > 1


def boot() -> str:
    """The id of this boot of the machine: pids and start times mean something within one boot only."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def seen(pid: int) -> Seen | None:
    """The process with this pid; None when there is none."""
    text = read(f"/proc/{pid}/stat")
    if not text:
        return None
    head, _, tail = text.rpartition(b")")
    fields = tail.split()
    if not head or len(fields) < 22:  # noqa: PLR2004 - proc(5): resident set size is field 24
        return None
    process = Seen(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        state=fields[0].decode("ascii"),
        started=int(fields[19]),
        threads=int(fields[17]),
        resident=int(fields[21]),
    )
    if process.state != "Z" or process.threads == 1:
        return process
    memory = read(f"/proc/{_last_thread(pid)}/statm").split()  # its first thread has ended, and has none any more
    return process._replace(resident=int(memory[1])) if memory else process


def everyone() -> dict[int, Seen]:
    """Every process there is."""
    found = (seen(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {process.pid: process for process in found if process is not None}


def identify(pid: int) -> Identity | None:
    """The identity behind a pid, also of a zombie; None when there is none."""
    process = seen(pid)
    return None if process is None else process.identity


def is_alive(identity: Identity | None) -> bool:
    """Whether that very process still runs."""
    process = None if identity is None else seen(identity.pid)
    return process is not None and identity == process.identity and process.is_alive


def descendants(roots: Iterable[int], table: Mapping[int, Seen]) -> set[int]:
    """The pids below `roots`, without them."""
    children: dict[int, list[int]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def send(identity: Identity, number: int) -> bool:
    """Send a signal to that very process; False when it is gone. Never reaches one that took over its pid."""
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    except OSError:  # a kernel before 5.3
        return _send_by_pid(identity, number)
    try:
        if identify(identity.pid) != identity:
            return False
        signal.pidfd_send_signal(handle, number)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def memory_of(pid: int) -> int:
    """Bytes of memory that are this process's share (PSS); its resident size where the kernel does not tell."""
    for line in read(f"/proc/{_last_thread(pid)}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    process = seen(pid)
    return 0 if process is None else process.resident * os.sysconf("SC_PAGE_SIZE")


def nameless(pid: int) -> Iterator[str]:
    """Links in /proc to what a process has open or mapped, or is in, and that has no name any more.

    They are read and not followed: what they lead to may be on a file system that does not answer. Threads may have
    descriptors of their own.
    """
    for place in _links(pid):
        try:
            has_none = os.readlink(place).endswith(" (deleted)")
        except OSError as error:
            has_none = error.errno == errno.ENAMETOOLONG
        if has_none:
            yield place


def owner(pid: int) -> int | None:
    """The real uid of a process; None when it is gone."""
    for line in read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"Uid:"):
            return int(line.split()[1])
    return None


def environment(pid: int) -> list[bytes]:
    """The environment a process was started with; empty where it may not be read."""
    return read(f"/proc/{pid}/environ").split(b"\0")


def read(path: str) -> bytes:
    """A small file of /proc or a cgroup; empty when it is not there or may not be read."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            parts: list[bytes] = []
            while part := os.read(descriptor, 65536):
                parts.append(part)
            return b"".join(parts)
        finally:
            os.close(descriptor)
    return b""


def _links(pid: int) -> Iterator[str]:
    """All links in /proc to what a process has."""
    for thread in _threads(pid):
        yield from (f"/proc/{thread}/cwd", f"/proc/{thread}/root")
        if thread == pid or not linux.share_descriptors(pid, thread):
            yield from _below(f"/proc/{thread}/fd")
    yield from _below(f"/proc/{_last_thread(pid)}/map_files")


def _threads(pid: int) -> list[int]:
    return [int(os.path.basename(task)) for task in _below(f"/proc/{pid}/task")]


def _last_thread(pid: int) -> int:
    """One that has the process's memory: the first, which is listed first, has none any more where it has ended."""
    return (_threads(pid) or [pid])[-1]


def _below(place: str) -> Iterator[str]:
    with suppress(OSError), os.scandir(place) as found:
        for entry in found:
            yield entry.path


def _send_by_pid(identity: Identity, number: int) -> bool:
    if identify(identity.pid) != identity:
        return False
    try:
        os.kill(identity.pid, number)
    except OSError:
        return False
    return True
