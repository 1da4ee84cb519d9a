"""Substrings are found through their index as a look into every row would find them, whatever happened to the rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import bindparam, delete, insert, text, update

from tests import shelf
from tests.contract.store.test_query_properties import is_like
from tests.postgresql import Cluster
from tests.rollback import rolled_back
from trivium.base.clock import SystemClock
from trivium.base.query import After, Condition, Offset, Op, Order, Query
from trivium.base.text import fold
from trivium.store import BadValue, Flavour, Read, Store, Write, query
from trivium.store.search_cache import Sample, SearchCache

HERE, THERE = 1, 2
ON_SHELF = query.Scope(shelf.books.c.shelf == bindparam("shelf"), parts=("shelf",))
ON_EITHER = query.Scope(shelf.books.c.shelf.in_((HERE, THERE)), parts=(HERE, THERE))

# What folding changes (ß, İ, Σ at the end of a word, full width, composition), what patterns mean, and what breaks
# statements: quotes, dashes, the index's own operators.
PIECES = (
    *(
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
    ),
    *("\\", '"', "'", "-", "*", "x", "AND", "NEAR(", "1x61", " ", "\n"),
)
TITLES = some.lists(some.sampled_from(PIECES), max_size=6).map("".join)
TERMS = TITLES | some.text(max_size=4).filter(lambda term: "\0" not in term)
ROWS = some.dictionaries(some.integers(1, 9), some.tuples(some.sampled_from((HERE, THERE, 3)), TITLES), max_size=9)
OPS = some.sampled_from((Op.CONTAINS, Op.LIKE, Op.NOT_CONTAINS, Op.NOT_LIKE))
CHANGES = some.lists(
    some.tuples(some.sampled_from(("rename", "move", "delete", "put")), some.integers(1, 9), TITLES), max_size=5
)

TERMS_TABLE = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab(main, books_title_grams, instance)"

every = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def put(tx: Write, number: int, title: str, on: int = HERE) -> None:
    shelf.fill(tx, [], [{"id": number, "uuid": UUID(int=number), "title": title, "shelf": on}])


def filled(store: Store, *titles: str, on: int = HERE) -> None:
    rows = [
        {"id": number, "uuid": UUID(int=number), "title": title, "title_folded": fold(title), "shelf": on}
        for number, title in enumerate(titles, on * 1_000_000)
    ]
    store.write_now(lambda tx: tx.run(insert(shelf.books), rows))


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

    rolled_back(store, look)
    assert store.write_now(index_of) == set()


@settings(parent=every, max_examples=25)
@given(
    titles=some.lists(some.text("ab测", max_size=24), min_size=1, max_size=40),
    holder=some.text("ab测", min_size=12, max_size=24),
    length=some.integers(1, 20),
)
def test_terms_of_every_length_are_found_where_their_grams_stand_in_order(
    store: Store, titles: list[str], holder: str, length: int
) -> None:
    titles = [*titles, holder, *(f"{holder[:place]}x{holder[place - 3 :]}" for place in range(4, len(holder)))]
    term = holder[1 : 1 + length]

    def look(tx: Write) -> None:
        for number, title in enumerate(titles, 1):
            put(tx, number, title)
        expected = [number for number, title in enumerate(titles, 1) if term in title]
        assert asked(tx, Op.CONTAINS, term) == expected[::-1]
        cache = SearchCache()
        cache.samples.put(("books_title_grams", (HERE,)), Sample((holder,) * 256, tx.now, 10**6))
        reading = Read(tx.connection, tx.flavour, tx.now, statements=tx.statements, search_cache=cache)
        assert counted(reading, term) == len(expected)  # by a phrase: all sampled titles hold the term

    rolled_back(store, look)


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
    for term, number, place in tx.fetch('SELECT term, doc, "offset" FROM temp.terms', ()):
        found.setdefault(number, {}).setdefault(place, []).append(term)
    texts: dict[int, str] = dict(tx.fetch("SELECT id, title_folded FROM books", ()))
    made: set[tuple[int, int, str]] = set()
    for number, terms in found.items():
        listed = [term for place in sorted(terms) for term in terms[place]]
        part, folded = listed[0].removesuffix("x"), texts[number]
        grams = [folded[place : place + size] for size in (1, 2, 3) for place in range(max(len(folded), 1))]
        grams += [folded[place : place + size] for size in (6, 9) for place in range(len(folded) - size + 1)]
        assert listed == [f"{part}x", *(f"{part}x{gram.encode().hex()}" for gram in grams)]
        made.add((number, int(part), folded))
    return made


def test_a_total_that_is_remembered_is_that_of_every_process(store: Store, database_url: str) -> None:
    filled(store, *[f"training {number}" for number in range(50)])
    assert count(store, "ning") == 50
    other = Store.open(database_url, SystemClock(), "cli")
    try:
        assert count(other, "ning") == 50
        other.write_now(put, 1, "another training")
        assert count(store, "ning") == 51
        store.write_now(lambda tx: tx.run(delete(shelf.books).where(shelf.books.c.id == 1)))
        assert count(other, "ning") == 50
    finally:
        other.close()


def test_a_view_keeps_its_total_while_others_write(store: Store) -> None:
    filled(store, *[f"training {number}" for number in range(50)])

    def look(tx: Read) -> tuple[int, int]:
        first = counted(tx, "ning")
        store.write_now(put, 1, "another training")
        return first, counted(tx, "ning")

    assert store.read_now(look) == (50, 50)
    assert count(store, "ning") == 51


def test_what_was_undone_is_remembered_by_nobody(store: Store) -> None:
    filled(store, "training")

    def look(tx: Write) -> None:
        put(tx, 1, "another training")
        assert counted(tx, "ning") == 2

    rolled_back(store, look)
    store.write_now(put, 2, "something else")  # as many changes as the transaction had that was undone
    assert count(store, "ning") == 1


def test_changes_of_anything_else_do_not_touch_the_index(store: Store) -> None:
    filled(store, *[f"training {number}" for number in range(50)])
    before = store.read_now(state_of)
    store.write_now(lambda tx: tx.run(update(shelf.books).values(colour="red", title=shelf.books.c.title, pages=3)))
    store.write_now(lambda tx: tx.run(update(shelf.books).values(title_folded=shelf.books.c.title_folded)))
    assert store.read_now(state_of) == before
    store.write_now(
        lambda tx: tx.run(update(shelf.books).values(title_folded="x").where(shelf.books.c.id == 1_000_007))
    )
    assert store.read_now(state_of) != before


def test_generations_are_summed_up_and_lose_nothing(store: Store) -> None:
    filled(store, *[f"training {number}" for number in range(300)])
    for number in range(300):
        title = f"other {number}"
        store.write_now(change, {1_000_000 + number: (HERE, "")}, "rename", 1_000_000 + number, title)
    rows = store.read_now(lambda tx: tx.all(text("SELECT changes FROM books_title_generations WHERE part = 1")))
    assert sum(row.changes for row in rows) == 900  # a renaming takes one away and brings one
    assert len(rows) <= 64


@pytest.mark.parametrize("term", ["needle", "测试", "z"])
def test_a_search_of_many_rows_asks_the_index(store: Store, term: str) -> None:
    filled(store, "a 测试 needle z", *[f"training {number % 97}" for number in range(3000)])
    if store.flavour is Flavour.POSTGRESQL:
        store.write_now(lambda tx: tx.connection.exec_driver_sql("ANALYZE") and None)
    for plans in (plans_of(store, term, total=False), plans_of(store, term, total=True)):
        for plan in plans:
            assert "books_title_grams_hashes" in plan or "VIRTUAL TABLE INDEX" in plan, plan
            assert "SCAN books" not in plan.replace("SCAN books_title_grams VIRTUAL", "")
            assert "Seq Scan" not in plan


@pytest.mark.postgresql
def test_a_common_word_is_found_along_the_newest_rows(postgres_url: str) -> None:
    store = Store.open(postgres_url, SystemClock(), "cli")
    try:
        store.write_now(shelf.make)
        filled(store, *[f"training {number}" for number in range(2000)])
        store.write_now(lambda tx: tx.connection.exec_driver_sql("ANALYZE") and None)
        (plan,) = plans_of(store, "training", total=False)
        assert "hashes" not in plan
        assert "Sort" not in plan, plan
        wanted = Query(where=where(Op.CONTAINS, "training"), page=Offset(limit=3))
        found = store.read_now(query.page, shelf.BOOKS, wanted, scope=(ON_SHELF.of(shelf=HERE),))
        assert [row.id for row in found.rows] == [1_001_999, 1_001_998, 1_001_997]
        # Where the newest rows promise more than there is, the index is asked after all.
        store.write_now(put, 4_000_000, "one rare title")
        sample = Sample(("rare",) * 256, store.clock.now(), 10**6)
        store.search_cache.samples.put(("books_title_grams", (HERE,)), sample)
        wanted = Query(where=where(Op.CONTAINS, "rare"), page=Offset(limit=3))
        found = store.read_now(query.page, shelf.BOOKS, wanted, scope=(ON_SHELF.of(shelf=HERE),))
        assert [row.id for row in found.rows] == [4_000_000]
    finally:
        store.close()


@pytest.mark.postgresql
def test_no_locale_has_a_say(postgres_cluster: Cluster) -> None:
    with postgres_cluster.database(locale="C") as url:
        store = Store.open(url, SystemClock(), "cli")
        try:
            store.write_now(shelf.make)
            filled(store, "测试数据", "数据", "Straße", "İzmir", "e\u0301t\u00e9", "ΣΊΣΥΦΟΣ")
            for term, wanted in (("测试", 1), ("数据", 2), ("据", 2), ("SSE", 1), ("i̇z", 1), ("été", 1), ("φος", 1)):
                assert count(store, term) == wanted, term
                assert len(store.read_now(asked, Op.LIKE, f"%{term}%")) == wanted, term
        finally:
            store.close()


def test_text_with_nul_is_refused(store: Store) -> None:
    with pytest.raises(BadValue):
        count(store, "a\0b")


def count(store: Store, term: str) -> int:
    return store.read_now(counted, term)


def counted(tx: Read, term: str) -> int:
    return query.count(tx, shelf.BOOKS, Query(where=where(Op.CONTAINS, term)), scope=(ON_SHELF.of(shelf=HERE),))


def state_of(tx: Read) -> list[Any]:
    """What the index's own tables hold, down to the places of rows."""
    if tx.flavour is Flavour.POSTGRESQL:
        return [
            tx.fetch(f"SELECT ctid::text, xmin::text, t.* FROM {table} AS t ORDER BY id", ())
            for table in ("books_title_grams", "books_title_generations")
        ]
    return [
        tx.fetch(f"SELECT * FROM {table}", ())
        for table in ("books_title_grams_data", "books_title_grams_idx", "books_title_generations")
    ]


