"""Samples of datasets as they are kept, and the labels that a dataset knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import UUID

import msgspec

from trivium.base.values import Value
from trivium.resources.datasets.ports import Json, LabelType, SampleKind, SampleLabel, SampleUsage


class SampleState(IntEnum):
    """How far a sample is labelled."""

    BARE = 0  # no labels
    ANNOTATED = 1  # somebody set labels
    AUTOMATIC = 2  # labels were set by a program, and count
    UNCONFIRMED = 3  # labels are there, and do not count until somebody has looked at them


class KeptSample(Value, frozen=True):
    """One sample of a dataset."""

    id: int
    uuid: UUID  # follows from where the sample is: the same file of a dataset is the same sample
    dataset: int
    path: bytes  # absolute; empty of a text that is no file
    name: str  # to be shown: what cannot be shown of a file's name is replaced
    line: int | None  # where a file has a sample in each line
    size: int  # bytes
    kind: SampleKind
    state: SampleState
    usage: SampleUsage | None
    hard: bool
    score: float | None  # the lowest of its labels
    labels: tuple[SampleLabel, ...]
    metadata: Mapping[str, Json]
    text: str | None
    cells: Mapping[str, str] | None
    digest: bytes | None  # BLAKE3 of the file
    created_at: datetime
    changed_at: datetime
    brought: bool = False  # its file came over an API, for this dataset


class NewLabel(Value, frozen=True):
    """What a caller asks for in a label of a dataset."""

    name: str
    type: LabelType
    property: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    attributes: tuple[Mapping[str, Any], ...] = ()


class LabelDeletion(IntEnum):
    """What goes along with a label."""

    ALONE = 0  # samples that had it have one less
    SAMPLES = 1  # and samples that had no other go out of the dataset


class Label(Value, frozen=True):
    """A label that a dataset knows: somebody made it, or a sample came with it."""

    id: int
    dataset: int
    name: str
    type: LabelType
    property: Mapping[str, Any]
    attributes: tuple[Mapping[str, Any], ...]
    samples: int  # that have it
    number: int  # how often samples have it
    created_at: datetime


class Annotation(Value, frozen=True):
    """What a caller says of a sample; None leaves it as it is."""

    uuid: UUID
    labels: tuple[SampleLabel, ...] | None = None
    metadata: Mapping[str, Json] | None = None
    usage: SampleUsage | None = None


class Put(Value, frozen=True):
    """What became of samples that were put into a dataset."""

    added: int
    changed: int
    same: int  # were there already, just so
    annotated: int  # of all of these
    unconfirmed: int
    sub: int


class FileTerms(Value, frozen=True):
    """On which terms files of samples are deleted: for whom, and what stays in any case."""

    project: int
    everywhere: bool  # an administrator asks for it
    store: UUID  # the dataset's
    published: datetime | None  # samples that came until then are in versions, which name their files
    besides: tuple[tuple[str, str], ...] = ()  # directories, and the endings of the labels beside samples in them


class FileDeletion(Value, frozen=True):
    """Files that are to be deleted, as they were asked for together, and how far that is."""

    id: int
    dataset: int
    project: int
    terms: FileTerms
    round: int  # how often all were tried
    looked: int  # the last that was tried in this round
    gone: int
    stayed: int
    created_at: datetime
    finished_at: datetime | None


class DeletedFile(Value, frozen=True):
    """A file that is to be deleted if it is still what the sample was, and nothing else is made of it."""

    id: int
    path: bytes
    size: int | None
    digest: bytes | None
    came_at: datetime  # without a digest it must not have been changed since
    brought: bool
    failed: int  # how often it could not be deleted
