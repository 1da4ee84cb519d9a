"""The lines of a manifest: JSON objects that name a sample and say its labels.

See "Specifications for Importing a Manifest File" in ModelArts' user guide. Annotations of shapes may lie in files of
Pascal VOC, which `annotation-loc` names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, nullcontext, suppress
from typing import Any, Final, NoReturn, cast
from urllib.parse import unquote_to_bytes

import msgspec

from trivium.base import json
from trivium.base.values import Value
from trivium.drivers.annotations import images, limits, pictures, shapes, voc
from trivium.drivers.annotations.directories import kind_of
from trivium.drivers.annotations.files import File, translated
from trivium.drivers.annotations.images import Size
from trivium.drivers.annotations.limits import Limits
from trivium.drivers.annotations.locations import Locations
from trivium.drivers.annotations.texts import MARK, Lines, label_name
from trivium.drivers.annotations.wanting import HARD, Choice
from trivium.drivers.artifacts import bounded_json
from trivium.drivers.artifacts.limits import CONFIG_DEPTH
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import (
    Annotator,
    Json,
    LabelType,
    Refusal,
    Sample,
    SampleKind,
    SampleLabel,
    SampleUsage,
)
from trivium.resources.models import ArtifactRefused

CONTENT: Final = "content://"
PRIVATE: Final = "@trivium:sample"
"""The property in which manifests of versions say what only they are read for."""

PATH: Final = "@trivium:path"
"""The property in which manifests of ours say, as a URL has it, what a file is called whose name is no text."""


class _Meaning(Value, frozen=True):
    """What an annotation's type says."""

    type: LabelType
    kind: SampleKind  # of what is labelled, where a line does not say it
    has_shape: bool = False
    has_name: bool = True


RELATION: Final = _Meaning(type=LabelType.TRIPLET_RELATION, kind=SampleKind.TEXT)
ENTITY: Final = _Meaning(type=LabelType.NAMED_ENTITY, kind=SampleKind.TEXT)
ENTITY_OF_TRIPLET: Final = _Meaning(type=LabelType.TRIPLET_ENTITY, kind=SampleKind.TEXT)
DETECTION: Final = _Meaning(type=LabelType.OBJECT_DETECTION, kind=SampleKind.IMAGE, has_shape=True)
OF_FRAME: Final = _Meaning(type=LabelType.VIDEO, kind=SampleKind.IMAGE, has_shape=True)
SOUND: Final = _Meaning(type=LabelType.SOUND_CLASSIFICATION, kind=SampleKind.AUDIO)
MEANINGS: Final[Mapping[str, _Meaning]] = {
    "image_classification": _Meaning(type=LabelType.IMAGE_CLASSIFICATION, kind=SampleKind.IMAGE),
    "object_detection": DETECTION,
    "image_segmentation": _Meaning(type=LabelType.IMAGE_SEGMENTATION, kind=SampleKind.IMAGE, has_shape=True),
    "text_classification": _Meaning(type=LabelType.TEXT_CLASSIFICATION, kind=SampleKind.TEXT),
    "text_entity": ENTITY,
    "text_triplet": RELATION,
    "audio_classification": SOUND,
    "sound_classification": SOUND,
    "audio_content": _Meaning(type=LabelType.SPEECH_CONTENT, kind=SampleKind.AUDIO, has_name=False),
    "audio_segmentation": _Meaning(type=LabelType.SPEECH_PARAGRAPH, kind=SampleKind.AUDIO, has_name=False),
}
NUMBERED: Final = {kind.value: kind for kind in SampleKind}
USAGES: Final = {usage.value: usage for usage in SampleUsage}
YES: Final = (True, 1, "true", "1")
PARENT: Final = "@modelarts:parent_source"
SHA256: Final = re.compile("[0-9a-fA-F]{64}")
FORMAT: Final = "PASCAL VOC"
BY_HAND: Final = (None, "", "human")
ENCODER: Final = msgspec.json.Encoder()
NO_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError)

Scalar = bool | float | str | None


class _Said(msgspec.Struct, rename="kebab", omit_defaults=True):
    """One annotation of a line."""

    type: str | None = None
    name: str | None = None
    id: str | None = None
    property: dict[str, Any] | None = None
    annotation_loc: str | None = None
    annotation_format: str | None = None
    annotated_by: str | None = None
    creation_time: str | None = None
    confidence: float | str | None = None
    hard: Scalar = None
    hard_coefficient: float | str | None = None


class _Line(msgspec.Struct, rename="kebab", omit_defaults=True):
    """One line."""

    source: str
    usage: str | None = None
    id: str | None = None
    annotation: list[_Said] | None = None
    inference_loc: str | None = None
    sample_type: int | None = None
    property: dict[str, Any] | None = None
    sha256: str | None = None
    hard: Scalar = None
    hard_coefficient: float | str | None = None


