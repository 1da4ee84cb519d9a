"""What SCNet calls the statuses of a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trivium.resources.notebooks import Status

SHOWN: Final[Mapping[Status, str]] = {
    Status.CREATING: "Creating",
    Status.STARTING: "Restarting",
    Status.RUNNING: "Running",
    Status.SAVING: "Running",
    Status.STOPPING: "Shutting",
    Status.STOPPED: "Terminated",
    Status.FAILED: "Failed",
}
"""The word for each; a notebook that is being released is off SCNet's lists at once."""

MEANT: Final[Mapping[str, tuple[str, ...]]] = {
    word: tuple(status.value for status, shown in SHOWN.items() if shown == word) for word in SHOWN.values()
}
"""What each word stands for."""
