"""How lists grow: pages, totals and searches of an owner of 10, of 1,000 and of half of all notebooks.

The same is asked of data sets of several sizes, in turn, and each time is held against that of the smallest one. Asked
is the query engine, as the list's handler asks it, and then the whole server over HTTP. Totals of searches are shown
twice: counted for the first time after a name has changed, and asked again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

from sqlalchemy import text

from benchmarks.growth_http import measured
from benchmarks.growth_rows import ABSENT, CHINESE, COMMON, Owner, Rows, rows_of
from benchmarks.plan import Plan
from benchmarks.processes import scratch
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, sqlite
from benchmarks.rounds import interleaved, median
from trivium.base.clock import SystemClock
from trivium.base.query import After, Condition, Offset, Op, Query
from trivium.base.values import Value
from trivium.resources.notebooks.table import LISTED, NOTEBOOKS
from trivium.store import Read, Store, Write, query

LIMIT: Final = 20
COMMON_GRAMS: Final = "llama-train-qwen"  # no name has it, though many have each three characters of it
LEAST_ROUNDS: Final = 15  # a single question is quick, and its times vary
MIDDLE: Final = "offset in the middle"
BARE: Final = (
    "DROP TABLE IF EXISTS bare",
    "CREATE TABLE bare AS SELECT * FROM notebooks",
    "CREATE UNIQUE INDEX ix_bare_id ON bare (id)",
)


class _Case(Value, frozen=True, kw_only=True):
    """A question, as one owner asks it of one data set."""

    name: str
    asked: Query
    is_search: bool


class _Line(Value, frozen=True, kw_only=True):
    """What came of one question: medians of the data sets, the smallest first, in seconds."""

    owner: str
    name: str
    kind: str  # page, or which total
    is_search: bool
    seconds: tuple[float, ...]

    @property
    def growth(self) -> float:
        """How many times the smallest data set's time that of the largest one is."""
        return self.seconds[-1] / self.seconds[0]


class _Write(Value, frozen=True, kw_only=True):
    """Seconds of a change."""

    committed: float
    alone: float  # the statement


class _Site:
    """A data set that is open."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.store = Store.open(rows.place.url, SystemClock(), "cli")

    def page(self, owner: Owner, asked: Query) -> float:
        """Seconds that the page takes."""
        return self._timed(query.page, owner, Query(where=asked.where, page=asked.page, total=False))

    def total(self, owner: Owner, asked: Query) -> float:
        """Seconds that the total takes."""
        return self._timed(query.count, owner, asked)

    def first_total(self, owner: Owner, asked: Query) -> float:
        """The same where no total is remembered."""
        self.store.search_cache.clear_totals()
        return self.total(owner, asked)

    def _timed(self, ask: Callable[..., Any], owner: Owner, asked: Query) -> float:
        scope = (LISTED.of(project=owner.project),)
        began = time.perf_counter()
        self.store.search_now(ask, NOTEBOOKS, asked, scope=scope)
        return time.perf_counter() - began


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = plan.keep or stack.enter_context(scratch())
        sites = [_Site(rows_of(rows, folder, plan.database)) for rows in plan.sizes]
        for site in sites:
            stack.callback(site.store.close)
        rounds = max(plan.rounds, LEAST_ROUNDS)
        _print_head(plan, sites, rounds)
        lines = [line for place in range(len(sites[0].rows.owners)) for line in _measured(sites, place, rounds)]
        _print_lines("the query engine", plan, lines)
        writes = _print_writes(plan, sites, rounds)
        over_http = [
            _Line(owner=one.owner, name=one.name, kind="page and total", is_search=False, seconds=one.seconds)
            for one in measured([site.rows for site in sites], rounds)
        ]
        _print_lines("over HTTP, SCNet's notebook/list through the whole server", plan, over_http)
        print_targets(_targets(lines, writes))


def _cases(site: _Site, owner: Owner) -> list[_Case]:
    middle, rare = site.store.read_now(_middle, owner)
    pages = {
        "first page": Offset(limit=LIMIT),
        "after a key in the middle": After(limit=LIMIT, key=(middle,)),
        MIDDLE: Offset(limit=LIMIT, offset=owner.rows // 2),
    }
    failed = Condition(field="status", op=Op.EQ, value="failed")
    found = [_Case(name=name, asked=Query(page=page), is_search=False) for name, page in pages.items()]
    found.insert(1, _Case(name="status filter", asked=Query(where=(failed,)), is_search=False))
    terms = {
        "substring, absent": ABSENT,
        "substring, absent, of common grams": COMMON_GRAMS,
        "substring, one row": rare,
        "substring, 2 %": COMMON,
        "substring, two Chinese characters": CHINESE,
    }
    return found + [
        _Case(name=name, asked=Query(where=(Condition(field="name", op=Op.CONTAINS, value=term),)), is_search=True)
        for name, term in terms.items()
    ]


def _middle(tx: Read, owner: Owner) -> tuple[int, str]:
    """The id and the name of the row in the middle."""
    rows = text(
        "SELECT id, name FROM notebooks WHERE project_id = :project AND listed ORDER BY id DESC LIMIT 1 OFFSET :half"
    )
    row = tx.first(rows, {"project": owner.project, "half": owner.rows // 2})
    assert row is not None
    return row.id, row.name


def _measured(sites: Sequence[_Site], place: int, rounds: int) -> list[_Line]:
    """Each question of an owner's to each data set in turn."""
    asked = [(site, site.rows.owners[place], _cases(site, site.rows.owners[place])) for site in sites]
    lines: list[_Line] = []
    for number, case in enumerate(asked[0][2]):
        for kind in ("page", "total, first", "total, again") if case.is_search else ("page", "total"):
            ways = {
                index: partial(_asking(site, kind), owner, cases[number].asked)
                for index, (site, owner, cases) in enumerate(asked)
            }
            seconds = tuple(median(times, float) for times in interleaved(ways, rounds).values())
            owner = asked[0][1].name
            lines.append(_Line(owner=owner, name=case.name, kind=kind, is_search=case.is_search, seconds=seconds))
    return lines


