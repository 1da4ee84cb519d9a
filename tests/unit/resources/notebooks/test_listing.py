"""Which lists of notebooks are searches."""

from __future__ import annotations

import pytest

from trivium.base.query import Condition, Op, Order, Query, Scalar
from trivium.resources.notebooks import NotebookScope, may_grow
from trivium.resources.tags import Tag


def equal(field: str, value: Scalar) -> Condition:
    return Condition(field=field, op=Op.EQ, value=value)


STATUSES = Condition(field="status", op=Op.IN, value=("running", "saving"))
ORDINARY, FREE, ELSEWHERE = equal("feature", "ordinary"), equal("feature", "free"), equal("workspace", 5)


@pytest.mark.parametrize(
    "where", [(), (STATUSES,), (equal("status", "running"), ORDINARY), (FREE,), (ELSEWHERE,), (ORDINARY, ELSEWHERE)]
)
def test_what_indexes_answer_is_no_search(where: tuple[Condition, ...]) -> None:
    assert not may_grow(Query(where=where))
    assert not may_grow(Query(where=where, order=(Order("id", descending=True),)))
    assert may_grow(Query(where=where, order=(Order("name"),)))
    assert may_grow(Query(where=where), tagged=(Tag("env", "prod"),))
    assert not may_grow(Query(where=where), scope=NotebookScope.DELETED)
    by_status = any(condition.field == "status" for condition in where)
    assert may_grow(Query(where=where), scope=NotebookScope.EVERY) is by_status


@pytest.mark.parametrize(
    "where",
    [
        (FREE, STATUSES),
        (ELSEWHERE, STATUSES),
        (FREE, ELSEWHERE),
        (equal("workspace", 0),),
        (equal("owner", 5),),
        (Condition(field="name", op=Op.CONTAINS, value="a"),),
        (Condition(field="status", op=Op.NE, value="running"),),
        (Condition(field="feature", op=Op.NE, value="ordinary"),),
    ],
)
def test_everything_else_is_a_search(where: tuple[Condition, ...]) -> None:
    assert may_grow(Query(where=where))
