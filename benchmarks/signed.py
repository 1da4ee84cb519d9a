"""How fast ModelArts' signed lists are, and how they grow.

Requests are signed as Huawei's SDK signs them, each with its own time and page, so that every signature is verified. A
page of notebooks, and a walk through many nodes of a pool with `continue`, against the same server software answering
the same bytes from memory; then the same over data sets of several sizes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from benchmarks.growth_rows import Rows, rows_of
from benchmarks.huawei import Huawei
from benchmarks.load import Order
from benchmarks.plan import Plan
from benchmarks.processes import Place, Running, Served, scratch, serving
from benchmarks.rates import TITLES, Rate, cells, floor, measured
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, span, sqlite
from benchmarks.rounds import interleaved, median, ratio
from benchmarks.seed import seed_notebooks
from trivium.base.values import Value

PAGE: Final = 20
WHOLE: Final = 500  # the page of nodes that comes where none is asked for
NODES: Final = 10_000
MOST_NODES: Final = 100_000
SIGNED: Final = 64  # requests that differ
LEAST_ROUNDS: Final = 15  # a single question is quick, and its times vary
HUGE: Final = {"TRIVIUM_NODE__CORES": "200000", "TRIVIUM_NODE__MEMORY": "200000G"}
CIDR: Final = "172.16.0.0/12"
FLAVOR: Final = "modelarts.vm.cpu.1u"
LIBRARIES: Final = ("uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy")


class _List(Value, frozen=True, kw_only=True):
    """A list that is asked for."""

    name: str
    expected: str  # what every answer begins with
    targets: tuple[str, ...]
    size: int  # bytes of an answer


class _Growth(Value, frozen=True, kw_only=True):
    name: str
    seconds: tuple[float, ...]  # medians of the data sets, the smallest first


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        place = Place(data=folder / "data", database=plan.database)
        served = stack.enter_context(serving(place, environment=HUGE))
        seed_notebooks(place.url, plan.rows)
        huawei = Huawei(served)
        ways: dict[str, Callable[[], Rate]] = {}
        lists = _lists(huawei, _pool_of(huawei, NODES))
        for one in lists:
            bare = stack.enter_context(floor(folder, huawei.get(one.targets[0])))
            ways[f"{one.name}: bare ASGI"] = partial(_measure, bare, huawei, one, plan=plan)
            ways[f"{one.name}: trivium"] = partial(_measure, served.api, huawei, one, plan=plan)
        _print(plan, lists, interleaved(ways, plan.rounds))
    _print_growth(plan, _growth(plan))


def _lists(huawei: Huawei, pool: str) -> list[_List]:
    notebooks = tuple(huawei.notebooks(f"limit={PAGE}&offset={offset}") for offset in range(SIGNED))
    found = [(f"notebooks, {PAGE}", '{"current":', notebooks)]
    found += [(f"nodes, {limit}", '{"kind":"NodeList"', _walk(huawei, pool, limit)) for limit in (PAGE, WHOLE)]
    return [
        _List(name=name, expected=expected, targets=targets, size=len(huawei.get(targets[0])))
        for name, expected, targets in found
    ]


def _walk(huawei: Huawei, pool: str, limit: int) -> tuple[str, ...]:
    """The targets of the whole walk; each node is seen once."""
    targets: list[str] = []
    names: set[str] = set()
    place = ""
    while True:
        targets.append(huawei.nodes(pool, f"limit={limit}{place}"))
        page = json.loads(huawei.get(targets[-1]))
        names.update(node["metadata"]["name"] for node in page["items"])
        if not page["metadata"].get("continue"):
            break
        place = f"&continue={page['metadata']['continue']}"
    assert len(names) == NODES, len(names)
    return tuple(targets)


def _pool_of(huawei: Huawei, nodes: int) -> str:
    """A new pool with so many nodes, on a network of its own."""
    network = {"kind": "Network", "apiVersion": "v1", "spec": {"cidr": CIDR}}
    network["metadata"] = {"labels": {"os.modelarts/name": f"bench-{nodes}", "os.modelarts/workspace.id": "0"}}
    named = huawei.post(f"/v1/{huawei.project}/networks", network)["metadata"]["name"]
    resources = [{"flavor": FLAVOR, "count": nodes, "maxCount": nodes}]
    body = {
        "apiVersion": "v2",
        "kind": "Pool",
        "metadata": {"labels": {"os.modelarts/name": f"bench-{nodes}"}},
        "spec": {"type": "Dedicate", "scope": ["Notebook"], "resources": resources, "network": {"name": named}},
    }
    return str(huawei.post(f"/v2/{huawei.project}/pools", body)["metadata"]["name"])


def _measure(server: Running, huawei: Huawei, one: _List, *, plan: Plan) -> Rate:
    """One round; the requests are signed just before."""
    requests = tuple(_request(target, huawei.signed("GET", target)) for target in one.targets)
    order = Order(
        port=server.port,
        connections=plan.connections,
        seconds=plan.seconds,
        requests=requests,
        expected=one.expected,
    )
    return measured(server, order)


def _request(target: str, headers: Mapping[str, str]) -> str:
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {target} HTTP/1.1\r\n{told}Accept: application/json\r\n\r\n"


def _growth(plan: Plan) -> list[_Growth]:
    """The first pages of notebooks of who has half of all, and pages from the middle of a pool's nodes."""
    with ExitStack() as stack:
        folder = plan.keep or stack.enter_context(scratch())
        sets = [rows_of(size, folder, plan.database) for size in plan.sizes]
        found = [_notebooks_growth([stack.enter_context(_asking(rows, plan)) for rows in sets], plan)]
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        sizes = sorted({min(size, MOST_NODES) for size in plan.sizes})
        clients: list[_Client] = []
        for size in sizes:
            place = Place(data=folder / f"nodes-{size}", database=None)
            served = stack.enter_context(serving(place, environment=HUGE))
            huawei = Huawei(served)
            clients.append(_Client(served, huawei, _middle(huawei, _pool_of(huawei, size), size, _rounds(plan) + 1)))
        found.append(_timed(f"nodes of {'–'.join(f'{size:,}' for size in (sizes[0], sizes[-1]))}", clients, plan))
    return found


