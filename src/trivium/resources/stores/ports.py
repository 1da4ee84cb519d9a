"""What the stores room needs of the world: whether a directory can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Directories(Protocol):
    """What looks at the directories of stores."""

    async def is_readable(self, path: Path) -> bool | None:
        """Whether the directory lies where models may, and can be read now; False where that takes too long to tell.

        None where this process lacks what it takes to look, which says nothing of the directory.
        """
        ...
