"""Datasets. What they are for, and of what kind, is kept in marks of the system's; what their samples are is a type."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import msgspec

from trivium.base.values import Value


class Usage(StrEnum):
    """What a dataset is meant for."""

    FINE_TUNE = "FineTune"
    ENDPOINT = "Endpoint"
    APP = "App"
    MODEL_EVAL = "ModelEval"
    MODEL_PERF = "ModelPerf"


class DataType(StrEnum):
    """What a dataset is made of."""

    TEXT = "Text"
    AUDIO = "Audio"
    IMAGE = "Image"
    VIDEO = "Video"
    TABULAR = "Tabular"
    GEOSPATIAL = "Geospatial"
    TIME_SERIES = "TimeSeries"


class DatasetType(IntEnum):
    """What samples a dataset has, and what is said of them; the numbers are those of ModelArts."""

    IMAGE_CLASSIFICATION = 0
    OBJECT_DETECTION = 1
    IMAGE_SEGMENTATION = 3
    TEXT_CLASSIFICATION = 100
    NAMED_ENTITY = 101
    TEXT_TRIPLET = 102
    SOUND_CLASSIFICATION = 200
    SPEECH_CONTENT = 201
    SPEECH_PARAGRAPH = 202
    TABLE = 400
    VIDEO = 600
    FREE = 900


class NewDataset(Value, frozen=True):
    """What a caller asks for in a new dataset."""

    name: str
    url: str
    store: UUID
    uuid: UUID | None = None
    public: bool = False
    description: str | None = None
    system: bool = False
    type: DatasetType = DatasetType.FREE
    workspace: int = 0
    work_path: str | None = None  # absolute
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])


class DatasetChange(Value, frozen=True):
    """What a caller asks to be otherwise; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    usages: tuple[str, ...] | None = None
    data_type: str | None = None


class SampleCounts(Value, frozen=True):
    """How many samples a dataset has; whoever writes samples writes these in the same transaction."""

    total: int = 0
    annotated: int = 0  # with labels that count
    unconfirmed: int = 0  # with labels that somebody is to look at
    sub: int = 0  # frames of videos
    sub_annotated: int = 0
    deleted: int = 0  # so far


class Dataset(Value, frozen=True):
    """One dataset."""

    id: int
    uuid: UUID
    project: int
    public: bool
    name: str
    description: str | None
    url: str
    install_path: str | None
    store: UUID
    size: int | None  # bytes; None where nobody has looked
    system: bool
    type: DatasetType
    owner: int | None
    workspace: int
    work_path: str | None  # where versions and exports are written
    settings: Mapping[str, Any]  # what else a caller wants kept
    counts: SampleCounts
    versions: int  # that were published so far
    current_version: int | None
    publishing: bool  # a version is being written: until then nobody changes samples and labels
    samples_changed_at: datetime | None  # None until there was a sample
    created_at: datetime
    changed_at: datetime
