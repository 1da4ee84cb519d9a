"""What the samples room needs of the world: the files that samples are, and small pictures of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from trivium.base.values import Value
from trivium.resources.datasets.ports import Layout, Sample, SampleKind, TextFormat
from trivium.resources.samples.errors import NoSampleFile


class Fit(StrEnum):
    """How a picture comes to the size that is asked for."""

    LFIT = "lfit"  # within it
    MFIT = "mfit"  # around it
    FILL = "fill"  # around it, and what is over is cut off
    PAD = "pad"  # within it, and the rest is filled up
    FIXED = "fixed"  # just so, whatever becomes of its proportions


class Resize(Value, frozen=True, omit_defaults=True):
    """The size that is asked for of a picture: sides in pixels, or a percentage."""

    fit: Fit = Fit.LFIT
    width: int | None = None
    height: int | None = None
    longest: int | None = None  # side
    shortest: int | None = None  # side
    percent: int | None = None
    enlarge: bool = False  # else a picture stays as it is rather than to become larger
    color: str = "FFFFFF"  # what a picture is filled up with


class Upload(Value, frozen=True):
    """A file that is brought to a dataset."""

    name: str  # of one part, without / and NUL
    content: bytes
    layout: Layout | None  # how an import of its directory would read it; None: it is a sample, whatever is in it
    kind: SampleKind
    texts: TextFormat = TextFormat()


class Removal(Value, frozen=True):
    """A file that is to be deleted, if it is still what it was."""

    path: bytes  # absolute
    size: int | None  # None: whichever
    digest: bytes | None  # None: it must not have been changed since it came
    came_at: datetime
    beside: bytes = b""  # the ending of a file with labels beside it, which goes along; empty: none goes


class Fate(StrEnum):
    """What became of a file that was to be deleted."""

    GONE = "gone"  # it is not there any more, or was not
    CHANGED = "changed"  # it stays, for it is not what it was
    BARRED = "barred"  # it stays: it is no regular file, is behind a link, or lies outside of the roots
    FAILED = "failed"  # it could not be deleted; another time it may be


class Remover(Protocol):
    """What deletes files of samples, inside the roots that it was made for. It blocks: use it in a thread."""

    def remove(self, wanted: Sequence[Removal], *, goes_on: Callable[[], bool]) -> Sequence[Fate]:
        """What becomes of each file, in the same order; fewer where `goes_on` says that nobody wants more.

        What is gone is gone for good when this comes back. May be repeated.
        """
        ...


class SampleFile(Protocol):
    """A file that is held open, as it was when it was opened. Reading blocks."""

    @property
    def size(self) -> int:
        """Bytes; no more are read of it, whatever is written to it meanwhile."""
        ...

    @property
    def modified(self) -> datetime:
        """When it was written last."""
        ...

    @property
    def tag(self) -> str:
        """What is another for another file and for one that was written again, of letters, digits and dashes."""
        ...

    def at(self, offset: int, count: int) -> bytes:
        """So many bytes from there, fewer at the end. May raise OSError."""
        ...

    def close(self) -> None:
        """Let go of it, once nobody reads it any more."""
        ...


class SampleFiles(Protocol):
    """The files of samples, inside the roots that it was made for."""

    def open(self, path: bytes, *, within: str) -> SampleFile:
        """The regular file at an absolute path that leads to nowhere outside of the directory `within`. It blocks.

        Raises `NoSampleFile`.
        """
        ...

    async def resized(self, path: bytes, wanted: Resize, *, within: str) -> SampleFile:
        """The picture in such a file at another size, upright and with nothing in it but its pixels.

        Raises `NoSampleFile`, `NotAPicture`, `PictureTooLarge` and `TooManyPictures`.
        """
        ...

    def put(self, upload: Upload, *, folder: str, within: str) -> Sequence[Sample]:
        """Write a file into a directory, which lies inside of `within`; the samples in it, by absolute paths.

        It blocks. The file is there whole and for good when this comes back, under a name that nothing had; where this
        raises, nothing is there. Raises `SampleFileThere`, `SampleTooLarge` and `NotTaken`.
        """
        ...

    def barred(self, paths: Sequence[bytes]) -> bytes | None:
        """The first of these that may not be deleted whoever asks: as `Fate.BARRED` has it. It blocks."""
        ...


class NoFiles:
    """Where no files are: fulfils `SampleFiles`."""

    def open(self, path: bytes, *, within: str) -> SampleFile:  # noqa: ARG002 - whatever is asked for
        """See the protocol."""
        raise NoSampleFile

    async def resized(self, path: bytes, wanted: Resize, *, within: str) -> SampleFile:  # noqa: ARG002 - as above
        """See the protocol."""
        raise NoSampleFile

    def put(self, upload: Upload, *, folder: str, within: str) -> Sequence[Sample]:  # noqa: ARG002 - as above
        """See the protocol."""
        raise NoSampleFile

    def barred(self, paths: Sequence[bytes]) -> bytes | None:
        """See the protocol."""
        return next(iter(paths), None)
