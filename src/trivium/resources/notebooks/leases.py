"""Leases: how long a notebook may run before it is stopped, and giving it more time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, case, literal, select

from trivium.base.caller import Caller
from trivium.base.clock import MICROSECOND
from trivium.resources import events
from trivium.resources.notebooks.asking import checked_lease
from trivium.resources.notebooks.changes import change, deadline, is_visible, own
from trivium.resources.notebooks.errors import NoSuchNotebook, NotRunning
from trivium.resources.notebooks.table import notebook_of, notebooks
from trivium.resources.notebooks.types import Lease, LeaseAsked, Notebook, Status
from trivium.store import Read, Write
from trivium.store.columns import Instant

RENEWABLE: Final = frozenset({Status.CREATING, Status.STARTING, Status.RUNNING, Status.SAVING})


def renew(tx: Write, caller: Caller, notebook: int, *, lease: LeaseAsked) -> Notebook:
    """Let a notebook run for so long from now on; one without a lease gets one. It is stopped when that is over.

    Raises `NoSuchNotebook`, `NotRunning` unless it runs or is about to, `IdleUnknown`, and `Invalid`.
    """
    before = own(tx, caller, notebook)
    if before.status not in RENEWABLE:
        raise NotRunning(status=before.status.value)
    began = tx.now if before.lease is None else before.lease.created_at
    after = change(tx, before, **columns(checked_lease(lease), began=began, now=tx.now))
    if after.started_at is not None and after.status in (Status.RUNNING, Status.SAVING):
        after = change(tx, after, stop_at=deadline(after.started_at, after))
    events.record(tx, caller, "notebook.lease", target=before.id, before=_told(before.lease), after=_told(after.lease))
    return after


def leased(tx: Read, caller: Caller, uuid: UUID) -> Notebook:
    """The notebook of that UUID, which runs or is about to. Raises `NoSuchNotebook`, and `NotRunning` for others."""
    row = tx.first(select(notebooks).where(notebooks.c.uuid == uuid))
    if row is None or not is_visible(caller, found := notebook_of(row)):
        raise NoSuchNotebook
    if found.status not in RENEWABLE:
        raise NotRunning(status=found.status.value)
    return found


def begun(asked: LeaseAsked | None, before: Lease | None, *, now: datetime) -> dict[str, Any]:
    """The columns of a notebook's lease that is asked to run now: the one asked for, or the last one from its start."""
    if asked is None and before is not None:
        asked = LeaseAsked(duration=before.duration if before.enabled else None, kind=before.kind)
    return {} if asked is None else columns(checked_lease(asked), began=now, now=now)


def columns(lease: LeaseAsked, *, began: datetime, now: datetime) -> dict[str, Any]:
    """The columns of a lease that counts from now."""
    return {
        "lease_kind": lease.kind.value,
        "lease_enabled": lease.duration is not None,
        "lease_duration": (lease.duration or timedelta(0)) // MICROSECOND,
        "lease_created_at": began,
        "lease_updated_at": now,
    }


def stop_at(limit: datetime | None) -> ColumnElement[datetime]:
    """`deadline` of many notebooks at once, where the site's limit comes to the same time for all of them."""
    end: ColumnElement[datetime] = notebooks.c.lease_updated_at + notebooks.c.lease_duration
    lease = case((notebooks.c.lease_enabled, end))
    bound = literal(limit, Instant())
    return lease if limit is None else case((lease < bound, lease), else_=bound)


def _told(lease: Lease | None) -> dict[str, object] | None:
    return None if lease is None else {"enabled": lease.enabled, "seconds": lease.duration.total_seconds()}
