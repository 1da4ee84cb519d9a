"""Who sees a thing and who may change it, and the uuids of new things."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, FromClause, Row, Table, select

from trivium.base.caller import Caller
from trivium.base.errors import Forbidden
from trivium.resources.owning.errors import UuidTaken
from trivium.resources.owning.types import EVERYBODY
from trivium.store import Read


def audience(project: int, *, public: bool) -> int:
    """Who is to see a thing of that project."""
    return EVERYBODY if public else project


def sees(caller: Caller, row: Row[Any]) -> bool:
    """Whether the caller may see the thing that a row stands for."""
    return caller.is_admin or row.audience in (EVERYBODY, caller.project)


def seen_by(caller: Caller, table: FromClause) -> tuple[ColumnElement[bool], ...]:
    """That the caller may see what a row of the table stands for, as conditions of a statement."""
    return () if caller.is_admin else (table.c.audience.in_((EVERYBODY, caller.project)),)


def owns(caller: Caller, row: Row[Any]) -> bool:
    """Whether the caller may change the thing that a row stands for."""
    return caller.is_admin or row.project_id == caller.project


def must_own(caller: Caller, row: Row[Any], action: str) -> None:
    """Raise `Forbidden` unless the caller may change the thing that a row stands for."""
    if not owns(caller, row):
        message = f"only its project or an administrator may {action}"
        raise Forbidden(message, action=action)


def claimed(tx: Read, table: Table, wanted: UUID | None) -> UUID:
    """The uuid of a new row: the caller's where it is free, else a new one. `UuidTaken`."""
    if wanted is None:
        return uuid4()
    if tx.first(select(table.c.id).where(table.c.uuid == wanted)) is not None:
        raise UuidTaken(uuid=wanted.hex)
    return wanted
