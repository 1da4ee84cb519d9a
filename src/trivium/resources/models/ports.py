"""What the models room needs of the world: something that reads the files of a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from trivium.resources.models.types import Facts, Progress


class Artifacts(Protocol):
    """What reads a model's files, inside the roots that it was made for. Nothing in them is executed or unpickled."""

    async def read(
        self, path: Path, *, resume: Progress | None = None, note: Callable[[Progress], None] | None = None
    ) -> Facts:
        """What the file or directory at an absolute path says, read whole.

        Raises `ArtifactRefused`, whose `reason` names the file. `note` is called in the thread that reads, now and then
        and once at the end, and may block; what it raises ends the reading and is raised here. Files that are in
        `resume` are not read again, unless their size, modification time or inode is another. Where the wait is
        cancelled, the thread ends after the block that it is reading.
        """
        ...
