"""Samples in directories: images and sounds with their labels beside them or in the name of their directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from trivium.base.values import Value
from trivium.drivers.annotations import images, pictures, texts
from trivium.drivers.annotations.files import File
from trivium.drivers.annotations.images import Size
from trivium.drivers.annotations.limits import LABEL, Limits
from trivium.drivers.annotations.walk import Met
from trivium.drivers.annotations.wanting import Choice
from trivium.drivers.places import shown
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import Json, LabelType, Refusal, Sample, SampleKind, SampleLabel

SUFFIXES: Final[Mapping[SampleKind, tuple[bytes, ...]]] = {
    SampleKind.IMAGE: (b".jpg", b".jpeg", b".png", b".bmp", b".gif", b".webp"),
    SampleKind.AUDIO: (b".wav", b".mp3", b".flac", b".m4a", b".aac", b".ogg"),
    SampleKind.VIDEO: (b".mp4", b".mov", b".avi", b".mkv", b".webm"),
    SampleKind.TEXT: (b".txt",),
    SampleKind.TABLE: (b".csv",),
}


class Labelled(Value, frozen=True):
    """What is written beside a sample."""

    labels: tuple[SampleLabel, ...] = ()
    size: Size | None = None


class Labelling(Protocol):
    """A way of writing labels beside samples."""

    suffix: bytes

    def labels(self, met: Met, size: Size | None) -> Labelled:
        """The labels of a sample. Raises `SourceRefused`."""
        ...


class Names:
    """Labels of the whole sample: in a text beside it, or else in the name of its directory.

    Where any text lies in a directory, its name is no label.
    """

    suffix: bytes = b".txt"

    def __init__(self, type: LabelType) -> None:
        self._type = type

    def labels(self, met: Met, size: Size | None) -> Labelled:
        """See the protocol."""
        beside = met.folder.file(stem_of(met.name) + self.suffix) if met.texts else None
        if beside is not None:
            with beside:
                names = texts.labels_in(beside)
        elif met.texts or not met.folder.path:
            names = ()
        else:
            names = (_directory_name(met),)
        return Labelled(labels=tuple(SampleLabel(name=name, type=self._type) for name in names), size=size)


class Boxes:
    """Shapes in images: in Pascal VOC beside them."""

    suffix: bytes = b".xml"

    def labels(self, met: Met, size: Size | None) -> Labelled:
        """See the protocol."""
        beside = met.folder.file(stem_of(met.name) + self.suffix)
        if beside is None:
            return Labelled(size=size)
        with beside:
            said = pictures.annotation_in(beside)
            labels = pictures.labels_of(said, beside.name, type=LabelType.OBJECT_DETECTION, size=size)
        return Labelled(labels=labels, size=size or said.size)


class Directory:
    """Reads samples that are files, with what is written beside them."""

    def __init__(self, kind: SampleKind, labelling: Labelling, choice: Choice, *, limits: Limits) -> None:
        self._kind = kind
        self._labelling = labelling
        self._choice = choice
        self._limits = limits

    def wants(self, name: bytes) -> bool:
        """Whether a file of that name is a sample, or would have the labels of one."""
        return kind_of(name) is self._kind or name.lower().endswith(self._labelling.suffix)

    def read(self, met: Met) -> Iterator[Sample | Refusal]:
        """The sample that a file is, unless it is not wanted, or why it is none."""
        try:
            if kind_of(met.name) is self._kind:
                sample = self._choice.take(self._sample(met), met.file)
                if sample is not None:
                    yield sample
            else:
                self._check_sample(met)
        except SourceRefused as error:
            yield Refusal(position=met.path, path=met.path, reason=error.reason)

    def bare(self, met: Met) -> Iterator[Sample | Refusal]:
        """A file as a sample that nothing beside it says anything of, or why it is none."""
        try:
            size = self._size(met.file)
            found = Sample(
                position=met.path,
                path=met.path,
                size=met.file.size,
                kind=self._kind,
                metadata=pictures.metadata_of(size),
            )
            sample = self._choice.take(found, met.file)
            if sample is not None:
                yield sample
        except SourceRefused as error:
            yield Refusal(position=met.path, path=met.path, reason=error.reason)

    def _sample(self, met: Met) -> Sample:
        found = Labelled(size=self._size(met.file))
        if self._choice.reads_labels:
            found = self._labelling.labels(met, found.size)
        metadata: dict[str, Json] = pictures.metadata_of(found.size)
        return Sample(
            position=met.path,
            path=met.path,
            size=met.file.size,
            kind=self._kind,
            labels=found.labels,
            metadata=metadata,
        )

    def _size(self, file: File) -> Size | None:
        if self._kind is not SampleKind.IMAGE or not self._choice.wanted.headers:
            return None
        return images.size_of(file, most=self._limits.pixels)

    def _check_sample(self, met: Met) -> None:
        """Raises `SourceRefused` where there is nothing that labels could be of."""
        stem = stem_of(met.name)
        if not any(met.folder.has(name) for name in spelt(stem, self._kind)):
            raise SourceRefused(SourceFault.ORPHAN, met.file.name)


def stem_of(name: bytes) -> bytes:
    """A name without what is behind its last dot."""
    return name.rpartition(b".")[0]


def spelt(stem: bytes, kind: SampleKind) -> Iterator[bytes]:
    """The names with that stem that are samples of a kind."""
    return (stem + form(suffix) for suffix in SUFFIXES.get(kind, ()) for form in (bytes.lower, bytes.upper, _capital))


def kind_of(name: bytes) -> SampleKind:
    """What a file is, by its name: `FREE` for all that is not known."""
    head, dot, suffix = name.rpartition(b".")
    if head and suffix in (suffix.lower(), suffix.upper(), suffix.capitalize()):
        lower = dot + suffix.lower()
        return next((kind for kind, known in SUFFIXES.items() if lower in known), SampleKind.FREE)
    return SampleKind.FREE


def _capital(suffix: bytes) -> bytes:
    return suffix[:1] + suffix[1:].capitalize()


def _directory_name(met: Met) -> str:
    name = met.folder.path.rpartition(b"/")[2]
    told = shown(met.folder.path)
    try:
        return texts.label_name(name.decode(), told)
    except UnicodeDecodeError as error:
        raise SourceRefused(SourceFault.LABEL, told, limit=LABEL) from error
