"""Starting operations, moving them on, and looking at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import msgspec
from msgspec import structs
from sqlalchemy import ColumnElement, case, delete, insert, literal, select, update

from trivium.base.caller import Caller
from trivium.base.clock import MICROSECOND, microseconds
from trivium.base.query import Condition, Listed, Op, Query
from trivium.base.reasons import Reason
from trivium.base.values import Value
from trivium.resources.operations.errors import OperationExists, OperationNotFound
from trivium.resources.operations.table import OPERATIONS, operation_of, operations
from trivium.resources.operations.types import Operation, OperationStatus
from trivium.store import Read, Write, query

PURGED_AT_ONCE: Final = 1000
LARGEST: Final = (1 << 63) - 1


def start(
    tx: Write,
    caller: Caller,
    kind: str,
    *,
    target: int | None = None,
    project: int | None = None,
    uuid: UUID | None = None,
    called: str | None = None,
    within: timedelta | None = None,
    keep: timedelta | None = None,
    hook: str | None = None,
    new_uuid: Callable[[], UUID] = uuid4,
) -> Operation:
    """A new operation, pending. `kind` is `<thing>.<verb>`; `project` is the caller's unless given.

    `uuid` is what the caller chose: `OperationExists` where there is an operation of it. `called` is what the client
    called it by, `within` how long it may take before it is late, `keep` for how long it is kept after its end, where
    not for ever, and `hook` where to tell its end to.
    """
    if uuid is not None:
        _must_be_free(tx, uuid)
    made = Operation(
        id=tx.ids.next(),
        uuid=uuid or new_uuid(),
        kind=kind,
        target=target,
        user=caller.user,
        project=caller.project if project is None else project,
        status=OperationStatus.PENDING,
        progress=None,
        failure=None,
        result=None,
        called=called,
        due_by=None if within is None else tx.now + within,
        expires_at=None,
        created_at=tx.now,
        changed_at=tx.now,
        finished_at=None,
    )
    tx.run(
        insert(operations).values(
            id=made.id,
            uuid=made.uuid,
            kind=kind,
            target_id=target,
            user_id=made.user,
            project_id=made.project,
            status=made.status.value,
            called=called,
            due_by=made.due_by,
            kept_for=None if keep is None else keep // MICROSECOND,
            hook=hook,
            created_at=tx.now,
            changed_at=tx.now,
        )
    )
    return made


def advance(tx: Write, id: int, *, progress: int | None = None) -> None:
    """Say that it runs, and how many per cent are done. Progress never goes back; a finished one stays as it is."""
    going = (operations.c.id == id, operations.c.finished_at.is_(None))
    values = {"status": OperationStatus.RUNNING.value, "changed_at": tx.now}
    if progress is None:
        tx.run(update(operations).where(*going).values(**values))
        return
    lower = operations.c.progress.is_(None) | (operations.c.progress < progress)
    tx.run(update(operations).where(*going, lower).values(**values, progress=progress))


def finish(
    tx: Write,
    id: int,
    *,
    failure: Reason | None = None,
    result: Value | Mapping[str, object] | None = None,
) -> None:
    """End it: failed where there is a failure, else succeeded. One that is finished already stays as it is."""
    status = OperationStatus.SUCCEEDED if failure is None else OperationStatus.FAILED
    values: dict[str, object] = {
        "status": status.value,
        "changed_at": tx.now,
        "finished_at": tx.now,
        "expires_at": operations.c.kept_for + microseconds(tx.now),
        "hook_due": case((operations.c.hook.isnot(None), literal(tx.now, operations.c.hook_due.type))),
    }
    if failure is None:
        values["progress"] = 100
    else:
        values["reason_code"] = failure.code
        values["reason_details"] = msgspec.json.encode(failure.details).decode()
    if result is not None:
        values["result"] = msgspec.json.encode(result).decode()
    tx.run(update(operations).where(operations.c.id == id, operations.c.finished_at.is_(None)).values(**values))


def get(tx: Read, caller: Caller, id: int) -> Operation:
    """The operation; `OperationNotFound` when it is another project's and the caller is no administrator."""
    return _one(tx, caller, operations.c.id == id)


def get_by_uuid(tx: Read, caller: Caller, uuid: UUID) -> Operation:
    """The same by its UUID."""
    return _one(tx, caller, operations.c.uuid == uuid)


def find(tx: Read, uuid: UUID) -> Operation | None:
    """The operation, whoever's it is; None where there is none. It asks for no right: the UUID may be one."""
    row = tx.first(select(operations).where(operations.c.uuid == uuid))
    return None if row is None else operation_of(row)


def purge(tx: Write) -> int:
    """Remove operations that were to be kept until now at most, `PURGED_AT_ONCE` of them; how many they were."""
    old = select(operations.c.id).where(operations.c.expires_at <= tx.now).order_by(operations.c.expires_at)
    return tx.run(delete(operations).where(operations.c.id.in_(old.limit(PURGED_AT_ONCE))))


def of_targets(tx: Read, targets: Sequence[int], *, asked: Query) -> Listed[Operation]:
    """The operations on these targets, as asked, with how many follow the page.

    It asks for no right: callers do. Raises what `query.page` and `query.remaining` raise.
    """
    mine = Condition(field="target", op=Op.IN, value=tuple(targets))
    asked = structs.replace(asked, where=(mine, *asked.where))
    found = query.page(tx, OPERATIONS, asked)
    left = query.remaining(tx, OPERATIONS, asked, found=found)
    return Listed(rows=tuple(map(operation_of, found.rows)), total=found.total, next=found.next, remaining=left)


def unfinished(tx: Read, target: int) -> Sequence[Operation]:
    """The operations on that target that still go on, oldest first: what a worker ends when it is done."""
    going = (operations.c.target_id == target, operations.c.finished_at.is_(None))
    return [operation_of(row) for row in tx.all(select(operations).where(*going).order_by(operations.c.id))]


def _must_be_free(tx: Write, uuid: UUID) -> None:
    tx.advisory_lock(uuid.int & LARGEST)  # against another process that is about to use it, too
    if find(tx, uuid) is not None:
        raise OperationExists(uuid=uuid.hex)


def _one(tx: Read, caller: Caller, which: ColumnElement[bool]) -> Operation:
    row = tx.first(select(operations).where(which))
    if row is None or (row.project_id != caller.project and not caller.is_admin):
        raise OperationNotFound
    return operation_of(row)
