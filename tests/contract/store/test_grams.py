"""Substrings are found through their index as a look into every row would find them, whatever happened to the rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import bindparam, delete, select, text, update

from tests import shelf
from tests.contract.store.test_query_properties import is_like
from trivium.base.clock import SystemClock
from trivium.base.query import After, Condition, Offset, Op, Order, Query
from trivium.base.text import fold
from trivium.store import BadValue, Flavour, Read, Store, Write, query
from trivium.store.database import engine_for

HERE, THERE = 1, 2
ON_SHELF = query.Scope(shelf.books.c.shelf == bindparam("shelf"), parts=("shelf",))
ON_EITHER = query.Scope(shelf.books.c.shelf.in_((HERE, THERE)), parts=(HERE, THERE))

# What folding changes (ß, İ, Σ at the end of a word, full width, composition), what patterns mean, and what breaks
# statements: quotes, dashes, the index's own operators.
TITLES = some.lists(
    some.sampled_from(
        [
            "a",
            "b",
            "A",
            "ab",
            "测",
            "试",
            "测试",
            "数据",
            "ß",
            "ss",
            "İ",
            "i̇",
            "Σ",
            "ς",
            "😀",
            "e\u0301",
            "é",
            "％",
            "%",
            "_",
        ]
        + ["\\", '"', "'", "-", "*", " ", "x", "AND", "NEAR(", "1x61", "\n"]
    ),
    max_size=6,
).map("".join)
TERMS = TITLES | some.text(max_size=4).filter(lambda term: "\0" not in term)
ROWS = some.dictionaries(some.integers(1, 9), some.tuples(some.sampled_from((HERE, THERE, 3)), TITLES), max_size=9)
OPS = some.sampled_from((Op.CONTAINS, Op.LIKE, Op.NOT_CONTAINS, Op.NOT_LIKE))
CHANGES = some.lists(
    some.tuples(some.sampled_from(("rename", "move", "delete", "put")), some.integers(1, 9), TITLES), max_size=5
)

TERMS_TABLE = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab(main, books_title_grams, instance)"

every = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store.open(database_url, SystemClock(), "cli")
    opened.write_now(shelf.make)
    yield opened
    opened.close()


class Undone(Exception):
    """Ends a transaction whose work must not stay."""


def put(tx: Write, number: int, title: str, on: int = HERE) -> None:
    shelf.fill(tx, [], [{"id": number, "uuid": UUID(int=number), "title": title, "shelf": on}])


def filled(store: Store, *titles: str, on: int = HERE) -> None:
    def fill(tx: Write) -> None:
        for number, title in enumerate(titles, on * 1_000_000):
            put(tx, number, title, on)

    store.write_now(fill)


def change(tx: Write, rows: dict[int, tuple[int, str]], what: str, number: int, title: str) -> None:
    """Do one thing to a book, and to what is told of it."""
    place = shelf.books.c.id == number
    if what == "put" and number not in rows:
        put(tx, number, title)
        rows[number] = (HERE, title)
    elif what == "rename" and number in rows:
        tx.run(update(shelf.books).where(place).values(title=title, title_folded=fold(title)))
        rows[number] = (rows[number][0], title)
    elif what == "move" and number in rows:
        tx.run(update(shelf.books).where(place).values(shelf=THERE))
        rows[number] = (THERE, rows[number][1])
    elif what == "delete":
        tx.run(delete(shelf.books).where(place))
        rows.pop(number, None)


def holds(op: Op, title: str, term: str) -> bool:
    folded = fold(title)
    found = fold(term) in folded if op in (Op.CONTAINS, Op.NOT_CONTAINS) else is_like(folded, term)
    return found if op in (Op.CONTAINS, Op.LIKE) else not found


def where(op: Op, term: str) -> tuple[Condition, ...]:
    return (Condition(field="title", op=op, value=term),)


def asked(tx: Read, op: Op, term: str, *, scope: Any = None, order: tuple[Order, ...] = ()) -> list[int]:
    """The ids that both walks over the pages give, with the same total on each page."""
    scope = (scope or ON_SHELF.of(shelf=HERE),)
    wanted = Query(where=where(op, term), order=order, page=Offset(limit=2))
    total = query.count(tx, shelf.BOOKS, wanted, scope=scope)
    by_offset, by_key = list[int](), list[int]()
    for offset in range(0, total + 1, 2):
        page = Query(where=wanted.where, order=order, page=Offset(limit=2, offset=offset))
        found = query.page(tx, shelf.BOOKS, page, scope=scope)
        assert found.total == total
        by_offset += [row.id for row in found.rows]
    found = query.page(tx, shelf.BOOKS, wanted, scope=scope)
    by_key += [row.id for row in found.rows]
    while found.next is not None:
        following = Query(where=wanted.where, order=order, page=After(limit=2, key=found.next))
        found = query.page(tx, shelf.BOOKS, following, scope=scope)
        by_key += [row.id for row in found.rows]
    assert by_offset == by_key
    assert len(by_key) == total
    return by_key


@every
@given(rows=ROWS, changes=CHANGES, op=OPS, term=TERMS)
def test_whatever_happened_to_the_rows_a_search_finds_what_a_look_into_each_finds(
    store: Store, rows: dict[int, tuple[int, str]], changes: list[tuple[str, int, str]], op: Op, term: str
) -> None:
    rows = dict(rows)

    def look(tx: Write) -> None:
        for number, (on, title) in rows.items():
            put(tx, number, title, on)
        for what, number, title in changes:
            change(tx, rows, what, number, title)
        here = [number for number, (on, title) in rows.items() if on == HERE and holds(op, title, term)]
        either = [number for number, (on, title) in rows.items() if on in (HERE, THERE) and holds(op, title, term)]
        assert asked(tx, op, term) == sorted(here, reverse=True)
        assert asked(tx, op, term, order=(Order(field="id"),)) == sorted(here)
        assert asked(tx, op, term, scope=ON_EITHER.of()) == sorted(either, reverse=True)
        by_title = sorted(sorted(here, reverse=True), key=lambda number: rows[number][1])
        assert asked(tx, op, term, order=(Order(field="title"),)) == by_title
        assert index_of(tx) == {(number, on, fold(title)) for number, (on, title) in rows.items()}
        raise Undone

    with pytest.raises(Undone):
        store.write_now(look)
    assert store.read_now(index_of) == set()


@settings(parent=every, max_examples=25)
@given(rows=ROWS, changes=CHANGES, terms=some.lists(some.tuples(OPS, TERMS), min_size=1, max_size=4))
def test_what_is_remembered_of_searches_is_never_wrong(
    store: Store, rows: dict[int, tuple[int, str]], changes: list[tuple[str, int, str]], terms: list[tuple[Op, str]]
) -> None:
    rows = dict(rows)

    def refill(tx: Write) -> None:
        tx.run(delete(shelf.books))
        for number, (on, title) in rows.items():
            put(tx, number, title, on)

    def check() -> None:
        for op, term in terms * 2:
            here = [number for number, (on, title) in rows.items() if on == HERE and holds(op, title, term)]
            assert store.read_now(asked, op, term) == sorted(here, reverse=True)

    store.write_now(refill)
    check()
    for what, number, title in changes:
        store.write_now(change, rows, what, number, title)
        check()


def index_of(tx: Read) -> set[tuple[int, int, str]]:
    """What the index has: ids, parts and texts, once all grams are seen to be those of the texts."""
    if tx.flavour is Flavour.POSTGRESQL:
        return {
            (row.id, row.part, row.folded) for row in tx.all(text("SELECT id, part, folded FROM books_title_grams"))
        }
    tx.connection.exec_driver_sql(TERMS_TABLE)
    found: dict[int, dict[int, list[str]]] = {}
    for term, number, place in tx.all(text('SELECT term, doc, "offset" FROM temp.terms')):
        found.setdefault(number, {}).setdefault(place, []).append(term)
    texts = dict(iter(tx.all(select(shelf.books.c.id, shelf.books.c.title_folded))))
    made: set[tuple[int, int, str]] = set()
    for number, terms in found.items():
        listed = [term for place in sorted(terms) for term in terms[place]]
        part, folded = listed[0].removesuffix("x"), texts[number]
        grams = [folded[place : place + size] for size in (1, 2, 3) for place in range(max(len(folded), 1))]
        assert listed == [f"{part}x", *(f"{part}x{gram.encode().hex()}" for gram in grams)]
        made.add((number, int(part), folded))
    return made
