"""What pools have of each kind: a cache that is valid until something of the pool changes."""

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
"""Pools that are cached."""

_POOL: Final = bindparam("pool", type_=BigInteger)


def _of_flavors(what: ColumnElement[int]) -> ColumnElement[int]:
    return select(what).where(flavors.c.pool_id == _POOL).scalar_subquery()


VERSION: Final = Prepared(
    select(
        func.count().label("nodes"),
        func.max(nodes.c.id).label("newest"),
        func.sum(nodes.c.revision).label("revisions"),
        _of_flavors(func.count()).label("flavors"),
        _of_flavors(func.sum(flavors.c.revision)).label("flavor_revisions"),
    ).where(nodes.c.pool_id == _POOL, nodes.c.listed),
    "pool",
)
"""The version of a pool: it changes with its nodes, their devices, what is held of them, and its flavors.

Ids and revisions only grow, and a node that was given back never returns, so that no version comes twice.
"""


class AvailabilityCache:
    """What pools have of each kind; for several threads."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Hashable, Mapping[str, Availability]]] = {}

    def within(self, tx: Read) -> Availabilities:
        """What there is in this transaction's snapshot, by pool and kind; looked up when it is asked for."""
        return Availabilities(self, tx)

    def of(self, tx: Read, pool: int) -> Mapping[str, Availability]:
        """For each kind that the pool has a flavor of: the units that its best node has in all, and has free now."""
        version = VERSION.first(tx, pool)
        known = self._known.get(pool)
        if known is None or known[0] != version:
            by_pool = availability(tx, flavors_of(tx, pool))
            known = (version, {kind: units for (_, kind), units in by_pool.items()})
            if len(self._known) >= MOST_POOLS:
                self._known.clear()
            self._known[pool] = known
        return known[1]


class Availabilities(dict[tuple[int, str], Availability]):
    """What pools have of kinds, in one snapshot; a missing key is looked up."""

    def __init__(self, cache: AvailabilityCache, tx: Read) -> None:
        super().__init__()
        self._cache = cache
        self._tx = tx

    def __missing__(self, wanted: tuple[int, str]) -> Availability:
        pool, kind = wanted
        found = self._cache.of(self._tx, pool).get(kind, NONE)
        self[wanted] = found
        return found
