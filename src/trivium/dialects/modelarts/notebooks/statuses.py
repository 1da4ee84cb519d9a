"""What ModelArts calls the statuses of a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trivium.base.query import Condition, Op
from trivium.resources.notebooks import Notebook, NotebookScope, Status

SHOWN: Final[Mapping[Status, str]] = {
    Status.CREATING: "CREATING",
    Status.STARTING: "STARTING",
    Status.RUNNING: "RUNNING",
    Status.SAVING: "SNAPSHOTTING",
    Status.STOPPING: "STOPPING",
    Status.STOPPED: "STOPPED",
    Status.FAILED: "ERROR",
    Status.DELETING: "DELETING",
    Status.DELETED: "DELETED",
}
"""The word for each; one that failed before it ever ran has another."""

CREATE_FAILED: Final = "CREATE_FAILED"
ERROR: Final = "ERROR"
NEVER: Final = ("INIT", "START_FAILED", "DELETE_FAILED", "FROZEN")
"""Words of ModelArts' that no notebook here has."""

DELETED: Final = (SHOWN[Status.DELETING], SHOWN[Status.DELETED])
WORDS: Final = (*SHOWN.values(), CREATE_FAILED, *NEVER)

MEANT: Final[Mapping[str, Status]] = {word: status for status, word in SHOWN.items()}


def shown(notebook: Notebook) -> str:
    """The word for a notebook's status."""
    if notebook.status is Status.FAILED and notebook.started_at is None:
        return CREATE_FAILED
    return SHOWN[notebook.status]


def scope(word: str | None) -> NotebookScope:
    """Where the notebooks of that word are: those that are deleted only where they are asked for."""
    return NotebookScope.DELETED if word in DELETED else NotebookScope.LISTED


def conditions(word: str | None) -> tuple[Condition, ...]:
    """What must hold of the notebooks that are shown with that word; of all of them when there is none."""
    if word is None:
        return ()
    if word in NEVER:
        return (Condition(field="id", op=Op.EQ, value=0),)
    status = Condition(field="status", op=Op.EQ, value=MEANT.get(word, Status.FAILED).value)
    if word in (CREATE_FAILED, ERROR):
        ran = Op.NULL if word == CREATE_FAILED else Op.NOT_NULL
        return (status, Condition(field="started_at", op=ran))
    return (status,)
