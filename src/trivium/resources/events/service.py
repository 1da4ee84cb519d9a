"""Recording events, and reading them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import insert, select

from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.base.values import Value
from trivium.resources.events.table import EVENTS, OF_TARGET, event_of, events
from trivium.resources.events.types import Event
from trivium.store import Read, Write, query


def record(
    tx: Write,
    caller: Caller,
    action: str,
    *,
    target: int | None = None,
    project: int | None = None,
    before: Value | Mapping[str, object] | None = None,
    after: Value | Mapping[str, object] | None = None,
) -> None:
    """Write one event into the transaction. `action` is `<kind>.<verb>`; `project` is the caller's unless given.

    `before` and `after` hold what changed, and never a secret.
    """
    kind = action.partition(".")[0]
    tx.run(
        insert(events).values(
            id=tx.ids.next(),
            at=tx.now,
            user_id=caller.user,
            user_name=caller.user_name,
            project_id=caller.project if project is None else project,
            request=caller.request,
            source=caller.source,
            action=action,
            kind=kind,
            target_id=target,
            before=_json(before),
            after=_json(after),
        )
    )


def latest(tx: Read, kind: str, *, target: int | None = None, limit: int = 100) -> Sequence[Event]:
    """The newest events of a kind, or of one target of it, newest first."""
    wanted = select(events).where(events.c.kind == kind)
    if target is not None:
        wanted = wanted.where(events.c.target_id == target)
    return [event_of(row) for row in tx.all(wanted.order_by(events.c.id.desc()).limit(limit))]


def of_target(tx: Read, kind: str, target: int, *, asked: Query) -> Listed[Event]:
    """What happened to one thing, as asked, with how many follow the page.

    It asks for no right: callers do. Raises what `query.page` and `query.remaining` raise.
    """
    scope = (OF_TARGET.of(kind=kind, target=target),)
    found = query.page(tx, EVENTS, asked, scope=scope)
    left = query.remaining(tx, EVENTS, asked, found=found, scope=scope)
    return Listed(rows=tuple(map(event_of, found.rows)), total=found.total, next=found.next, remaining=left)


def _json(value: Value | Mapping[str, object] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
