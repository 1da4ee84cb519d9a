"""What was done to pools, which ModelArts calls orders, and what happened to them, as events."""

from __future__ import annotations

from typing import Any, Final

from trivium.base import json
from trivium.base.errors import Missing
from trivium.base.ids import uuid_of
from trivium.base.keyring import Keyring
from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.base.text import Language
from trivium.dialects.modelarts.continuing import Continuations, ListMetadata
from trivium.dialects.modelarts.objects import ContinuedQuery
from trivium.dialects.modelarts.paging import checked_offset
from trivium.dialects.modelarts.spelling import Shape, Text, dashed, instant, milliseconds, one_of, rfc3339
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, always
from trivium.dialects.reading import OutOfBounds
from trivium.resources import operations as changes
from trivium.resources import pools, shares
from trivium.resources.events import Event
from trivium.resources.operations import Operation as Change
from trivium.resources.operations import OperationNotFound, OperationStatus

NEWEST_FIRST: Final = (Order(field="id", descending=True),)
MOST: Final = 500
DEFAULT: Final = 100
NORMAL: Final = "Normal"
WARNING: Final = "Warning"
ABNORMAL: Final = "pool.abnormal"
VERBS: Final = {
    "pool.create": "createPool",
    "pool.resize": "resizePool",
    "pool.change": "updatePool",
    "pool.delete": "deletePool",
}
PHASES: Final = {OperationStatus.SUCCEEDED: "completed", OperationStatus.FAILED: "failed"}
STATUSES: Final = {OperationStatus.SUCCEEDED: "succeed", OperationStatus.FAILED: "failed"}
SAID: Final = {
    "pool.create": "The pool was created",
    "pool.change": "The pool was changed",
    "pool.resize": "The pool was given other numbers of nodes",
    "pool.tag": "The tags of the pool were changed",
    "pool.delete": "The pool was deleted",
    "pool.running": "All nodes of the pool are ready",
    ABNORMAL: "Some node of the pool is not ready",
}


class OrderShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """A change of a pool."""

    order_name: str
    resource_name: str
    operation: str
    phase: str
    result: str
    fail_reason: str = ""
    creation_timestamp: int


class OrderList(Shape, frozen=True, kw_only=True):
    """A page of changes."""

    count: int
    items: list[OrderShape]


class StepShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """A step of a change."""

    resource_name: str
    action: str
    status: str
    begin_timestamp: str
    update_timestamp: str
    message: str = ""


class StepList(Shape, frozen=True, kw_only=True):
    """The steps of a change."""

    count: int
    items: list[StepShape]


class EventShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """Something that happened."""

    kind: str
    api_version: str
    type: str
    first_timestamp: str
    last_timestamp: str
    count: int
    reason: str
    message: str


class EventList(Shape, frozen=True, kw_only=True, rename="camel"):
    """A page of events."""

    kind: str
    api_version: str
    metadata: ListMetadata
    items: list[EventShape]


class OrdersQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list of orders."""

    limit: int | None = None
    offset: int | None = None
    involvedName: Text = None  # noqa: N815 - as the wire spells it
    since: int | None = None


class EventsQuery(ContinuedQuery, frozen=True, kw_only=True):
    """What is asked of the list of events."""

    resource: str
    name: str
    since: int | None = None
    until: int | None = None
    type: Text = None


def list_orders(tx: Read, call: Call[Nothing, OrdersQuery]) -> OrderList:
    """The changes of a pool, or of the project's newest pools, newest first."""
    asked = call.query
    limit = DEFAULT if asked.limit is None else asked.limit
    if not 1 <= limit <= MOST:
        raise OutOfBounds("limit", f"between 1 and {MOST}")
    page = Offset(limit=limit, offset=checked_offset(asked.offset))
    wanted = Query(where=_since("created_at", asked.since), order=NEWEST_FIRST, page=page)
    if asked.involvedName:
        found = shares.orders_of(tx, call.caller, asked.involvedName, asked=wanted)
    else:
        found = shares.orders(tx, call.caller, asked=wanted)
    return OrderList(count=found.total or 0, items=[order_shape(change) for change in found.rows])


def show_order(tx: Read, call: Call[Nothing, Nothing]) -> StepList:
    """What was done in one change."""
    uuid = uuid_of(call.request.parameters["order_name"])
    if uuid is None:
        raise OperationNotFound
    found = changes.get_by_uuid(tx, call.caller, uuid)
    if found.kind not in VERBS:
        raise OperationNotFound
    return StepList(count=1, items=[step_shape(found)])


