"""The pools room's errors."""

from __future__ import annotations

from trivium.base.errors import NotFound


class NoSuchPool(NotFound):
    """There is no such pool that the caller may use."""

    code = "pool.not_found"
