"""Who sees a thing and who may change it, and the uuids of new things."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, Table, select

from trivium.base.caller import Caller
from trivium.base.errors import Forbidden
from trivium.resources.owning.errors import UuidTaken
from trivium.resources.owning.types import EVERYBODY
from trivium.store import Read
from trivium.store.query import Audience, Condition


def audience(project: int, *, public: bool) -> int:
    """Who is to see a thing of that project."""
    return EVERYBODY if public else project


def seen_by(table: Table) -> Audience:
    """The scope of what members of a project see of a table, and of what is related: the project's and the public."""
    return Audience(table.c.audience, everybody=EVERYBODY)


def scope_of(caller: Caller, scope: Audience) -> tuple[Condition, ...]:
    """What the caller sees, with the table's `seen_by`. An administrator sees everything."""
    return () if caller.is_admin else (scope.of(project=caller.project),)


def sees(caller: Caller, row: Row[Any]) -> bool:
    """Whether the caller may see the thing that a row stands for."""
    return caller.is_admin or row.audience in (EVERYBODY, caller.project)


def owns(caller: Caller, row: Row[Any]) -> bool:
    """Whether the caller may change the thing that a row stands for."""
    return caller.is_admin or row.project_id == caller.project


def must_own(caller: Caller, row: Row[Any], action: str) -> None:
    """Raise `Forbidden` unless the caller may change the thing that a row stands for."""
    if not owns(caller, row):
        message = f"only its project or an administrator may {action}"
        raise Forbidden(message, action=action)


def seen(tx: Read, caller: Caller, table: Table, *, uuid: UUID) -> Row[Any] | None:
    """The row of that uuid; None where there is none that the caller may see."""
    row = tx.first(select(table).where(table.c.uuid == uuid))
    return row if row is not None and sees(caller, row) else None


def claimed(tx: Read, table: Table, wanted: UUID | None) -> UUID:
    """The uuid of a new row: the caller's where it is free, else a new one. `UuidTaken`."""
    if wanted is None:
        return uuid4()
    if tx.first(select(table.c.id).where(table.c.uuid == wanted)) is not None:
        raise UuidTaken(uuid=wanted.hex)
    return wanted
