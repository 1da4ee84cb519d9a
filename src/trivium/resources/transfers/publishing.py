"""Versions of a dataset: what it was when it was published, as a manifest with its numbers and labels.

While one is written, nobody changes samples and labels of the dataset.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import structs
from sqlalchemy import delete, func, insert, select, update

from trivium.base.caller import SYSTEM, Caller
from trivium.base.query import After, Listed, Offset, Order, Query
from trivium.base.reasons import Reason
from trivium.base.text import Language
from trivium.resources import datasets, events, owning, samples
from trivium.resources.datasets import Dataset
from trivium.resources.samples import LabelsLeaving, NewLabel
from trivium.resources.transfers import exporting, importing, versioned
from trivium.resources.transfers.errors import NoSuchVersion, TransferRunning, VersionExists
from trivium.resources.transfers.exporting import Batch, Put
from trivium.resources.transfers.ports import Form
from trivium.resources.transfers.table import SHOWN, VERSIONS, VERSIONS_OF_DATASET, version_of, versions
from trivium.resources.transfers.types import (
    CountedLabel,
    Into,
    NewExport,
    NewImport,
    NewVersion,
    SampleExport,
    TransferStatus,
    Version,
    VersionStatus,
    Way,
)
from trivium.resources.transfers.versioned import SoughtSetting
from trivium.store import Read, Write, query

PAGE: Final = 1000


def publish(tx: Write, caller: Caller, dataset: UUID, *, new: NewVersion, form: Form = Form()) -> Version:  # noqa: B008
    """Begin to publish a version, which is written in a directory of its name.

    Raises `NoSuchDataset`, `Forbidden`, `DatasetPublishing`, `TransferRunning` while something is imported,
    `LabelsLeaving`, `VersionExists`, `NotExportable`, and `HostAway`.
    """
    mine = datasets.opened(tx, caller, dataset)
    if importing.running(tx, mine):
        raise TransferRunning(dataset=mine.name)
    if samples.is_leaving(tx, mine.id):
        raise LabelsLeaving(dataset=mine.name)
    number = mine.versions + 1
    name = new.name or f"V{number:03}"
    if tx.first(select(versions.c.id).where(versions.c.dataset_id == mine.id, versions.c.name == name)) is not None:
        raise VersionExists(name=name)
    id = tx.ids.next()
    folder = f"{new.path.rstrip('/')}/{name}"
    row = {
        "id": id,
        "uuid": uuid4(),
        "dataset_id": mine.id,
        "name": name,
        "description": new.description,
        "previous_id": mine.current_version,
        "status": VersionStatus.MAKING.value,
        "counts": msgspec.json.encode(mine.counts).decode(),
        "labels": msgspec.json.encode(_labels(tx, mine)).decode(),
        "manifest": f"{folder}/{name}.manifest",
        "settings": owning.checked_document("settings", new.settings or None),
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    tx.run(insert(versions).values(row))
    table = datasets.datasets
    tx.run(update(table).where(table.c.id == mine.id).values(publishing=True, versions=number))
    asked = NewExport(path=folder, manifest=f"{name}.manifest", form=structs.replace(form, whole=True))
    exporting.begin(tx, caller, mine, new=asked, version=id)
    events.record(tx, caller, "dataset.publish", target=mine.id, project=mine.project, after={"version": name})
    return _get(tx, id)


def get_version(tx: Read, dataset: Dataset, uuid: UUID) -> Version:
    """The version of that uuid. `NoSuchVersion`."""
    row = tx.first(select(*SHOWN).where(versions.c.uuid == uuid, versions.c.dataset_id == dataset.id))
    if row is None:
        raise NoSuchVersion
    return version_of(row)


def find_version(tx: Read, id: int) -> Version | None:
    """The version of that id; None where it was deleted."""
    row = tx.first(select(*SHOWN).where(versions.c.id == id))
    return None if row is None else version_of(row)


def versions_of(tx: Read, ids: Collection[int]) -> Mapping[int, Version]:
    """The versions of these ids, by them; those that were deleted are not among them."""
    if not ids:
        return {}
    rows = tx.all(select(*SHOWN).where(versions.c.id.in_(sorted({*ids}))))
    return {row.id: version_of(row) for row in rows}


def numbers_of_versions(tx: Read, of: Collection[Dataset]) -> Mapping[int, int]:
    """How many versions datasets have, by their ids; of those that have none it has nothing."""
    number = select(versions.c.dataset_id, func.count().label("number")).group_by(versions.c.dataset_id)
    found = tx.all(number.where(versions.c.dataset_id.in_(sorted(one.id for one in of))))
    return {row.dataset_id: row.number for row in found}


def list_versions(
    tx: Read, dataset: Dataset, asked: Query, *, settings: Sequence[SoughtSetting] = ()
) -> Listed[Version]:
    """The versions of a dataset that have these settings, as asked. Raises what `query.page` raises."""
    narrowed = (versioned.has(one, tx.flavour) for one in settings)
    found = query.page(tx, VERSIONS, asked, scope=(VERSIONS_OF_DATASET.of(dataset=dataset.id), *narrowed))
    return Listed(rows=tuple(map(version_of, found.rows)), total=found.total, next=found.next)


def labels_of_version(tx: Read, version: Version) -> Sequence[CountedLabel]:
    """The labels that the dataset had when the version was published, oldest first."""
    kept = tx.value(select(versions.c.labels).where(versions.c.id == version.id))
    return msgspec.json.decode(kept, type=tuple[CountedLabel, ...])


def make_current(tx: Write, caller: Caller, dataset: UUID, *, uuid: UUID) -> None:
    """Have another version be the current one. Raises `NoSuchDataset`, `Forbidden` and `NoSuchVersion`."""
    mine = datasets.locked(tx, caller, dataset)
    version = get_version(tx, mine, uuid)
    if version.status is not VersionStatus.READY:
        raise NoSuchVersion
    table = datasets.datasets
    tx.run(update(table).where(table.c.id == mine.id).values(current_version_id=version.id))
    events.record(tx, caller, "dataset.change", target=mine.id, project=mine.project, after={"version": version.name})


def delete_version(tx: Write, caller: Caller, dataset: UUID, *, uuid: UUID) -> None:
    """Forget a version; its files stay. The current one is then the one before it.

    Raises `NoSuchDataset`, `Forbidden`, `NoSuchVersion`, and `DatasetPublishing` for one that is being written.
    """
    mine = datasets.locked(tx, caller, dataset)
    version = get_version(tx, mine, uuid)
    if version.status is VersionStatus.MAKING:
        datasets.opened(tx, caller, dataset)
    following = (versions.c.dataset_id == mine.id, versions.c.previous_id == version.id)
    tx.run(update(versions).where(*following).values(previous_id=version.previous))
    tx.run(delete(versions).where(versions.c.id == version.id))
    table = datasets.datasets
    current = (table.c.id == mine.id, table.c.current_version_id == version.id)
    tx.run(update(table).where(*current).values(current_version_id=version.previous))
    told = {"version": version.name}
    events.record(tx, caller, "dataset.unpublish", target=mine.id, project=mine.project, before=told)


def note(tx: Write, one: SampleExport, found: Batch, *, put: Put) -> SampleExport | None:
    """Write down how far an export is, and what is otherwise in the version that it makes; None where it is over."""
    noted = exporting.note(tx, one, put, last=found.last, passed=found.passed)
    if noted is not None and one.version is not None:
        before = _before(tx, one.version)
        added, modified = len(found.samples), 0
        if before is not None:
            old = [sample for sample in found.samples if sample.id < before.id]
            added -= len(old)
            modified = sum(sample.changed_at > before.created_at for sample in old)
        told = {"added": versions.c.added + added, "modified": versions.c.modified + modified}
        tx.run(update(versions).where(versions.c.id == one.version).values(told))
    return noted


def end_export(tx: Write, id: int, *, reason: Reason | None = None, digest: bytes | None = None) -> None:
    """End an export, and with it the version that it makes: its dataset may be changed again. Repeatable.

    `reason`: why it cannot be written; None: it is, and the manifest has that checksum. Raises what `datasets.register`
    and `begin_import` raise, where a dataset is to come of it.
    """
    ended = exporting.finish(tx, id, reason=reason)
    if ended is None:
        return
    if ended.version is not None:
        _settle(tx, ended, ended.version, digest=digest)
    if reason is None and ended.asked.into is not None:
        _made(tx, ended, ended.asked.into)


def count_fault(tx: Write, id: int) -> None:
    """Count a fault of ours; with too many the export has failed, so that whoever waits for it hears of it."""
    if exporting.count_fault(tx, id):
        end_export(tx, id, reason=importing.FAULT)


def _made(tx: Write, one: SampleExport, into: Into) -> None:
    """Make a dataset of what was written, with what is said of labels, and have that imported."""
    made = datasets.register(tx, into.caller, into.new, path=one.asked.path)
    uuid = tx.value(select(datasets.datasets.c.uuid).where(datasets.datasets.c.id == one.dataset))
    every = () if uuid is None else _labels(tx, datasets.get(tx, SYSTEM, uuid))
    said = [
        NewLabel(name=label.name, type=label.type, property=label.property, attributes=label.attributes)
        for label in every
        if label.property or label.attributes  # the import brings the others
    ]
    if said:
        samples.create_labels(tx, into.caller, made.uuid, new=said)
    manifest = f"{one.asked.path}/{one.asked.manifest}"
    reading = NewImport(path=manifest, way=Way.MANIFEST, settings=into.settings)
    importing.begin_import(tx, into.caller, made.uuid, new=reading, host=one.host)


def _settle(tx: Write, one: SampleExport, id: int, *, digest: bytes | None) -> None:
    row = tx.first(select(versions.c.dataset_id).where(versions.c.id == id))
    if row is None:
        return
    is_ready = one.status is TransferStatus.DONE
    said = one.shortfall(Language.EN) if is_ready else one.reason
    kept = None if said is None else msgspec.json.encode(said).decode()
    status = VersionStatus.READY if is_ready else VersionStatus.FAILED
    told: dict[str, Any] = {"status": status.value, "reason": kept, "digest": digest, "changed_at": tx.now}
    before, now = _before(tx, id), _get(tx, id)
    if before is not None:
        told["deleted"] = max(before.counts.total + now.since.added - now.counts.total, 0)
    tx.run(update(versions).where(versions.c.id == id).values(told))
    table = datasets.datasets
    current = {"current_version_id": id} if is_ready else {}
    tx.run(update(table).where(table.c.id == row.dataset_id).values(publishing=False, **current))
    if is_ready:
        project = tx.value(select(table.c.project_id).where(table.c.id == row.dataset_id))
        events.record(tx, SYSTEM, "dataset.published", target=row.dataset_id, project=project)


def _before(tx: Read, id: int) -> Version | None:
    """The version before the one of that id; None where there is none."""
    previous = tx.value(select(versions.c.previous_id).where(versions.c.id == id))
    return None if previous is None else find_version(tx, previous)


def _get(tx: Read, id: int) -> Version:
    return version_of(tx.all(select(*SHOWN).where(versions.c.id == id))[0])


def _labels(tx: Read, dataset: Dataset) -> list[CountedLabel]:
    found: list[CountedLabel] = []
    page: Offset | After | None = Offset(limit=PAGE)
    while page is not None:
        asked = Query(order=(Order(field="id"),), page=page, total=False)
        listed = samples.list_labels(tx, dataset, asked)
        found += [
            CountedLabel(
                name=label.name,
                type=label.type,
                property=label.property,
                attributes=label.attributes,
                samples=label.samples,
                number=label.number,
            )
            for label in listed.rows
        ]
        page = None if listed.next is None else After(limit=PAGE, key=listed.next)
    return found