@contextmanager
def _asking(rows: Rows, plan: Plan) -> Generator[_Client]:
    owner = rows.owners[0]
    with serving(rows.place) as served:
        huawei = Huawei(served, owner.name)
        yield _Client(
            served, huawei, [huawei.notebooks(f"limit={PAGE}&offset={at}") for at in range(_rounds(plan) + 1)]
        )


def _notebooks_growth(clients: Sequence[_Client], plan: Plan) -> _Growth:
    return _timed(f"notebooks of {plan.sizes[0]:,}–{plan.sizes[-1]:,}", clients, plan)


def _middle(huawei: Huawei, pool: str, size: int, number: int) -> list[str]:
    """The targets of so many pages of 20 after as many nodes as half the pool has, none of which was asked for yet."""
    place, passed = "", 0
    while passed < size // 2 - WHOLE:
        place, passed = _next(huawei, pool, WHOLE, place), passed + WHOLE
    targets: list[str] = []
    for _ in range(number):
        place = _next(huawei, pool, PAGE - 1, place)
        targets.append(huawei.nodes(pool, f"limit={PAGE}{place}"))
    return targets


def _next(huawei: Huawei, pool: str, limit: int, place: str) -> str:
    """The place after a page that begins at another."""
    metadata = json.loads(huawei.get(huawei.nodes(pool, f"limit={limit}{place}")))["metadata"]
    return f"&continue={metadata['continue']}"


def _timed(name: str, clients: Sequence[_Client], plan: Plan) -> _Growth:
    ways = {number: client.timed for number, client in enumerate(clients)}
    times = interleaved(ways, _rounds(plan))
    return _Growth(name=name, seconds=tuple(median(found, float) for found in times.values()))


def _rounds(plan: Plan) -> int:
    return max(plan.rounds, LEAST_ROUNDS)


class _Client:
    """Somebody who asks for one page after the other."""

    def __init__(self, served: Served, huawei: Huawei, targets: Sequence[str]) -> None:
        self._huawei = huawei
        self._targets = iter(targets)
        self._connection = served.api.connect()

    def timed(self) -> float:
        """Seconds from a request to its whole answer, over a connection that is kept alive."""
        target = next(self._targets)
        signed = self._huawei.signed("GET", target)
        began = time.perf_counter()
        self._connection.request("GET", target, headers=dict(signed))
        answer = self._connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        assert answer.status == 200, body
        return took


def _print(plan: Plan, lists: Sequence[_List], found: Mapping[str, list[Rate]]) -> None:
    print_head(
        f"signed: ModelArts' lists, {plan.rows:,} notebooks and {NODES:,} nodes with continue, signatures verified",
        (
            "baseline: bare ASGI, the same server software answering the same bytes from memory",
            ", ".join(f"{one.name}: {one.size:,} bytes" for one in lists),
            (
                f"{plan.connections} connections; medians of {plan.rounds} interleaved rounds of {plan.seconds:g} s; "
                "load: what the client took of one core"
            ),
        ),
        packages=LIBRARIES,
        database="PostgreSQL" if plan.database else sqlite(),
    )
    print_table(
        ("", "answers/s", "least–most", "of bare", *TITLES),
        [
            (
                name,
                f"{median(rounds, lambda one: one.rate):.0f}",
                span([one.rate for one in rounds]),
                f"{_of_bare(found, name):.3f}",
                *cells(rounds),
            )
            for name, rounds in found.items()
        ],
    )
    print_targets(
        [
            Target(
                name=f"signed, {one.name} / bare",
                measured=_of_bare(found, f"{one.name}: trivium"),
                bound=Bound.LEAST,
                wanted=0.2,
            )
            for one in lists
        ]
    )


def _of_bare(found: Mapping[str, list[Rate]], name: str) -> float:
    bare = found[f"{name.partition(':')[0]}: bare ASGI"]
    return ratio(found[name], bare, lambda one: one.rate)


def _print_growth(plan: Plan, grown: Sequence[_Growth]) -> None:
    print_head(
        "signed, growth: a page of 20 over HTTP, of the owner of half of all notebooks and of the middle of a pool",
        (
            f"medians of {_rounds(plan)} interleaved rounds, each for a page that nobody has asked for before",
            "baseline: the smallest data set; nodes to 100,000 at most, on SQLite",
        ),
        packages=LIBRARIES,
        database="PostgreSQL" if plan.database else sqlite(),
    )
    print_table(
        ("", "ms, the smallest first", "growth"),
        [
            (
                one.name,
                " ".join(f"{seconds * 1000:.2f}" for seconds in one.seconds),
                f"{one.seconds[-1] / one.seconds[0]:.2f}",
            )
            for one in grown
        ],
    )
    print_targets(
        [
            Target(name=one.name, measured=one.seconds[-1] / one.seconds[0], bound=Bound.MOST, wanted=1.5)
            for one in grown
        ]
    )
