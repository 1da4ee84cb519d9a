"""A process that asks an HTTP server as fast as it answers, over connections that are kept alive.

`python -m benchmarks.load` reads an `Order` as JSON from standard input and writes `Counted` as JSON.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from typing import cast

import msgspec
import uvloop

from trivium.base.values import Value


class Order(Value, frozen=True, kw_only=True):
    """What is to be asked, and how."""

    port: int
    connections: int
    seconds: float
    requests: tuple[str, ...]  # whole requests, sent in turn
    expected: str  # what every body begins with


class Counted(Value, frozen=True, kw_only=True):
    """What came of it."""

    answers: int
    seconds: float
    cpu: float  # seconds of processor that the asking took
    p50: float  # seconds
    p99: float


class WrongAnswer(Exception):
    """The server said something else than was expected; the figures would mean nothing."""


def ask(order: Order) -> Counted:
    """Run an order in a process of its own. Raises `WrongAnswer`."""
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=msgspec.json.encode(order), capture_output=True, check=False)
    if done.returncode:
        raise WrongAnswer(done.stderr.decode().strip().rpartition("\n")[2])
    return msgspec.json.decode(done.stdout, type=Counted)


class _Connection(asyncio.Protocol):
    """Sends a request, waits for the whole answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], expected: bytes, ended: asyncio.Future[None]) -> None:
        self.times: list[float] = []
        self._requests = requests
        self._expected = expected
        self._ended = ended
        self._buffer = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by class
        self._next()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0 or len(buffer) < end + 4 + _length(buffer, end):
            self._buffer = buffer
            return
        if not (buffer.startswith(b"HTTP/1.1 200 ") and buffer.startswith(self._expected, end + 4)):
            self._end(WrongAnswer(repr(buffer[: end + 200])))
            return
        self.times.append(time.perf_counter() - self._sent)
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(WrongAnswer(f"the server hung up: {exc}"))

    def _next(self) -> None:
        if self._transport is not None and not self._ended.done():
            self._sent = time.perf_counter()
            self._transport.write(next(self._requests))

    def _end(self, error: WrongAnswer) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)


def _length(buffer: bytes, end: int) -> int:
    start = buffer.lower().find(b"content-length:", 0, end)
    return int(buffer[start + 15 : buffer.find(b"\r\n", start)])


async def _run(order: Order) -> Counted:
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    requests = cycle([request.encode("latin-1") for request in order.requests])
    expected = order.expected.encode()
    began, began_cpu = time.perf_counter(), time.process_time()
    connections = [
        (await loop.create_connection(lambda: _Connection(requests, expected, ended), "127.0.0.1", order.port))[1]
        for _ in range(order.connections)
    ]
    loop.call_later(order.seconds, lambda: ended.done() or ended.set_result(None))
    await ended
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    times = sorted(moment for connection in connections for moment in connection.times)
    return Counted(
        answers=len(times),
        seconds=seconds,
        cpu=cpu,
        p50=times[len(times) // 2],
        p99=times[len(times) * 99 // 100],
    )


def main() -> None:
    """Carry out one order."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_run(order))))


if __name__ == "__main__":
    main()
