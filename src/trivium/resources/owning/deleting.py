"""Deleting several things, each with its own outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from trivium.base.errors import Conflict, Forbidden, Invalid, NotFound, WrongState
from trivium.resources.owning.types import Outcome

MOST: Final = 1000


def each(uuids: Sequence[UUID], delete: Callable[[UUID], object]) -> tuple[Outcome, ...]:
    """Delete each of these, and tell what became of it; one that cannot be deleted does not keep the others.

    `delete` must refuse before it writes. `Invalid` for none and for too many.
    """
    wanted = list(dict.fromkeys(uuids))
    if not 0 < len(wanted) <= MOST:
        message = f"there must be 1 to {MOST} of them"
        raise Invalid("uuids", message)
    return tuple([_one(uuid, delete) for uuid in wanted])


def _one(uuid: UUID, delete: Callable[[UUID], object]) -> Outcome:
    try:
        delete(uuid)
    except (NotFound, Forbidden, Conflict, WrongState) as error:
        return Outcome(uuid=uuid, failure=error)
    return Outcome(uuid=uuid)
