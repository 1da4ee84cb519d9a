"""Lists of what the site has. Callers see what is in pools that they may use; an administrator sees all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import structs
from sqlalchemy import select

from trivium.base.caller import Caller
from trivium.base.query import Condition, Listed, Op, Query
from trivium.resources.estate.table import ARCHITECTURE, CARDS, NODES, POOLS, SITES
from trivium.resources.estate.types import CardRow, NodeRow, PoolRow
from trivium.resources.nodes import card_of, cards, details, devices, node_of, nodes
from trivium.resources.pools import EVERYBODY, NOBODY, pool_of, pools
from trivium.resources.sites import SiteRecord, site_of, sites
from trivium.store import Read, Resource, query
from trivium.store.query import Audience

SEEN: Final[Mapping[Resource, Audience]] = {
    SITES: Audience(sites.c.audience, everybody=EVERYBODY),
    POOLS: Audience(pools.c.audience, everybody=EVERYBODY),
    NODES: Audience(nodes.c.audience, everybody=EVERYBODY),
    CARDS: Audience(cards.c.audience, everybody=EVERYBODY),
}
"""What a project sees, of related rows, too."""

THERE: Final = Condition(field="audience", op=Op.NE, value=NOBODY)
"""What an administrator sees: all that was not deleted or given back."""

AT_ONCE: Final = 500
"""Ids in one statement."""


def list_sites(tx: Read, caller: Caller, asked: Query) -> Listed[SiteRecord]:
    """The site, if it satisfies the query. Raises what `query.page` raises."""
    found = _page(tx, caller, asked, of=SITES)
    return Listed(rows=tuple(map(site_of, found.rows)), total=found.total, next=found.next)


def list_pools(tx: Read, caller: Caller, asked: Query) -> Listed[PoolRow]:
    """The pools that the caller may use, as asked. Raises what `query.page` raises."""
    found = _page(tx, caller, asked, of=POOLS)
    kinds: dict[int, str] = {}
    for some in _batches([row.id for row in found.rows]):
        wanted = select(pools.c.id, ARCHITECTURE.label("architecture")).where(pools.c.id.in_(some))
        kinds.update({row.id: row.architecture for row in tx.all(wanted)})
    rows = [PoolRow(pool=pool_of(row), site=row.site_uuid, architecture=kinds.get(row.id)) for row in found.rows]
    return Listed(rows=tuple(rows), total=found.total, next=found.next)


def list_nodes(tx: Read, caller: Caller, asked: Query) -> Listed[NodeRow]:
    """The nodes of the pools that the caller may use, as asked. Raises what `query.page` raises."""
    found = _page(tx, caller, asked, of=NODES)
    shown = [detail for some in _batches(found.rows) for detail in details(tx, [node_of(row) for row in some])]
    rows = [
        NodeRow(
            detail=detail,
            site=row.site_uuid,
            pool=row.pool_uuid,
            architecture=row.architecture or None,
            seen_at=row.seen_at,
        )
        for row, detail in zip(found.rows, shown, strict=True)
    ]
    return Listed(rows=tuple(rows), total=found.total, next=found.next)


def list_cards(tx: Read, caller: Caller, asked: Query) -> Listed[CardRow]:
    """The accelerators of these nodes, as asked. Raises what `query.page` raises."""
    found = _page(tx, caller, asked, of=CARDS)
    held: set[int] = set()
    for some in _batches([row.device_id for row in found.rows if row.device_id is not None]):
        taken = select(devices.c.id).where(devices.c.id.in_(some), devices.c.holder.is_not(None))
        held.update(id for (id,) in tx.all(taken))
    rows = [CardRow(card=card_of(row), allocated=row.device_id in held) for row in found.rows]
    return Listed(rows=tuple(rows), total=found.total, next=found.next)


def _page(tx: Read, caller: Caller, asked: Query, *, of: Resource) -> query.Found:
    if of is not SITES:
        # As a condition it is one range of the index for each value, merged in the order of ids.
        mine = Condition(field="audience", op=Op.IN, value=(EVERYBODY, caller.project))
        asked = structs.replace(asked, where=(*asked.where, THERE if caller.is_admin else mine))
    return query.page(tx, of, asked, scope=() if caller.is_admin else (SEEN[of].of(project=caller.project),))


def _batches(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE))
