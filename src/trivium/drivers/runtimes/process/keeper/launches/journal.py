"""What the keeper writes down of a launch, so that a later keeper finds out what happened while none was there.

Each launch has a directory `<launch>-<generation>`. Notes are written beside and renamed, so that one is there whole or
not at all. The report is one page that is laid out before anything starts, so that what a launch came to can be told on
a full disk.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

Note = dict[str, Any]
INTENT, STATE, READY, STOP, ENDED, FORGET = "intent", "state", "ready", "stop", "ended", "forget"
REPORT = "report"
BESIDE = ".new"  # the end of the name of a directory that is being made or removed
SLOT = 2048  # bytes of each half of the report
MINDER, STARTER = 0, 1  # who writes which half
DETAIL = 400  # characters of a detail that surely fit


class Journal:
    """The notes of one launch."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def write(self, name: str, note: Note) -> None:
        """Write a note that outlasts the machine's end; OSError leaves the former one in place."""
        self._replace(name, note, _write_durably)
        sync_directory(self.directory)

    def write_for_boot(self, name: str, note: Note) -> None:
        """Write a note that is of no use after the machine's next start; OSError leaves the former one in place."""
        self._replace(name, note, _write_whole)

    def read(self, name: str) -> Note | None:
        """A note; None when it was never written."""
        try:
            with open(f"{self.directory}/{name}", encoding="utf-8") as file:
                note = json.load(file)
        except (OSError, ValueError):
            return None
        return cast("Note", note) if isinstance(note, dict) else None

    def create(self, intent: Note) -> None:
        """Make the directory with the intent and an empty report in it, or nothing; OSError says why."""
        beside = self._beside
        shutil.rmtree(beside, ignore_errors=True)
        try:
            os.mkdir(beside, 0o700)
            Journal(beside).write(INTENT, intent)
            _write_durably(f"{beside}/{REPORT}", b" " * (2 * SLOT))
            os.rename(beside, self.directory)
        except OSError:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        sync_directory(os.path.dirname(self.directory))

    def open_report(self) -> int:
        """A descriptor of the report, to be written by `report`."""
        return os.open(f"{self.directory}/{REPORT}", os.O_WRONLY | os.O_CLOEXEC)

    def reported(self, who: int) -> Note:
        """What the minder or the starter last reported; empty when it did not yet."""
        try:
            with open(f"{self.directory}/{REPORT}", "rb") as file:
                file.seek(who * SLOT)
                note = json.loads(file.read(SLOT) or b"{}")
        except (OSError, ValueError):
            return {}
        return cast("Note", note) if isinstance(note, dict) else {}

    def remove(self) -> None:
        """Drop all notes at once: whoever dies over it leaves none that could be taken for a launch."""
        beside = self._beside
        shutil.rmtree(beside, ignore_errors=True)
        try:
            os.rename(self.directory, beside)
        except OSError:
            return  # they are gone already
        shutil.rmtree(beside, ignore_errors=True)

    @property
    def _beside(self) -> str:
        """Where the directory lies before it is whole, and while it is removed; the next keeper clears it away."""
        return f"{os.path.dirname(self.directory)}/.{os.path.basename(self.directory)}{BESIDE}"

    def _replace(self, name: str, note: Note, write: Callable[[str, bytes], None]) -> None:
        path = f"{self.directory}/{name}"
        beside = f"{path}.{os.getpid()}.new"
        try:
            write(beside, json.dumps(note).encode())
            os.rename(beside, path)
        except OSError:
            with suppress(OSError):
                os.unlink(beside)
            raise


def report(descriptor: int, who: int, note: Note) -> None:
    """Write one half of the report, in place, so that it needs no new space on the disk.

    It is not forced to the disk: after the machine's next start a launch that had not ended is lost, whatever it says.
    """
    text = json.dumps(note).encode()
    if len(text) > SLOT:
        text = json.dumps({**note, "detail": str(note.get("detail", ""))[: DETAIL // 2]}).encode()[:SLOT]
    os.pwrite(descriptor, text.ljust(SLOT), who * SLOT)


def sync_directory(path: str) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_whole(path: str, content: bytes) -> None:
    os.close(_written(path, content))


def _write_durably(path: str, content: bytes) -> None:
    descriptor = _written(path, content)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(path: str, content: bytes) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
