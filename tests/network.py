"""The tests' network ends at loopback: whoever in this process tries to go further is refused at once.

It rests on Python's audit events, so it sees Python's sockets. Processes that a test starts, and libraries that open
sockets in C (uvloop, libpq), are beyond it.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

NAMES = frozenset({"localhost", "ip6-localhost", ""})


class OutsideRefused(RuntimeError):
    """A test wanted to speak to something that is not this machine."""


def refuse_the_outside() -> None:
    """From now on, connections and look-ups that leave loopback raise `OutsideRefused`. There is no way back."""
    sys.addaudithook(_look)


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        _check(arguments[1])
    elif event == "socket.getaddrinfo":
        _check(arguments[:2])
    elif event in ("socket.gethostbyname", "socket.gethostbyaddr"):
        _check(arguments)


def _check(address: object) -> None:
    if isinstance(address, tuple) and address and not is_loopback(address[0]):
        message = f"tests stay on this machine; something went for {address!r}"
        raise OutsideRefused(message)


def is_loopback(host: object) -> bool:
    """Whether a host, as text or bytes, is this machine; so is None, and a name that is known to be loopback's."""
    name = host.decode() if isinstance(host, bytes) else host
    if not isinstance(name, str):
        return True  # None, or an address of a family that is no network: netlink's numbers
    if name in NAMES or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
