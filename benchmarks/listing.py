"""How fast a list is: SCNet's `notebook/list`, a page of 20 with all its fields and the exact total.

Through the whole stack, with tokens that differ from request to request, against the same server software answering
the same bytes from memory; on SQLite and on PostgreSQL; and while another process changes statuses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Final

from msgspec import structs
from sqlalchemy import text

from benchmarks import cluster, jupyterhub
from benchmarks.api import LIST, Api
from benchmarks.load import Order
from benchmarks.peers import Absent
from benchmarks.plan import Plan
from benchmarks.processes import Place, Running, scratch, serving
from benchmarks.rates import TITLES, Rate, cells, floor, measured
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, span, sqlite
from benchmarks.rounds import interleaved, median, ratio
from benchmarks.seed import seed_notebooks
from benchmarks.writer import Writer, writing
from trivium.base.clock import SystemClock
from trivium.base.values import Value
from trivium.store import Store

PAGE: Final = 20
TOKENS: Final = 64
WRITES: Final = 50  # status changes per second, where lists are read amid writes
MANY: Final = 100_000  # rows from which on more is wanted beside JupyterHub
FLOOR: Final = "bare ASGI"
LIBRARIES: Final = ("uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy")


class _Round(Rate, frozen=True, kw_only=True):
    writes: float  # committed per second meanwhile


class _Contestant(Value, frozen=True, kw_only=True):
    server: Running
    order: Order
    written: str = ""  # the URL of a database that is written to meanwhile

    def measure(self) -> _Round:
        """One round."""
        with writing(self.written, WRITES) if self.written else nullcontext(Writer()) as writer:
            found = measured(self.server, self.order)
        return _Round(**structs.asdict(found), writes=writer.rate)


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        databases = _databases(stack, folder, plan)
        contestants: dict[str, _Contestant] = {}
        body = b""
        for name, url in databases.items():
            place = Place(data=folder / f"data of {name}", database=url)
            server, order, body = _product(stack, place, plan)
            contestants[f"trivium, {name}"] = _Contestant(server=server, order=order)
            amid = f"trivium, {name}, {WRITES} writes/s"
            contestants[amid] = _Contestant(server=server, order=order, written=place.url)
        bare = stack.enter_context(floor(folder, body))
        order = _order(plan, bare.port, _requests(bare.port, [""] * TOKENS), '{"code":"0"')
        contestants = {FLOOR: _Contestant(server=bare, order=order), **contestants}
        hub = jupyterhub.jupyterhub(folder, plan.rows) if plan.peer == "jupyterhub" else None
        if hub is not None:
            server = stack.enter_context(hub.server)
            contestants[f"jupyterhub {hub.version}"] = _Contestant(server=server, order=_hub_order(server, plan, hub))
        found = interleaved({name: one.measure for name, one in contestants.items()}, plan.rounds)
        memory = {name: one.server.memory / 2**20 for name, one in contestants.items()}
        _print(plan, found, size=len(body), memory=memory, databases=list(databases))


def _databases(stack: ExitStack, folder: Path, plan: Plan) -> dict[str, str | None]:
    """SQLite, and PostgreSQL where it can be had, each named with its version."""
    try:
        url = plan.database or stack.enter_context(cluster.database(folder))
    except Absent as absent:
        print(f"list: {absent}")
        return {sqlite(): None}
    return {sqlite(): None, _version(url): url}


def _version(url: str) -> str:
    store = Store.open(url, SystemClock(), "cli")
    try:
        return f"PostgreSQL {store.read_now(lambda tx: tx.value(text('SHOW server_version'))).partition(' ')[0]}"
    finally:
        store.close()


def _product(stack: ExitStack, place: Place, plan: Plan) -> tuple[Running, Order, bytes]:
    """A server with as many rows as are wanted, what it is asked, and its answer once that is seen to be whole."""
    served = stack.enter_context(serving(place))
    api = Api(served)
    tokens = [api.log_in() for _ in range(TOKENS)]
    seed_notebooks(place.url, plan.rows)
    _, body = served.api.ask("GET", f"{LIST}?page=1&size={PAGE}", {"token": tokens[0]})
    answer = json.loads(body)
    assert answer["code"] == "0", answer
    assert (answer["data"]["total"], len(answer["data"]["records"])) == (plan.rows, min(PAGE, plan.rows))
    return served.api, _order(plan, served.api.port, _requests(served.api.port, tokens), '{"code":"0"'), body


def _requests(port: int, tokens: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        f"GET {LIST}?page=1&size={PAGE} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\ntoken: {token}\r\n"
        "Accept: */*\r\nUser-Agent: bench\r\n\r\n"
        for token in tokens
    )


def _hub_order(server: Running, plan: Plan, hub: jupyterhub.Hub) -> Order:
    """The same of JupyterHub: a page of as many users with their number, one token, checked to be whole."""
    headers = {"Authorization": f"token {hub.token}", "Accept": jupyterhub.ACCEPT}
    answer = json.loads(server.ask("GET", f"{jupyterhub.PATH}?limit={PAGE}", headers)[1])
    assert (answer["_pagination"]["total"], len(answer["items"])) == (plan.rows, min(PAGE, plan.rows))
    return _order(plan, server.port, (jupyterhub.request(hub, server.port, PAGE),), '{"items":')


def _order(plan: Plan, port: int, requests: tuple[str, ...], expected: str) -> Order:
    return Order(port=port, connections=plan.connections, seconds=plan.seconds, requests=requests, expected=expected)


def _print(
    plan: Plan, found: Mapping[str, list[_Round]], *, size: int, memory: Mapping[str, float], databases: list[str]
) -> None:
    print_head(
        f"list: SCNet's notebook/list, {PAGE} of {plan.rows:,} rows, all fields, the exact total, {size:,} bytes",
        (
            f"baseline: {FLOOR}, the same server software answering the same bytes from memory",
            f"writes: another process changes statuses of the newest notebooks, {WRITES} a second",
            (
                f"{plan.connections} connections, {TOKENS} tokens; medians of {plan.rounds} interleaved rounds of "
                f"{plan.seconds:g} s; load: what the client took of one core"
            ),
            *_about_peer(plan),
        ),
        packages=LIBRARIES,
        database=", ".join(databases),
    )
    bare = found[FLOOR]
    print_table(
        ("", "answers/s", "least–most", "of bare", *TITLES, "RSS MiB", "writes/s"),
        [
            (
                name,
                f"{median(rounds, lambda one: one.rate):.0f}",
                span([one.rate for one in rounds]),
                f"{ratio(rounds, bare, lambda one: one.rate):.3f}",
                *cells(rounds),
                f"{memory[name]:.0f}",
                f"{median(rounds, lambda one: one.writes):.0f}",
            )
            for name, rounds in found.items()
        ],
    )
    print_targets(_targets(plan, found))


def _about_peer(plan: Plan) -> list[str]:
    if plan.peer != "jupyterhub":
        return []
    return [
        f"jupyterhub: GET {jupyterhub.PATH}?limit={PAGE} with `Accept: {jupyterhub.ACCEPT}`, which tells the total;",
        "its own port without a proxy, SQLite, as many users with one role and one server that does not run, one token",
    ]


def _targets(plan: Plan, found: Mapping[str, list[_Round]]) -> list[Target]:
    ours = f"trivium, {sqlite()}"
    relative = ratio(found[ours], found[FLOOR], lambda one: one.rate)
    targets = [Target(name=f"{ours} / {FLOOR}", measured=relative, bound=Bound.LEAST, wanted=0.25, aim=0.5)]
    for name, rounds in found.items():
        if name.startswith("jupyterhub"):
            times = ratio(found[ours], rounds, lambda one: one.rate)
            wanted = 100 if plan.rows >= MANY else 30
            targets.append(Target(name=f"{ours} / {name}", measured=times, bound=Bound.LEAST, wanted=wanted))
    return targets
