"""The nodes room's errors."""

from __future__ import annotations

from trivium.base.errors import OverQuota


class NoCapacity(OverQuota):
    """No node of the pool has as much free as is asked for."""

    code = "node.no_capacity"
