"""Small pictures of samples: those that are kept, or drawn now, as many at once as there are cores."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from trivium.drivers.samples.files import OpenFile
from trivium.drivers.samples.kept import Kept
from trivium.drivers.samples.studio import Studio
from trivium.resources.samples import NotAPicture, PictureTooLarge, TooManyPictures
from trivium.resources.samples.ports import Resize

QUEUE: Final = 64  # pictures that wait
IDLE: Final = 60.0  # seconds after the last picture in which the process that draws is kept
LARGEST: Final = 32 * 1024 * 1024  # bytes of a small picture
FIELD: Final = "x-image-process"
DRAWN: Final = "done"
MALFORMED: Final = "malformed"


class Thumbnails:
    """Gives the small picture of one that is open."""

    def __init__(self, folder: Path) -> None:
        cores = len(os.sched_getaffinity(0))
        self._kept = Kept(folder)
        self._studio = Studio()
        self._most = cores + QUEUE
        self._asked = 0
        self._room = asyncio.Semaphore(cores)
        self._end: asyncio.TimerHandle | None = None

    async def of(self, picture: OpenFile, wanted: Resize) -> OpenFile:
        """The small picture of one, which is closed. `NotAPicture`, `PictureTooLarge`, `TooManyPictures`."""
        asked = msgspec.json.encode(wanted)
        name = blake2b(picture.tag.encode() + b"\0" + asked, digest_size=16).hexdigest()
        try:
            kept = await asyncio.to_thread(self._kept.find, name)
            if kept is not None:
                return OpenFile(kept, tag=name, modified=picture.modified)
            if self._asked >= self._most:
                raise TooManyPictures
            return await self._in_turn(picture, asked, name)
        finally:
            picture.close()

    def close(self) -> None:
        """Let the process end that draws."""
        if self._end is not None:
            self._end.cancel()
        self._studio.close()

    async def _in_turn(self, picture: OpenFile, asked: bytes, name: str) -> OpenFile:
        self._asked += 1
        try:
            async with self._room:
                return await asyncio.to_thread(self._drawn, picture, asked, name)
        finally:
            self._asked -= 1
            if self._end is not None:
                self._end.cancel()
            self._end = asyncio.get_running_loop().call_later(IDLE, self._rest)

    def _rest(self) -> None:
        if not self._asked:
            self._studio.close()

    def _drawn(self, picture: OpenFile, asked: bytes, name: str) -> OpenFile:
        target = os.memfd_create("thumbnail", os.MFD_CLOEXEC)
        try:
            self._draw(picture, target, asked)
            with suppress(OSError):  # one that cannot be kept is drawn again
                self._kept.put(name, os.pread(target, LARGEST, 0))
            return OpenFile(target, tag=name, modified=picture.modified)
        except BaseException:
            os.close(target)
            raise

    def _draw(self, picture: OpenFile, target: int, asked: bytes) -> None:
        try:
            with picture.lent() as source:
                told = self._studio.draw(source, target, asked)
        except OSError as error:  # there is no process or descriptor to be had now
            raise TooManyPictures from error
        if told == MALFORMED:
            raise NotAPicture(FIELD)
        if told != DRAWN:  # it was too large, or took too much time or memory
            raise PictureTooLarge(FIELD)
