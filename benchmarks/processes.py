"""Servers in processes of their own: started, waited for, weighed, ended."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import psutil


class NotReady(Exception):
    """A server did not come to answer."""


class Running:
    """A server that answers."""

    def __init__(self, pid: int, port: int) -> None:
        self.port = port
        self._process = psutil.Process(pid)

    @property
    def cpu(self) -> float:
        """Seconds of processor that it has used."""
        times = self._process.cpu_times()
        return times.user + times.system

    @property
    def memory(self) -> int:
        """Bytes of memory that it holds."""
        return self._process.memory_info().rss

    def at(self, port: int) -> Running:
        """The same process by another of its ports."""
        return Running(self._process.pid, port)

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of one answer."""
        return self._ask("GET", path, headers or {})

    def post(self, path: str, headers: dict[str, str]) -> Any:
        """The JSON of one answer."""
        return json.loads(self._ask("POST", path, headers)[1])

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()


@contextlib.contextmanager
def running(
    command: Sequence[str], port: int, *, ready: str, log: Path, given: bytes = b"", within: float = 120.0
) -> Generator[Running]:
    """The server that a command starts, once `ready` is answered with 200; ended with SIGTERM. Raises `NotReady`."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out)
        try:
            assert process.stdin is not None
            process.stdin.write(given)
            process.stdin.close()
            server = Running(process.pid, port)
            _wait(server, process, ready, until=time.monotonic() + within)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def trivium(*arguments: str) -> list[str]:
    """The command line of Trivium in this environment."""
    return [str(Path(sys.executable).with_name("trivium")), *arguments]


def _wait(server: Running, process: subprocess.Popen[bytes], path: str, *, until: float) -> None:
    said: object = "nothing"
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            status, said = server.get(path)
            if status == http.client.OK:
                return
        time.sleep(0.1)
    ended = "" if process.poll() is None else f"; it ended with {process.returncode}"
    message = f"{process.args!r} is not ready: it said {said!r}{ended}"
    raise NotReady(message)
