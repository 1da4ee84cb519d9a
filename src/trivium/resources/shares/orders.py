"""What was done to pools, as operations, and what happened to one, as events."""

from __future__ import annotations

from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.resources import events, operations, pools
from trivium.resources.events import Event
from trivium.resources.operations import Operation
from trivium.store import Read


def orders_of(tx: Read, caller: Caller, name: str, *, asked: Query) -> Listed[Operation]:
    """The changes of a pool, as asked, with how many follow the page. `NoSuchPool`.

    The last pool of the caller's project that had the name will do, though it was deleted.
    """
    return operations.of_targets(tx, (pools.last_named(tx, caller, name).id,), asked=asked)


def orders(tx: Read, caller: Caller, *, asked: Query) -> Listed[Operation]:
    """The changes of the newest pools of the caller's project, deleted ones too, as asked, with how many follow."""
    return operations.of_targets(tx, pools.newest_of(tx, caller.project), asked=asked)


def events_of(tx: Read, caller: Caller, name: str, *, asked: Query) -> Listed[Event]:
    """What happened to a pool, as asked, with how many follow the page. `NoSuchPool`.

    Conditions on `at` say from when and until when, and those on `action` what.
    """
    return events.of_target(tx, "pool", pools.find_any(tx, caller, name).id, asked=asked)
