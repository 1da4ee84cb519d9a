"""The pools room's errors."""

from __future__ import annotations

from trivium.base.errors import Conflict, NotFound


class NoSuchPool(NotFound):
    """There is no such pool that the caller may use."""

    code = "pool.not_found"


class PoolExists(Conflict):
    """The project has a pool of that name."""

    code = "pool.exists"
