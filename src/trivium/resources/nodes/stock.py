"""What pools have of each kind, reckoned anew only when something of them changed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, bindparam, func, select

from trivium.resources.nodes.service import availability
from trivium.resources.nodes.table import nodes
from trivium.resources.nodes.types import Availability
from trivium.resources.pools import flavors, flavors_of
from trivium.store import Prepared, Read

NONE: Final = Availability(most=0, free=0)
"""What a pool has of a kind that it has no flavor of."""

MOST_POOLS: Final = 4096
"""Pools whose room is kept."""

_POOL: Final = bindparam("pool", type_=BigInteger)


def _of_flavors(what: ColumnElement[int]) -> ColumnElement[int]:
    return select(what).where(flavors.c.pool_id == _POOL).scalar_subquery()


STATE: Final = Prepared(
    select(
        func.count().label("nodes"),
        func.max(nodes.c.id).label("newest"),
        func.sum(nodes.c.revision).label("revisions"),
        _of_flavors(func.count()).label("flavors"),
        _of_flavors(func.sum(flavors.c.revision)).label("flavor_revisions"),
    ).where(nodes.c.pool_id == _POOL),
    "pool",
)
"""What moves with every change of a pool's nodes, their devices, what is held of them, and its flavors.

Ids and revisions only grow, so that the five together never come again once one of them changed.
"""


class Stock:
    """What pools have of each kind; safe in several threads."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Hashable, Mapping[str, Availability]]] = {}

    def seen(self, tx: Read) -> Room:
        """What there is in this view, by pool and kind; looked up when it is asked for."""
        return Room(self, tx)

    def of(self, tx: Read, pool: int) -> Mapping[str, Availability]:
        """For each kind that the pool has a flavor of: the units that its best node has in all, and has free now."""
        state = STATE.first(tx, pool)
        known = self._known.get(pool)
        if known is None or known[0] != state:
            by_pool = availability(tx, flavors_of(tx, pool))
            known = (state, {kind: room for (_, kind), room in by_pool.items()})
            if len(self._known) >= MOST_POOLS:
                self._known.clear()
            self._known[pool] = known
        return known[1]


class Room(dict[tuple[int, str], Availability]):
    """What pools have of kinds, in one view; what was not asked for yet is looked up."""

    def __init__(self, stock: Stock, tx: Read) -> None:
        super().__init__()
        self._stock = stock
        self._tx = tx

    def __missing__(self, wanted: tuple[int, str]) -> Availability:
        pool, kind = wanted
        found = self._stock.of(self._tx, pool).get(kind, NONE)
        self[wanted] = found
        return found
