"""The list of entries of a zip archive, read with bounds. Nothing is unpacked.

See https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3 and 4.5. Python's own reader would hold a
list of any length in memory, and believe entries that lie over each other, which is what zip bombs are made of.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from trivium.base.values import Value
from trivium.drivers.artifacts import limits
from trivium.drivers.artifacts.window import Window
from trivium.drivers.places import shown
from trivium.resources.models import ArtifactRefused, Fault

MAGIC: Final = b"PK\x03\x04"
END: Final = struct.Struct("<4s4H2LH")
LOCATOR: Final = struct.Struct("<4sLQL")
END64: Final = struct.Struct("<4sQ2H2L4Q")
CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
LOCAL: Final = struct.Struct("<4s5H3L2H")
COMMENT: Final = 65_535
ZIP64: Final = 0x0001
FULL: Final = 0xFFFF_FFFF
STORED: Final = 0
ENTRIES: Final = 50_000


class Stored(Value, frozen=True):
    """One entry, stored as it is: where its data lies."""

    path: bytes
    start: int
    size: int


class Archive:
    """The entries of an archive in an open file."""

    def __init__(self, descriptor: int, name: str, size: int) -> None:
        self._descriptor = descriptor
        self._name = name
        self._size = size

    def entries(self) -> dict[bytes, Stored]:
        """All entries by their paths. Raises `ArtifactRefused`, also for compressed ones and those that overlap."""
        count, size, offset = self._end()
        if size > limits.DIRECTORY or count > ENTRIES:
            raise ArtifactRefused(
                Fault.TOO_LARGE, self._name, what="archive", size=max(size, count), limit=limits.DIRECTORY
            )
        found: dict[bytes, Stored] = {}
        window = self._window(offset, size)
        for _ in range(count):
            entry = self._entry(window)
            if entry.path in found:
                raise ArtifactRefused(Fault.DUPLICATE, self._name, key=shown(entry.path[:200]))
            found[entry.path] = entry
        self._check_overlaps(found)
        return found

    def window(self, entry: Stored) -> Window:
        """An entry's data."""
        return self._window(entry.start, entry.size)

    def _window(self, start: int, size: int) -> Window:
        if not 0 <= start <= start + size <= self._size:
            raise ArtifactRefused(Fault.OFFSETS, self._name, start=start, end=start + size, size=self._size)
        return Window(self._descriptor, self._name, size=size, start=start)

    def _end(self) -> tuple[int, int, int]:
        """How many entries there are, how long their list is, and where it begins."""
        start = max(self._size - END.size - COMMENT, 0)
        tail = self._window(start, self._size - start).take(self._size - start)
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < END.size:
            raise ArtifactRefused(Fault.TRUNCATED, self._name)
        _, _, _, _, count, size, offset, _ = END.unpack_from(tail, at)
        if at >= LOCATOR.size and tail[at - LOCATOR.size :].startswith(b"PK\x06\x07"):
            _, _, place, _ = LOCATOR.unpack_from(tail, at - LOCATOR.size)
            raw = self._window(place, END64.size).take(END64.size)
            signature, _, _, _, _, _, _, count, size, offset = END64.unpack(raw)
            if signature != b"PK\x06\x06":
                raise self._malformed(place)
        return count, size, offset

    def _entry(self, window: Window) -> Stored:
        at = window.position
        head = CENTRAL.unpack(window.take(CENTRAL.size))
        signature, _, _, flags, method, _, _, _, packed, size, named, extra, said = head[:13]
        offset = head[16]
        if signature != b"PK\x01\x02" or flags & 1:
            raise self._malformed(at)
        path = window.take(named)
        packed, size, offset = _widened(window.take(extra), packed=packed, size=size, offset=offset)
        window.skip(said)
        if method != STORED or packed != size:
            raise ArtifactRefused(Fault.COMPRESSED, self._name, part=shown(path[:200]))
        local = self._window(offset, LOCAL.size).take(LOCAL.size)
        signature, *_, local_named, local_extra = LOCAL.unpack(local)
        if signature != MAGIC:
            raise self._malformed(offset)
        start = offset + LOCAL.size + local_named + local_extra
        self._window(start, size)
        return Stored(path=path, start=start, size=size)

    def _check_overlaps(self, found: dict[bytes, Stored]) -> None:
        last = 0
        for entry in sorted((one for one in found.values() if one.size), key=lambda one: one.start):
            if entry.start < last:
                raise ArtifactRefused(
                    Fault.OFFSETS, self._name, start=entry.start, end=entry.start + entry.size, size=last
                )
            last = entry.start + entry.size

    def _malformed(self, position: int) -> ArtifactRefused:
        return ArtifactRefused(Fault.MALFORMED, self._name, form="zip", position=position)


def _widened(extra: bytes, *, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    """The sizes and the offset, with those that are too large for 32 bits taken from the extra field."""
    wide = _wide(extra)
    size = next(wide, size) if size == FULL else size
    packed = next(wide, packed) if packed == FULL else packed
    return packed, size, next(wide, offset) if offset == FULL else offset


def _wide(extra: bytes) -> Iterator[int]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == ZIP64:
            field = extra[at + 4 : at + 4 + length]
            yield from (number for (number,) in struct.iter_unpack("<Q", field[: len(field) // 8 * 8]))
            return
        at += 4 + length
