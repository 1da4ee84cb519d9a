"""Text of strangers: its encoding, its lines, and names of labels."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from trivium.base.units import KIB
from trivium.drivers.annotations import limits
from trivium.drivers.annotations.files import File, refused
from trivium.resources.datasets import SourceFault, SourceRefused

MARK: Final = b"\xef\xbb\xbf"  # of UTF-8, which some editors put first
READ_AHEAD: Final = 256 * KIB


class Lines:
    """The lines of a file, one after the other, of which none is longer in memory than is allowed."""

    def __init__(self, file: File, *, longest: int, offset: int = 0) -> None:
        """Begin at an offset, which is a line's. Raises `SourceRefused`."""
        self._name = file.name
        self._longest = longest
        self._reader = io.BufferedReader(io.FileIO(os.dup(file.descriptor()), closefd=True), READ_AHEAD)
        self.offset = offset  # where the next line begins
        self.number = lines_before(file, offset) if offset else 0  # of the line that was read last
        self._reader.seek(offset)

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def seek(self, offset: int, number: int) -> None:
        """Go to another line's beginning, before which there are so many."""
        self._reader.seek(offset)
        self.offset, self.number = offset, number

    def next(self) -> bytes | None:
        """The next line with its end, b"" when there is none; None for one that is too long, which is passed over."""
        try:
            line = self._reader.readline(self._longest + 2)
            self.offset += len(line)
            self.number += 1 if line else 0
            if len(line) <= self._longest + 1 and (line.endswith(b"\n") or len(line) <= self._longest):
                return line
            self._skip(line)
        except OSError as error:
            raise refused(error, self._name) from error
        return None

    def _skip(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._reader.readline(READ_AHEAD)
            self.offset += len(line)


def lines_before(file: File, offset: int) -> int:
    """How many lines end before an offset. Raises `SourceRefused`."""
    found = at = 0
    while at < offset and (block := file.at(at, min(READ_AHEAD, offset - at))):
        found += block.count(b"\n")
        at += len(block)
    return found


def lines_in(file: File) -> int:
    """How many lines a file has, the last one too where it does not end. Raises `SourceRefused`."""
    ends = not file.size or file.at(file.size - 1, 1) == b"\n"
    return lines_before(file, file.size) + (0 if ends else 1)


def decoded(raw: bytes, name: str) -> str:
    """Text that is UTF-8 or, as ModelArts takes it too, GBK. Raises `SourceRefused`."""
    if b"\0" not in raw:
        for encoding in ("utf-8", "gbk"):
            with suppress(UnicodeDecodeError):
                return raw.decode(encoding)
    raise SourceRefused(SourceFault.ENCODING, name)


def label_name(text: str, name: str) -> str:
    """A label's name, without the white space around it. Raises `SourceRefused`."""
    found = text.strip()
    if not 0 < len(found) <= limits.LABEL or not found.isprintable():
        raise SourceRefused(SourceFault.LABEL, name, limit=limits.LABEL)
    return found


def label_names(texts: Iterable[str], name: str) -> tuple[str, ...]:
    """The names of labels, each once, in their order; empty ones are none. Raises `SourceRefused`."""
    found = dict.fromkeys(label_name(text, name) for text in texts if text.strip())
    if len(found) > limits.LABELS:
        raise SourceRefused(SourceFault.TOO_LARGE, name, what="labels", limit=limits.LABELS)
    return tuple(found)


def labels_in(file: File) -> tuple[str, ...]:
    """The names in a file that has a label in each line. Raises `SourceRefused`."""
    raw = file.whole(limits.LABEL_FILE, "labels").removeprefix(MARK)
    return label_names(decoded(raw, file.name).splitlines(), file.name)
