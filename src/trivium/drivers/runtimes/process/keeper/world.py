"""What a launch sees of the keeper and the machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.processes import Seen


class World(NamedTuple):
    """What a launch sees of the keeper and the machine in one turn."""

    now: float
    boot: str
    table: Mapping[int, Seen]
    reaped: Mapping[int, int]  # wait statuses of orphans that ended as the keeper's own children
