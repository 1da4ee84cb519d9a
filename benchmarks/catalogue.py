"""How fast ZStack's queries of models are, over REST: with conditions, across a relation, by each operator.

First pages of models that satisfy three conditions of a hundredth each, without and with a relation whose match is the
last of these; each operator in a large catalogue against a small one; and, where it is wanted, beside MLflow's search
of registered models by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from typing import Final

from benchmarks import mlflow
from benchmarks.catalogue_questions import INDEXED, MIXES, PAGE, UNINDEXED, Mix, Question
from benchmarks.catalogue_rows import MEMBER, PER_NAME, SIGNING_IN, Catalogue, Sizes, catalogue_of, name_of
from benchmarks.load import Order
from benchmarks.plan import Plan
from benchmarks.processes import Running, Served, scratch, serving
from benchmarks.rates import TITLES, Rate, cells, measured
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, span, sqlite
from benchmarks.rounds import interleaved, median, ratio
from benchmarks.zstack import ZStack, target
from trivium.base.values import Value

USERS: Final = ("admin", MEMBER)
LEAST_ROUNDS: Final = 15  # a single question is quick, and its times vary
MOST_ROUNDS: Final = 40  # each of another number, and the smallest data set has few of these
PEER_ROWS: Final = 100_000
NAMES: Final = 64  # asked for again and again
AGAIN: Final = "names that come again"
ANEW: Final = "other names"
LIBRARIES: Final = ("uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy")


class _Line(Value, frozen=True, kw_only=True):
    """What came of a question: medians, in seconds; the first is the baseline."""

    name: str
    seconds: tuple[float, ...]

    def times(self, place: int) -> float:
        """How many times the baseline one of them is."""
        return self.seconds[place] / self.seconds[0]


class _Asking:
    """One user of one data set's server, and the numbers that were asked so far of each question."""

    def __init__(self, catalogue: Catalogue, served: Served, user: str) -> None:
        self.catalogue = catalogue
        self._user = ZStack(served, user)

    def timing(self, question: Question) -> Callable[[], float]:
        """Times one question after the other, each of another number."""
        numbers: Iterator[int] = count()
        return lambda: self._user.timed(question(self.catalogue, next(numbers)))

    def check(self, mix: Mix) -> None:
        """See that the match across the relation is there; where conditions leave more than a page, it is the last."""
        for number in range(2):
            found = self._user.sizes(mix.across(self.catalogue, number))
            left = self._user.sizes(target(mix.conditions(self.catalogue, number), sort="-size", limit=PAGE))
            assert found == left[:1] if len(left) == PAGE else len(found) == 1 and found[0] in left, mix.name


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = plan.keep or stack.enter_context(scratch())
        catalogues = [catalogue_of(size, folder, None) for size in (plan.sizes[0], plan.sizes[-1])]
        servers = [stack.enter_context(serving(catalogue.place, environment=SIGNING_IN)) for catalogue in catalogues]
        rounds = min(max(plan.rounds, LEAST_ROUNDS), MOST_ROUNDS)
        _print_head(catalogues, rounds)
        pages = [
            line
            for user in USERS
            for line in _pages(_Asking(catalogues[-1], servers[-1], user), user=user, rounds=rounds)
        ]
        _print_pages(pages)
        for title, questions in (("indexed", INDEXED), ("not indexed", UNINDEXED)):
            both = [_Asking(*each, USERS[0]) for each in zip(catalogues, servers, strict=True)]
            _print_operators(title, catalogues, _operators(both, questions, rounds=rounds))
        worst = max(pages, key=lambda line: line.times(1))
        told = f"first page with the relation / without, at worst ({worst.name})"
        print_targets([Target(name=told, measured=worst.times(1), bound=Bound.MOST, wanted=3)])
    if plan.peer == "mlflow":
        _beside_mlflow(plan)


def _pages(asking: _Asking, *, user: str, rounds: int) -> list[_Line]:
    """The pages of each mix, as one user asks for them."""
    lines: list[_Line] = []
    for mix in MIXES:
        asking.check(mix)
        ways = {name: asking.timing(question) for name, question in _ways(mix).items()}
        found = interleaved(ways, rounds)
        lines.append(_Line(name=f"{user}: {mix.name}", seconds=tuple(median(times, float) for times in found.values())))
    return lines


def _ways(mix: Mix) -> Mapping[str, Question]:
    return {"alone": mix.alone, "across": mix.across, "wide": mix.wide}


def _operators(both: Sequence[_Asking], questions: Mapping[str, Question], *, rounds: int) -> list[_Line]:
    """Each question to each data set in turn."""
    lines: list[_Line] = []
    for name, question in questions.items():
        found = interleaved({place: one.timing(question) for place, one in enumerate(both)}, rounds)
        lines.append(_Line(name=name, seconds=tuple(median(times, float) for times in found.values())))
    return lines


