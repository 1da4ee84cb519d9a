"""What one server asks of a host that another holds, through the database that both of them see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update

from trivium.resources.hosts.errors import HostAway
from trivium.resources.hosts.service import get, is_held
from trivium.resources.hosts.table import errands
from trivium.resources.hosts.types import Errand, Told
from trivium.store import Read, Write

ASKED: Final = "errands"
"""What is woken when an errand was asked."""

ANSWERED: Final = "answers"
"""What is woken when an errand was answered."""

AT_ONCE: Final = 16


def ask_errand(tx: Write, host: str, op: str, *, asked: str, within: timedelta) -> int:
    """Ask something of whoever holds the host; the errand's id. `HostAway` when nobody does."""
    found = get(tx, host)
    if found is None or not is_held(tx, found):
        raise HostAway(host=host)
    id = tx.ids.next()
    row = {"id": id, "host": host, "op": op, "asked": asked, "expires_at": tx.moment() + within}
    tx.run(insert(errands).values(row))
    tx.wake(ASKED)
    return id


def told_of(tx: Read, errand: int) -> Told | None:
    """What came of an errand; None until something did."""
    row = tx.first(select(errands.c.answer, errands.c.failure).where(errands.c.id == errand))
    if row is None:
        return Told(answer=None, failure="nobody knows of it any more")
    return None if row.answer is None and row.failure is None else Told(answer=row.answer, failure=row.failure)


def drop_errand(tx: Write, errand: int) -> None:
    """Forget an errand. Repeatable."""
    tx.run(delete(errands).where(errands.c.id == errand))


def errands_for(tx: Write, host: str, *, worker: int) -> Sequence[Errand]:
    """Errands that wait for the host's holder, which has them from now on; none is given out twice."""
    tx.run(delete(errands).where(errands.c.host == host, errands.c.expires_at < tx.moment()))
    waiting = select(errands).where(errands.c.host == host, errands.c.taken_by.is_(None)).order_by(errands.c.id)
    rows = tx.all(waiting.limit(AT_ONCE).with_for_update(skip_locked=True))
    if rows:
        tx.run(update(errands).where(errands.c.id.in_([row.id for row in rows])).values(taken_by=worker))
    return [Errand(id=row.id, op=row.op, asked=row.asked) for row in rows]


def answer_errand(tx: Write, errand: int, told: Told) -> None:
    """Write down what came of an errand; nothing where nobody waits for it any more."""
    tx.run(update(errands).where(errands.c.id == errand).values(answer=told.answer, failure=told.failure))
    tx.wake(ANSWERED)
