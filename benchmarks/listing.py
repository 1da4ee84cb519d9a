"""How fast a list is: SCNet's `notebook/list`, a page of 20 with all its fields and the exact total.

Through the whole stack, with tokens that differ from request to request, against the floor: the same server software
answering the same bytes from memory. Rounds are interleaved, so that what else the machine does meets both.
"""

from __future__ import annotations

import json
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.jupyterhub import ACCEPT, Hub, jupyterhub
from benchmarks.jupyterhub import PATH as HUB_PATH
from benchmarks.jupyterhub import request as hub_request
from benchmarks.load import Counted, Order, ask
from benchmarks.plan import Plan
from benchmarks.processes import Running, free_port, running, trivium
from benchmarks.seed import seed_notebooks
from trivium.base.values import Value
from trivium.dialects.scnet.auth import signature_of

PATH: Final = "/ai/openapi/v2/notebook/list"
PAGE: Final = 20
TOKENS: Final = 64
WARM_SECONDS: Final = 1.0
LIBRARIES: Final = ("uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy")


class _Round(Value, frozen=True, kw_only=True):
    rate: float  # answers per second
    cpu: float  # microseconds of the server's processor for each answer
    p50: float
    p99: float
    load: float  # share of one processor that the asking took


class _Contestant(Value, frozen=True, kw_only=True):
    name: str
    server: Running
    order: Order


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trivium-bench-")))
        folder.chmod(0o711)
        product = stack.enter_context(_product(folder, plan.database))
        tokens = _tokens(product, folder, plan.database)
        seed_notebooks(plan.database or f"sqlite:///{folder / 'data' / 'trivium.db'}", plan.rows)
        body = _checked_page(product, tokens[0], plan.rows)
        floor = stack.enter_context(_floor(folder, body))
        contestants = [
            _Contestant(name="floor", server=floor, order=_order(floor, plan, tokens)),
            _Contestant(name="trivium", server=product, order=_order(product, plan, tokens)),
        ]
        hub = jupyterhub(folder, plan.rows) if plan.peer else None
        if hub is not None:
            server = stack.enter_context(hub.server)
            contestants.append(_Contestant(name="jupyterhub", server=server, order=_hub_order(server, plan, hub)))
        rounds = _measure(contestants, plan)
        memory = {contestant.name: contestant.server.memory for contestant in contestants}
        _print(plan, rounds, size=len(body), memory=memory)
        if hub is not None:
            _print_peer(rounds, hub)


def _product(folder: Path, database: str | None) -> Any:
    port, proxy_port = free_port(), free_port()
    options = ["--port", str(port), "--proxy-port", str(proxy_port), *_place(folder, database)]
    return running(trivium("server", "start", *options), port, ready="/readyz", log=folder / "server.log")


def _floor(folder: Path, body: bytes) -> Any:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.floor", str(port)]
    return running(command, port, ready="/", log=folder / "floor.log", given=body)


def _place(folder: Path, database: str | None) -> list[str]:
    return ["--data", str(folder / "data"), *(["--database", database] if database else [])]


def _tokens(product: Running, folder: Path, database: str | None) -> list[str]:
    """Tokens of as many logins, each a session of its own."""
    command = trivium("key", "create", "--user", "admin", "-o", "json", *_place(folder, database))
    key = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return [log_in(product, key) for _ in range(TOKENS)]


def log_in(product: Running, key: dict[str, str]) -> str:
    """A token of a session that the key pair begins."""
    timestamp = str(int(time.time()))
    signature = signature_of(key["secret_key"], access_key=key["access_key"], timestamp=timestamp, user=key["user"])
    headers = {"user": key["user"], "accessKey": key["access_key"], "timestamp": timestamp, "signature": signature}
    regions = product.post("/api/user/v3/tokens", headers)["data"]
    return next(region["token"] for region in regions if region["clusterId"] != "0")


def _checked_page(product: Running, token: str, rows: int) -> bytes:
    """The answer that is measured, once it is seen to be whole."""
    _, body = product.get(f"{PATH}?page=1&size={PAGE}", {"token": token})
    answer = json.loads(body)
    assert answer["code"] == "0", answer
    assert (answer["data"]["total"], len(answer["data"]["records"])) == (rows, min(PAGE, rows))
    return body


