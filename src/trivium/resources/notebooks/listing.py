"""Lists of notebooks: as values, or as their ids and revisions, for whoever has the rest already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import structs
from sqlalchemy import select

from trivium.base.caller import Caller
from trivium.base.query import Condition, Listed, Offset, Op, Query, Stamp
from trivium.resources.notebooks.table import (
    NOTEBOOKS,
    ONLY_ELSEWHERE,
    ONLY_FREE,
    SCOPES,
    TAGGED,
    notebook_of,
    notebooks,
)
from trivium.resources.notebooks.table import THERE as NOT_GONE
from trivium.resources.notebooks.types import Feature, Notebook, NotebookScope, Status
from trivium.resources.tags import Tag
from trivium.resources.workspaces import DEFAULT
from trivium.store import Read, query

STAMP: Final = ("id", "revision")
THERE: Final = tuple(status.value for status in Status if status not in (Status.DELETING, Status.DELETED))
"""Statuses of what lists have."""

QUERIES: Final = 256
"""Queries whose like for stamps is remembered."""


def list_notebooks(
    tx: Read,
    caller: Caller,
    asked: Query,
    *,
    scope: NotebookScope = NotebookScope.LISTED,
    tagged: Iterable[Tag] = (),
) -> Listed[Notebook]:
    """The notebooks of the caller's project that the scope has and that have all the tags, as asked."""
    found = _page(tx, caller, asked, scope=scope, tagged=tagged)
    return Listed(rows=tuple(map(notebook_of, found.rows)), total=found.total, next=found.next)


def list_stamps(
    tx: Read,
    caller: Caller,
    asked: Query,
    *,
    scope: NotebookScope = NotebookScope.LISTED,
    tagged: Iterable[Tag] = (),
) -> Listed[Stamp]:
    """The same, as ids and revisions alone."""
    found = _page(tx, caller, _stamps(asked), scope=scope, tagged=tagged)
    return Listed(rows=tuple(found.rows), total=found.total, next=found.next)


def by_ids(
    tx: Read, caller: Caller, ids: Sequence[int], *, scope: NotebookScope = NotebookScope.LISTED
) -> Mapping[int, Notebook]:
    """Those of these notebooks that are the caller's project's and in the scope, by id."""
    wanted = Condition(field="id", op=Op.IN, value=tuple(ids))
    asked = Query(where=(wanted,), page=Offset(limit=len(ids)), total=False)
    mine = SCOPES[scope].of(project=caller.project)
    return {row.id: notebook_of(row) for row in query.page(tx, NOTEBOOKS, asked, scope=(mine,)).rows}


def may_grow(asked: Query, *, scope: NotebookScope = NotebookScope.LISTED, tagged: Iterable[Tag] = ()) -> bool:
    """Whether what a list costs may grow with the table, so that it is a search.

    For the rest there are indexes and counters, however far behind the newest the page is: any statuses, of all or of
    ordinary notebooks, save where deleted ones are among the others; the free ones; a workspace other than the default
    one; each in the order of ids.
    """
    if any(tagged) or any(step.field != "id" for step in asked.order[:1]):
        return True
    if not all(one.op is Op.EQ or (one.op is Op.IN and one.field == "status") for one in asked.where):
        return True
    told = {one.field: one.value for one in asked.where if (one.field, one.value) != ("feature", Feature.ORDINARY)}
    if told.keys() == {"status"}:
        return scope is NotebookScope.EVERY
    return not (not told or told == {"feature": Feature.FREE} or _is_elsewhere(told))


def _is_elsewhere(told: Mapping[str, object]) -> bool:
    return list(told) == ["workspace"] and told["workspace"] != DEFAULT


def _page(tx: Read, caller: Caller, asked: Query, *, scope: NotebookScope, tagged: Iterable[Tag]) -> query.Found:
    told, hints = _told(asked, scope)
    mine = SCOPES[scope].of(project=caller.project)
    return query.page(tx, NOTEBOOKS, told, scope=(mine, *hints, *TAGGED.with_all(caller.project, tagged)))


def list_all_stamps(
    tx: Read,
    caller: Caller,
    asked: Query,
    *,
    scope: NotebookScope = NotebookScope.LISTED,
    tagged: Iterable[Tag] = (),
) -> Listed[Stamp]:
    """Ids and revisions of the notebooks of everybody whom the caller may see.

    For an administrator these are all projects' that were not released, or those of the statuses that are asked for;
    for others, and where tags are asked for, which are a project's own, those of the caller's project.
    """
    if tagged or not caller.is_admin:
        return list_stamps(tx, caller, asked, scope=scope, tagged=tagged)
    found = query.page(tx, NOTEBOOKS, _everywhere(_stamps(asked)))
    return Listed(rows=tuple(found.rows), total=found.total, next=found.next)


def all_by_ids(
    tx: Read, caller: Caller, ids: Sequence[int], *, scope: NotebookScope = NotebookScope.LISTED
) -> Mapping[int, Notebook]:
    """The same as values, by id; for an administrator whatever became of them."""
    if not caller.is_admin:
        return by_ids(tx, caller, ids, scope=scope)
    wanted = Condition(field="id", op=Op.IN, value=tuple(ids))
    found = query.page(tx, NOTEBOOKS, Query(where=(wanted,), page=Offset(limit=len(ids)), total=False))
    return {row.id: notebook_of(row) for row in found.rows}


def everywhere(tx: Read, caller: Caller, *, owner: int | None = None) -> Sequence[Notebook]:
    """All notebooks that are not gone, or a user's, oldest first, for administrators. However many, so a search."""
    caller.must_be_admin("see everybody's notebooks")
    mine = () if owner is None else (notebooks.c.owner_id == owner,)
    return [notebook_of(row) for row in tx.all(select(notebooks).where(NOT_GONE, *mine).order_by(notebooks.c.id))]


@lru_cache(QUERIES)
def _everywhere(asked: Query) -> Query:
    """The same query where no scope leaves out what was released: as a condition on statuses, which has an index."""
    if any(condition.field == "status" for condition in asked.where):
        return asked
    there = Condition(field="status", op=Op.IN, value=THERE)
    return structs.replace(asked, where=(there, *asked.where))


@lru_cache(QUERIES)
def _stamps(asked: Query) -> Query:
    return structs.replace(asked, fields=STAMP)


@lru_cache(QUERIES)
def _told(asked: Query, scope: NotebookScope) -> tuple[Query, tuple[query.Bound, ...]]:
    """The query with what helps the databases to find its rows, and changes nothing of which rows these are."""
    equal = {one.field: one.value for one in asked.where if one.op is Op.EQ}
    hints: list[query.Bound] = []
    if equal.get("feature") == Feature.FREE:
        hints.append(ONLY_FREE.of())
    if equal.get("workspace", DEFAULT) != DEFAULT:
        hints.append(ONLY_ELSEWHERE.of())
    if scope is NotebookScope.EVERY:
        # Two ranges of the index, merged in the order of ids.
        either = Condition(field="listed", op=Op.IN, value=(True, False))
        asked = structs.replace(asked, where=(either, *asked.where))
    return asked, tuple(hints)
