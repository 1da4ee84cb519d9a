"""How fast the proxy is: real notebooks behind a real server with every check on, beside other proxies and none.

All lead to the same backends, which are what the notebooks run. Small requests have the fields of a browser that polls,
of 64 kinds. They go to an application on uvicorn, and for comparison to a backend that costs next to nothing: beside
that one no proxy comes near to none, since each does more than it. A large download is read as fast as it comes;
messages go back and forth over one WebSocket.
"""

from __future__ import annotations

import contextlib
import socket
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import load, wrk
from benchmarks.load import Counted, Order
from benchmarks.opened import Notebook, Opened, opened
from benchmarks.peers import Absent, configurable_http_proxy, nginx
from benchmarks.plan import Plan
from benchmarks.processes import Running, free_port, running, scratch
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, span
from benchmarks.rounds import interleaved, median, ratio
from trivium.base.values import Value

OURS: Final = "trivium"
DIRECT: Final = "direct"
SPLICE: Final = "bare splice"
NODE: Final = "configurable-http-proxy"
REQUESTS: Final = 64  # different ones
LARGE: Final = 1 << 30  # bytes of the download
TRIPS: Final = 2000  # messages of a round
PIECE: Final = 1 << 20
MESSAGE: Final = b"\x82\x80" + bytes(4)
LIBRARIES: Final = ("uvloop", "httptools")
BROWSER: Final = (
    "Connection: keep-alive\r\n"
    'sec-ch-ua: "Not/A)Brand";v="8", "Chromium";v="126"\r\n'
    "sec-ch-ua-mobile: ?0\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36\r\n"
    "Content-Type: application/json\r\n"
    "Accept: */*\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Dest: empty\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n"
)


class _Way(Value, frozen=True, kw_only=True):
    """A contestant: what leads to the application and what to the least backend, where these are two processes."""

    application: Running
    least: Running


class _Round(Value, frozen=True, kw_only=True):
    rate: float  # small answers per second, of the application
    cpu: float  # microseconds of the proxy's processor for each
    least: float  # small answers per second, of the least backend
    bytes: float  # of the download, per second
    trip: float  # seconds there and back over a WebSocket


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        there = stack.enter_context(opened(folder))
        contestants = {
            DIRECT: _Way(application=there.application.behind, least=there.least.behind),
            SPLICE: _way(there, stack, partial(_splice, folder)),
            OURS: _Way(application=there.proxy, least=there.proxy),
        }
        for name, find in (("nginx", nginx), (NODE, configurable_http_proxy)):
            try:
                program = find(folder)
            except Absent as absent:
                print(f"proxy: {absent}")
            else:
                contestants[f"{name} {program.version}"] = _way(there, stack, program.start)
        ways = {name: partial(_round, way, there, plan) for name, way in contestants.items()}
        _print(plan, interleaved(ways, plan.rounds))


def _way(there: Opened, stack: ExitStack, start: Callable[[int], contextlib.AbstractContextManager[Running]]) -> _Way:
    application, least = (
        stack.enter_context(start(notebook.behind.port)) for notebook in (there.application, there.least)
    )
    return _Way(application=application, least=least)


def _splice(folder: Path, behind: int) -> contextlib.AbstractContextManager[Running]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.splice", str(port), str(behind)]
    return running(command, port, ready="/small", log=folder / f"splice-{behind}.log")


def _round(way: _Way, there: Opened, plan: Plan) -> _Round:
    before = way.application.cpu
    counted = _ask(_order(way.application, there.application, plan))
    cpu = way.application.cpu - before
    least = _ask(_order(way.least, there.least, plan))
    return _Round(
        rate=counted.answers / counted.seconds,
        cpu=cpu / counted.answers * 1e6,
        least=least.answers / least.seconds,
        bytes=LARGE / _download(way.least.port, there.least, LARGE),
        trip=_trips(way.least.port, there.least, TRIPS),
    )


def _ask(order: Order) -> Counted:
    return wrk.ask(order) if wrk.program() else load.ask(order)


def _head(notebook: Notebook, path: str, port: int, *, fields: str = BROWSER) -> str:
    host = f"127.0.0.1:{port}"
    address = f"Host: {host}\r\nReferer: http://{host}/nb/{notebook.id}/lab\r\nCookie: {notebook.cookie}\r\n"
    return f"GET /nb/{notebook.id}/{path} HTTP/1.1\r\n{address}{fields}\r\n"


def _order(server: Running, notebook: Notebook, plan: Plan) -> Order:
    requests = tuple(
        _head(notebook, f"small?{number}", server.port, fields=f"{BROWSER}X-Request-Id: {number}\r\n")
        for number in range(REQUESTS)
    )
    return Order(
        port=server.port, connections=plan.connections, seconds=plan.seconds, requests=requests, expected='{"started"'
    )


