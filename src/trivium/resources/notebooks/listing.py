"""Lists of notebooks: as values, or as their ids and revisions, for whoever has the rest already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.query import Condition, Listed, Offset, Op, Query, Stamp
from trivium.resources.notebooks.table import LISTED, NOTEBOOKS, notebook_of
from trivium.resources.notebooks.types import Notebook
from trivium.store import Read, query

STAMP: Final = ("id", "revision")
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


@lru_cache(QUERIES)
def _stamps(asked: Query) -> Query:
    return structs.replace(asked, fields=STAMP)
