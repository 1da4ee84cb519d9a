"""The table of operations."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, Index, Integer, Row, Table

from trivium.base.reasons import Reason
from trivium.resources.operations.types import Operation, OperationStatus
from trivium.store import fields as f
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.schema import metadata, partial_index

operations = Table(
    "operations",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("kind", text(), nullable=False),
    Column("target_id", BigInteger),
    Column("user_id", BigInteger, nullable=False),
    Column("project_id", BigInteger, nullable=False),
    Column("status", text(), nullable=False),
    Column("progress", Integer),
    Column("reason_code", text()),
    Column("reason_details", text()),
    Column("result", text()),
    Column("called", text()),
    Column("due_by", Instant),  # when whoever asked for it is to be told that it took too long; null: never
    Column("kept_for", BigInteger),  # microseconds after its end; null: for ever
    Column("expires_at", Instant),
    Column("hook", text()),  # the address that its end is told to
    Column("hook_tries", Integer, nullable=False, server_default="0"),
    Column("hook_due", Instant),  # when that is tried next; null: not before its end, or never again
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index(None, "target_id", "id"),
    Index(None, "project_id", "id"),
)

partial_index("ix_operations_hook_due", operations.c.hook_due, where=operations.c.hook_due.isnot(None))
partial_index("ix_operations_expires_at", operations.c.expires_at, where=operations.c.expires_at.isnot(None))

OPERATIONS = f.Resource(
    "operations",
    operations,
    (
        f.Field("id", f.integer, operations.c.id),
        f.Field("uuid", f.uuid, operations.c.uuid),
        f.Field("kind", f.text, operations.c.kind),
        f.Field("target", f.integer, operations.c.target_id),
        f.Field("status", f.enum(OperationStatus), operations.c.status),
        f.Field("created_at", f.time, operations.c.created_at),
        f.Field("changed_at", f.time, operations.c.changed_at),
    ),
)


def operation_of(row: Row[Any]) -> Operation:
    """The operation that a row holds."""
    return Operation(
        id=row.id,
        uuid=row.uuid,
        kind=row.kind,
        target=row.target_id,
        user=row.user_id,
        project=row.project_id,
        status=OperationStatus(row.status),
        progress=row.progress,
        failure=_failure_of(row),
        result=row.result,
        called=row.called,
        due_by=row.due_by,
        expires_at=row.expires_at,
        created_at=row.created_at,
        changed_at=row.changed_at,
        finished_at=row.finished_at,
    )


def _failure_of(row: Row[Any]) -> Reason | None:
    if row.reason_code is None:
        return None
    details = msgspec.json.decode(row.reason_details, type=dict[str, str])
    return Reason(code=row.reason_code, details=details)
