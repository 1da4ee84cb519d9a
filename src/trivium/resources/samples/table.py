"""The tables of samples and labels, what may be asked of them, and the way between row and value."""

from __future__ import annotations

from typing import Any, Final

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
    and_,
    bindparam,
    false,
    func,
    literal_column,
)
from sqlalchemy import text as sql

from trivium.base import json
from trivium.resources.datasets.ports import LabelType, SampleUsage
from trivium.resources.samples.types import Label
from trivium.store import Relation, metadata
from trivium.store import fields as f
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.counters import Counted
from trivium.store.query import Scope
from trivium.store.schema import partial_index

LONGEST_PATH: Final = 1024
"""Bytes of a path that samples are found by: an index takes no long ones. A text that is no file has none."""

# No foreign keys among these: a dataset is deleted at once, and its samples a few at a time after that.

samples = Table(
    "samples",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("dataset_id", BigInteger, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("name", text(), nullable=False),
    Column("line", BigInteger),
    Column("size", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("usage", text()),
    Column("hard", Boolean, nullable=False),
    Column("sub", Boolean, nullable=False),
    Column("score", Float),
    Column("labels", text(), nullable=False),  # JSON, by the ids of labels: some of them may be gone
    Column("metadata", text(), nullable=False),  # JSON
    Column("text", text()),
    Column("cells", text()),  # JSON
    Column("digest", LargeBinary),
    Column("said", LargeBinary, nullable=False),  # of what the source says of it: another says something else
    Column("brought", Boolean, nullable=False, server_default=false()),  # its file came over an API, for this dataset
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "dataset_id", "id"),
    Index(None, "dataset_id", "state", "id"),
    Index(None, "dataset_id", "created_at", "id"),
    partial_index("ix_samples_scored", "dataset_id", "score", "id", where=sql("score IS NOT NULL")),
    partial_index("ix_samples_path", "path", where=sql(f"length(path) > 0 AND length(path) <= {LONGEST_PATH}")),
)

_length = func.length(samples.c.path)
FOUND_BY_PATH: Final = and_(_length > literal_column("0"), _length <= literal_column(str(LONGEST_PATH)))
"""What a statement must say to find samples by their paths."""

COUNTED: Final = Counted(samples, (("dataset_id", "state"),), within=("dataset_id",), by=("state",))

labels = Table(
    "dataset_labels",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("dataset_id", BigInteger, nullable=False),
    Column("type", Integer, nullable=False),
    Column("name", text(), nullable=False),
    Column("property", text(), nullable=False),  # JSON
    Column("attributes", text(), nullable=False),  # JSON
    Column("samples", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("dataset_id", "type", "name"),
    Index(None, "dataset_id", "id"),
)

labelled = Table(
    "sample_labels",
    metadata,
    Column("label_id", BigInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # the sample's
    Column("number", Integer, nullable=False),  # how often the sample has it
    Index(None, "id"),
    sqlite_with_rowid=False,
)

properties = Table(
    "sample_properties",  # names and values of metadata; see properties.py
    metadata,
    Column("dataset_id", BigInteger, primary_key=True, autoincrement=False),
    Column("value", text(), primary_key=True),  # JSON; empty: the name itself
    Column("name", text(), primary_key=True),
    Column("samples", BigInteger, nullable=False),  # that have it
    Column("number", Integer, nullable=False),  # of values of the name that have rows
    Column("many", Boolean, nullable=False),  # its values are not counted
    sqlite_with_rowid=False,
)

leftovers = Table(
    "dataset_leftovers",  # samples and labels of these are to be deleted
    metadata,
    Column("dataset_id", BigInteger, primary_key=True, autoincrement=False),
)

leaving = Table(
    "label_leftovers",  # labels that were deleted: they are to be taken from their samples
    metadata,
    Column("label_id", BigInteger, primary_key=True, autoincrement=False),
    Column("dataset_id", BigInteger, nullable=False),
    Column("along", Integer, nullable=False),
    Column("deletion_id", BigInteger),  # what deletes the files of samples that go along; null: they stay
    Index(None, "dataset_id", "label_id"),
)

deletions = Table(
    "file_deletions",  # files of samples that are to be deleted, as they were asked for together
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("dataset_id", BigInteger, nullable=False),
    Column("project_id", BigInteger, nullable=False),  # the dataset's
    Column("host", text(), nullable=False),
    Column("terms", text(), nullable=False),  # JSON
    Column("open", Boolean, nullable=False),  # more files may come
    Column("round", Integer, nullable=False, server_default="0"),  # how often all of them were tried
    Column("looked", BigInteger, nullable=False, server_default="0"),  # the last file that was tried in this round
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in ("gone", "stayed")),
    Column("faults", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
)

deleted = Table(
    "deleted_files",
    metadata,
    Column("deletion_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sample_id", BigInteger, primary_key=True, autoincrement=False),
    Column("path", LargeBinary, nullable=False),
    Column("size", BigInteger),  # null: not known
    Column("digest", LargeBinary),
    Column("came_at", Instant, nullable=False),
    Column("brought", Boolean, nullable=False),
    Column("failed", Integer, nullable=False, server_default="0"),  # how often it could not be deleted
    Index(None, "path"),
    partial_index("ix_deleted_files_failed", "deletion_id", "sample_id", where=sql("failed > 0")),
    sqlite_with_rowid=False,
)

LABELLED: Final = f.Resource(
    "labelled samples",
    labelled,
    (f.Field("id", f.integer, labelled.c.id), f.Field("label", f.integer, labelled.c.label_id)),
)

SAMPLES: Final = f.Resource(
    "samples",
    samples,
    (
        f.Field("id", f.integer, samples.c.id),
        f.Field("uuid", f.uuid, samples.c.uuid),
        f.Field("kind", f.integer, samples.c.kind),
        f.Field("state", f.integer, samples.c.state),
        f.Field("score", f.number, samples.c.score),
        f.Field("hard", f.boolean, samples.c.hard),
        f.Field("usage", f.enum(SampleUsage), samples.c.usage),
        f.Field("name", f.text, samples.c.name),
        f.Field("created_at", f.time, samples.c.created_at),
    ),
    relations=(Relation("labels", lambda: LABELLED, samples.c.id, labelled.c.id),),
    counted=COUNTED,
)

LABELS: Final = f.Resource(
    "labels of a dataset",
    labels,
    (
        f.Field("id", f.integer, labels.c.id),
        f.Field("name", f.text, labels.c.name),
        f.Field("type", f.integer, labels.c.type),
    ),
)

OF_DATASET: Final = Scope(samples.c.dataset_id == bindparam("dataset", None, BigInteger()))
LABELS_OF_DATASET: Final = Scope(labels.c.dataset_id == bindparam("dataset", None, BigInteger()))
WITH_LABEL: Final = Scope(labelled.c.label_id == bindparam("label", None, BigInteger()))


def label_of(row: Row[Any]) -> Label:
    """The label that a row of `dataset_labels` stands for."""
    return Label(
        id=row.id,
        dataset=row.dataset_id,
        name=row.name,
        type=LabelType(row.type),
        property=json.decode(row.property),
        attributes=json.decode_as(row.attributes, tuple[dict[str, Any], ...]),
        samples=row.samples,
        number=row.number,
        created_at=row.created_at,
    )
