"""Directories of the home that are shown to notebooks while they run: asked for by callers, brought about by a worker.

What is shown ends with the notebook's run; nothing is kept of it then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    Row,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy import text as sql

from trivium.base.caller import Caller
from trivium.base.reasons import Reason
from trivium.resources import events
from trivium.resources.notebooks.asking import MOST_MOUNTS, checked_attachment
from trivium.resources.notebooks.changes import own
from trivium.resources.notebooks.errors import NoSuchAttachment, NotAttachable, NotRunning, TargetTaken, TooManyMounts
from trivium.resources.notebooks.ports import LaunchKey, Mount
from trivium.resources.notebooks.service import WORKER, get
from trivium.resources.notebooks.table import document
from trivium.resources.notebooks.types import Attachment, AttachmentStatus, Status
from trivium.store import Read, Write, metadata
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.schema import partial_index

BUSY: Final = sql("status IN ('mounting', 'unmounting')")
"""What a worker has to do something about, with an index of it alone, which a database takes for this very text."""

UP: Final = frozenset({Status.RUNNING, Status.SAVING})

attachments = Table(
    "attachments",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    # No foreign key: it is gone before the notebook is.
    Column("notebook_id", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("host", text(), nullable=False),
    Column("source", text(), nullable=False),
    Column("target", text(), nullable=False),
    Column("writable", Boolean, nullable=False),
    Column("status", text(), nullable=False),
    Column("reason", text()),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "notebook_id", "id"),
    partial_index("ix_attachments_busy", "host", "id", where=BUSY),
)


def attach(tx: Write, caller: Caller, notebook: int, *, mount: Mount) -> Attachment:
    """Ask for a directory of the home to be shown to a notebook that runs, until it is stopped.

    Raises `NoSuchNotebook`, `NotAttachable`, `NotRunning`, `BadMount`, `TargetTaken`, and `TooManyMounts`.
    """
    before = own(tx, caller, notebook)
    if before.attach_at is None:
        raise NotAttachable
    if before.status not in UP:
        raise NotRunning(status=before.status.value)
    mount = checked_attachment(mount, area=before.attach_at)
    there = _of(tx, before.id)
    if any(one.mount.target == mount.target and one.status is not AttachmentStatus.FAILED for one in there):
        raise TargetTaken(target=mount.target)
    if len(there) >= MOST_MOUNTS:
        raise TooManyMounts(most=MOST_MOUNTS)
    id = tx.ids.next()
    row = {
        "id": id,
        "uuid": uuid4(),
        "notebook_id": before.id,
        "generation": before.generation,
        "host": before.host or "",
        "source": mount.source,
        "target": mount.target,
        "writable": mount.writable,
        "status": AttachmentStatus.MOUNTING.value,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    tx.run(insert(attachments).values(row))
    events.record(tx, caller, "notebook.attach", target=before.id, after=mount)
    tx.wake(WORKER)
    return _one(tx, before.id, attachments.c.id == id)


def detach(tx: Write, caller: Caller, notebook: int, *, attachment: UUID) -> Attachment:
    """Ask for a directory that is shown to be taken away; what could not be shown is forgotten at once.

    Raises `NoSuchNotebook` and `NoSuchAttachment`.
    """
    before = own(tx, caller, notebook)
    found = _one(tx, before.id, attachments.c.uuid == attachment)
    if found.status is AttachmentStatus.UNMOUNTING:
        return found
    is_failed = found.status is AttachmentStatus.FAILED
    events.record(tx, caller, "notebook.detach", target=before.id, before=found.mount)
    tx.wake(WORKER)
    return _moved(tx, found, AttachmentStatus.UNMOUNTED if is_failed else AttachmentStatus.UNMOUNTING)


def attachment_of(tx: Read, caller: Caller, notebook: int, *, attachment: UUID) -> Attachment:
    """What is shown to a notebook under that UUID. `NoSuchNotebook` and `NoSuchAttachment`."""
    return _one(tx, get(tx, caller, notebook).id, attachments.c.uuid == attachment)


def attachments_of(tx: Read, caller: Caller, notebook: int) -> Sequence[Attachment]:
    """All that is shown to a notebook, is about to be or could not be, newest first. `NoSuchNotebook`."""
    return _of(tx, get(tx, caller, notebook).id)


def key_of(attachment: Attachment) -> LaunchKey:
    """The launch that it is shown to."""
    return LaunchKey(launch=attachment.notebook, generation=attachment.generation)


def busy_on(tx: Read, host: str) -> Sequence[Attachment]:
    """What is to be shown or taken away on a host, oldest first."""
    wanted = select(attachments).where(attachments.c.host == host, BUSY).order_by(attachments.c.id)
    return [_attachment(row) for row in tx.all(wanted)]


def note(tx: Write, seen: Attachment, failure: str | None) -> None:
    """Write down what came of it, unless something else was asked for meanwhile."""
    row = tx.lock(select(attachments).where(attachments.c.id == seen.id))
    if row is None or row.status != seen.status:
        return
    reason = None if failure is None else Reason(code="notebook.mount_failed", details={"detail": failure})
    if seen.status is AttachmentStatus.MOUNTING:
        _moved(tx, seen, AttachmentStatus.FAILED if reason else AttachmentStatus.MOUNTED, reason=reason)
    else:
        _moved(tx, seen, AttachmentStatus.MOUNTED if reason else AttachmentStatus.UNMOUNTED, reason=reason)


def forget(tx: Write, notebook: int) -> None:
    """Nothing is shown to a notebook any more, for its run is over."""
    tx.run(delete(attachments).where(attachments.c.notebook_id == notebook))


def _moved(tx: Write, before: Attachment, status: AttachmentStatus, *, reason: Reason | None = None) -> Attachment:
    """The same with another status; nothing is kept of what was taken away."""
    this = attachments.c.id == before.id
    if status is AttachmentStatus.UNMOUNTED:
        tx.run(delete(attachments).where(this))
    else:
        values = {"status": status.value, "reason": None if reason is None else document(reason)}
        tx.run(update(attachments).where(this).values(**values, changed_at=tx.now))
    return msgspec.structs.replace(before, status=status, reason=reason, changed_at=tx.now)


def _of(tx: Read, notebook: int) -> Sequence[Attachment]:
    wanted = select(attachments).where(attachments.c.notebook_id == notebook).order_by(attachments.c.id.desc())
    return [_attachment(row) for row in tx.all(wanted)]


def _one(tx: Read, notebook: int, which: ColumnElement[bool]) -> Attachment:
    row = tx.first(select(attachments).where(which, attachments.c.notebook_id == notebook))
    if row is None:
        raise NoSuchAttachment
    return _attachment(row)


def _attachment(row: Row[Any]) -> Attachment:
    return Attachment(
        id=row.id,
        uuid=row.uuid,
        notebook=row.notebook_id,
        generation=row.generation,
        mount=Mount(source=row.source, target=row.target, writable=row.writable),
        status=AttachmentStatus(row.status),
        reason=None if row.reason is None else msgspec.json.decode(row.reason, type=Reason),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
