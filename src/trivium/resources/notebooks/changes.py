"""The one way in which a notebook's row is changed: its shown status always follows from what was asked and found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from trivium.base.caller import Caller
from trivium.base.reasons import Reason
from trivium.resources import operations, tags
from trivium.resources.notebooks.errors import NoSuchNotebook
from trivium.resources.notebooks.states import is_settled, shown
from trivium.resources.notebooks.table import KIND, document, notebook_of, notebooks
from trivium.resources.notebooks.types import Found, Notebook, Wanted
from trivium.store import Write


def lock(tx: Write, notebook: int) -> Notebook:
    """The notebook, which nobody else changes until the transaction ends. `NoSuchNotebook`."""
    row = tx.lock(select(notebooks).where(notebooks.c.id == notebook))
    if row is None:
        raise NoSuchNotebook
    return notebook_of(row)


def own(tx: Write, caller: Caller, notebook: int) -> Notebook:
    """The notebook, locked, if it is the caller's project's and not released. `NoSuchNotebook`."""
    found = lock(tx, notebook)
    if not is_visible(caller, found):
        raise NoSuchNotebook
    return found


def is_visible(caller: Caller, notebook: Notebook) -> bool:
    """Whether the notebook is the caller's project's and not released."""
    return notebook.project == caller.project and notebook.wanted is not Wanted.DELETED


def change(tx: Write, before: Notebook, **values: Any) -> Notebook:  # noqa: ANN401 - columns of several types
    """The notebook with these columns changed, and the status that follows from them.

    `before` must have been read under `lock` in the same transaction.
    """
    wanted = Wanted(values.get("wanted", before.wanted))
    found = Found(values.get("found", before.found))
    save_as = values.get("save_as", before.save_as)
    ever_ran = before.started_at is not None or found is Found.RUNNING
    reason = values.pop("reason", before.reason)
    row = values | {
        "wanted": wanted.value,
        "found": found.value,
        "status": shown(wanted, found, first=not ever_ran, saving=save_as is not None).value,
        "listed": wanted is not Wanted.DELETED,
        "settled": is_settled(wanted, found),
        "ever_ran": ever_ran,
        "reason": None if reason is None else document(reason),
        "changed_at": tx.now,
        "revision": notebooks.c.revision + 1,
    }
    tx.run(update(notebooks).where(notebooks.c.id == before.id).values(row))
    if wanted is Wanted.DELETED and before.wanted is not Wanted.DELETED:
        tags.remove_all(tx, KIND, before.id)
    return lock(tx, before.id)


def finish(tx: Write, notebook: Notebook, reason: Reason | None = None) -> None:
    """End the asynchronous call that the notebook is in: well, or with a reason."""
    for operation in operations.unfinished(tx, notebook.id):
        operations.finish(tx, operation.id, failure=reason)


def deadline(start: datetime, notebook: Notebook) -> datetime | None:
    """When a notebook that began to run then must be stopped; None when it may run for ever.

    Whichever comes first: the site's limit, or the end of the notebook's lease.
    """
    limit = None if notebook.max_running is None else start + notebook.max_running
    lease = None if notebook.lease is None else notebook.lease.ends_at
    return min((end for end in (limit, lease) if end is not None), default=None)
