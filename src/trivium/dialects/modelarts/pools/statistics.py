"""How many pools there are, by what has become of them."""

from __future__ import annotations

from typing import Final

from trivium.base.query import Query
from trivium.dialects.modelarts import workspaces
from trivium.dialects.modelarts.pools.translation import STATUSES, in_phases, in_workspace
from trivium.dialects.modelarts.spelling import Shape, Text, rfc3339
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, always
from trivium.resources import pools


class PoolCounts(Shape, frozen=True, kw_only=True):
    """So many pools of each status. None waits to be paid for."""

    creating: int
    created: int
    failed: int
    pending: int


class PoolStatistics(Shape, frozen=True, kw_only=True):
    """The same, by what they are counted by."""

    status: PoolCounts


class PoolStatisticsAnswer(Shape, frozen=True, kw_only=True, rename="camel"):
    """The same, with the time of it."""

    statistics: PoolStatistics
    operation_time: str


class StatisticsQuery(Wire, frozen=True, kw_only=True):
    """The workspace whose pools are counted; all where none is given."""

    workspaceId: Text = None  # noqa: N815 - as the wire spells it
    workspace_id: Text = None


def show_pool_statistics(tx: Read, call: Call[Nothing, StatisticsQuery]) -> PoolStatisticsAnswer:
    """How many of the pools that the caller may use have which status."""
    asked, caller = call.query, call.caller
    own = in_workspace(workspaces.chosen(tx, caller, asked.workspaceId, asked.workspace_id))
    found = {word: pools.count(tx, caller, Query(where=(*in_phases(word), *own))) for word in STATUSES}
    counts = PoolCounts(creating=found["creating"], created=found["created"], failed=found["failed"], pending=0)
    return PoolStatisticsAnswer(statistics=PoolStatistics(status=counts), operation_time=rfc3339(tx.now))


OPERATIONS: Final = (
    Operation(
        name="ShowPoolStatistics",
        method="GET",
        path="/v2/{project_id}/statistics/pools",
        handler=View(look=show_pool_statistics, may_grow=always),
        mark=Mark.COMPANION,
        summary="How many pools there are, by their status",
        query=StatisticsQuery,
    ),
)
