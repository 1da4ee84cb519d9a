"""What a quota is, and what there are quotas of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trivium.base.values import Value

POOLS: Final = "pools"
NETWORKS: Final = "networks"

DEFAULTS: Final[Mapping[str, int]] = {POOLS: 0, NETWORKS: 10}
"""How many of each a project may have where nobody said otherwise. A pool takes from what all others share."""


class Quota(Value, frozen=True):
    """How many of a kind a project may have, and has."""

    name: str
    most: int
    used: int