class Explained(Read):
    """A view that also asks the database how it comes to the rows of tables, samples aside."""

    def __init__(self, tx: Read) -> None:
        super().__init__(tx.connection, tx.flavour, tx.now, statements=tx.statements, search_cache=tx.search_cache)
        self.plans: list[str] = []

    def fetch(self, sql: str, parameters: Any) -> list[Any]:
        if "title_folded" in sql or "count(" in sql:
            how = "EXPLAIN QUERY PLAN" if self.flavour is Flavour.SQLITE else "EXPLAIN"
            self.plans.append("\n".join(str(row[-1]) for row in super().fetch(f"{how} {sql}", parameters)))
        return super().fetch(sql, parameters)


def plans_of(store: Store, term: str, *, total: bool) -> list[str]:
    """The database's own plans of the statements that a page or a total of a search takes."""

    def look(tx: Read) -> list[str]:
        ask = query.count if total else query.page
        search, scope = Query(where=where(Op.CONTAINS, term), total=False), (ON_SHELF.of(shelf=HERE),)
        ask(tx, shelf.BOOKS, search, scope=scope)  # takes the sample
        store.search_cache.clear_totals()
        explained = Explained(tx)
        ask(explained, shelf.BOOKS, search, scope=scope)
        return explained.plans

    return store.read_now(look)