def _order(server: Running, plan: Plan, tokens: list[str]) -> Order:
    requests = tuple(
        f"GET {PATH}?page=1&size={PAGE} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\ntoken: {token}\r\n"
        "Accept: */*\r\nUser-Agent: bench\r\n\r\n"
        for token in tokens
    )
    return Order(
        port=server.port,
        connections=plan.connections,
        seconds=plan.seconds,
        requests=requests,
        expected='{"code":"0"',
    )


def _hub_order(server: Running, plan: Plan, hub: Hub) -> Order:
    """The same of JupyterHub: a page of as many users with their number, one token, checked to be whole."""
    headers = {"Authorization": f"token {hub.token}", "Accept": ACCEPT}
    answer = json.loads(server.get(f"{HUB_PATH}?limit={PAGE}", headers)[1])
    assert (answer["_pagination"]["total"], len(answer["items"])) == (plan.rows, min(PAGE, plan.rows))
    return Order(
        port=server.port,
        connections=plan.connections,
        seconds=plan.seconds,
        requests=(hub_request(hub, server.port, PAGE),),
        expected='{"items":',
    )


def _measure(contestants: list[_Contestant], plan: Plan) -> dict[str, list[_Round]]:
    for contestant in contestants:
        ask(_for(contestant.order, WARM_SECONDS))
    found: dict[str, list[_Round]] = {contestant.name: [] for contestant in contestants}
    for _ in range(plan.rounds):
        for contestant in contestants:
            before = contestant.server.cpu
            counted = ask(contestant.order)
            found[contestant.name].append(_round(counted, contestant.server.cpu - before))
    return found


def _for(order: Order, seconds: float) -> Order:
    return Order(
        port=order.port,
        connections=order.connections,
        seconds=seconds,
        requests=order.requests,
        expected=order.expected,
    )


def _round(counted: Counted, cpu: float) -> _Round:
    return _Round(
        rate=counted.answers / counted.seconds,
        cpu=cpu / counted.answers * 1e6,
        p50=counted.p50 * 1000,
        p99=counted.p99 * 1000,
        load=counted.cpu / counted.seconds,
    )


def _print(plan: Plan, rounds: dict[str, list[_Round]], *, size: int, memory: dict[str, int]) -> None:
    database = "PostgreSQL" if plan.database else f"SQLite {sqlite3.sqlite_version}"
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    asked = f"{plan.connections} connections, {TOKENS} tokens, {plan.rounds} rounds of {plan.seconds} s, medians"
    print(f"list: SCNet notebook/list, {PAGE} of {plan.rows} rows with the exact total, {size} bytes, {database}")
    print(f"      {asked}, {psutil.cpu_count()} cores")
    print(f"      trivium {version('trivium')}, Python {platform.python_version()}, {libraries}")
    columns = f"{'answers/s':>11}{'(least–most)':>18}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}{'MiB':>7}"
    print(f"      {'':10}{columns}{'load':>7}")
    floor = _median(rounds["floor"], "rate")
    for name, measured in rounds.items():
        rates = [each.rate for each in measured]
        span = f"({min(rates):.0f}–{max(rates):.0f})"
        print(
            f"      {name:10}{_median(measured, 'rate'):>11.0f}{span:>18}{_median(measured, 'rate') / floor:>8.3f}"
            f"{_median(measured, 'p50'):>9.2f}{_median(measured, 'p99'):>9.2f}{_median(measured, 'cpu'):>9.0f}"
            f"{memory[name] / 2**20:>7.0f}{_median(measured, 'load'):>7.0%}"
        )
    rate = _median(rounds["trivium"], "rate") / floor
    cpu = _median(rounds["floor"], "cpu") / _median(rounds["trivium"], "cpu")
    print(f"      relative to the floor: {rate:.2f} by answers, {cpu:.2f} by processor (wanted: 0.25, aim 0.5)")


def _print_peer(rounds: dict[str, list[_Round]], hub: Hub) -> None:
    times = _median(rounds["trivium"], "rate") / _median(rounds["jupyterhub"], "rate")
    print(
        f"      jupyterhub {hub.version}: GET {HUB_PATH}?limit={PAGE} with `Accept: {ACCEPT}`, which tells the total;"
    )
    print("      its own port without a proxy, SQLite, users with one role and one server that does not run, one token")
    print(f"      {times:.0f} times as many answers (wanted: 30 at 1,000 rows, 100 at 100,000)")


def _median(measured: list[_Round], what: str) -> float:
    return statistics.median(getattr(each, what) for each in measured)
