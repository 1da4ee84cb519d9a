"""Who listens on a port: sockets in /proc/net matched with the descriptors of a launch's own processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.system.processes import read

LISTEN = b"0A"
LOCAL, REMOTE, STATE, INODE = 1, 2, 3, 9  # columns of /proc/net/tcp
TABLES = (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6))
NOBODYS = b"0"  # the inode of a connection that waits to be accepted


class Listener(NamedTuple):
    """A listening TCP socket."""

    host: str  # where to connect to
    inode: str


def on_port(port: int) -> list[Listener]:
    """Everything that listens on a port and can be reached over loopback."""
    found: list[Listener] = []
    for path, family in TABLES:
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
    hosts = {one.inode: one.host for one in on_port(port)}
    owned = _owned(pids, set(hosts))
    return next((hosts[inode] for inode in owned), None)


def have_accepted(pids: Iterable[int], here: tuple[str, int], client: tuple[str, int]) -> bool:
    """Whether a connection from `client` to a listener at `here` is in the hands of these processes.

    One that waits to be accepted is when every listener that could accept it is theirs.
    """
    inode = _accepted_as(here, client)
    if inode is None:
        return False
    wanted = {inode}
    if inode == NOBODYS.decode("ascii"):
        wanted = {one.inode for one in on_port(here[1]) if one.host == here[0]}
    return bool(wanted) and _owned(pids, wanted) == wanted


def _accepted_as(here: tuple[str, int], client: tuple[str, int]) -> str | None:
    """The inode of the far end of a connection; None when there is no such connection."""
    for path, family in TABLES:
        for line in read(path).splitlines()[1:]:
            words = line.split()
            if (
                words[STATE] != LISTEN
                and _port(words[LOCAL]) == here[1]
                and _port(words[REMOTE]) == client[1]
                and _place(words[LOCAL], family) == here[0]
                and _place(words[REMOTE], family) == client[0]
            ):
                return words[INODE].decode("ascii")
    return None


def _owned(pids: Iterable[int], inodes: set[str]) -> set[str]:
    """Those of the sockets that one of these processes has open."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: set[str] = set()
    for pid in pids:
        if len(found) == len(wanted):
            break
        with suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    if (link := os.readlink(f"/proc/{pid}/fd/{name}")) in wanted:
                        found.add(wanted[link])
    return found


def free_port(taken: Iterable[int]) -> int:
    """A loopback port that nothing uses now, and that is not among `taken`."""
    avoided = set(taken)
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in avoided:
            return port


def _port(words: bytes) -> int:
    return int(words.rpartition(b":")[2], 16)


def _place(words: bytes, family: int) -> str:
    """An address of /proc/net as a client spells it."""
    address = _address(words.partition(b":")[0].decode("ascii"), family)
    return address.removeprefix("::ffff:") if "." in address else address


def _host(place: str, family: int) -> str | None:
    """The address to connect to for a listener's."""
    address = _address(place, family)
    if address in {"0.0.0.0", "::"}:
        return "127.0.0.1"
    if address == "::1" or address.startswith("127."):
        return address
    if address.startswith("::ffff:127."):
        return address.removeprefix("::ffff:")
    return address


def _address(place: str, family: int) -> str:
    """A local address of /proc/net, which has its words in the machine's order."""
    words = [bytes.fromhex(place[start : start + 8])[::-1] for start in range(0, len(place), 8)]
    return socket.inet_ntop(family, b"".join(words))
