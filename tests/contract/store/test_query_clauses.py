"""What the query engine promises of clauses, aliases, folded fields and groups, beside its answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests import depot
from trivium.base.clock import SystemClock
from trivium.base.query import After, AllOf, AnyOf, Clause, Condition, Not, Offset, Op, Order, Query, Related
from trivium.store import BadOperator, BadValue, Field, Store, UnknownField, UnknownRelation, fields, query

NAMED = Condition(field="name", op=Op.EQ, value="A")
CENTER = UUID(int=7)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store with the depot's tables and a few rows."""
    opened = Store.open(database_url, SystemClock(), "cli")
    opened.write_now(depot.make)
    opened.write_now(depot.fill, {"models": [model(1), model(2, name="a"), model(3, name="ß", center_uuid=CENTER)]})
    yield opened
    opened.close()


def model(number: int, **changed: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "uuid": UUID(int=number),
        "name": "A",
        "note": None,
        "size": (1 << 62) + number,
        "latest": None,
        "gpus": None,
        "center_uuid": None,
        "created_at": datetime(2025, 11, 4, 10, 20, 7, number, UTC),
    }
    return {**row, **changed}


def ids(store: Store, tree: Clause | None = None, **asked: Any) -> list[int]:
    found = store.read_now(lambda tx: query.page(tx, depot.MODELS, Query(tree=tree, **asked)))
    assert found.total == len(found.rows)
    return [row.id for row in found.rows]


def test_a_field_that_is_compared_folded_is_refused_without_a_column_that_has_it_so() -> None:
    for type_ in (fields.caseless, fields.members):
        with pytest.raises(ValueError, match="note is compared folded"):
            Field("note", type_, depot.models.c.note)


def test_every_operator_sees_caseless_text_folded(store: Store) -> None:
    for op, value, found in [
        (Op.EQ, "a", [2, 1]),
        (Op.NE, "a", [3]),
        (Op.IN, ("SS", "x"), [3]),
        (Op.NOT_IN, ("SS",), [2, 1]),
        (Op.LT, "B", [2, 1]),
        (Op.GE, "ẞ", [3]),
        (Op.LIKE, "S_", [3]),
        (Op.CONTAINS, "S", [3]),
    ]:
        assert ids(store, Condition(field="name", op=op, value=value)) == found, op
    assert ids(store, order=(Order(field="name"), Order(field="id"))) == [1, 2, 3]


def test_clauses_without_parts_hold_always_or_never(store: Store) -> None:
    assert ids(store, AllOf(parts=())) == [3, 2, 1]
    assert ids(store, AnyOf(parts=())) == []
    assert ids(store, Not(part=AnyOf(parts=()))) == [3, 2, 1]


def test_an_alias_stands_for_its_way_and_each_relation_of_it_counts() -> None:
    assert [hop.name for hop in depot.MODELS.path("services.name")[0]] == ["refs", "service"]
    assert [hop.name for hop in depot.MODELS.walk("services.center")[0]] == ["refs", "service", "center"]
    depot.MODELS.path("services.refs.model.services.name")  # six
    with pytest.raises(UnknownRelation):
        depot.MODELS.path("services.refs.model.services.center.name")


def test_a_relation_that_only_reads_its_key_is_our_own_side_of_it(store: Store) -> None:
    assert depot.MODELS.path("center.uuid")[0] == ()
    assert [hop.name for hop in depot.MODELS.path("refs.model_uuid")[0]] == ["refs"]  # may be none of
    assert ids(store, Condition(field="center.uuid", op=Op.EQ, value=CENTER)) == [3]  # though there is no such centre
    assert ids(store, Condition(field="center.uuid", op=Op.NULL)) == [2, 1]


def deep(levels: int) -> Clause:
    found: Clause = NAMED
    for _ in range(levels):
        found = Not(part=found)
    return found