def _download(port: int, notebook: Notebook, size: int) -> float:
    """Seconds for so many bytes."""
    with _connected(port) as connection:
        began = time.perf_counter()
        connection.sendall(_head(notebook, f"large?{size}", port).encode())
        head = _read_head(connection, b"HTTP/1.1 200 ")
        left = size - len(head.partition(b"\r\n\r\n")[2])
        piece = bytearray(PIECE)
        while left:
            count = connection.recv_into(piece)
            assert count, "the download broke off"
            left -= count
        return time.perf_counter() - began


def _trips(port: int, notebook: Notebook, count: int) -> float:
    """The median of the seconds that a message takes there and back."""
    upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    fields = BROWSER.replace("keep-alive", "Upgrade") + upgrade
    with _connected(port) as connection:
        connection.sendall(_head(notebook, "socket", port, fields=fields).encode())
        _read_head(connection, b"HTTP/1.1 101 ")
        times: list[float] = []
        payload = b"x" * 32
        message = MESSAGE[:1] + bytes([0x80 | len(payload)]) + MESSAGE[2:] + payload
        for _ in range(count):
            began = time.perf_counter()
            connection.sendall(message)
            answer = connection.recv(PIECE)
            times.append(time.perf_counter() - began)
            assert answer.endswith(payload)
        return statistics.median(times)


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _read_head(connection: socket.socket, expected: bytes) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        got = connection.recv(PIECE)
        assert got, "the server hung up"
        head += got
    assert head.startswith(expected), head[:200]
    return head


def _print(plan: Plan, found: Mapping[str, list[_Round]]) -> None:
    print_head(
        "proxy: notebooks through the proxy with every check on, beside none and other proxies",
        (
            f"baselines: {DIRECT}, and {SPLICE} (an asyncio protocol that looks at no byte)",
            (
                f"small GETs with a browser's fields over {plan.connections} connections for {plan.seconds:g} s, "
                f"{LARGE >> 30} GiB in one answer, {TRIPS:,} messages over a WebSocket"
            ),
            "from wrk, on one thread"
            if wrk.program()
            else "from a client in Python, as wrk is not installed (apt-get install wrk)",
            f"medians of {plan.rounds} interleaved rounds; CPU for each GET of the proxy, of the backend where none is",
        ),
        packages=LIBRARIES,
    )
    direct = found[DIRECT]
    print_table(
        (
            *("", "GETs/s", "least–most", "of direct", "CPU µs", "to the least", "of direct"),
            *("MB/s", "least–most", "trip µs", "of direct"),
        ),
        [
            (
                name,
                f"{median(rounds, _rate):.0f}",
                span([one.rate for one in rounds]),
                f"{ratio(rounds, direct, _rate):.2f}",
                f"{median(rounds, _cpu):.1f}",
                f"{median(rounds, _least):.0f}",
                f"{ratio(rounds, direct, _least):.2f}",
                f"{median(rounds, _bytes) / 1e6:.0f}",
                span([one.bytes / 1e6 for one in rounds]),
                f"{median(rounds, _trip) * 1e6:.0f}",
                f"{ratio(rounds, direct, _trip):.2f}",
            )
            for name, rounds in found.items()
        ],
    )
    print_targets(_targets(found))


def _targets(found: Mapping[str, list[_Round]]) -> list[Target]:
    ours, direct, splice = found[OURS], found[DIRECT], found[SPLICE]
    targets = [
        Target(name=f"GETs/s / {DIRECT}", measured=ratio(ours, direct, _rate), bound=Bound.LEAST, wanted=0.6),
        Target(name=f"CPU / {SPLICE}", measured=ratio(ours, splice, _cpu), bound=Bound.MOST, wanted=3),
        Target(name=f"WebSocket trip / {DIRECT}", measured=ratio(ours, direct, _trip), bound=Bound.MOST, wanted=2),
    ]
    for name, rounds in found.items():
        if name.startswith("nginx"):
            speed = ratio(ours, rounds, _bytes)
            targets.append(Target(name=f"download / {name}", measured=speed, bound=Bound.LEAST, wanted=1))
        if name.startswith(NODE):
            rate = ratio(ours, rounds, _rate)
            targets.append(Target(name=f"GETs/s / {name}", measured=rate, bound=Bound.LEAST, wanted=10))
    return targets


def _rate(one: _Round) -> float:
    return one.rate


def _cpu(one: _Round) -> float:
    return one.cpu


def _least(one: _Round) -> float:
    return one.least


def _bytes(one: _Round) -> float:
    return one.bytes


def _trip(one: _Round) -> float:
    return one.trip
