"""What is in a pool: its notebooks, stopped ones too, until they are gone."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.resources.notebooks.table import IN_POOL, IN_POOL_OF_PROJECT, NOTEBOOKS, THERE, notebook_of, notebooks
from trivium.resources.notebooks.types import Notebook, Status
from trivium.store import Read, query


def list_in_pool(tx: Read, caller: Caller, pool: int, *, asked: Query) -> Listed[Notebook]:
    """The notebooks in a pool that the caller may use, as asked: their project's, and for an administrator everybody's.

    It costs as much as there are in the pool: a search.
    """
    scope = IN_POOL.of(pool=pool) if caller.is_admin else IN_POOL_OF_PROJECT.of(pool=pool, project=caller.project)
    found = query.page(tx, NOTEBOOKS, asked, scope=(scope,))
    return Listed(rows=tuple(map(notebook_of, found.rows)), total=found.total, next=found.next)


def count_in_pool(tx: Read, caller: Caller, pool: int) -> Mapping[Status, int]:
    """How many of the same notebooks there are of each status that any has. A search."""
    mine = (notebooks.c.pool_id == pool, THERE)
    mine = mine if caller.is_admin else (*mine, notebooks.c.project_id == caller.project)
    counted = select(notebooks.c.status, func.count().label("number")).where(*mine).group_by(notebooks.c.status)
    return {Status(row.status): int(row.number) for row in tx.all(counted)}
