"""Datasets as entries of the catalogue. What they are for, and of what kind, is kept in marks of the system's."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

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


class NewDataset(Value, frozen=True):
    """What a caller asks for in a new dataset."""

    name: str
    url: str
    store: UUID
    uuid: UUID | None = None
    public: bool = False
    description: str | None = None
    system: bool = False


class DatasetChange(Value, frozen=True):
    """What a caller asks to be otherwise; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    usages: tuple[str, ...] | None = None
    data_type: str | None = None


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
    created_at: datetime
    changed_at: datetime
