"""Whose a connection is: found out from its far end, before anything is sent."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from tests.waiting import until
from trivium.drivers.runtimes.process.keeper.system.listeners import have_accepted

LISTEN = """
import socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
kept = listener.accept() if sys.argv[2] == "accept" else None
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_connection_belongs_to_who_accepted_it(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        with _holding(listener, "accept") as other, socket.create_connection(listener.getsockname()[:2]) as client:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
            here, there = listener.getsockname()[:2], client.getsockname()[:2]
            assert have_accepted([other.pid], here, there)
            assert not have_accepted([os.getpid()], here, there)  # though the listener is ours, too
            assert not have_accepted([other.pid], here, (there[0], there[1] + 1))
            other.kill()


def test_a_connection_that_waits_belongs_to_who_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = listener.getsockname()
        with _holding(listener, "hold") as other, socket.create_connection(here) as client:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
            there = client.getsockname()
            assert have_accepted([os.getpid()], here, there)
            assert have_accepted([other.pid], here, there)
            assert not have_accepted([1 << 22], here, there)
            accepted, _ = listener.accept()
            accepted.close()
            listener.close()
            other.kill()
            other.wait(10)
        until(lambda: not have_accepted([os.getpid()], here, there), what="the connection to be gone")


def test_of_several_listeners_on_a_port_all_must_be_own() -> None:
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(("127.0.0.1", 0 if one is first else first.getsockname()[1]))
            one.listen()
        here = first.getsockname()
        with _holding(second, "hold") as other, socket.create_connection(here) as client:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
            second.close()  # now it is the other's alone
            assert not have_accepted([os.getpid()], here, client.getsockname())
            assert not have_accepted([other.pid], here, client.getsockname())
            assert have_accepted([os.getpid(), other.pid], here, client.getsockname())
            other.kill()


def _holding(listener: socket.socket, how: str) -> subprocess.Popen[bytes]:
    """A process that has the listener, too, and accepts from it or not."""
    command = [sys.executable, "-c", LISTEN, str(listener.fileno()), how]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, pass_fds=[listener.fileno()])
