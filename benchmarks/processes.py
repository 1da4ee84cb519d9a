"""Servers in processes of their own: started, waited for, weighed, ended."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import psutil

from trivium.base.values import Value
from trivium.drivers.runtimes.process import run_directory

T = TypeVar("T")
WITHIN: Final = 120.0  # seconds for whatever is waited for
STEP: Final = 0.1  # seconds between two looks


class NotReady(Exception):
    """What was waited for did not come."""


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

    def worker(self) -> Running:
        """The process below it that answers, where it leaves that to another."""
        found = self._process.children(recursive=True)
        return Running(max(found, key=lambda each: each.memory_info().rss).pid, self.port) if found else self

    def connect(self) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, *, body: Any = None
    ) -> tuple[int, bytes]:
        """Status and body of one answer; a body is sent as JSON."""
        fields = dict(headers or {})
        if body is not None:
            fields["Content-Type"] = "application/json"
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=fields)
            answer = connection.getresponse()
            return answer.status, answer.read()


class Place(Value, frozen=True, kw_only=True):
    """Where a server of Trivium keeps things."""

    data: Path
    database: str | None = None  # none: SQLite in the data directory

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database or f"sqlite:///{self.data / 'trivium.db'}"

    @property
    def options(self) -> tuple[str, ...]:
        """What every command of Trivium is told."""
        return ("--data", str(self.data), *(("--database", self.database) if self.database else ()))


class Served(Value, frozen=True, kw_only=True):
    """A server of Trivium."""

    place: Place
    api: Running
    proxy: Running  # the same process, by the port of the notebooks


@contextlib.contextmanager
def scratch() -> Generator[Path]:
    """An empty directory that users of notebooks can cross, removed in the end."""
    with tempfile.TemporaryDirectory(prefix="trivium-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@contextlib.contextmanager
def running(
    command: Sequence[str],
    port: int,
    *,
    ready: str,
    log: Path,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
    within: float = WITHIN,
) -> Generator[Running]:
    """The server that a command starts, once `ready` is answered with 200; ended with SIGTERM. Raises `NotReady`."""
    with log.open("wb") as out:
        known = {**os.environ, **(environment or {})}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out, env=known)
        try:
            assert process.stdin is not None
            process.stdin.write(given)
            process.stdin.close()
            server = Running(process.pid, port)
            _wait(server, process, ready, log=log, until=time.monotonic() + within)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextlib.contextmanager
def serving(place: Place, *, environment: Mapping[str, str] | None = None) -> Generator[Served]:
    """A server of Trivium; it and the keeper that it started are ended. Raises `NotReady`."""
    place.data.mkdir(mode=0o711, parents=True, exist_ok=True)
    command, port, proxy_port = start_command(place)
    with running(command, port, ready="/readyz", log=place.data / "server.log", environment=environment) as server:
        try:
            yield Served(place=place, api=server, proxy=server.at(proxy_port))
        finally:
            end_keeper(place)


def start_command(place: Place) -> tuple[list[str], int, int]:
    """The command that starts a server of Trivium, and its two ports."""
    port, proxy_port = free_port(), free_port()
    ports = ("--port", str(port), "--proxy-port", str(proxy_port))
    return trivium("server", "start", *ports, *place.options), port, proxy_port


def administer(place: Place, *arguments: str) -> Any:
    """What a command of Trivium answers as JSON."""
    command = trivium(*arguments, "-o", "json", *place.options)
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def keeper(place: Place) -> dict[str, Any]:
    """What the keeper of a place says of itself."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(run_directory(place.data) / "keeper.sock"))
        connection.sendall(b'{"id": 1, "op": "hello"}\n')
        return json.loads(connection.makefile().readline())["ok"]


def end_keeper(place: Place) -> None:
    """End the keeper of a place, which would outlive its server by half a minute."""
    with contextlib.suppress(OSError, psutil.NoSuchProcess):
        psutil.Process(keeper(place)["pid"]).terminate()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def trivium(*arguments: str) -> list[str]:
    """The command line of Trivium in this environment."""
    return [str(Path(sys.executable).with_name("trivium")), *arguments]


def until(found: Callable[[], T], sentence: str, *, step: float = STEP) -> T:
    """What is found, once it is true. Raises `NotReady` with the sentence after two minutes."""
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(step)
    raise NotReady(sentence)


def _wait(server: Running, process: subprocess.Popen[bytes], path: str, *, log: Path, until: float) -> None:
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            if server.ask("GET", path)[0] == http.client.OK:
                return
        time.sleep(STEP)
    message = f"{process.args!r} is not ready; the end of its log: {log.read_text('utf-8', 'replace')[-500:]}"
    raise NotReady(message)
