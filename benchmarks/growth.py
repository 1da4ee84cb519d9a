"""How lists grow: pages, totals and searches of an owner of 10, of 1,000 and of half of all notebooks.

The same is asked of data sets of several sizes, in turn, and each time is held against that of the smallest one. Asked
is the query engine, as the list's handler asks it, and then the whole server over HTTP. Totals of searches are shown
twice: counted for the first time after a name has changed, and asked again.
"""

from __future__ import annotations

import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import text

from benchmarks.growth_http import Asked, measured
from benchmarks.growth_rows import CHINESE, COMMON, Owner, Rows, rows_of
from benchmarks.plan import Plan
from trivium.base.clock import SystemClock
from trivium.base.query import After, Condition, Offset, Op, Query
from trivium.base.values import Value
from trivium.resources.notebooks.table import LISTED, NOTEBOOKS
from trivium.store import Read, Store, Write, query

LIMIT: Final = 20
ABSENT: Final = "zzqqyy"
COMMON_GRAMS: Final = "llama-train-qwen"  # no name has it, though many have each three characters of it
FEW_ROUNDS: Final = 15


class _Case(Value, frozen=True, kw_only=True):
    """A question, as one owner asks it of one data set."""

    name: str
    asked: Query
    is_search: bool


class _Site:
    """A data set that is open."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.store = Store.open(rows.url, SystemClock(), "cli")

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
        folder = plan.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trivium-growth-")))
        folder.chmod(0o711)
        sites = [_Site(rows_of(rows, folder, plan.database)) for rows in plan.sizes]
        for site in sites:
            stack.callback(site.store.close)
        rounds = max(plan.rounds, FEW_ROUNDS)
        _print_head(plan, sites, rounds)
        for place, owner in enumerate(sites[0].rows.owners):
            _print_owner(owner.name, [site.rows.owners[place].rows for site in sites])
            _measure(sites, place, rounds)
        _print_writes(sites, rounds)
        _print_http(measured([site.rows for site in sites], plan.database, rounds))


def _cases(site: _Site, owner: Owner) -> list[_Case]:
    middle, rare = site.store.read_now(_middle, owner)
    pages = {
        "first page": Offset(limit=LIMIT),
        "after a key in the middle": After(limit=LIMIT, key=(middle,)),
        "offset in the middle": Offset(limit=LIMIT, offset=owner.rows // 2),
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


def _measure(sites: Sequence[_Site], place: int, rounds: int) -> None:
    """Each question to each data set in turn, so often, once everything is warm."""
    asked = [(site, site.rows.owners[place], _cases(site, site.rows.owners[place])) for site in sites]
    for number, case in enumerate(asked[0][2]):
        kinds = ["page", "total, first", "total, again"] if case.is_search else ["page", "total"]
        for kind in kinds:
            times: list[list[float]] = [[] for _ in sites]
            for turn in range(rounds + 1):
                for index, (site, owner, cases) in enumerate(asked):
                    ask = {"page": site.page, "total, first": site.first_total}.get(kind, site.total)
                    took = ask(owner, cases[number].asked)
                    if turn:
                        times[index].append(took)
            _print_times(f"{case.name}: {kind}", [statistics.median(each) for each in times])


def _print_head(plan: Plan, sites: Sequence[_Site], rounds: int) -> None:
    store = sites[0].store
    database = f"SQLite {sqlite3.sqlite_version}"
    if plan.database is not None:
        database = f"PostgreSQL {store.read_now(lambda tx: tx.value(text('SHOW server_version')))}"
    print(f"growth: notebooks of 1,000 projects, sizes by Zipf's law; {database}; a page is of {LIMIT}")
    print(f"      medians of {rounds} in turn, µs, and how many times that of the smallest; {psutil.cpu_count()} cores")
    print(f"      trivium {version('trivium')}, Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}")
    print(f"      {'rows':<50}" + "".join(f"{site.rows.rows:>13,}      " for site in sites))


def _print_owner(name: str, rows: Sequence[int]) -> None:
    print(f"      {f'the owner of {name}':<50}" + "".join(f"{count:>13,}      " for count in rows))


def _print_times(name: str, seconds: Sequence[float]) -> None:
    first = seconds[0]
    print(f"        {name:<48}" + "".join(f"{each * 1e6:>13.0f}{f'{each / first:.2f}':>6}" for each in seconds))


def _print_http(found: Sequence[Asked]) -> None:
    print("      over HTTP: SCNet's notebook/list with its total, the whole server")
    for asked in found:
        _print_times(f"{asked.owner}: {asked.name}", asked.seconds)


BARE: Final = (
    "DROP TABLE IF EXISTS bare",
    "CREATE TABLE bare AS SELECT * FROM notebooks",
    "CREATE UNIQUE INDEX ix_bare_id ON bare (id)",
)


def _print_writes(sites: Sequence[_Site], rounds: int) -> None:
    """A status change of one row, with everything kept, against the same of a table that keeps nothing."""
    kept: list[list[tuple[float, float]]] = [[] for _ in sites]
    bare: list[list[tuple[float, float]]] = [[] for _ in sites]
    middles = [site.store.read_now(_middle, site.rows.owners[0])[0] for site in sites]
    for site in sites:
        site.store.write_now(lambda tx: [tx.connection.exec_driver_sql(each) for each in BARE] and None)
    for turn in range(rounds * 2):
        status = "failed" if turn % 2 else "stopped"
        for index, site in enumerate(sites):
            for table, times in (("notebooks", kept), ("bare", bare)):
                times[index].append(_changed(site.store, table, middles[index], status=status))
    for number, what in enumerate(("committed", "the statement alone")):
        print(f"      a status change of one row, {what}")
        both = [[statistics.median(each[number] for each in times) for times in table] for table in (kept, bare)]
        _print_times("with everything kept", both[0])
        _print_times("in a bare table", both[1])
        ratios = "".join(f"{one / other:>19.2f}" for one, other in zip(*both, strict=True))
        print(f"        {'with everything kept, to the bare one':<48}{ratios}")


def _changed(store: Store, table: str, id: int, *, status: str) -> tuple[float, float]:
    """Seconds until it was committed, and of the statement."""

    def change(tx: Write) -> float:
        began = time.perf_counter()
        tx.run(text(f"UPDATE {table} SET status = :status WHERE id = :id"), {"status": status, "id": id})
        return time.perf_counter() - began

    began = time.perf_counter()
    alone = store.write_now(change)
    return time.perf_counter() - began, alone
