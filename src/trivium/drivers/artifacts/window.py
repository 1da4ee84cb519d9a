"""A file seen through a small window: whatever lengths it claims, no more than the window is in memory."""

from __future__ import annotations

import os
import struct
from typing import Final

from trivium.base.units import KIB
from trivium.drivers.places import refusal
from trivium.resources.models import ArtifactRefused, Fault

BLOCK: Final = 64 * KIB


class Window:
    """Reads a part of an open file forwards, and skips without reading. Ends as `ArtifactRefused` past its end."""

    def __init__(self, descriptor: int, name: str, *, size: int, start: int = 0) -> None:
        self._descriptor = descriptor
        self._block = b""
        self._begins = start  # where in the file the block does
        self.name = name
        self.position = start  # in the file
        self.end = start + size

    @property
    def left(self) -> int:
        """Bytes up to the end."""
        return self.end - self.position

    def take(self, count: int) -> bytes:
        """The next bytes, which the caller has bounded."""
        if count > self.left:
            raise ArtifactRefused(Fault.TRUNCATED, self.name)
        offset = self.position - self._begins
        if not 0 <= offset <= len(self._block) - count:
            self._load(max(count, BLOCK))
            offset = 0
        self.position += count
        return self._block[offset : offset + count]

    def skip(self, count: int) -> None:
        """Go past bytes without reading them."""
        if count > self.left:
            raise ArtifactRefused(Fault.TRUNCATED, self.name)
        self.position += count

    def unpack(self, layout: struct.Struct) -> int:
        """The next number of that layout."""
        return layout.unpack(self.take(layout.size))[0]

    def malformed(self, form: str) -> ArtifactRefused:
        """That the file is not of the form that it seems to be, about here."""
        return ArtifactRefused(Fault.MALFORMED, self.name, form=form, position=self.position)

    def _load(self, count: int) -> None:
        wanted = min(count, self.left)
        parts: list[bytes] = []
        at = self.position
        while wanted > 0 and (part := self._read(wanted, at)):
            parts.append(part)
            at += len(part)
            wanted -= len(part)
        if wanted > 0:
            raise ArtifactRefused(Fault.CHANGED, self.name)
        self._block = b"".join(parts)
        self._begins = self.position

    def _read(self, count: int, at: int) -> bytes:
        try:
            return os.pread(self._descriptor, count, at)
        except OSError as error:
            raise refusal(error, self.name) from error