@pytest.mark.parametrize(
    ("tree", "error"),
    [
        (deep(33), BadValue),
        (AllOf(parts=(NAMED,) * 65), BadValue),
        (AnyOf(parts=(AllOf(parts=()),) * 65), BadValue),
        (
            AllOf(parts=tuple(Condition(field="size", op=Op.IN, value=tuple(range(n, n + 1024))) for n in range(17))),
            BadValue,
        ),
        (Condition(field="created_at", op=Op.IN, value=(datetime(2025, 1, 1, tzinfo=UTC),) * 65), BadValue),
        (Condition(field="created_at", op=Op.LE, value=datetime.max.replace(tzinfo=UTC)), BadValue),
        (Condition(field="name", op=Op.EQ, value="\ufdfa" * 300), BadValue),
        (Condition(field="created_at", op=Op.CONTAINS, value="x"), BadOperator),
        (Related(path="nothing", part=NAMED), UnknownRelation),
        (Related(path="center", part=Condition(field="size", op=Op.EQ, value=1)), UnknownField),
        (
            Related(
                path="center.models.center", part=Condition(field="models.center.models.name", op=Op.EQ, value="a")
            ),
            None,
        ),
        (
            Related(
                path="center.models.center",
                part=Condition(field="models.center.models.center.name", op=Op.EQ, value="a"),
            ),
            UnknownRelation,
        ),
        (
            Related(
                path="center.models.center.models", part=Related(path="center.models.center", part=AllOf(parts=()))
            ),
            UnknownRelation,
        ),
    ],
)
def test_clauses_have_bounds(store: Store, tree: Clause, error: type[Exception] | None) -> None:
    if error is None:
        assert ids(store, tree) == []
        return
    with pytest.raises(error):
        ids(store, tree)


def test_thirty_two_levels_of_clauses_are_taken(store: Store) -> None:
    assert ids(store, deep(32)) == [2, 1]


def test_groups_have_pages_by_offset_and_after_a_key(store: Store) -> None:
    found = store.read_now(lambda tx: query.page(tx, depot.MODELS, Query(group=("name",), page=Offset(limit=1))))
    assert ([row.id for row in found.rows], found.total) == ([3], 2)
    assert found.next is not None
    key = found.next
    after = store.read_now(
        lambda tx: query.page(tx, depot.MODELS, Query(group=("name",), page=After(limit=5, key=key)))
    )
    assert [row.id for row in after.rows] == [2]
    with pytest.raises(UnknownField):
        ids(store, group=("nothing",))


def test_sums_beyond_what_a_database_holds_are_exact(store: Store) -> None:
    (found,) = store.read_now(lambda tx: query.summed(tx, depot.MODELS, Query(), of=("size",)))
    assert (found.rows, found.sums) == (3, (3 * (1 << 62) + 6,))


@pytest.mark.parametrize(
    ("asked", "of", "error"),
    [
        (Query(), "name", BadOperator),
        (Query(), "nothing", UnknownField),
        (Query(group=("name",), order=(Order(field="size"),)), "size", BadOperator),
        (Query(page=After(limit=1, key=(1,))), "size", BadValue),
    ],
)
def test_sums_of_what_is_no_number_are_refused(store: Store, asked: Query, of: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        store.read_now(lambda tx: query.summed(tx, depot.MODELS, asked, of=(of,)))


def test_times_that_count_by_the_second_are_equal_within_it(store: Store) -> None:
    at = datetime(2025, 11, 4, 10, 20, 7, tzinfo=UTC)
    assert ids(store, Condition(field="created_at", op=Op.EQ, value=at)) == [3, 2, 1]
    assert ids(store, Condition(field="created_at", op=Op.GT, value=at)) == []
    assert ids(store, Condition(field="created_at", op=Op.LIKE, value="% 10:20:07")) == [3, 2, 1]
    eight = timedelta(hours=8)
    assert ids(store, Condition(field="created_at", op=Op.LIKE, value="% 18:20:07"), utc_offset=eight) == [3, 2, 1]
    assert ids(store, group=("created_at",)) == [3]
