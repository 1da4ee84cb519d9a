"""What a launch is told of the keeper and the machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.system.processes import Seen


class Snapshot(NamedTuple):
    """The keeper and the machine as they are in one turn, the same for all launches."""

    now: float  # monotonic
    boot: str
    table: Mapping[int, Seen]
    reaped: Mapping[int, int]  # wait statuses of orphans that ended as the keeper's own children