def order_shape(change: Change) -> OrderShape:
    """A change as the list shows it."""
    return OrderShape(
        order_name=dashed(change.uuid),
        resource_name=_pool(change),
        operation=VERBS.get(change.kind, change.kind),
        phase=PHASES.get(change.status, "processing"),
        result=STATUSES.get(change.status, "processing"),
        fail_reason=change.failure.say(Language.EN) if change.failure else "",
        creation_timestamp=milliseconds(change.created_at),
    )


def step_shape(change: Change) -> StepShape:
    """A change as its one step: what is asked is done at once, or not at all."""
    return StepShape(
        resource_name=_pool(change),
        action=VERBS[change.kind],
        status=STATUSES.get(change.status, "processing"),
        begin_timestamp=rfc3339(change.created_at),
        update_timestamp=rfc3339(change.changed_at),
        message=change.failure.say(Language.EN) if change.failure else "",
    )


def event_shape(event: Event) -> EventShape:
    """An event as ModelArts shows it."""
    at = rfc3339(event.at)
    by = f" by {event.user_name}" if event.user else ""
    return EventShape(
        kind="Event",
        api_version="v1",
        type=WARNING if event.action == ABNORMAL else NORMAL,
        first_timestamp=at,
        last_timestamp=at,
        count=1,
        reason="PoolResourcesStatusChange" if event.action == "pool.resize" else "PoolStatusChange",
        message=f"{SAID.get(event.action, event.action)}{by}.",
    )


def events_query(asked: EventsQuery) -> tuple[Condition, ...]:
    """What must hold of the events. `NotOneOf`, `OutOfBounds`."""
    if one_of(asked.resource, "resource", ("pools",)) is None:
        raise Missing("resource", "resource is required")
    kind = one_of(asked.type, "type", (NORMAL, WARNING))
    until = () if asked.until is None else (Condition(field="at", op=Op.LE, value=instant("until", asked.until)),)
    op = Op.EQ if kind == WARNING else Op.NE
    kinds = () if kind is None else (Condition(field="action", op=op, value=ABNORMAL),)
    return (*_since("at", asked.since), *until, *kinds)


class Lists:
    """The list of events, with the places to continue it at."""

    def __init__(self, keyring: Keyring) -> None:
        self._places = Continuations(keyring)

    def list_events(self, tx: Read, call: Call[Nothing, EventsQuery]) -> EventList:
        """A page of what happened to a pool, newest first."""
        asked = call.query
        where = events_query(asked)
        pool = pools.find_any(tx, call.caller, asked.name)
        of = f"events {call.caller.project} {pool.id} {asked.since} {asked.until} {asked.type or ''}"
        page = self._places.page(asked.place, asked.limit, of=of, now=tx.now)
        wanted = Query(where=where, order=NEWEST_FIRST, page=page, total=False)
        found = shares.events_of(tx, call.caller, pool.name, asked=wanted)
        return EventList(
            kind="EventList",
            api_version="v1",
            metadata=self._places.metadata(found.next, remaining=found.remaining or 0, of=of, now=tx.now),
            items=[event_shape(event) for event in found.rows],
        )


def operations(keyring: Keyring) -> tuple[Operation, ...]:
    """All that can be asked of it."""
    return (
        Operation(
            name="ListOrders",
            method="GET",
            path="/v1/{project_id}/orders",
            handler=View(look=list_orders, may_grow=always),
            mark=Mark.BEYOND,
            summary="What was done to pools",
            query=OrdersQuery,
        ),
        Operation(
            name="ShowOrder",
            method="GET",
            path="/v1/{project_id}/orders/{order_name}",
            handler=View(look=show_order),
            mark=Mark.COMPANION,
            summary="What was done in one change of a pool",
        ),
        Operation(
            name="ListEvents",
            method="GET",
            path="/v1/{project_id}/events",
            handler=View(look=Lists(keyring).list_events, may_grow=always),
            mark=Mark.COMPANION,
            summary="What happened to a pool",
            query=EventsQuery,
        ),
    )


def _pool(change: Change) -> str:
    """The name of the pool that was changed, as its result has it."""
    told: Any = json.decode(change.result) if change.result else {}
    return str(told.get("pool", ""))


def _since(field: str, at: int | None) -> tuple[Condition, ...]:
    return () if at is None else (Condition(field=field, op=Op.GE, value=instant("since", at)),)
