"""Deleting several things, each with its own outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from trivium.base.errors import Conflict, Forbidden, Invalid, NotFound, TriviumError, WrongState
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
    return tuple([Outcome(uuid=uuid, failure=refusal_of(lambda uuid=uuid: delete(uuid))) for uuid in wanted])


def refusal_of(do: Callable[[], object]) -> TriviumError | None:
    """Do one thing of several, and tell why it was refused, before it wrote anything; None where it was done."""
    try:
        do()
    except (NotFound, Forbidden, Conflict, WrongState) as error:
        return error
    return None