def _print_head(catalogues: Sequence[Catalogue], rounds: int) -> None:
    sizes = Sizes(catalogues[-1].models)
    print_head(
        f"catalogue: ZStack's query of {sizes.models:,} models with {sizes.refs:,} bindings",
        (
            (
                f"to {sizes.services:,} services; each condition holds for 1 % of the models, and a service's name for "
                "the last by size of what they leave"
            ),
            f"over REST; a page is of {PAGE}; half of the models are the member's, who sees no others",
            f"medians of {rounds} interleaved rounds, each with other literals, so that no answer was there before",
        ),
        packages=LIBRARIES,
        database=sqlite(),
    )


def _print_pages(lines: Sequence[_Line]) -> None:
    titles = ("first page by size", "three conditions, ms", "and a service's name", "×", "and a framework", "×")
    rows = [
        (line.name, _ms(line, 0), _ms(line, 1), f"{line.times(1):.2f}", _ms(line, 2), f"{line.times(2):.2f}")
        for line in lines
    ]
    print_table(titles, rows)
    print()


def _print_operators(title: str, catalogues: Sequence[Catalogue], lines: Sequence[_Line]) -> None:
    print_table(
        (f"operators, {title}", *(f"{one.models:,} models, ms" for one in catalogues), "×"),
        [(line.name, _ms(line, 0), _ms(line, 1), f"{line.times(1):.2f}") for line in lines],
    )
    print()


def _ms(line: _Line, place: int) -> str:
    return f"{line.seconds[place] * 1000:.2f}"


def _beside_mlflow(plan: Plan) -> None:
    """Searches by name, of one worker each."""
    rows = min(PEER_ROWS, plan.sizes[-1])
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        peer = mlflow.mlflow(folder, rows)
        catalogue = catalogue_of(rows, plan.keep or folder, None)
        ours = stack.enter_context(serving(catalogue.place, environment=SIGNING_IN))
        theirs = stack.enter_context(peer.server).worker()
        prefixes = [name_of(number).rpartition("-")[0] for number in range(0, rows, PER_NAME)]
        user = ZStack(ours, USERS[0])
        ways: dict[str, Callable[[], Rate]] = {}
        for way, names in ((AGAIN, prefixes[:NAMES]), (ANEW, prefixes[NAMES:])):
            ways[f"trivium, {way}"] = partial(measured, ours.api, _our_order(plan, ours.api, user, names))
            ways[f"mlflow, {way}"] = partial(measured, theirs, _their_order(plan, theirs, names))
        _print_peer(plan, rows, peer.version, interleaved(ways, plan.rounds))


def _our_order(plan: Plan, server: Running, user: ZStack, prefixes: Sequence[str]) -> Order:
    targets = [target([f"name~={prefix}-%"], limit=PAGE) for prefix in prefixes]
    assert len(json.loads(user.get(targets[-1]))["inventories"]) == PAGE
    return _order(plan, server, targets, user.headers, expected='{"success":true,"inventories":[{')


def _their_order(plan: Plan, server: Running, prefixes: Sequence[str]) -> Order:
    targets = [mlflow.target(f"name LIKE '{prefix}-%'", PAGE) for prefix in prefixes]
    status, body = server.ask("GET", targets[-1])
    assert (status, len(json.loads(body)["registered_models"])) == (200, PAGE)
    return _order(plan, server, targets, {}, expected="{")


def _order(plan: Plan, server: Running, targets: Sequence[str], headers: Mapping[str, str], *, expected: str) -> Order:
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    requests = tuple(
        f"GET {one} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{told}Accept: */*\r\nUser-Agent: bench\r\n\r\n"
        for one in targets
    )
    return Order(
        port=server.port,
        connections=plan.connections,
        seconds=plan.seconds,
        requests=requests,
        expected=expected,
    )


def _print_peer(plan: Plan, rows: int, version: str, found: Mapping[str, list[Rate]]) -> None:
    print_head(
        f"catalogue: a search of {rows:,} models by how their names begin, which {PAGE} do, beside MLflow's",
        (
            f"mlflow {version}: GET {mlflow.PATH} with `name LIKE '…%'`, one worker, SQLite; trivium: `name~=…%`",
            (
                f"{plan.connections} connections; medians of {plan.rounds} interleaved rounds of {plan.seconds:g} s; "
                "load: what the client took of one core"
            ),
            f"{AGAIN}: of {NAMES}, each many times; {ANEW}: of all the rest, {rows // PER_NAME - NAMES:,}",
        ),
        packages=LIBRARIES,
        database=sqlite(),
    )
    print_table(
        ("", "answers/s", "least–most", "of mlflow", *TITLES),
        [
            (
                name,
                f"{median(rounds, lambda one: one.rate):.1f}",
                span([one.rate for one in rounds]),
                f"{_of_mlflow(found, name):.1f}",
                *cells(rounds),
            )
            for name, rounds in found.items()
        ],
    )
    print_targets(
        [
            Target(
                name=f"trivium / mlflow, {way}",
                measured=_of_mlflow(found, f"trivium, {way}"),
                bound=Bound.LEAST,
                wanted=60,
            )
            for way in (AGAIN, ANEW)
        ]
    )


def _of_mlflow(found: Mapping[str, list[Rate]], name: str) -> float:
    way = name.partition(", ")[2]
    return ratio(found[name], found[f"mlflow, {way}"], lambda one: one.rate)
