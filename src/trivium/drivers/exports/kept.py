"""Manifests of versions, read again: what a line says besides, so that its sample is what it was.

That is a property of the sample, which importers pass over. Lines are found by their number: where some of them begin
is noted while the checksum is made, once for each file as it is.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes
from uuid import UUID

import msgspec

from trivium.base import json
from trivium.base.clock import instant, microseconds
from trivium.base.text import readable
from trivium.base.units import MIB
from trivium.drivers.annotations.files import Files, Hasher
from trivium.drivers.annotations.locations import Places, is_text
from trivium.drivers.annotations.manifest import CONTENT, PATH, PRIVATE
from trivium.drivers.annotations.pictures import MASK
from trivium.resources.datasets import SourceRefused
from trivium.resources.datasets.ports import Annotator, LabelType, SampleKind, SampleLabel, SampleUsage
from trivium.resources.samples import KeptSample, SampleState
from trivium.resources.transfers import VersionUnreadable

MOST: Final = 64
"""Manifests of which it is known where their lines begin."""


class Annotation(msgspec.Struct, omit_defaults=True, rename="kebab"):
    """A label as a line has it."""

    name: str = ""
    id: str | None = None
    property: dict[str, Any] = {}
    confidence: float | None = None
    annotated_by: Annotator = Annotator.HUMAN
    creation_time: str | None = None


class Said(msgspec.Struct, omit_defaults=True):
    """What a line says besides of its sample."""

    size: int
    state: SampleState
    created: int  # microseconds
    changed: int
    types: list[LabelType] = []
    unconfirmed: list[Annotation] | None = None  # labels that do not count yet
    score: float | None = None
    hard: bool = False
    path: str | None = None  # where its file is, if that is not the source of the line …
    quoted: str | None = None  # … as a URL has it where that is no text
    mask: str | None = None  # where its mask is, if the line names a copy
    line: int | None = None


class _Line(msgspec.Struct, rename="kebab"):
    source: str
    id: str
    sample_type: SampleKind
    property: dict[str, Any]
    usage: SampleUsage | None = None
    annotation: list[Annotation] = []


def said_of(
    sample: KeptSample, annotations: Sequence[Mapping[str, Any]], path: bytes | None, *, mask: str | None
) -> dict[str, Any]:
    """What a line says besides; the annotations are of all labels.

    Path and mask are told where the line has others.
    """
    is_plain = path is None or is_text(path)
    said = Said(
        size=sample.size,
        state=sample.state,
        created=microseconds(sample.created_at),
        changed=microseconds(sample.changed_at),
        types=[label.type for label in sample.labels],
        score=sample.score,
        hard=sample.hard,
        path=os.fsdecode(path) if path is not None and is_plain else None,
        quoted=None if path is None or is_plain else quote(path),
        mask=mask,
        line=sample.line,
    )
    told: dict[str, Any] = msgspec.to_builtins(said)
    return {**told, "unconfirmed": annotations} if sample.state is SampleState.UNCONFIRMED else told


class _Mark(NamedTuple):
    """The beginning of a line."""

    number: int  # of lines before it
    offset: int


class _Known(NamedTuple):
    """A file that was gone through."""

    digest: bytes
    marks: tuple[_Mark, ...]  # one in each MiB, and the end


class KeptManifests:
    """Opens manifests inside some roots, and remembers where their lines begin."""

    def __init__(self, roots: Sequence[Path], hasher: Callable[[], Hasher], places: Callable[[], Places]) -> None:
        """`places` says where what is named in a manifest is now."""
        self._roots = roots
        self._places = places
        self._hasher = hasher
        self._known: OrderedDict[tuple[object, ...], _Known] = OrderedDict()
        self._lock = Lock()

    def open(self, path: Path, digest: bytes) -> KeptManifest:
        """The manifest that has that checksum. `VersionUnreadable`."""
        files = Files(self._roots)
        try:
            file = files.file(os.fsencode(path))
            with file:
                place = os.dup(file.descriptor())
        except SourceRefused as error:
            raise VersionUnreadable(error.reason.code.rpartition(".")[2], str(path)) from error
        finally:
            files.close()
        try:
            marks = self._marks(place, digest, path)
        except BaseException:
            os.close(place)
            raise
        return KeptManifest(place, str(path), marks, places=self._places())

    def digest(self, place: int) -> bytes:
        """The checksum of a manifest that is open."""
        return self._gone_through(place).digest

    def _marks(self, place: int, digest: bytes, path: Path) -> tuple[_Mark, ...]:
        known = self._gone_through(place)
        if known.digest != digest:
            raise VersionUnreadable("changed", str(path))
        return known.marks

    def _gone_through(self, place: int) -> _Known:
        key = _state(place)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known
        known = _read(place, self._hasher())
        with self._lock:
            self._known[key] = known
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        return known


class KeptManifest:
    """One manifest; fulfils `Kept`."""

    def __init__(self, place: int, path: str, marks: tuple[_Mark, ...], *, places: Places) -> None:
        self._places = places
        self._place = place
        self._path = path
        self._marks = marks
        self._state = _state(place)

    @property
    def number(self) -> int:
        """See the port."""
        return self._marks[-1].number

    def lines(self, first: int, *, descending: bool = False) -> Iterator[tuple[int, bytes]]:
        """See the port."""
        if not 0 <= first < self.number:
            return
        at = bisect_right(self._marks, first, key=lambda mark: mark.number) - 1
        for chunk in range(at, -1, -1) if descending else range(at, len(self._marks) - 1):
            start, end = self._marks[chunk], self._marks[chunk + 1]
            found = [*enumerate(self._between(start.offset, end.offset).splitlines(), start.number)]
            some = [one for one in found if (one[0] <= first if descending else one[0] >= first)]
            yield from reversed(some) if descending else some

    def sample(self, line: tuple[int, bytes], *, dataset: int) -> KeptSample:
        """See the port."""
        number, raw = line
        try:
            return _sample(json.decode_as(raw, _Line), self._places, number=number, dataset=dataset)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, KeyError, RecursionError) as error:
            raise VersionUnreadable("malformed", f"{self._path}:{number + 1}") from error

    def close(self) -> None:
        """See the port."""
        os.close(self._place)

    def _between(self, start: int, end: int) -> bytes:
        found = os.pread(self._place, end - start, start)
        if len(found) != end - start or _state(self._place) != self._state:
            raise VersionUnreadable("changed", self._path)
        return found


def _state(place: int) -> tuple[object, ...]:
    """What is another when a file is."""
    found = os.fstat(place)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _read(place: int, hasher: Hasher) -> _Known:
    marks = [_Mark(0, 0)]
    number = at = 0
    while block := os.pread(place, MIB, at):
        hasher.update(memoryview(block))
        if (first := block.find(b"\n")) >= 0:
            marks.append(_Mark(number + 1, at + first + 1))
            number += block.count(b"\n")
        at += len(block)
    if marks[-1] != (number, at):
        marks.append(_Mark(number, at))
    return _Known(hasher.digest(), tuple(marks))


def _sample(line: _Line, places: Places, *, number: int, dataset: int) -> KeptSample:
    said = msgspec.convert(line.property.pop(PRIVATE), Said)
    is_content = line.source.startswith(CONTENT)
    quoted = line.property.pop(PATH, None) or said.quoted
    if said.mask is not None:
        line.property[MASK] = said.mask
    called = unquote_to_bytes(quoted) if quoted else os.fsencode(said.path or ("" if is_content else line.source))
    path = places.path(os.fsdecode(called), b"") or called  # as it is where nobody knows it any more
    annotations = line.annotation if said.unconfirmed is None else said.unconfirmed
    return KeptSample(
        id=number,
        uuid=UUID(line.id),
        dataset=dataset,
        path=path,
        name=readable(path.rpartition(b"/")[2]),
        line=said.line,
        size=said.size,
        kind=line.sample_type,
        state=said.state,
        usage=line.usage,
        hard=said.hard,
        score=said.score,
        labels=tuple(_label(one, type) for one, type in zip(annotations, said.types, strict=True)),
        metadata=line.property,
        text=line.source.removeprefix(CONTENT) if is_content else None,
        cells=None,
        digest=None,
        created_at=instant(said.created),
        changed_at=instant(said.changed),
    )


def _label(one: Annotation, type: LabelType) -> SampleLabel:
    return SampleLabel(
        name=one.name,
        type=type,
        score=one.confidence,
        annotated_by=one.annotated_by,
        created=one.creation_time,
        id=one.id,
        property=one.property,
    )