class Manifest:
    """Reads the lines of a manifest."""

    def __init__(self, locations: Locations, choice: Choice, limits: Limits) -> None:
        self._locations = locations
        self._choice = choice
        self._limits = limits

    def read(self, file: File, called: bytes, *, offset: int) -> Iterator[Sample | Refusal]:
        """The samples from an offset on, unless they are not wanted, and the lines that cannot be read."""
        name = file.name
        with closing(Lines(file, longest=limits.LINE, offset=offset)) as lines:
            while (raw := lines.next()) != b"":
                position = b"%d" % lines.offset
                try:
                    if raw is None:
                        self._too_long(f"{name}:{lines.number}")
                    if raw.isspace():
                        continue
                    sample = self._sample(raw, position, f"{name}:{lines.number}")
                except SourceRefused as error:
                    yield Refusal(position=position, path=called, line=lines.number, reason=error.reason)
                else:
                    if sample is not None:
                        yield sample

    def _too_long(self, name: str) -> NoReturn:
        raise SourceRefused(SourceFault.TOO_LARGE, name, what="line", limit=limits.LINE)

    def _sample(self, raw: bytes, position: bytes, name: str) -> Sample | None:
        line = self._line(raw, name)
        if line.source.startswith(CONTENT):
            text = line.source.removeprefix(CONTENT)
            return self._choice.take(self._of(line, position, name, content=text), text.encode())
        with self._locations.file(_place(line), name) as file:
            return self._choice.take(self._of(line, position, name, content=file), file)

    def _line(self, raw: bytes, name: str) -> _Line:
        try:
            line = json.decode_as(raw.removeprefix(MARK), _Line)
        except RecursionError as error:
            raise SourceRefused(SourceFault.NESTED, name, limit=CONFIG_DEPTH) from error
        except msgspec.ValidationError as error:
            raise SourceRefused(SourceFault.FIELD, name, problem=error) from error
        except NO_JSON as error:
            raise SourceRefused(SourceFault.MALFORMED, name, form="JSON", position=0) from error
        _check_keys(raw, line, name)
        return line

    def _of(self, line: _Line, position: bytes, name: str, *, content: File | str) -> Sample:
        metadata = _metadata(line, name)
        has_mask = pictures.MASK in metadata
        kind = _kind(line, name)
        is_text = isinstance(content, str)
        size = None if is_text or kind is not SampleKind.IMAGE else self._size(content)
        if size is not None:
            metadata |= pictures.metadata_of(size)
        labels: tuple[SampleLabel, ...] = ()
        if line.annotation and self._choice.reads_labels:
            labels = self._labels(line.annotation, name, size=size, metadata=metadata)
        if has_mask:
            is_due = any(label.type is LabelType.IMAGE_SEGMENTATION for label in labels)
            with nullcontext() if is_due else suppress(SourceRefused):  # no label goes by it
                self._take_mask(metadata, name, size)
        return Sample(
            position=position,
            path=b"" if is_text else self._locations.path_of(content),
            size=len(content.encode()) if is_text else content.size,
            kind=kind,
            labels=labels,
            usage=_usage(line.usage, name),
            metadata=metadata,
            text=content if is_text else None,
            sub_samples=int(PARENT in metadata),
            id=line.id,
            source=line.source if not is_text else None,
            inference=line.inference_loc,
            sha256=_sha256(line.sha256, name),
        )

    def _size(self, file: File) -> Size | None:
        return images.size_of(file, most=self._limits.pixels) if self._choice.wanted.headers else None

    def _labels(
        self, said: list[_Said], name: str, *, size: Size | None, metadata: dict[str, Json]
    ) -> tuple[SampleLabel, ...]:
        found: list[SampleLabel] = []
        for one, meaning in zip(said, _meanings(said, name, is_frame=PARENT in metadata), strict=True):
            if one.annotation_loc is not None and meaning.has_shape:
                found += self._in_file(one, meaning.type, name, size=size, metadata=metadata)
            else:
                found.append(_label(one, meaning, name, size=size))
        if len(found) > limits.LABELS:
            raise SourceRefused(SourceFault.TOO_LARGE, name, what="labels", limit=limits.LABELS)
        return tuple(found)

    def _in_file(
        self, one: _Said, type: LabelType, name: str, *, size: Size | None, metadata: dict[str, Json]
    ) -> tuple[SampleLabel, ...]:
        """The labels in the file that an annotation names, and its mask."""
        if (one.annotation_format or FORMAT).upper() != FORMAT:
            raise SourceRefused(SourceFault.FIELD, name, problem=f"annotation-format {one.annotation_format}")
        with self._locations.file(one.annotation_loc or "", name) as file:
            said = pictures.annotation_in(file)
            labels = pictures.labels_of(said, file.name, type=type, size=size, created=one.creation_time)
        if said.mask is not None:
            metadata[pictures.MASK] = said.mask
            self._take_mask(metadata, name, size or said.size)
        return labels

    def _take_mask(self, metadata: dict[str, Json], name: str, size: Size | None) -> None:
        """Raises `SourceRefused` where a mask is told and not there, or is no image as large as its sample."""
        mask = metadata.get(pictures.MASK)
        if not isinstance(mask, str):
            return
        with self._locations.file(mask, name) as file:
            found = images.size_of(file, most=self._limits.pixels)
        if size is not None and (found.width, found.height) != (size.width, size.height):
            problem = f"the mask {file.name} is not as large as its image"
            raise SourceRefused(SourceFault.FIELD, name, problem=problem)
        metadata[pictures.MASK] = self._locations.lasting(mask, file)


