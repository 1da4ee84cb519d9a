"""The shares room's errors."""

from __future__ import annotations

from trivium.base.errors import Conflict, Invalid, Unsupported, WrongState


class NoSuchNodePool(Invalid):
    """The pool has no node pool of that name."""

    code = "node_pool.not_found"


class NodePoolExists(Conflict):
    """The pool has a node pool of that name."""

    code = "node_pool.exists"


class PoolInUse(WrongState):
    """There are notebooks in the pool, and some may be stopped."""

    code = "pool.in_use"


class OfMachines(Unsupported):
    """The pool's nodes are the machines themselves, which cannot be made, given back or resized."""

    code = "pool.of_machines"
