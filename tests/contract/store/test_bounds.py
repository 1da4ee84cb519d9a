"""Which questions say of themselves that their cost does not grow, and whether the databases agree."""

from __future__ import annotations

import pytest

from trivium.base.query import After, Condition, Offset, Op, Order, Query
from trivium.dialects.scnet.notebooks.shapes import ListQuery
from trivium.dialects.scnet.notebooks.translation import list_query, may_grow
from trivium.dialects.scnet.statuses import MEANT
from trivium.resources.notebooks.table import LISTED, NOTEBOOKS
from trivium.store import query
from trivium.store.shapes import Shapes

FAR = Offset(limit=20, offset=1_000_000)


def where(field: str, op: Op, value: object) -> tuple[Condition, ...]:
    return (Condition(field=field, op=op, value=value),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "bounded"),
    [
        (Query(), True),
        (Query(page=After(limit=20, key=(7,))), True),
        (Query(page=FAR), True),
        (Query(where=where("status", Op.EQ, "running")), True),
        (Query(where=where("status", Op.IN, ("running", "saving"))), True),
        (Query(where=where("status", Op.IN, ("running", "saving")), page=FAR), True),
        (Query(where=where("id", Op.IN, tuple(range(100)))), True),
        (Query(order=(Order(field="id"),)), True),
        (Query(order=(Order(field="created_at"),)), False),
        (Query(where=where("kind", Op.EQ, "cpu")), False),
        (Query(where=where("kind", Op.EQ, "cpu"), total=False), False),
        (Query(where=where("kind", Op.EQ, "cpu"), page=Offset(limit=0)), False),
        (Query(where=where("name", Op.CONTAINS, "job")), False),
        (Query(where=where("status", Op.NE, "running")), False),
    ],
)
def test_a_question_is_bounded_where_an_index_and_a_counter_answer_it(asked: Query, bounded: bool) -> None:
    shapes = Shapes()
    for _ in range(2):  # the second answer is the kept one
        assert query.is_bounded(shapes, NOTEBOOKS, asked, scope=(LISTED.of(project=1),)) is bounded
    assert not query.is_bounded(shapes, NOTEBOOKS, asked, scope=()) or not asked.where or asked.where[0].field == "id"


def test_values_do_not_matter_but_how_many_they_are() -> None:
    shapes, scope = Shapes(), (LISTED.of(project=1),)
    statuses = ("running", "saving", "stopped", "failed", "creating", "starting", "stopping", "deleting", "deleted")
    few, many = (Query(where=where("status", Op.IN, statuses[:number])) for number in (8, 9))
    assert query.is_bounded(shapes, NOTEBOOKS, few, scope=scope)
    assert not query.is_bounded(shapes, NOTEBOOKS, many, scope=scope)


@pytest.mark.parametrize("page", ["1", "2", "50000"])
@pytest.mark.parametrize("name", [None, "job"])
@pytest.mark.parametrize("word", [None, *MEANT])
def test_scnet_takes_for_bounded_what_the_store_takes_for_bounded(
    word: str | None, name: str | None, page: str
) -> None:
    asked = list_query(ListQuery(notebook_status=word, notebook_name=name, page=page, size="20"))
    assert may_grow(asked) is not query.is_bounded(Shapes(), NOTEBOOKS, asked, scope=(LISTED.of(project=1),))
