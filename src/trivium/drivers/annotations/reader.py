"""Reads the sources of imports inside the roots that the configuration allows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from trivium.drivers.annotations.directories import Boxes, Directory, Names
from trivium.drivers.annotations.files import Files, Hasher
from trivium.drivers.annotations.limits import Limits
from trivium.drivers.annotations.lined import Texts
from trivium.drivers.annotations.locations import Locations, nowhere
from trivium.drivers.annotations.manifest import Manifest
from trivium.drivers.annotations.tables import Table
from trivium.drivers.annotations.walk import Met, Walk
from trivium.drivers.annotations.wanting import Choice
from trivium.drivers.places import shown
from trivium.resources import stores
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import (
    Columns,
    LabelType,
    Layout,
    Refusal,
    Sample,
    SampleKind,
    TextFormat,
    Wanted,
)
from trivium.resources.stores import Sight

EVERYTHING = Wanted()
TABS = TextFormat()


class _Reading(Protocol):
    """What reads the files on a way."""

    def wants(self, name: bytes) -> bool:
        """Whether a file of that name is for it."""
        ...

    def read(self, met: Met) -> Iterator[Sample | Refusal]:
        """What is in a file."""
        ...


class SourceReader:
    """The port `Sources` of the datasets room, for local disks."""

    def __init__(
        self,
        roots: Sequence[Path],
        *,
        bucket: Callable[[str], str | None] | None = None,
        hasher: Callable[[], Hasher] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`bucket` gives the directory inside the roots that a bucket is, of which a manifest has the name."""
        self._roots = tuple(roots)
        self._bucket = bucket or nowhere
        self._hasher = hasher
        self._limits = limits or Limits()

    def directory(
        self,
        path: Path,
        layout: Layout,
        *,
        wanted: Wanted = EVERYTHING,
        texts: TextFormat = TABS,
        after: bytes = b"",
    ) -> Iterator[Sample | Refusal]:
        """The samples in a directory; see the port."""
        choice = Choice(wanted, self._hasher)
        return self._below(path, self._reading(layout, choice, texts), after)

    def manifest(
        self, path: Path, *, wanted: Wanted = EVERYTHING, sight: Sight = stores.EVERYTHING, after: bytes = b""
    ) -> Iterator[Sample | Refusal]:
        """The samples that the lines of a manifest name; see the port."""
        choice = Choice(wanted, self._hasher)
        with closing(Files(self._roots)) as files:
            raw = os.fsencode(path)
            base, _, called = raw.rpartition(b"/")
            locations = Locations(files, base, roots=self._roots, bucket=self._bucket, sight=sight)
            with files.file(raw) as file:
                file.name = shown(called)
                offset = int(after) if after.isdigit() else 0
                yield from Manifest(locations, choice, self._limits).read(file, called, offset=offset)

    def table(
        self, path: Path, columns: Columns, *, wanted: Wanted = EVERYTHING, after: bytes = b""
    ) -> Iterator[Sample | Refusal]:
        """The rows of a file, or of those in a directory; see the port."""
        table = Table(columns, Choice(wanted, self._hasher))
        try:
            yield from self._below(path, table, after)
        except SourceRefused as error:
            if error.fault is not SourceFault.FILE:
                raise
            yield from self._only(path, table, after)

    def gone(self, source: Path, files: Sequence[bytes]) -> Sequence[bytes]:
        """Which of these files are not there any more; see the port."""
        with closing(Files(self._roots)) as there:
            gone = [path for path in files if there.lacks(path)]
            there.check_source(os.fsencode(source))  # after that, for it may go meanwhile
        return gone

    def arrived(
        self, met: Met, layout: Layout | None, *, kind: SampleKind, texts: TextFormat
    ) -> Iterator[Sample | Refusal]:
        """The samples in a file that is about to lie in a directory, as `directory` will find them.

        Without a layout the file is a sample of that kind, and nothing is said of it.
        """
        choice = Choice(Wanted(digests=True), self._hasher)
        if layout is None:
            return Directory(kind, Names(LabelType.IMAGE_CLASSIFICATION), choice, limits=self._limits).bare(met)
        return self._reading(layout, choice, texts).read(met)

    def _reading(self, layout: Layout, choice: Choice, format: TextFormat) -> _Reading:
        match layout:
            case Layout.IMAGE_CLASSIFICATION:
                return Directory(SampleKind.IMAGE, Names(LabelType.IMAGE_CLASSIFICATION), choice, limits=self._limits)
            case Layout.SOUND_CLASSIFICATION:
                return Directory(SampleKind.AUDIO, Names(LabelType.SOUND_CLASSIFICATION), choice, limits=self._limits)
            case Layout.OBJECT_DETECTION:
                return Directory(SampleKind.IMAGE, Boxes(), choice, limits=self._limits)
            case Layout.TEXT_CLASSIFICATION:
                return Texts(format, choice)

    def _below(self, path: Path, reading: _Reading, after: bytes) -> Iterator[Sample | Refusal]:
        walk = Walk(self._limits, reading.wants, after=after)
        with closing(Files(self._roots)) as files, closing(files.folder(os.fsencode(path), called=b"")) as folder:
            yield from _read(walk.files(folder), reading)

    def _only(self, path: Path, reading: _Reading, after: bytes) -> Iterator[Sample | Refusal]:
        walk = Walk(self._limits, lambda _name: True, after=after)
        directory, name = os.fsencode(path.parent), os.fsencode(path.name)
        with closing(Files(self._roots)) as files, closing(files.folder(directory, called=b"")) as folder:
            yield from _read(walk.only(folder, name), reading)


def _read(met: Iterator[Met | Refusal], reading: _Reading) -> Iterator[Sample | Refusal]:
    for one in met:
        if isinstance(one, Refusal):
            yield one
        else:
            yield from reading.read(one)
