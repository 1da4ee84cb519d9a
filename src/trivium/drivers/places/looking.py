"""Looks whether directories can be read, which may lie on a file system that does not answer."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trivium.base.threads import DaemonThreads
from trivium.drivers.places.reaching import Root, innermost, shown
from trivium.resources.models import ArtifactRefused

PATIENCE: Final = 5.0  # seconds in which a directory that can be read answers
OURS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})  # what this machine lacks, not the directory


class StoreDirectories:
    """The port `Directories` of the room of stores, for local disks."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._looks: dict[Path, asyncio.Future[bool | None]] = {}  # that are not over

    async def is_readable(self, path: Path) -> bool | None:
        """See the port; only what is inside the roots is looked at."""
        look = self._looks.get(path)
        if look is None:
            # A thread of its own, and one for each path: a file system on the network may keep it for ever.
            look = self._looks[path] = asyncio.ensure_future(DaemonThreads().run(self._is_readable, path))
            look.add_done_callback(lambda _: self._looks.pop(path))
        done, _ = await asyncio.wait((look,), timeout=PATIENCE)
        return look.result() if done else False

    def _is_readable(self, path: Path) -> bool | None:
        try:
            self._read(path)
        except (ArtifactRefused, OSError) as error:
            cause = error.__cause__ if isinstance(error, ArtifactRefused) else error
            return None if isinstance(cause, OSError) and cause.errno in OURS else False
        return True

    def _read(self, path: Path) -> None:
        """Open the directory, once. ArtifactRefused or OSError where that cannot be done."""
        root_path, below = innermost(self._roots, path)
        root = Root(root_path)
        try:
            place, _ = root.reach(below, name=shown(below))
        finally:
            root.close()
        try:
            os.close(os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        finally:
            os.close(place)
