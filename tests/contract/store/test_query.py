"""The query engine's promises beside its answers: what it refuses, what it keeps, how a room bounds it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import bindparam, or_

from tests import shelf
from trivium.base.query import After, Condition, Offset, Op, Order, Query
from trivium.store import BadOperator, BadValue, Read, Store, UnknownField, UnknownRelation, query
from trivium.store.bounded_cache import BoundedCache

ON_SHELF = query.Scope(shelf.books.c.shelf == bindparam("shelf"))
SEEN = query.Scope(
    or_(shelf.books.c.owner_id == bindparam("who"), shelf.books.c.shelf.in_(bindparam("open", expanding=True)))
)


def book(number: int, **changed: Any) -> dict[str, Any]:
    """A book whose shelf is the last digit of its number."""
    row = {
        "id": number,
        "uuid": UUID(int=number),
        "title": f"Book {number}",
        "shelf": number % 10,
        "owner_id": number % 3,
    }
    return {**row, **changed}


def filled(store: Store, *rows: dict[str, Any]) -> None:
    store.write_now(lambda tx: shelf.fill(tx, [], rows))


def ids(store: Store, asked: Query, *scope: query.Condition) -> list[int]:
    found = store.read_now(lambda tx: query.page(tx, shelf.BOOKS, asked, scope=scope))
    assert found.total == len(found.rows)
    return sorted(row.id for row in found.rows)


def where(field: str, op: Op, value: Any = None) -> Query:
    return Query(where=(Condition(field=field, op=op, value=value),), page=Offset(limit=100))


@pytest.mark.parametrize(
    ("asked", "error", "field"),
    [
        (where("nothing", Op.EQ, 1), UnknownField, "nothing"),
        (where("owner.nothing", Op.EQ, 1), UnknownField, "owner.nothing"),
        (where("nobody.name", Op.EQ, "x"), UnknownRelation, "nobody.name"),
        (where("owner.boss.boss.boss.boss.boss.boss.name", Op.EQ, "x"), UnknownRelation, None),
        (where("title.name", Op.EQ, "x"), UnknownRelation, "title.name"),
        (where("", Op.EQ, 1), UnknownField, ""),
        (where("lent", Op.LIKE, "t%"), BadOperator, "lent"),
        (where("lent", Op.GT, True), BadOperator, "lent"),
        (where("note", Op.CONTAINS, "no folded column"), BadOperator, "note"),
        (where("secret", Op.EQ, "x"), BadOperator, "secret"),
        (where("pages", Op.EQ, "1"), BadValue, "pages"),
        (where("pages", Op.EQ, True), BadValue, "pages"),
        (where("pages", Op.EQ, 1 << 63), BadValue, "pages"),
        (where("pages", Op.EQ), BadValue, "pages"),
        (where("pages", Op.IN, 1), BadValue, "pages"),
        (where("pages", Op.IN, tuple(range(1025))), BadValue, "pages"),
        (where("pages", Op.NULL, 1), BadValue, "pages"),
        (where("weight", Op.EQ, float("nan")), BadValue, "weight"),
        (where("weight", Op.EQ, 10**400), BadValue, "weight"),
        (where("lent", Op.EQ, 1), BadValue, "lent"),
        (where("title", Op.EQ, "a\0b"), BadValue, "title"),
        (where("title", Op.CONTAINS, "\ud800"), BadValue, "title"),
        (where("title", Op.LIKE, "a" * 4097), BadValue, "title"),
        (where("colour", Op.EQ, "pink"), BadValue, "colour"),
        (where("bought", Op.EQ, datetime(2026, 1, 1)), BadValue, "bought"),  # noqa: DTZ001 - that is what is wrong
        (where("uuid", Op.EQ, "x"), BadValue, "uuid"),
        (Query(where=where("shelf", Op.EQ, 1).where * 65), BadValue, "where"),
        (Query(order=(Order(field="nothing"),)), UnknownField, "nothing"),
        (Query(order=(Order(field="owner.name"),)), UnknownField, "owner.name"),
        (Query(order=(Order(field="secret"),)), BadOperator, "secret"),
        (Query(fields=("nothing",)), UnknownField, "nothing"),
        (Query(page=Offset(limit=-1)), BadValue, "limit"),
        (Query(page=Offset(limit=1, offset=-1)), BadValue, "offset"),
        (Query(page=Offset(limit=1, offset=1 << 63)), BadValue, "offset"),
        (Query(page=After(limit=1, key=())), BadValue, "page"),
        (Query(page=After(limit=1, key=(None,))), BadValue, "page"),
        (Query(page=After(limit=1, key=("x",))), BadValue, "page"),
        (Query(order=(Order(field="title"),), page=After(limit=1, key=("x", 1, 1))), BadValue, "page"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_and_says_which_field(
    store: Store, asked: Query, error: type[UnknownField | BadOperator | BadValue], field: str | None
) -> None:
    with pytest.raises(error) as refused:
        store.read_now(lambda tx: query.page(tx, shelf.BOOKS, asked))
    assert field is None or refused.value.field == field
    assert refused.value.message


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("测试", [1]),
        ("试", [1]),
        ("数", [1, 2]),
        ("QW", [3, 4]),
        ("qwen%", [4]),
        ("_", [5]),
        ("\\", [6]),
        ("", [1, 2, 3, 4, 5, 6]),
        ("ß", [2]),
        ("%%", []),
    ],
)
def test_a_substring_is_found_as_it_is_written_whatever_its_length_and_case(
    store: Store, term: str, found: list[int]
) -> None:
    titles = ("测试数据", "数ss", "Qwen", "qwen％3", "a_b", "c:\\d")
    filled(store, *(book(number, title=title) for number, title in enumerate(titles, 1)))
    assert ids(store, where("title", Op.CONTAINS, term)) == found
    everything = {1, 2, 3, 4, 5, 6}
    assert ids(store, where("title", Op.NOT_CONTAINS, term)) == sorted(everything - set(found))


def test_text_has_the_order_of_its_code_points(store: Store) -> None:
    titles = ["Z", "a", "É", "中", "\U0001f600", "\uffee", "b"]
    filled(store, *(book(number, title=title) for number, title in enumerate(titles)))
    asked = Query(order=(Order(field="title"),))
    found = store.read_now(lambda tx: query.page(tx, shelf.BOOKS, asked))
    assert [row.title for row in found.rows] == sorted(titles)


def test_a_scope_bounds_pages_and_totals(store: Store) -> None:
    filled(store, *(book(number) for number in range(1, 21)))
    everything = Query(page=Offset(limit=100))
    assert ids(store, everything, ON_SHELF.of(shelf=3)) == [3, 13]
    assert ids(store, everything, ON_SHELF.of(shelf=4)) == [4, 14]
    assert ids(store, everything, shelf.books.c.shelf == 5) == [5, 15]
    assert ids(store, where("id", Op.GT, 10), ON_SHELF.of(shelf=3), shelf.books.c.owner_id == 1) == [13]
    for opened in ([], [5], [5, 6, 7]):
        wanted = [number for number in range(1, 21) if number % 3 == 1 or number % 10 in opened]
        assert ids(store, everything, SEEN.of(who=1, open=opened)) == wanted
        clause = or_(shelf.books.c.owner_id == 1, shelf.books.c.shelf.in_(opened))
        assert ids(store, everything, clause, SEEN.of(who=1, open=[5, *opened])) == wanted


def test_a_shape_is_compiled_once_and_values_are_no_part_of_it(store: Store) -> None:
    filled(store, *(book(number) for number in range(1, 21)))
    for number in range(1, 10):
        asked = Query(where=(Condition(field="id", op=Op.IN, value=tuple(range(number, number + 5))),), total=False)
        found = store.read_now(
            lambda tx, asked=asked, of=number: query.page(tx, shelf.BOOKS, asked, scope=(ON_SHELF.of(shelf=of),))
        )
        assert [row.id for row in found.rows] == [number]
        assert len(store.statements) == 1


def test_the_shapes_that_callers_make_do_not_fill_the_memory() -> None:
    shapes = BoundedCache(most=8)
    for number in range(100):
        shapes.put(number, f"plan {number}")
        assert shapes.get(number) == f"plan {number}"
        assert len(shapes) <= 8


def test_a_page_of_no_rows_still_has_its_total(store: Store) -> None:
    filled(store, book(1), book(2))
    found = store.read_now(lambda tx: query.page(tx, shelf.BOOKS, Query(page=Offset(limit=0))))
    assert (found.rows, found.total, found.next) == ([], 2, None)
    beyond = store.read_now(lambda tx: query.page(tx, shelf.BOOKS, Query(page=Offset(limit=5, offset=10))))
    assert (beyond.rows, beyond.total, beyond.next) == ([], 2, None)


def test_a_page_and_its_total_are_of_the_same_moment(store: Store) -> None:
    filled(store, *(book(number) for number in range(1, 6)))

    def look(tx: Read) -> tuple[query.Found, query.Found]:
        first = query.page(tx, shelf.BOOKS, Query(page=Offset(limit=2)))
        filled(store, book(6))  # another connection, in the middle of this view
        return first, query.page(tx, shelf.BOOKS, Query(page=Offset(limit=2)))

    for found in store.read_now(look):
        assert found.total == 5
        assert [row.id for row in found.rows] == [5, 4]
    assert store.read_now(lambda tx: query.count(tx, shelf.BOOKS, Query())) == 6


def test_times_come_back_in_utc(store: Store) -> None:
    moment = datetime(2026, 11, 4, 18, 20, 7, 123456, UTC)
    filled(store, book(1, bought=moment))
    (row,) = store.read_now(lambda tx: query.page(tx, shelf.BOOKS, Query(fields=("bought", "uuid")))).rows
    assert row == (moment, UUID(int=1))
    assert row.bought.utcoffset() == moment.utcoffset()
