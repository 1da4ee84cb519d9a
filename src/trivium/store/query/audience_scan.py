"""Pages of what several audiences have: a range of an index for each audience, in order, and a merge of these.

No index has the rows of several audiences in one order. So a database would sort all that the caller sees, or go along
an order of everybody's rows, which comes upon the caller's late where they have few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import BindParameter, ColumnElement, Subquery, select, union_all
from sqlalchemy.sql import visitors

from trivium.store.clauses import without_index as unindexed
from trivium.store.database import Flavour
from trivium.store.fields import Resource
from trivium.store.query import ordering
from trivium.store.query.scopes import Audience, Bound, Condition
from trivium.store.query.validation import Step


def place_of(scope: Sequence[Condition]) -> int | None:
    """Where among the conditions of a scope that of the audiences is; None where there is none."""
    for place, condition in enumerate(scope):
        if isinstance(condition, Bound) and isinstance(condition.scope, Audience):
            return place
    return None


def branches(
    resource: Resource, where: Sequence[ColumnElement[bool]], place: int, *, order: Sequence[Step]
) -> list[list[ColumnElement[bool]]] | None:
    """The conditions of each of the scans; None where no index has an audience's rows in the order."""
    column: Any = resource.audience
    if column is None or not has_index(resource, order[0].column):
        return None
    others = [clause for at, clause in enumerate(where) if at != place]
    values: list[BindParameter[Any]] = [
        element for element in visitors.iterate(where[place]) if isinstance(element, BindParameter)
    ]
    return [[*others, column == value] for value in values]


def merged(
    resource: Resource,
    branches: Sequence[Sequence[ColumnElement[bool]]],
    order: Sequence[Step],
    *,
    page: tuple[BindParameter[Any], BindParameter[Any]],
    flavour: Flavour,
) -> Subquery:
    """The ids of the page's rows; `page` is its limit and offset."""
    limit, offset = page
    columns = [step.column.label(f"o{index}") for index, step in enumerate(order)]
    scans = [select(resource.id.label("id"), *columns).where(*where) for where in branches]
    if flavour is Flavour.POSTGRESQL:
        # It uses an index's order only where a scan has an ORDER BY. SQLite does by itself, and allows none there.
        by = ordering.order_by(order, flavour)
        scans = [scan.order_by(*by).limit(limit + offset) for scan in scans]
    found = union_all(*scans)
    steps = [Step(step.type, found.selected_columns[f"o{index}"], step.descending) for index, step in enumerate(order)]
    return found.order_by(*ordering.order_by(steps, flavour)).limit(limit).offset(offset).subquery("picked")


def without_index(clauses: list[ColumnElement[bool]], place: int, *, resource: Resource) -> list[ColumnElement[bool]]:
    """The clauses, where SQLite knows no index for the audiences. Their parameters stay the same objects."""

    def hidden(element: Any, **_named: Any) -> Any:
        if isinstance(element, BindParameter):
            return cast("BindParameter[Any]", element)  # a copy would have a name of its own
        return unindexed(element) if element is resource.audience else None

    traverse: Any = visitors.replacement_traverse
    return [traverse(clause, {}, hidden) if at == place else clause for at, clause in enumerate(clauses)]


def has_index(resource: Resource, column: ColumnElement[Any]) -> bool:
    """Whether an index has an audience's rows in the order of the column."""
    wanted = [getattr(resource.audience, "key", None), getattr(column, "key", None)]
    return any([each.key for each in index.columns][:2] == wanted for index in resource.table.indexes)
