"""What the transfers room needs of the world besides the sources of datasets: somewhere that exports are written to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from uuid import UUID

from trivium.base.values import Value
from trivium.resources.samples import KeptSample
from trivium.resources.stores import Sight


class Form(Value, frozen=True):
    """How an export is laid out."""

    copies: bool = False  # files are copied; else the manifest names them where they are
    flat: bool = False  # all of them into one directory; else as they lie below `base`
    beside: bool = False  # labels are written beside files, too: Pascal VOC, or a text with a name in each line
    shapes: bool = False  # labels are shapes: nothing is written beside what has none
    coco: bool = False  # shapes are written in the one file of COCO; samples that have others are not written
    base: bytes = b""  # the directory that most samples lie below …
    called: str = ""  # … and what that is called in manifests
    whole: bool = False  # the manifest also says what importers pass over, so that samples can be shown from it
    keeps_hard: bool = True  # else nothing says any more what is hard
    keeps_usage: bool = True  # else nothing says any more what samples are to be used for …
    train: float | None = None  # … unless so much of them is for training, and the rest for evaluation


class Sink(Protocol):
    """An export that is being written. It blocks: use it in a thread, and close it."""

    def put(self, sample: KeptSample) -> None:
        """Write a sample. Raises `SampleNotWritten` where this one cannot be, and `TargetRefused` where none can be."""
        ...

    def keep(self) -> int:
        """Make what was put last, whatever happens; how long the manifest is then, in bytes. Raises `TargetRefused`."""
        ...

    def finish(self) -> bytes:
        """Give the manifest its name: all is there. Its checksum. Raises `TargetRefused`.

        Until its directory is released the export may be opened again, and finished again.
        """
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Kept(Protocol):
    """The manifest of a version, which is read again. It blocks: use it in a thread, and close it.

    All of it raises `VersionUnreadable` where the file is not what was written.
    """

    @property
    def number(self) -> int:
        """How many lines it has."""
        ...

    def lines(self, first: int, *, descending: bool = False) -> Iterator[tuple[int, bytes]]:
        """Its lines from the one on that has so many before it, each with how many it has before it."""
        ...

    def sample(self, line: tuple[int, bytes], *, dataset: int) -> KeptSample:
        """The sample that a line is, as it was; its id is the line's number."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Sinks(Protocol):
    """What writes exports, inside the roots that it was made for, and reads manifests of versions again."""

    def kept(self, path: Path, *, digest: bytes) -> Kept:
        """The manifest of a version that has that checksum. Raises `VersionUnreadable`."""
        ...

    def open(self, path: Path, *, owner: UUID, manifest: str, position: int, form: Form, sight: Sight = ...) -> Sink:
        """Go on with an export, whose manifest is `position` bytes long; from its beginning where that is 0.

        Files out of sight are not copied.

        The directory is made where it is not there. Raises `TargetRefused` where it cannot be written to, or has
        something of another owner's.
        """
        ...

    def release(self, path: Path, *, owner: UUID) -> None:
        """An export is over, and that was noted: its directory is nobody's any more."""
        ...
