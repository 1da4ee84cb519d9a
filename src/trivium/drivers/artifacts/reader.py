"""Reads models inside the roots that the configuration allows, in threads of their own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from trivium.base.threads import DaemonThreads, give_way
from trivium.drivers.artifacts.checksums import Hashing
from trivium.drivers.artifacts.facts import describe
from trivium.drivers.artifacts.limits import Limits
from trivium.drivers.artifacts.listing import Listing
from trivium.drivers.artifacts.places import Root, innermost, refusal, shown
from trivium.resources.models import ArtifactRefused, Facts, Progress

Note = Callable[[Progress], None]
PATIENCE: Final = 5.0  # seconds in which a directory that can be read answers


class ArtifactReader:
    """The ports `Artifacts` of the models room and `Directories` of the room of stores, for local disks."""

    def __init__(self, roots: Sequence[Path], *, limits: Limits | None = None) -> None:
        self._roots = tuple(roots)
        self._limits = limits or Limits()
        self._threads = DaemonThreads()
        self._looks: dict[Path, asyncio.Future[bool]] = {}  # that are not over

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

    async def is_readable(self, path: Path) -> bool:
        """Whether a directory inside the roots can be read now; False where that takes too long to tell."""
        look = self._looks.get(path)
        if look is None:
            # A thread of its own, and one for each path: a file system on the network may keep it for ever.
            look = self._looks[path] = asyncio.ensure_future(DaemonThreads().run(self._is_readable, path))
            look.add_done_callback(lambda _: self._looks.pop(path))
        done, _ = await asyncio.wait((look,), timeout=PATIENCE)
        return bool(done) and look.result()

    def _is_readable(self, path: Path) -> bool:
        try:
            root_path, below = innermost(self._roots, path)
            root = Root(root_path)
        except (ArtifactRefused, OSError):
            return False
        try:
            place, _ = root.reach(below, name=shown(below))
        except ArtifactRefused:
            return False
        finally:
            root.close()
        try:
            os.close(os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(place)

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
