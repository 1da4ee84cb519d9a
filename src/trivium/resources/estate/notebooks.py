"""Notebooks as queries across the site see them: without regard to case, and related to where they are.

Nothing that people say of them is indexed here but who has them, their status and when they were made.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs
from sqlalchemy import func, literal_column

from trivium.base.caller import Caller
from trivium.base.query import Condition, Listed, Op, Query
from trivium.resources.estate.table import NODES, POOLS
from trivium.resources.nodes import nodes
from trivium.resources.notebooks import LISTED, THERE, Notebook, Status, notebook_of, notebooks
from trivium.resources.pools import EVERYBODY, pools
from trivium.store import Read, query
from trivium.store import fields as f

_SAID: Final = func.nullif(notebooks.c.description, literal_column("''"))
_SAID_FOLDED: Final = func.nullif(notebooks.c.description_folded, literal_column("''"))

SEARCHED: Final = f.Resource(
    "notebooks",
    notebooks,
    (
        f.Field("id", f.integer, notebooks.c.id),
        f.Field("uuid", f.uuid, notebooks.c.uuid),
        f.Field("name", f.caseless, notebooks.c.name, folded=notebooks.c.name_folded),
        f.Field("description", f.caseless, _SAID, folded=_SAID_FOLDED),
        f.Field("status", f.enum(Status), notebooks.c.status),
        f.Field("created_at", f.second, notebooks.c.created_at),
        f.Field("changed_at", f.second, notebooks.c.changed_at),
    ),
    relations=(
        f.Relation("itself", lambda: SEARCHED, notebooks.c.id, notebooks.c.id),  # of a service its one instance
        f.Relation("pool", lambda: POOLS, notebooks.c.pool_id, pools.c.id),
        f.Relation("node", lambda: NODES, notebooks.c.node_id, nodes.c.id),
    ),
    columns=[column for column in notebooks.c if not column.key.endswith("_folded")],
    conditions_lead=True,
)

SEEN: Final = query.Audience(notebooks.c.project_id, everybody=EVERYBODY)
"""What a caller's project sees of what is related to its notebooks."""


def list_notebooks(tx: Read, caller: Caller, asked: Query) -> Listed[Notebook]:
    """The notebooks whose release was not asked for: of the caller's project, for an administrator of all.

    Raises what `query.page` raises.
    """
    if caller.is_admin:
        there = Condition(field="status", op=Op.IN, value=THERE)  # which has an index
        found = query.page(tx, SEARCHED, structs.replace(asked, where=(*asked.where, there)))
    else:
        mine = LISTED.of(project=caller.project), SEEN.of(project=caller.project)
        found = query.page(tx, SEARCHED, asked, scope=mine)
    return Listed(rows=tuple(map(notebook_of, found.rows)), total=found.total, next=found.next)
