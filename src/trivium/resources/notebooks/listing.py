"""Lists of notebooks: as values, or as their ids and revisions, for whoever has the rest already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.query import Condition, Listed, Offset, Op, Query, Stamp
from trivium.resources.notebooks.table import LISTED, NOTEBOOKS, notebook_of
from trivium.resources.notebooks.types import Notebook, Status
from trivium.store import Read, query

STAMP: Final = ("id", "revision")
THERE: Final = tuple(status.value for status in Status if status not in (Status.DELETING, Status.DELETED))
"""Statuses of what lists have."""

QUERIES: Final = 256
"""Queries whose like for stamps is remembered."""


def list_notebooks(tx: Read, caller: Caller, asked: Query) -> Listed[Notebook]:
    """The notebooks of the caller's project that were not released, as asked."""
    found = query.page(tx, NOTEBOOKS, asked, scope=(LISTED.of(project=caller.project),))
    return Listed(rows=tuple(map(notebook_of, found.rows)), total=found.total, next=found.next)


def list_stamps(tx: Read, caller: Caller, asked: Query) -> Listed[Stamp]:
    """The same, as ids and revisions alone."""
    found = query.page(tx, NOTEBOOKS, _stamps(asked), scope=(LISTED.of(project=caller.project),))
    return Listed(rows=tuple(found.rows), total=found.total, next=found.next)


def by_ids(tx: Read, caller: Caller, ids: Sequence[int]) -> Mapping[int, Notebook]:
    """Those of these notebooks that are the caller's project's and not released, by id."""
    wanted = Condition(field="id", op=Op.IN, value=tuple(ids))
    asked = Query(where=(wanted,), page=Offset(limit=len(ids)), total=False)
    return {notebook.id: notebook for notebook in list_notebooks(tx, caller, asked).rows}


def list_all_stamps(tx: Read, caller: Caller, asked: Query) -> Listed[Stamp]:
    """Ids and revisions of the notebooks of everybody whom the caller may see.

    For an administrator these are all projects' that were not released; for others their own project's.
    """
    if not caller.is_admin:
        return list_stamps(tx, caller, asked)
    found = query.page(tx, NOTEBOOKS, _everywhere(_stamps(asked)))
    return Listed(rows=tuple(found.rows), total=found.total, next=found.next)


def all_by_ids(tx: Read, caller: Caller, ids: Sequence[int]) -> Mapping[int, Notebook]:
    """The same as values, by id."""
    if not caller.is_admin:
        return by_ids(tx, caller, ids)
    wanted = Condition(field="id", op=Op.IN, value=tuple(ids))
    found = query.page(tx, NOTEBOOKS, _everywhere(Query(where=(wanted,), page=Offset(limit=len(ids)), total=False)))
    return {row.id: notebook_of(row) for row in found.rows}


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