def _check_keys(raw: bytes, line: _Line, name: str) -> None:
    """Raises `SourceRefused` where a key comes twice, lists lie too deep, or text has the character 0.

    A key that comes twice has two quotation marks that are not there when what was understood is written again. Only
    lines with more of them, or with some written as numbers, are read a second time.
    """
    if b"\\" in raw and b"\\u00" in raw:
        if b"\\u0000" in raw:
            raise SourceRefused(SourceFault.ENCODING, name)
        _check_thoroughly(raw, name)
    elif raw.count(b'"') != ENCODER.encode(line).count(b'"') or raw.count(b"[") >= CONFIG_DEPTH:
        _check_thoroughly(raw, name)


def _check_thoroughly(raw: bytes, name: str) -> None:
    try:
        bounded_json.parse(raw.removeprefix(MARK), name)
    except ArtifactRefused as error:
        raise translated(error, name) from error


def _place(line: _Line) -> str:
    """What a line calls its file; its `source` is only for people where the file's name is no text."""
    path = (line.property or {}).get(PATH)
    return os.fsdecode(unquote_to_bytes(path)) if isinstance(path, str) else line.source


def _metadata(line: _Line, name: str) -> dict[str, Json]:
    found: dict[str, Json] = line.property or {}
    for ours in (PRIVATE, PATH):
        found.pop(ours, None)
    if line.hard is not None:
        found[HARD] = line.hard in YES
    if line.hard_coefficient is not None:
        found["@modelarts:hard_coefficient"] = pictures.score_of(line.hard_coefficient, name)
    return found


def _kind(line: _Line, name: str) -> SampleKind:
    """What a line says that its sample is; else what its labels are of, or what its name says."""
    if line.sample_type is not None:
        kind = NUMBERED.get(line.sample_type)
        if kind is None:
            raise SourceRefused(SourceFault.FIELD, name, problem=f"sample-type {line.sample_type}")
        return kind
    if line.annotation:
        return _meaning(line.annotation[0], name).kind
    if line.source.startswith(CONTENT):
        return SampleKind.TEXT
    return kind_of(line.source.rpartition("/")[2].encode())


def _meaning(one: _Said, name: str) -> _Meaning:
    said = (one.type or "-").replace(" ", "")
    found = MEANINGS.get(said.removeprefix("modelarts/"))
    if found is None:
        raise SourceRefused(SourceFault.FIELD, name, problem=f"annotation of type {said}")
    return found


def _meanings(said: list[_Said], name: str, *, is_frame: bool) -> list[_Meaning]:
    """What the types of annotations of one line say together: what relations relate, and what is in a frame."""
    found = [_meaning(one, name) for one in said]
    if is_frame:
        return [OF_FRAME if one is DETECTION else one for one in found]
    if RELATION in found:
        return [ENTITY_OF_TRIPLET if one is ENTITY else one for one in found]
    return found


def _usage(said: str | None, name: str) -> SampleUsage | None:
    if not said:
        return None
    found = USAGES.get(said.upper())
    if found is None:
        raise SourceRefused(SourceFault.FIELD, name, problem=f"usage {said}")
    return found


def _sha256(said: str | None, name: str) -> str | None:
    if said is None or SHA256.fullmatch(said):
        return said and said.lower()
    raise SourceRefused(SourceFault.FIELD, name, problem=f"sha256 {said}")


def _label(one: _Said, meaning: _Meaning, name: str, *, size: Size | None) -> SampleLabel:
    label = label_name(one.name or "", name) if one.name or meaning.has_name else ""
    found: dict[str, Json] = one.property or {}
    if meaning.has_shape or pictures.SHAPE in found:
        found[pictures.FEATURE] = _feature(found, label, name, size=size)
    if one.hard is not None:
        found[HARD] = one.hard in YES
    if one.hard_coefficient is not None:
        found["@modelarts:hard_coefficient"] = pictures.score_of(one.hard_coefficient, name)
    return SampleLabel(
        name=label,
        type=meaning.type,
        score=None if one.confidence is None else pictures.score_of(one.confidence, name),
        annotated_by=Annotator.HUMAN if one.annotated_by in BY_HAND else Annotator.AUTO,
        created=one.creation_time,
        id=one.id,
        property=found,
    )


def _feature(said: Mapping[str, Json], label: str, name: str, *, size: Size | None) -> Json:
    """The shape that an annotation has in its properties. Raises `SourceRefused` where it has none."""
    kind = said.get(pictures.SHAPE)
    feature = shapes.of_json(kind, said.get(pictures.FEATURE)) if isinstance(kind, str) else None
    if not isinstance(kind, str) or kind not in shapes.KINDS or feature is None:
        raise SourceRefused(SourceFault.SHAPE, name, shape=kind, label=label)
    pictures.check(kind, feature, bounds=voc.bounds_of(size), label=label, name=name)
    return cast("Json", feature)
