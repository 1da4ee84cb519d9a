"""Reads models inside the roots that the configuration allows, in threads of their own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from trivium.drivers.artifacts.checksums import Hashing
from trivium.drivers.artifacts.facts import describe
from trivium.drivers.artifacts.limits import Limits
from trivium.drivers.artifacts.listing import Listing
from trivium.drivers.artifacts.places import Root, refusal, shown
from trivium.drivers.threads import DaemonThreads
from trivium.resources.models import ArtifactRefused, Facts, Fault, Progress

Note = Callable[[Progress], None]


class ArtifactReader:
    """The port `trivium.resources.models.ports.Artifacts`, for local disks."""

    def __init__(self, roots: Sequence[Path], *, limits: Limits | None = None) -> None:
        self._roots = tuple(roots)
        self._limits = limits or Limits()
        self._threads = DaemonThreads()

    async def read(self, path: Path, *, resume: Progress | None = None, note: Note | None = None) -> Facts:
        """What the file or directory says, read whole; see the port."""
        stopped = threading.Event()
        try:
            return await self._threads.run(self.read_here, path, resume=resume, note=note, stopped=stopped.is_set)
        finally:
            stopped.set()

    def read_here(
        self, path: Path, *, resume: Progress | None, note: Note | None, stopped: Callable[[], bool]
    ) -> Facts:
        """The same in this thread. Raises `Stopped`, too, once `stopped` is true.

        Headers come first: what is malformed is refused before its weights are read. All of it is of the same files,
        since each is opened only as the one that was found.
        """
        root_path, below = self._split(path)
        try:
            root = Root(root_path)
        except OSError as error:
            raise refusal(error, str(root_path)) from error
        try:
            listing = Listing(root, below, self._limits)
            facts = describe(listing, stopped=stopped)
            checksum = Hashing(listing, resume=resume, note=note, stopped=stopped).checksum()
            return msgspec.structs.replace(facts, checksum=checksum)
        finally:
            root.close()

    def _split(self, path: Path) -> tuple[Path, bytes]:
        """The innermost root that a path is in, and the path below it. Raises `ArtifactRefused`."""
        raw = os.fsencode(path)
        if not path.is_absolute() or b"\0" in raw:
            raise ArtifactRefused(Fault.OUTSIDE, shown(raw))
        inside = [root for root in self._roots if path.is_relative_to(root)]
        if not inside:
            raise ArtifactRefused(Fault.OUTSIDE, shown(raw))
        root = max(inside, key=lambda one: len(one.parts))
        return root, os.fsencode(path.relative_to(root))
