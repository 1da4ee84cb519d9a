"""What word is shown for what was asked and what was found, and from where one may ask for what."""

from __future__ import annotations

from typing import Final

from trivium.resources.notebooks.types import Found, Status, Wanted

STARTABLE: Final = frozenset({Status.STOPPED, Status.FAILED})
STOPPABLE: Final = frozenset({Status.RUNNING, Status.STARTING})
RELEASABLE: Final = frozenset({Status.RUNNING, Status.STOPPED, Status.FAILED})


def shown(wanted: Wanted, found: Found, *, first: bool, saving: bool) -> Status:
    """The word for a notebook. `first`: it was never running before; `saving`: an image is being made of it."""
    if wanted is Wanted.DELETED:
        return Status.DELETED if found is Found.GONE else Status.DELETING
    if found is Found.FAILED:
        return Status.FAILED
    if wanted is Wanted.STOPPED:
        return Status.STOPPED if found is Found.STOPPED else Status.STOPPING
    if found is Found.RUNNING:
        return Status.SAVING if saving else Status.RUNNING
    return Status.CREATING if first else Status.STARTING


def is_settled(wanted: Wanted, found: Found) -> bool:
    """Whether nothing of it runs and nothing is to be done, so that workers need not look at it."""
    if wanted is Wanted.DELETED:
        return found is Found.GONE
    return found is Found.FAILED or (wanted is Wanted.STOPPED and found is Found.STOPPED)
