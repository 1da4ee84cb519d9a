"""Who may change a pool: administrators, and members of its project where that may have pools."""

from __future__ import annotations

from trivium.base.caller import Caller
from trivium.base.errors import Forbidden
from trivium.resources import pools, quotas
from trivium.resources.pools import Pool
from trivium.resources.shares.errors import OfMachines
from trivium.store import Read, Write


def managed(tx: Read, caller: Caller, name: str) -> Pool:
    """The pool of that name, which the caller may change. `NoSuchPool`, `Forbidden`."""
    pool = pools.find_any(tx, caller, name)
    if caller.is_admin:
        return pool
    if pool.project is None or not quotas.get(tx, pool.project, quotas.POOLS).most:
        message = "only an administrator may change this pool: the project may have none of its own"
        raise Forbidden(message, action="change this pool")
    return pool


def changing(tx: Write, caller: Caller, name: str) -> Pool:
    """The same, whose nodes are slices, while nobody else changes pools. `OfMachines`, and what `managed` raises."""
    pools.alone(tx)
    pool = managed(tx, caller, name)
    if pool.project is None:
        raise OfMachines(name=name)
    return pool
