"""How fast the proxy is: a real notebook behind a real server with every check on, beside other proxies and none.

All lead to one backend, which is what the notebook runs. Small requests have the fields of a browser that polls, of 64
kinds; a large download is read as fast as it comes; messages go back and forth over one WebSocket. Rounds are
interleaved, so that what else the machine does meets all.
"""

from __future__ import annotations

import contextlib
import platform
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from benchmarks.load import Order, ask
from benchmarks.opened import Opened, opened
from benchmarks.peers import Absent, configurable_http_proxy, nginx
from benchmarks.plan import Plan
from benchmarks.processes import Running, free_port, running
from trivium.base.values import Value

REQUESTS: Final = 64  # different ones
LARGE: Final = 1 << 30  # bytes of the download
TRIPS: Final = 2000  # messages of a round
WARM_SECONDS: Final = 2.0
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


class _Round(Value, frozen=True, kw_only=True):
    rate: float  # small answers per second
    cpu: float  # microseconds of the proxy's processor for each
    bytes: float  # of the download, per second
    trip: float  # seconds there and back over a WebSocket


class _Contestant(Value, frozen=True, kw_only=True):
    name: str
    server: Running
    version: str = ""


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trivium-bench-")))
        folder.chmod(0o711)
        notebook = stack.enter_context(opened(folder))
        direct = Running(_pid_of(notebook.behind), notebook.behind)
        contestants = [_Contestant(name="direct", server=direct)]
        contestants.append(_Contestant(name="splice", server=stack.enter_context(_splice(folder, notebook.behind))))
        contestants.append(_Contestant(name="trivium", server=notebook.proxy, version=version("trivium")))
        for name, find in (("nginx", nginx), ("configurable-http-proxy", configurable_http_proxy)):
            try:
                found, peer = find(folder, notebook.behind)
            except Absent as absent:
                print(f"proxy: {absent}")
            else:
                contestants.append(_Contestant(name=name, server=stack.enter_context(peer), version=found))
        _print(plan, contestants, _measure(contestants, notebook, plan))


def _splice(folder: Path, behind: int) -> contextlib.AbstractContextManager[Running]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.splice", str(port), str(behind)]
    return running(command, port, ready="/small", log=folder / "splice.log")


def _pid_of(port: int) -> int:
    listening = [one for one in psutil.net_connections("tcp4") if one.status == psutil.CONN_LISTEN]
    return next(one.pid for one in listening if one.laddr and one.laddr.port == port and one.pid)


def _measure(contestants: list[_Contestant], notebook: Opened, plan: Plan) -> dict[str, list[_Round]]:
    for contestant in contestants:
        ask(_order(contestant.server, notebook, plan, seconds=WARM_SECONDS))
        _download(contestant.server.port, notebook, LARGE >> 5)
        _trips(contestant.server.port, notebook, TRIPS >> 3)
    found: dict[str, list[_Round]] = {contestant.name: [] for contestant in contestants}
    for _ in range(plan.rounds):
        for contestant in contestants:
            found[contestant.name].append(_round(contestant.server, notebook, plan))
    return found


def _round(server: Running, notebook: Opened, plan: Plan) -> _Round:
    before = server.cpu
    counted = ask(_order(server, notebook, plan, seconds=plan.seconds))
    cpu = server.cpu - before
    return _Round(
        rate=counted.answers / counted.seconds,
        cpu=cpu / counted.answers * 1e6,
        bytes=LARGE / _download(server.port, notebook, LARGE),
        trip=_trips(server.port, notebook, TRIPS),
    )


def _head(notebook: Opened, path: str, port: int, *, fields: str = BROWSER) -> str:
    host = f"127.0.0.1:{port}"
    address = f"Host: {host}\r\nReferer: http://{host}/nb/{notebook.id}/lab\r\nCookie: {notebook.cookie}\r\n"
    return f"GET /nb/{notebook.id}/{path} HTTP/1.1\r\n{address}{fields}\r\n"


def _order(server: Running, notebook: Opened, plan: Plan, *, seconds: float) -> Order:
    requests = tuple(
        _head(notebook, f"small?{number}", server.port, fields=f"{BROWSER}X-Request-Id: {number}\r\n")
        for number in range(REQUESTS)
    )
    return Order(
        port=server.port, connections=plan.connections, seconds=seconds, requests=requests, expected='{"started"'
    )


def _download(port: int, notebook: Opened, size: int) -> float:
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


def _trips(port: int, notebook: Opened, count: int) -> float:
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


def _print(plan: Plan, contestants: list[_Contestant], rounds: dict[str, list[_Round]]) -> None:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    print(f"proxy: small GETs with a browser's fields over {plan.connections} connections for {plan.seconds} s,")
    print(f"       {LARGE >> 30} GiB in one answer, {TRIPS} messages over a WebSocket; {plan.rounds} rounds, medians;")
    print(f"       {psutil.cpu_count()} cores, Python {platform.python_version()}, {libraries}")
    titles = f"{'GETs/s':>9}{'(least–most)':>16}{'CPU µs':>9}{'MB/s':>8}{'(least–most)':>14}{'trip µs':>9}"
    print(f"       {'':34}{titles}")
    for contestant in contestants:
        found = rounds[contestant.name]
        rates, speeds = [one.rate for one in found], [one.bytes / 1e6 for one in found]
        print(
            f"       {contestant.name + ' ' + contestant.version:34}{statistics.median(rates):>9.0f}{_span(rates):>16}"
            f"{_median(found, _cpu):>9.1f}{statistics.median(speeds):>8.0f}{_span(speeds):>14}"
            f"{_median(found, _trip) * 1e6:>9.0f}"
        )
    ours = rounds["trivium"]
    for name, other in rounds.items():
        if name != "trivium":
            print(
                f"       relative to {name + ':':25}{_ratio(ours, other, _rate):>6.2f} by GETs"
                f"{_ratio(ours, other, _cpu):>9.2f} by CPU{_ratio(ours, other, _bytes):>9.2f} by bytes"
                f"{_ratio(ours, other, _trip):>9.2f} by trip"
            )


def _rate(one: _Round) -> float:
    return one.rate


def _cpu(one: _Round) -> float:
    return one.cpu


def _bytes(one: _Round) -> float:
    return one.bytes


def _trip(one: _Round) -> float:
    return one.trip


def _median(found: list[_Round], what: Callable[[_Round], float]) -> float:
    return statistics.median(what(one) for one in found)


def _ratio(ours: list[_Round], others: list[_Round], what: Callable[[_Round], float]) -> float:
    return _median(ours, what) / _median(others, what)


def _span(values: list[float]) -> str:
    return f"({min(values):.0f}–{max(values):.0f})"
