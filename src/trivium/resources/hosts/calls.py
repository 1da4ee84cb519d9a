"""Remote calls: what one server asks of the host that another leads, queued in the database that both share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update

from trivium.resources.hosts.errors import HostAway
from trivium.resources.hosts.service import GRACE, get, is_held
from trivium.resources.hosts.table import calls
from trivium.resources.hosts.types import CallResult, RemoteCall
from trivium.store import Read, Write

CALLS: Final = "calls"
"""What is woken when a call was submitted."""

RESULTS: Final = "results"
"""What is woken when a call was finished."""

AT_ONCE: Final = 16


def submit_call(tx: Write, host: str, op: str, *, arguments: str, within: timedelta) -> int:
    """Queue a call for the host's leader, to be answered `within` that time; its id. `HostAway` without a leader."""
    found = get(tx, host)
    if found is None or not is_held(tx, found):
        raise HostAway(host=host)
    id = tx.ids.next()
    row = {"id": id, "host": host, "op": op, "asked": arguments, "expires_at": tx.database_now() + within}
    tx.run(insert(calls).values(row))
    tx.wake(CALLS)
    return id


def result_of(tx: Read, call: int) -> CallResult | None:
    """The result of a call; None while there may be one yet."""
    wanted = select(calls.c.host, calls.c.answer, calls.c.failure, calls.c.taken_by).where(calls.c.id == call)
    row = tx.first(wanted)
    if row is None:
        return CallResult(answer=None, failure="the call was dropped")
    if row.answer is not None or row.failure is not None:
        return CallResult(answer=row.answer, failure=row.failure)
    if row.taken_by is not None and not _leads(tx, row.host, row.taken_by):
        return CallResult(answer=None, failure="the server that carried the call out has ended")
    return None


def drop_call(tx: Write, call: int) -> None:
    """Delete a call. Repeatable."""
    tx.run(delete(calls).where(calls.c.id == call))


def take_calls(tx: Write, host: str, *, worker: int) -> Sequence[RemoteCall]:
    """The calls that wait for the host's leader, marked as taken by `worker`; each is given out once."""
    tx.run(delete(calls).where(calls.c.host == host, calls.c.expires_at < tx.database_now()))
    waiting = select(calls).where(calls.c.host == host, calls.c.taken_by.is_(None)).order_by(calls.c.id)
    rows = tx.all(waiting.limit(AT_ONCE).with_for_update(skip_locked=True))
    if rows:
        tx.run(update(calls).where(calls.c.id.in_([row.id for row in rows])).values(taken_by=worker))
    return [RemoteCall(id=row.id, op=row.op, arguments=row.asked) for row in rows]


def finish_call(tx: Write, call: int, result: CallResult) -> None:
    """Write down the result of a call; nothing happens where its caller has dropped it."""
    tx.run(update(calls).where(calls.c.id == call).values(answer=result.answer, failure=result.failure))
    tx.wake(RESULTS)


def _leads(tx: Read, host: str, worker: int) -> bool:
    """Whether the server with these worker bits leads the host still, as far as can be told."""
    found = get(tx, host)
    return found is not None and found.holder == worker and found.lease_until > tx.database_now() - GRACE
