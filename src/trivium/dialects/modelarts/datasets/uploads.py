"""Samples that are brought over the API: files go where the dataset's lie, and nothing is overwritten.

Each is taken or refused alone, before any of them is a sample. All that were taken become samples together.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from trivium.base.caller import Caller
from trivium.base.errors import Conflict, Invalid, Missing, NotFound, TriviumError
from trivium.base.values import Value
from trivium.dialects.modelarts.codes import told_of
from trivium.dialects.modelarts.datasets.finding import dataset_uuid, locked
from trivium.dialects.modelarts.datasets.samples import ALL, SampleLabelShape, said_of
from trivium.dialects.modelarts.datasets.seeking import KINDS
from trivium.dialects.modelarts.datasets.sources import DataSourceShape, LabelFormatShape, text_format
from trivium.dialects.modelarts.errors import NotHere
from trivium.dialects.modelarts.spelling import Shape, Text, bare, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Wire, Write
from trivium.dialects.reading import OutOfBounds
from trivium.resources import datasets, samples, stores, transfers
from trivium.resources.datasets import Buckets, Dataset, DatasetType
from trivium.resources.datasets.ports import Sample, SampleKind, SampleLabel
from trivium.resources.samples import Arrived
from trivium.resources.samples.ports import SampleFiles, Upload

AT_ONCE: Final = 100
"""Samples that one call brings."""

LONGEST: Final = 255  # bytes of a name
BARRED: Final = frozenset("!<>=&\"'/\\")
ENCODINGS: Final = ("UTF-8", "GBK", "GB2312")
OF_FILES: Final[Mapping[DatasetType, SampleKind]] = {
    DatasetType.IMAGE_CLASSIFICATION: SampleKind.IMAGE,
    DatasetType.OBJECT_DETECTION: SampleKind.IMAGE,
    DatasetType.IMAGE_SEGMENTATION: SampleKind.IMAGE,
    DatasetType.TEXT_CLASSIFICATION: SampleKind.TEXT,
    DatasetType.SOUND_CLASSIFICATION: SampleKind.AUDIO,
    DatasetType.SPEECH_CONTENT: SampleKind.AUDIO,
    DatasetType.SPEECH_PARAGRAPH: SampleKind.AUDIO,
    DatasetType.VIDEO: SampleKind.VIDEO,
    DatasetType.FREE: SampleKind.FREE,
}
"""What a file of a dataset is, by the dataset's type; of other types single files are no samples."""

