"""Reads models inside the roots that the configuration allows, in threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from trivium.base.threads import DaemonThreads, give_way
from trivium.drivers.artifacts.checksums import Hashing
from trivium.drivers.artifacts.facts import describe
from trivium.drivers.artifacts.limits import Limits
from trivium.drivers.artifacts.listing import Listing
from trivium.drivers.places import Root, innermost, refusal
from trivium.resources.models import Facts, Progress

Note = Callable[[Progress], None]


class ArtifactReader:
    """The port `Artifacts` of the models room, for local disks."""

    def __init__(self, roots: Sequence[Path], *, limits: Limits | None = None) -> None:
        self._roots = tuple(roots)
        self._limits = limits or Limits()
        self._threads = DaemonThreads()

    async def read(self, path: Path, *, resume: Progress | None = None, note: Note | None = None) -> Facts:
        """What the file or directory says, read whole; see the port."""
        stopped = threading.Event()
        try:
            return await self._threads.run(self._read_gently, path, resume=resume, note=note, stopped=stopped.is_set)
        finally:
            stopped.set()

    def _read_gently(
        self, path: Path, *, resume: Progress | None, note: Note | None, stopped: Callable[[], bool]
    ) -> Facts:
        give_way()  # notebooks, and the server itself, come first
        return self.read_here(path, resume=resume, note=note, stopped=stopped)

    def read_here(
        self, path: Path, *, resume: Progress | None, note: Note | None, stopped: Callable[[], bool]
    ) -> Facts:
        """The same in this thread. Raises `Stopped`, too, once `stopped` is true.

        Headers come first: what is malformed is refused before its weights are read. All of it is of the same files,
        since each is opened only as the one that was found.
        """
        root_path, below = innermost(self._roots, path)
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
