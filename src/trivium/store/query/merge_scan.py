"""A few values of one column, ordered by id: an index range scan for each value, and a merge of these.

No index has the rows of several values in the order of their ids. So a database would either sort all of them, which
costs more the more frequent the values are, or filter rows in the order of ids, which costs more the rarer they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Subquery, select, union_all
from sqlalchemy.sql import visitors

from trivium.base.query import Op
from trivium.store.clauses import fixed_columns
from trivium.store.database import Flavour
from trivium.store.fields import Manner, Resource
from trivium.store.query.validation import Match, Part
from trivium.store.query.values import FEW


class Paging(NamedTuple):
    """Which part of the rows is wanted, in an order of ids."""

    descending: bool
    limit: BindParameter[Any]
    offset: BindParameter[Any]

    def order(self, id: ColumnElement[Any]) -> ColumnElement[Any]:
        """The order by the id."""
        return id.desc() if self.descending else id.asc()


def branches(
    resource: Resource, scope: Sequence[ColumnElement[bool]], matches: Sequence[tuple[Part, ColumnElement[bool]]]
) -> list[list[ColumnElement[bool]]] | None:
    """The conditions of each of the scans; None where there is nothing to merge. `matches` come with their clauses."""
    for place, (match, clause) in enumerate(matches):
        if not isinstance(match, Match) or match.op is not Op.IN or not 1 < match.values <= FEW or "." in match.path:
            continue
        field = resource.field(match.path)
        if field.type.manner not in (Manner.PLAIN, Manner.FOLDED):
            continue  # each of its values is a comparison of its own
        column = field.compared
        others = [*scope, *(other for at, (_, other) in enumerate(matches) if at != place)]
        if _has_index(resource, {*fixed_columns(others), str(column.key)}, str(column.key)):
            return [[*others, column == value] for value in _values(clause)]
    return None


def merged(
    resource: Resource, branches: Sequence[Sequence[ColumnElement[bool]]], paging: Paging, *, flavour: Flavour
) -> Subquery:
    """The ids of the page's rows."""
    scans = [select(resource.id.label("id")).where(*where) for where in branches]
    if flavour is Flavour.POSTGRESQL:
        # It uses an index's order only where a scan has an ORDER BY. SQLite does by itself, and allows none there.
        most = paging.limit + paging.offset
        scans = [scan.order_by(paging.order(resource.id)).limit(most) for scan in scans]
    merged = union_all(*scans)
    ordered = merged.order_by(paging.order(merged.selected_columns[0]))
    return ordered.limit(paging.limit).offset(paging.offset).subquery("picked")


def _has_index(resource: Resource, fast: set[str], column: str) -> bool:
    """Whether an index has the rows of each value of the columns in the order of their ids."""
    for index in resource.table.indexes:
        names = [each.key for each in index.columns]
        leading = list(takewhile(lambda name: name in fast, names))
        if column in leading and names[len(leading) :][:1] == ["id"]:
            return True
    return False


def _values(clause: ColumnElement[bool]) -> list[BindParameter[Any]]:
    return [element for element in visitors.iterate(clause) if isinstance(element, BindParameter)]
