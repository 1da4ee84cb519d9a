"""Use cases of pools and flavors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from trivium.base.caller import Caller
from trivium.resources.pools.errors import NoSuchPool
from trivium.resources.pools.table import flavor_from, flavors, pool_of, pools
from trivium.resources.pools.types import Flavor, Pool
from trivium.store import Read, Write

FLAVORS: Final = select(flavors).where(flavors.c.pool_id == bindparam("pool")).order_by(flavors.c.kind)


def create(tx: Write, uuid: UUID, *, name: str, project: int | None) -> Pool:
    """A new, empty pool; open to all when it belongs to no project."""
    short = int(tx.value(select(func.coalesce(func.max(pools.c.short), 0)))) + 1
    id = tx.ids.next()
    row = {"id": id, "uuid": uuid, "name": name, "short": short, "project_id": project}
    tx.run(insert(pools).values(**row, created_at=tx.now))
    return get(tx, id)


def default_pool(tx: Read) -> Pool | None:
    """The pool that everyone may use; None before the site was set up."""
    row = tx.first(select(pools).where(pools.c.project_id.is_(None)).order_by(pools.c.id).limit(1))
    return None if row is None else pool_of(row)


def get(tx: Read, pool: int) -> Pool:
    """The pool with that id. `NoSuchPool`."""
    row = tx.first(select(pools).where(pools.c.id == pool))
    if row is None:
        raise NoSuchPool(pool=pool)
    return pool_of(row)


def find_by_name(tx: Read, caller: Caller, name: str) -> Pool:
    """The pool of that name, if the caller may use it. `NoSuchPool`."""
    row = tx.first(select(pools).where(pools.c.name == name, _usable(caller)))
    if row is None:
        raise NoSuchPool(name=name)
    return pool_of(row)


def visible(tx: Read, caller: Caller) -> Sequence[Pool]:
    """The pools that the caller may use, oldest first."""
    return [pool_of(row) for row in tx.all(select(pools).where(_usable(caller)).order_by(pools.c.id))]


def offered(tx: Read, caller: Caller) -> Sequence[tuple[Pool, Flavor]]:
    """Every flavor of every pool that the caller may use, oldest pool first, with its pool."""
    return [(pool, flavor) for pool in visible(tx, caller) for flavor in flavors_of(tx, pool.id)]


def flavors_of(tx: Read, pool: int) -> Sequence[Flavor]:
    """The flavors of a pool, in the order of their kinds' names."""
    return [flavor_from(row) for row in tx.all(FLAVORS, {"pool": pool})]


def flavor_of(tx: Read, pool: int, kind: str) -> Flavor | None:
    """The pool's flavor of that kind, if it has one."""
    row = tx.first(select(flavors).where(flavors.c.pool_id == pool, flavors.c.kind == kind))
    return None if row is None else flavor_from(row)


def set_flavor(
    tx: Write, pool: int, *, kind: str, model: str, device_memory: int, millicores: int, memory: int, declared: bool
) -> None:
    """Say what one unit of `kind` gives in a pool; changes nothing for notebooks that have theirs already."""
    values = {
        "model": model,
        "device_memory": device_memory,
        "millicores": millicores,
        "memory": memory,
        "declared": declared,
    }
    if tx.run(update(flavors).where(flavors.c.pool_id == pool, flavors.c.kind == kind).values(**values)):
        return
    short = int(tx.value(select(func.coalesce(func.max(flavors.c.short), 0)))) + 1
    tx.run(insert(flavors).values(id=tx.ids.next(), pool_id=pool, short=short, kind=kind, **values))


def _usable(caller: Caller) -> ColumnElement[bool]:
    return or_(pools.c.project_id.is_(None), pools.c.project_id == caller.project)
