"""Who listens on a port: sockets in /proc/net matched with the descriptors of a launch's own processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.processes import read

LISTEN = b"0A"
LOCAL, STATE, INODE = 1, 3, 9  # columns of /proc/net/tcp


class Listener(NamedTuple):
    """A listening TCP socket."""

    host: str  # where to connect to
    inode: str


def on_port(port: int) -> list[Listener]:
    """Everything that listens on a port and can be reached over loopback."""
    found: list[Listener] = []
    for path, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        for line in read(path).splitlines()[1:]:
            words = line.split()
            place, _, number = words[LOCAL].partition(b":")
            if words[STATE] == LISTEN and int(number, 16) == port:
                host = _host(place.decode("ascii"), family)
                if host is not None:
                    found.append(Listener(host, words[INODE].decode("ascii")))
    return found


def of(pids: Iterable[int], port: int) -> str | None:
    """The host under which one of these processes listens on a port; None when none of them does."""
    listeners = on_port(port)
    if not listeners:
        return None
    wanted = {f"socket:[{one.inode}]": one.host for one in listeners}
    for pid in pids:
        with suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    if (link := os.readlink(f"/proc/{pid}/fd/{name}")) in wanted:
                        return wanted[link]
    return None


def free_port(taken: Iterable[int]) -> int:
    """A loopback port that nothing uses now, and that is not among `taken`."""
    avoided = set(taken)
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in avoided:
            return port


def _host(place: str, family: int) -> str | None:
    """The address to connect to for a local address of /proc/net, which has its words in the machine's order."""
    words = [bytes.fromhex(place[start : start + 8])[::-1] for start in range(0, len(place), 8)]
    address = socket.inet_ntop(family, b"".join(words))
    if address in {"0.0.0.0", "::"}:
        return "127.0.0.1"
    if address == "::1" or address.startswith("127."):
        return address
    if address.startswith("::ffff:127."):
        return address.removeprefix("::ffff:")
    return address
