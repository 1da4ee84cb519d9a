"""Imports, exports and versions: what is asked for, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import msgspec

from trivium.base.caller import Caller
from trivium.base.reasons import Reason
from trivium.base.text import Language
from trivium.base.values import Value
from trivium.resources.datasets import NewDataset, SampleCounts
from trivium.resources.datasets.ports import Columns, LabelType, Layout, TextFormat, Wanted
from trivium.resources.samples import Sought
from trivium.resources.transfers.ports import Form


class Way(StrEnum):
    """How a source is read."""

    DIRECTORY = "directory"
    MANIFEST = "manifest"
    TABLE = "table"


class TransferStatus(StrEnum):
    """How far a transfer is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class NewImport(Value, frozen=True):
    """What a caller asks for in an import."""

    path: str  # absolute
    way: Way
    wanted: Wanted = Wanted()
    layout: Layout = Layout.IMAGE_CLASSIFICATION  # of a directory: it follows from the dataset's type
    texts: TextFormat = TextFormat()
    columns: Columns = Columns()
    everywhere: bool = False  # files of every store: an administrator asks for it
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])  # to be shown again


class ImportCounts(Value, frozen=True):
    """What came of an import so far; written together with the samples."""

    total: int = 0  # samples, and what none came of
    imported: int = 0
    annotated: int = 0
    unconfirmed: int = 0
    sub: int = 0
    refused: int = 0
    same: int = 0  # that were there already, just so
    size: int = 0  # bytes of the samples
    added: int = 0  # that were not there before
    removed: int = 0  # that a sync took out


class SampleImport(Value, frozen=True):
    """One import of samples."""

    id: int
    uuid: UUID
    dataset: int
    host: str
    asked: NewImport
    status: TransferStatus
    reason: Reason | None  # why it failed
    counts: ImportCounts
    position: bytes  # reading goes on after it
    sync: bool  # samples whose files are gone are taken out at the end
    looked: int  # the id of the last sample whose file a sync looked for
    created_at: datetime
    changed_at: datetime
    seconds: float  # for which it has run
    finished_at: datetime | None


class RefusedSample(Value, frozen=True):
    """A file or a line that no sample came of."""

    number: int  # from 1
    name: str  # the path from the source's directory, as far as it can be shown
    line: int | None
    reason: Reason


class TaskKind(StrEnum):
    """What goes on with a dataset."""

    IMPORT = "import"  # of a directory or tables
    MANIFEST = "manifest"  # is imported
    SYNC = "sync"
    EXPORT = "export"
    PUBLICATION = "publication"  # of a version


class Task(Value, frozen=True):
    """Something that goes on with a dataset."""

    uuid: UUID  # of the import, the export, or the version
    kind: TaskKind


class Chosen(IntEnum):
    """Which samples are exported; the numbers are those of ModelArts."""

    LABELLED = 0  # with labels that count
    BARE = 1
    ALL = 2
    SOUGHT = 3  # that are each one of those that are sought


class KeptAt(Value, frozen=True):
    """The manifest of a version that samples are exported from."""

    path: str  # absolute
    digest: bytes
    total: int  # samples that the version has


class Into(Value, frozen=True):
    """The dataset that comes of an export once it is written, and who asked for it."""

    caller: Caller
    new: NewDataset
    settings: Mapping[str, Any]  # of its import, to be shown again


class NewExport(Value, frozen=True):
    """What a caller asks for in an export."""

    path: str  # absolute; a directory that is not there, or empty
    manifest: str  # the name of the file in it
    chosen: Chosen = Chosen.ALL
    sought: tuple[Sought, ...] = ()  # of SOUGHT; a sample that satisfies one of them is exported
    within: Sought = Sought()  # what every sample must be besides
    uuids: tuple[UUID, ...] = ()  # these alone, where there are any
    source: KeptAt | None = None  # None: what the dataset has now
    into: Into | None = None  # a dataset that is made of it
    form: Form = Form()
    everywhere: bool = False  # as of imports
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])  # to be shown again


class SampleExport(Value, frozen=True):
    """One export of samples."""

    id: int
    uuid: UUID
    dataset: int
    version: int | None  # that it makes
    host: str
    asked: NewExport
    status: TransferStatus
    reason: Reason | None  # why it failed; else why the first of what could not be written was not
    total: int  # samples to be written; as long as it runs also those that are still to be looked at
    written: int
    refused: int  # that could not be written
    last: int  # the id of the last sample that was dealt with; of a manifest how many lines were
    position: int  # bytes of the manifest
    created_at: datetime
    changed_at: datetime
    finished_at: datetime | None

    def shortfall(self, language: Language) -> Reason | None:
        """How many samples could not be written, and why the first could not; None where all could."""
        if self.reason is None or not self.refused:
            return None
        told = {"refused": f"{self.refused}", "total": f"{self.total}", "first": self.reason.say(language)}
        return Reason(code="transfer.not_written", details=told)


class VersionStatus(StrEnum):
    """How far a version is."""

    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


class CountedLabel(Value, frozen=True):
    """A label as a version has it."""

    name: str
    type: LabelType
    property: Mapping[str, Any]
    attributes: tuple[Mapping[str, Any], ...]
    samples: int
    number: int


class NewVersion(Value, frozen=True):
    """What a caller asks for in a version."""

    name: str | None = None  # None: the next of V001, V002 …
    description: str | None = None
    path: str = ""  # absolute: the directory that it is written to
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])  # to be shown again


class SinceBefore(Value, frozen=True):
    """How many samples are otherwise in a version than in the one before it; of the first all are added."""

    added: int = 0
    modified: int = 0
    deleted: int = 0


class Version(Value, frozen=True):
    """What a dataset was when it was published: a manifest, its numbers and its labels."""

    id: int
    uuid: UUID
    dataset: int
    name: str
    description: str | None
    previous: int | None
    status: VersionStatus
    reason: Reason | None  # why it failed, or lacks samples
    counts: SampleCounts
    since: SinceBefore  # counted while it is written
    manifest: str  # absolute
    digest: bytes | None  # its checksum, once it is written; None also of versions that older programs wrote
    settings: Mapping[str, Any]
    created_at: datetime
    changed_at: datetime