def _asking(site: _Site, kind: str) -> Callable[[Owner, Query], float]:
    return {"page": site.page, "total, first": site.first_total}.get(kind, site.total)


def _print_head(plan: Plan, sites: Sequence[_Site], rounds: int) -> None:
    database = sqlite()
    if plan.database is not None:
        database = f"PostgreSQL {sites[0].store.read_now(lambda tx: tx.value(text('SHOW server_version')))}"
    owned = [
        f"the owner of {owner.name} has " + ", ".join(f"{site.rows.owners[place].rows:,}" for site in sites)
        for place, owner in enumerate(sites[0].rows.owners)
    ]
    print_head(
        "growth: lists of notebooks of 1,000 projects, whose sizes follow Zipf's law",
        (
            f"baseline: the same question to the smallest data set; a page is of {LIMIT}",
            f"µs, medians of {rounds} interleaved rounds, and how many times that of the smallest",
            f"rows: {'; '.join(owned)}",
        ),
        packages=("sqlalchemy",),
        database=database,
    )


def _print_lines(title: str, plan: Plan, lines: Sequence[_Line]) -> None:
    titles = [title]
    for size in plan.sizes:
        titles += [f"{size:,} rows", "×"]
    print_table(
        titles,
        [[f"{line.owner}: {line.name}: {line.kind}", *_times(line.seconds)] for line in lines],
    )


def _times(seconds: Sequence[float]) -> list[str]:
    return [cell for each in seconds for cell in (f"{each * 1e6:.0f}", f"{each / seconds[0]:.2f}")]


def _print_writes(plan: Plan, sites: Sequence[_Site], rounds: int) -> list[float]:
    """A status change of one row, with everything kept, against the same of a table that keeps nothing.

    Returns how many times longer the statement takes, for each data set.
    """
    middles = [site.store.read_now(_middle, site.rows.owners[0])[0] for site in sites]
    for site in sites:
        site.store.write_now(_make_bare)
    ways = {
        (table, index): partial(_changed, site.store, table, middles[index])
        for index, site in enumerate(sites)
        for table in ("notebooks", "bare")
    }
    found = interleaved(ways, rounds * 2)
    for site in sites:
        site.store.write_now(lambda tx: tx.run(text("DROP TABLE bare")))
    lines: list[_Line] = []
    figures: dict[str, Callable[[_Write], float]] = {
        "committed": lambda one: one.committed,
        "the statement alone": lambda one: one.alone,
    }
    for kind, figure in figures.items():
        for table, name in (("notebooks", "with everything kept"), ("bare", "in a bare table")):
            seconds = tuple(median(found[table, index], figure) for index in range(len(sites)))
            lines.append(_Line(owner="status change", name=name, kind=kind, is_search=False, seconds=seconds))
    _print_lines("writes", plan, lines)
    kept, bare = lines[0].seconds, lines[1].seconds
    return [one / other for one, other in zip(kept, bare, strict=True)]


def _make_bare(tx: Write) -> None:
    for statement in BARE:
        tx.connection.exec_driver_sql(statement)


def _changed(store: Store, table: str, id: int) -> _Write:
    """Another status for a row."""
    other = "CASE status WHEN 'failed' THEN 'stopped' ELSE 'failed' END"

    def change(tx: Write) -> float:
        began = time.perf_counter()
        tx.run(text(f"UPDATE {table} SET status = {other} WHERE id = :id"), {"id": id})
        return time.perf_counter() - began

    began = time.perf_counter()
    alone = store.write_now(change)
    return _Write(committed=time.perf_counter() - began, alone=alone)


def _targets(lines: Sequence[_Line], writes: Sequence[float]) -> list[Target]:
    """The worst of each kind beside what is wanted."""
    pages = [line for line in lines if line.kind == "page"]
    kinds = (
        ("page", [line for line in pages if not line.is_search and line.name != MIDDLE], 1.5),
        ("page, offset in the middle", [line for line in pages if line.name == MIDDLE], 3),
        ("page, substring", [line for line in pages if line.is_search], 3),
        ("total, from a counter", [line for line in lines if line.kind == "total"], 1.5),
        ("total, searched", [line for line in lines if line.is_search and line.kind != "page"], 10),
    )
    targets = []
    for name, some, wanted in kinds:
        worst = max(some, key=lambda line: line.growth)
        told = f"{name}: largest / smallest, at worst ({worst.owner}: {worst.name}: {worst.kind})"
        targets.append(Target(name=told, measured=worst.growth, bound=Bound.MOST, wanted=wanted))
    told = "status change, committed: everything kept / bare table, at worst"
    targets.append(Target(name=told, measured=max(writes), bound=Bound.MOST, wanted=2))
    return targets
