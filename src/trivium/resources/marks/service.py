"""Use cases of marks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete as delete_from
from sqlalchemy import func, insert, select

from trivium.base.caller import Caller
from trivium.resources import events, owning
from trivium.resources.marks.errors import NoSuchMark, TooManyMarks
from trivium.resources.marks.table import mark_of, marks
from trivium.resources.marks.types import Mark, MarkType, NewMarks, Thing
from trivium.store import Read, Write

LONGEST: Final = 512
MOST: Final = 100
"""Marks of one thing."""


def create(  # noqa: PLR0917 - who, what, and the mark itself
    tx: Write, caller: Caller, thing: Thing, tag: str, *, type: MarkType = MarkType.USER, uuid: UUID | None = None
) -> Mark:
    """A mark on a thing that the caller may change; the one that says so already, where there is one.

    The thing's room has said that the caller may. Raises `Missing` or `Invalid` for the `tag`, `TooManyMarks` and
    `UuidTaken`.
    """
    found = _put(tx, caller, thing, type=type, tag=tag, uuid=uuid)
    events.record(
        tx, caller, "mark.create", target=found.id, project=thing.project, after={"tag": tag, "thing": thing.uuid.hex}
    )
    return found


def put(tx: Write, caller: Caller, thing: Thing, *, new: NewMarks) -> None:
    """Give a new thing its marks. Raises what `create` raises; a tag that is there twice is put on once."""
    for type, tags in ((MarkType.USER, new.user), (MarkType.SYSTEM, new.system)):
        for tag in tags:
            _put(tx, caller, thing, type=type, tag=tag)
    for pattern in new.patterns:
        _put(tx, caller, thing, type=MarkType.USER, tag=pattern.hex, pattern=pattern)


def replace_system(tx: Write, caller: Caller, thing: Thing, *, prefix: str, values: Iterable[str]) -> None:
    """Give a thing the system's marks `prefix::value` of these values, in place of those of that prefix."""
    own = (marks.c.thing_uuid == thing.uuid, marks.c.type == MarkType.SYSTEM.value)
    tx.run(delete_from(marks).where(*own, marks.c.tag.startswith(f"{prefix}::", autoescape=True)))
    put(tx, caller, thing, new=NewMarks(system=tuple(f"{prefix}::{value}" for value in values)))


def get(tx: Read, caller: Caller, uuid: UUID) -> Mark:
    """The mark of that uuid, if the caller may see it. `NoSuchMark`."""
    row = tx.first(select(marks).where(marks.c.uuid == uuid))
    if row is None or not owning.sees(caller, row):
        raise NoSuchMark(uuid=uuid.hex)
    return mark_of(row)


def delete(tx: Write, caller: Caller, uuid: UUID) -> None:
    """Take a mark off. `NoSuchMark`; `Forbidden` unless the caller may change what it is on."""
    row = tx.lock(select(marks).where(marks.c.uuid == uuid))
    if row is None or not owning.sees(caller, row):
        raise NoSuchMark(uuid=uuid.hex)
    owning.must_own(caller, row, "take its tags off")
    tx.run(delete_from(marks).where(marks.c.id == row.id))
    told = {"tag": row.tag, "thing": row.thing_uuid.hex}
    events.record(tx, caller, "mark.delete", target=row.id, project=row.project_id, before=told)


def remove_all(tx: Write, thing: UUID) -> None:
    """Take all marks off a thing that is deleted."""
    tx.run(delete_from(marks).where(marks.c.thing_uuid == thing))


def _put(
    tx: Write,
    caller: Caller,
    thing: Thing,
    *,
    type: MarkType,
    tag: str,
    pattern: UUID | None = None,
    uuid: UUID | None = None,
) -> Mark:
    owning.checked_text("tag", tag, LONGEST, needed=True)
    same = (marks.c.thing_uuid == thing.uuid, marks.c.type == type.value, marks.c.tag == tag)
    there = tx.first(select(marks).where(*same))
    if there is not None:
        return mark_of(there)
    number = tx.value(select(func.count()).select_from(marks).where(marks.c.thing_uuid == thing.uuid))
    if int(number) >= MOST:
        raise TooManyMarks(most=MOST)
    row: dict[str, Any] = {
        "id": tx.ids.next(),
        "uuid": owning.claimed(tx, marks, uuid),
        "project_id": thing.project,
        "audience": owning.audience(thing.project, public=thing.public),
        "type": type.value,
        "thing_uuid": thing.uuid,
        "kind": thing.kind.value,
        "tag": tag,
        "pattern_uuid": pattern,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    tx.run(insert(marks).values(owning.folded_values(marks, row)))
    return get(tx, caller, row["uuid"])
