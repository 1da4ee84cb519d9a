"""What deleting is asked with and comes to, and who else may have something to say to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from trivium.base.caller import Caller
from trivium.base.errors import TriviumError
from trivium.base.values import Value
from trivium.store import Read, Write

EVERYBODY: Final = 0
"""The audience of what is public; no project has that id."""


class Deletion(StrEnum):
    """What a deletion does about what is bound to the thing."""

    PERMISSIVE = "permissive"  # there must be nothing
    ENFORCING = "enforcing"  # it goes along


class Outcome(Value, frozen=True):
    """What became of one thing of several that were to be deleted."""

    uuid: UUID
    failure: TriviumError | None = None  # why it is still there


class Dependents(Protocol):
    """What a later room has that refers to things of an earlier one."""

    def hinder(self, tx: Read, caller: Caller, uuid: UUID, *, mode: Deletion) -> bool:
        """Whether something refers to the thing that does not go along when the caller deletes it so."""
        ...

    def let_go(self, tx: Write, caller: Caller, uuid: UUID) -> None:
        """Take away what goes along with the thing, which is about to be deleted."""
        ...