SUFFIXES: Final[Mapping[SampleKind, tuple[str, ...]]] = {
    SampleKind.IMAGE: (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"),
    SampleKind.AUDIO: (".wav", ".mp3", ".flac", ".m4a", ".aac", ".ogg"),
    SampleKind.VIDEO: (".mp4", ".mov", ".avi", ".mkv", ".webm"),
    SampleKind.TEXT: (".txt", ".csv"),
}
"""How names end that imports take for samples."""


class UploadShape(Wire, frozen=True, kw_only=True):
    """A sample that is brought: a file, and what is said of it."""

    name: Text = None
    data: Text = None  # base64
    data_source: DataSourceShape | None = None
    labels: tuple[SampleLabelShape, ...] | None = None
    metadata: dict[str, Any] | None = None
    sample_type: int | None = None
    encoding: Text = None


class UploadBody(Wire, frozen=True, kw_only=True):
    """Samples that are brought."""

    samples: tuple[UploadShape, ...]
    final_annotation: bool | None = None
    label_format: LabelFormatShape | None = None


class TakenShape(Shape, frozen=True, kw_only=True):
    """What became of one: where its file is and which sample it is, or why it was refused."""

    success: bool
    name: Text = None
    info: Text = None
    error_code: Text = None
    error_msg: Text = None


class UploadedShape(Shape, frozen=True, kw_only=True):
    """What became of all."""

    success: bool
    error_code: Text = None
    error_msg: Text = None
    results: list[TakenShape]


class _Place(Value, frozen=True):
    """Where the files of a dataset go."""

    dataset: Dataset
    folder: str
    within: str


class _Asked(Value, frozen=True):
    """A sample as it is asked for."""

    upload: Upload
    labels: tuple[SampleLabel, ...] | None
    metadata: dict[str, Any] | None


class _Taken(Value, frozen=True):
    """A file that is there."""

    asked: _Asked
    samples: tuple[Sample, ...]


class Uploads:
    """The call that brings samples."""

    def __init__(self, buckets: Buckets, files: SampleFiles) -> None:
        self._buckets = buckets
        self._files = files

    async def upload(self, call: Call[UploadBody, Nothing]) -> UploadedShape:
        """Bring samples; those that are refused do not keep the others. Raises why the first is, where all are."""
        body, uuid = call.body, dataset_uuid(call)
        if not 1 <= len(body.samples) <= AT_ONCE:
            raise OutOfBounds("samples", f"1 to {AT_ONCE} samples")
        place = await self._place(call, uuid)
        found = [await asyncio.to_thread(self._taken, place, body, at) for at in range(len(body.samples))]
        taken = [one for one in found if isinstance(one, _Taken)]
        if not taken:
            raise next(one for one in found if isinstance(one, TriviumError))
        arrived = [Arrived(samples=one.samples, labels=one.asked.labels, metadata=one.asked.metadata) for one in taken]
        made = await call.write(samples.take_in, uuid, arrived=arrived, confirmed=body.final_annotation is not False)
        return self._shape(call.request.path, place, found, made=made)

    async def _place(self, call: Call[UploadBody, Nothing], uuid: UUID) -> _Place:
        """Where files go. What forbids the samples is told before any is written."""
        dataset = await call.write(_opened, uuid)
        path = await asyncio.to_thread(self._buckets.path, call.caller, dataset.url, field="data_path")
        store = await call.read(stores.containing, path, field="data_path", called=dataset.url)
        return _Place(dataset=dataset, folder=path, within=store.path)

    def _taken(self, place: _Place, body: UploadBody, at: int) -> _Taken | TriviumError:
        """The sample of that number once its file is there, or why it is not."""
        try:
            return self._take(place, body, at)
        except (Invalid, Conflict, NotFound) as error:  # it is told of alone
            return error

    def _take(self, place: _Place, body: UploadBody, at: int) -> _Taken:
        asked = _asked(place.dataset, body.samples[at], body.label_format, at=f"samples[{at}]")
        found = self._files.put(asked.upload, folder=place.folder, within=place.within)
        return _Taken(asked=asked, samples=tuple(found))

    def _shape(
        self, path: str, place: _Place, found: Sequence[_Taken | TriviumError], *, made: Sequence[UUID]
    ) -> UploadedShape:
        ids, results = iter(made), list[TakenShape]()
        for one in found:
            if isinstance(one, _Taken):
                name = f"{self._buckets.place(place.folder) or place.folder}/{one.asked.upload.name}"
                results.append(TakenShape(success=True, name=name, info=bare(next(ids))))
            else:
                told = told_of(one, path)
                results.append(TakenShape(success=False, error_code=told.code, error_msg=told.words))
        first = next((one for one in results if not one.success), None)
        if first is None:
            return UploadedShape(success=True, results=results)
        return UploadedShape(success=False, error_code=first.error_code, error_msg=first.error_msg, results=results)


def operations(buckets: Buckets, files: SampleFiles) -> tuple[Operation, ...]:
    """All of it."""
    return (
        Operation(
            name="UploadSamplesJson",
            method="POST",
            path=ALL,
            handler=Uploads(buckets, files).upload,
            mark=Mark.COMPANION,
            summary="Bring samples, which are written where the dataset's lie",
            body=UploadBody,
        ),
    )


def _opened(tx: Write, caller: Caller, uuid: UUID) -> Dataset:
    """The dataset, whose samples the caller may change now."""
    dataset = locked(tx, caller, uuid)
    if dataset.type not in OF_FILES:
        raise NotHere(what="a single file as a sample of that type; import a manifest or a table")
    return datasets.opened(tx, caller, uuid)


def _asked(dataset: Dataset, one: UploadShape, format: LabelFormatShape | None, *, at: str) -> _Asked:
    """The sample that is asked for. `Missing`, `OutOfBounds`, `NotOneOf`."""
    if one.data_source is not None:
        raise OutOfBounds(f"{at}.data_source", "absent: files are brought in data")
    kind = OF_FILES[dataset.type]
    if one.sample_type is not None and (one.sample_type not in KINDS or kind not in (one.sample_type, SampleKind.FREE)):
        raise OutOfBounds(f"{at}.sample_type", f"{kind.value}, as the dataset's samples are")
    one_of(one.encoding, f"{at}.encoding", ENCODINGS)
    name = _name(one.name, kind, f"{at}.name")
    labels = None if one.labels is None else tuple(said_of(dataset, one.labels, f"{at}.labels"))
    said = format or msgspec.convert(dataset.settings.get("label_format"), LabelFormatShape | None)
    upload = Upload(
        name=name,
        content=_content(one.data, f"{at}.data"),
        layout=transfers.LAYOUTS.get(dataset.type),
        kind=kind if one.sample_type is None else SampleKind(one.sample_type),
        texts=text_format(said),
    )
    return _Asked(upload=upload, labels=labels, metadata=one.metadata)


def _name(given: Text, kind: SampleKind, field: str) -> str:
    """The name of a file. Hidden ones are none, as imports pass them over."""
    if not given:
        raise Missing(field)
    if given.startswith(".") or BARRED & {*given} or not given.isprintable() or len(given.encode()) > LONGEST:
        raise OutOfBounds(field, f"a name of 1 to {LONGEST} bytes without {' '.join(sorted(BARRED))} and a first dot")
    endings = SUFFIXES.get(kind, ("",))
    if not any(given.endswith(form) for end in endings for form in (end, end.upper(), end[:1] + end[1:].capitalize())):
        raise OutOfBounds(field, f"a name that ends in one of {', '.join(endings)}")
    return given


def _content(data: Text, field: str) -> bytes:
    if not data:
        raise Missing(field)
    try:
        return base64.b64decode(data.encode(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise OutOfBounds(field, "base64") from error
