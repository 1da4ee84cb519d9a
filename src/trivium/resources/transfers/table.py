"""The tables of imports, exports and versions, and the way between row and value."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    UniqueConstraint,
    bindparam,
    false,
)
from sqlalchemy import text as sql

from trivium.base.reasons import Reason
from trivium.resources import owning
from trivium.resources.datasets import SampleCounts
from trivium.resources.transfers.types import (
    ImportCounts,
    NewExport,
    NewImport,
    RefusedSample,
    SampleExport,
    SampleImport,
    SinceBefore,
    TransferStatus,
    Version,
    VersionStatus,
)
from trivium.store import fields as f
from trivium.store import metadata
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.query import Scope
from trivium.store.schema import partial_index

COUNTS: Final = ImportCounts.__struct_fields__

# No foreign keys: a dataset is deleted with its transfers, whichever of them goes on.

imports = Table(
    "sample_imports",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("dataset_id", BigInteger, nullable=False),
    Column("owner_id", BigInteger),
    Column("host", text(), nullable=False),
    Column("asked", text(), nullable=False),  # JSON
    Column("status", text(), nullable=False),
    Column("reason", text()),  # JSON
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in COUNTS),
    Column("position", LargeBinary, nullable=False),
    Column("sync", Boolean, nullable=False, server_default=false()),
    Column("looked", BigInteger, nullable=False, server_default="0"),
    Column("faults", Integer, nullable=False, server_default="0"),
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index(None, "dataset_id", "id"),
    Index(None, "dataset_id", "sync", "id"),
    partial_index("ix_sample_imports_waiting", "host", "id", where=sql("finished_at IS NULL")),
    partial_index("ix_sample_imports_going", "dataset_id", "id", where=sql("finished_at IS NULL")),
)

refusals = Table(
    "sample_refusals",
    metadata,
    Column("import_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("name", text(), nullable=False),
    Column("line", BigInteger),
    Column("reason", text(), nullable=False),  # JSON
    sqlite_with_rowid=False,
)

leftovers = Table(
    "refusal_leftovers",  # refusals of these imports are to be deleted: their datasets are
    metadata,
    Column("import_id", BigInteger, primary_key=True, autoincrement=False),
)

exports = Table(
    "sample_exports",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("dataset_id", BigInteger, nullable=False),
    Column("version_id", BigInteger),
    Column("owner_id", BigInteger),
    Column("host", text(), nullable=False),
    Column("asked", text(), nullable=False),  # JSON
    Column("chosen", Integer, nullable=False),
    Column("status", text(), nullable=False),
    Column("reason", text()),  # JSON
    Column("total", BigInteger, nullable=False),
    Column("written", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("faults", Integer, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index(None, "dataset_id", "id"),
    partial_index("ix_sample_exports_waiting", "host", "id", where=sql("finished_at IS NULL")),
    partial_index("ix_sample_exports_going", "dataset_id", "id", where=sql("finished_at IS NULL")),
)

versions = Table(
    "dataset_versions",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("dataset_id", BigInteger, nullable=False),
    Column("name", text(), nullable=False),
    Column("description", text()),
    Column("previous_id", BigInteger),
    Column("status", text(), nullable=False),
    Column("reason", text()),  # JSON
    Column("counts", text(), nullable=False),  # JSON
    Column("labels", text(), nullable=False),  # JSON, may be long: lists of versions go without it
    Column("manifest", text(), nullable=False),
    Column("digest", LargeBinary),  # of the manifest, once it is written
    Column("settings", text()),  # JSON
    Column("added", BigInteger, nullable=False, server_default="0"),
    Column("modified", BigInteger, nullable=False, server_default="0"),
    Column("deleted", BigInteger, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("dataset_id", "name"),
    Index(None, "dataset_id", "id"),
)

EXPORTS: Final = f.Resource(
    "exports of samples",
    exports,
    (
        f.Field("id", f.integer, exports.c.id),
        f.Field("status", f.enum(TransferStatus), exports.c.status),
        f.Field("version", f.integer, exports.c.version_id),
        f.Field("chosen", f.integer, exports.c.chosen),
    ),
)

SHOWN: Final = [column for column in versions.c if column.key != "labels"]
"""What versions are known by."""

VERSIONS: Final = f.Resource(
    "versions of a dataset",
    versions,
    (
        f.Field("id", f.integer, versions.c.id),
        f.Field("status", f.enum(VersionStatus), versions.c.status),
    ),
    columns=SHOWN,
)

EXPORTS_OF_DATASET: Final = Scope(exports.c.dataset_id == bindparam("dataset", None, BigInteger()))
VERSIONS_OF_DATASET: Final = Scope(versions.c.dataset_id == bindparam("dataset", None, BigInteger()))

IMPORTS: Final = f.Resource(
    "imports of samples",
    imports,
    (
        f.Field("id", f.integer, imports.c.id),
        f.Field("status", f.enum(TransferStatus), imports.c.status),
        f.Field("sync", f.boolean, imports.c.sync),
    ),
)

OF_DATASET: Final = Scope(imports.c.dataset_id == bindparam("dataset", None, BigInteger()))


def import_of(row: Row[Any]) -> SampleImport:
    """The import that a row of `sample_imports` stands for."""
    return SampleImport(
        id=row.id,
        uuid=row.uuid,
        dataset=row.dataset_id,
        host=row.host,
        asked=msgspec.json.decode(row.asked, type=NewImport),
        status=TransferStatus(row.status),
        reason=None if row.reason is None else msgspec.json.decode(row.reason, type=Reason),
        counts=ImportCounts(**{name: getattr(row, name) for name in COUNTS}),
        position=row.position,
        sync=row.sync,
        looked=row.looked,
        created_at=row.created_at,
        changed_at=row.changed_at,
        seconds=row.seconds,
        finished_at=row.finished_at,
    )


def refusal_of(row: Row[Any]) -> RefusedSample:
    """What was refused, of a row of `sample_refusals`."""
    reason = msgspec.json.decode(row.reason, type=Reason)
    return RefusedSample(number=row.number, name=row.name, line=row.line, reason=reason)


def export_of(row: Row[Any]) -> SampleExport:
    """The export that a row of `sample_exports` stands for."""
    return SampleExport(
        id=row.id,
        uuid=row.uuid,
        dataset=row.dataset_id,
        version=row.version_id,
        host=row.host,
        asked=msgspec.json.decode(row.asked, type=NewExport),
        status=TransferStatus(row.status),
        reason=None if row.reason is None else msgspec.json.decode(row.reason, type=Reason),
        total=row.total,
        written=row.written,
        refused=row.refused,
        last=row.last,
        position=row.position,
        created_at=row.created_at,
        changed_at=row.changed_at,
        finished_at=row.finished_at,
    )


def version_of(row: Row[Any]) -> Version:
    """The version that a row of `dataset_versions` stands for."""
    return Version(
        id=row.id,
        uuid=row.uuid,
        dataset=row.dataset_id,
        name=row.name,
        description=row.description,
        previous=row.previous_id,
        status=VersionStatus(row.status),
        reason=None if row.reason is None else msgspec.json.decode(row.reason, type=Reason),
        counts=msgspec.json.decode(row.counts, type=SampleCounts),
        since=SinceBefore(added=row.added, modified=row.modified, deleted=row.deleted),
        manifest=row.manifest,
        digest=row.digest,
        settings=owning.document_of(row.settings),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
