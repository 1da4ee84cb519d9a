"""Imports of samples: asking for one, and what is noted while its source is read.

A worker reads the sources on the host that an import is for. It takes what waits there, puts samples into the dataset
some at a time, each time with how far it is, and at the end finishes the import; all in transactions in which nobody
can take the host (`hosts.held`). So no sample is lost or doubled, wherever a server dies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import structs
from sqlalchemy import ColumnElement, Row, insert, select, update

from trivium.base.caller import SYSTEM, Caller
from trivium.base.query import Listed, Query
from trivium.base.reasons import Reason
from trivium.base.text import readable
from trivium.resources import datasets, events, hosts, samples, stores
from trivium.resources.datasets import Dataset, DatasetType
from trivium.resources.datasets.ports import Layout, Refusal, Sample
from trivium.resources.stores import Sight
from trivium.resources.transfers.errors import NoSuchTransfer, NotImportable, TransferRunning
from trivium.resources.transfers.table import IMPORTS, OF_DATASET, import_of, imports, refusal_of, refusals
from trivium.resources.transfers.types import (
    ImportCounts,
    NewImport,
    RefusedSample,
    SampleImport,
    TransferStatus,
    Way,
)
from trivium.store import Read, Write, query

WAITING: Final = "sample imports"
"""What is woken when there is an import to do."""

LAYOUTS: Final[Mapping[DatasetType, Layout]] = {
    DatasetType.IMAGE_CLASSIFICATION: Layout.IMAGE_CLASSIFICATION,
    DatasetType.OBJECT_DETECTION: Layout.OBJECT_DETECTION,
    DatasetType.TEXT_CLASSIFICATION: Layout.TEXT_CLASSIFICATION,
    DatasetType.SOUND_CLASSIFICATION: Layout.SOUND_CLASSIFICATION,
}
"""What directories say of samples."""

MOST_FAULTS: Final = 5  # of ours, after which an import is given up
FAULT: Final = Reason(code="transfer.fault")


def begin_import(tx: Write, caller: Caller, dataset: UUID, *, new: NewImport, host: str | None = None) -> SampleImport:
    """Have samples read into a dataset: on that host, or on the one that reads files.

    Raises `NoSuchDataset`, `Forbidden`, `DatasetPublishing`, `NotImportable`, `TransferRunning`, and `HostAway`.
    """
    mine = datasets.opened(tx, caller, dataset)
    # Files are told apart by their contents: one that was changed is another, whatever its size.
    asked = structs.replace(new, layout=_layout(mine, new), wanted=structs.replace(new.wanted, digests=True))
    begun = begin(tx, caller, mine, asked=asked, host=host)
    events.record(tx, caller, "dataset.import", target=mine.id, project=mine.project, after={"path": new.path})
    return begun


def begin(
    tx: Write, caller: Caller, mine: Dataset, *, asked: NewImport, host: str | None = None, sync: bool = False
) -> SampleImport:
    """The same of a dataset that is locked, where all is said of how to read, or a sync. `TransferRunning`."""
    if running(tx, mine):
        raise TransferRunning(dataset=mine.name)
    id = tx.ids.next()
    asked = structs.replace(asked, everywhere=caller.is_admin)
    row = {
        "id": id,
        "uuid": uuid4(),
        "dataset_id": mine.id,
        "owner_id": caller.user or None,
        "host": host or hosts.working(tx),
        "asked": msgspec.json.encode(asked).decode(),
        "status": TransferStatus.WAITING.value,
        "position": b"",
        "sync": sync,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    tx.run(insert(imports).values(row))
    tx.wake(WAITING)
    return import_of(tx.all(select(imports).where(imports.c.id == id))[0])


def get_import(tx: Read, dataset: Dataset, uuid: UUID) -> SampleImport:
    """The import or sync of that uuid. `NoSuchTransfer`."""
    found = find_import(tx, dataset, uuid)
    if found is None:
        raise NoSuchTransfer
    return found


def find_import(tx: Read, dataset: Dataset, uuid: UUID) -> SampleImport | None:
    """The import or sync of that uuid; None where there is none."""
    row = tx.first(select(imports).where(imports.c.uuid == uuid, imports.c.dataset_id == dataset.id))
    return None if row is None else import_of(row)


def list_imports(tx: Read, dataset: Dataset, asked: Query) -> Listed[SampleImport]:
    """The imports and syncs of a dataset, as asked. Raises what `query.page` raises."""
    found = query.page(tx, IMPORTS, asked, scope=(OF_DATASET.of(dataset=dataset.id),))
    return Listed(rows=tuple(map(import_of, found.rows)), total=found.total, next=found.next)


def list_refusals(tx: Read, one: SampleImport, *, after: int = 0, most: int = 1000) -> Sequence[RefusedSample]:
    """What no sample came of, in the order in which it was read, after the one of that number."""
    mine = (refusals.c.import_id == one.id, refusals.c.number > after)
    rows = tx.all(select(refusals).where(*mine).order_by(refusals.c.number).limit(most))
    return [refusal_of(row) for row in rows]


def running(tx: Read, dataset: Dataset) -> Sequence[SampleImport]:
    """The imports and syncs of a dataset that are not over."""
    return running_of(tx, [dataset]).get(dataset.id, ())


def running_of(tx: Read, some: Sequence[Dataset]) -> Mapping[int, Sequence[SampleImport]]:
    """The same of several datasets, by their ids; without those that have none."""
    if not some:
        return {}
    found: dict[int, list[SampleImport]] = {}
    mine = (imports.c.dataset_id.in_([dataset.id for dataset in some]), imports.c.finished_at.is_(None))
    for row in tx.all(select(imports).where(*mine).order_by(imports.c.id)):
        found.setdefault(row.dataset_id, []).append(import_of(row))
    return found


def stop_import(tx: Write, caller: Caller, dataset: UUID, *, uuid: UUID) -> SampleImport:
    """Have an import or a sync end where it is; what came of it stays. One that is over stays as it is.

    Raises `NoSuchDataset`, `Forbidden` and `NoSuchTransfer`.
    """
    mine = datasets.locked(tx, caller, dataset)
    one = get_import(tx, mine, uuid)
    told = {"status": TransferStatus.STOPPED.value, "finished_at": tx.now, "changed_at": tx.now}
    if tx.run(update(imports).where(*_going(one.id)).values(told)):
        events.record(tx, caller, "dataset.stop_import", target=mine.id, project=mine.project)
        tx.wake(WAITING)
    return get_import(tx, mine, uuid)


def sight_of(tx: Read, dataset: int, *, everywhere: bool) -> Sight:
    """Of which files samples of a dataset may be made, and copies. Whoever asked for it sees what its project sees."""
    table = datasets.datasets
    row = tx.first(select(table.c.project_id, table.c.store_uuid).where(table.c.id == dataset))
    if everywhere or row is None:  # it was deleted: nothing will come of it
        return stores.EVERYTHING
    return stores.sight_of(tx, row.project_id, own=row.store_uuid)


def due(tx: Read, host: str, *, most: int) -> Sequence[int]:
    """The ids of the oldest imports of that host that are not over."""
    mine = select(imports.c.id).where(imports.c.host == host, imports.c.finished_at.is_(None))
    return [row.id for row in tx.all(mine.order_by(imports.c.id).limit(most))]


def take(tx: Write, id: int) -> SampleImport | None:
    """The import, which is running from now on; None where it is over, or its dataset was deleted."""
    told = {"status": TransferStatus.RUNNING.value, "changed_at": tx.now}
    if not tx.run(update(imports).where(*_going(id)).values(told)):
        return None
    return import_of(tx.all(select(imports).where(imports.c.id == id))[0])


def keep(
    tx: Write, one: SampleImport, found: Sequence[Sample | Refusal], *, base: bytes, seconds: float
) -> SampleImport | None:
    """Put what was found after the import's position into its dataset.

    `base` is the directory that paths begin from, and `seconds` how long it took. The import as it is then; None where
    it is over.
    """
    now = locked(tx, one)
    if now is None or now.position != one.position:
        return None
    last = found[-1].position
    found = _staying(tx, one, found, base=base)
    taken = [each for each in found if isinstance(each, Sample)]
    put = samples.put(tx, one.dataset, taken, base=base)
    refused = [each for each in found if isinstance(each, Refusal)]
    _keep_refusals(tx, one, refused)
    counts = ImportCounts(
        total=len(found),
        imported=len(taken),
        annotated=put.annotated,
        unconfirmed=put.unconfirmed,
        sub=put.sub,
        refused=len(refused),
        same=put.same,
        size=sum(each.size for each in taken),
        added=put.added,
    )
    more = {name: imports.c[name] + number for name, number in structs.asdict(counts).items() if number}
    told = {"position": last, "seconds": imports.c.seconds + seconds, "changed_at": tx.now, **more}
    tx.run(update(imports).where(imports.c.id == one.id).values(told))
    return import_of(tx.all(select(imports).where(imports.c.id == one.id))[0])


def locked(tx: Write, one: SampleImport) -> SampleImport | None:
    """An import as it is now, locked together with its dataset; None where it is over, or the dataset is deleted."""
    dataset = tx.lock(select(datasets.datasets.c.id).where(datasets.datasets.c.id == one.dataset))
    now: Row[Any] | None = tx.lock(select(imports).where(*_going(one.id)))
    return None if dataset is None or now is None else import_of(now)


def finish(tx: Write, id: int, *, reason: Reason | None = None) -> None:
    """End an import or a sync: all is done, or its source cannot be read for that reason. Repeatable."""
    status = TransferStatus.DONE if reason is None else TransferStatus.FAILED
    kept = None if reason is None else msgspec.json.encode(reason).decode()
    told = {"status": status.value, "reason": kept, "finished_at": tx.now, "changed_at": tx.now}
    if not tx.run(update(imports).where(*_going(id)).values(told)):
        return
    row: Row[Any] = tx.all(select(imports).where(imports.c.id == id))[0]
    project = tx.value(select(datasets.datasets.c.project_id).where(datasets.datasets.c.id == row.dataset_id))
    after = {"imported": row.imported, "refused": row.refused, "reason": None if reason is None else reason.code}
    if row.sync:
        after |= {"added": row.added, "removed": row.removed}
        events.record(tx, SYSTEM, "dataset.synced", target=row.dataset_id, project=project, after=after)
    else:
        events.record(tx, SYSTEM, "dataset.imported", target=row.dataset_id, project=project, after=after)


def count_fault(tx: Write, id: int) -> None:
    """Count a fault of ours; with too many the import has failed, so that whoever waits for it hears of it."""
    tx.run(update(imports).where(imports.c.id == id).values(faults=imports.c.faults + 1))
    if int(tx.value(select(imports.c.faults).where(imports.c.id == id)) or 0) >= MOST_FAULTS:
        finish(tx, id, reason=FAULT)


def _layout(dataset: Dataset, new: NewImport) -> Layout:
    """How a directory is laid out. `NotImportable` where directories do not say what the dataset's type wants."""
    layout = LAYOUTS.get(dataset.type, new.layout)
    if new.way is Way.DIRECTORY and dataset.type not in LAYOUTS:
        message = "a directory does not say enough of samples of this type; import a manifest"
        raise NotImportable("import_type", message, dataset=dataset.name, type=dataset.type.value)
    return layout


def _staying(
    tx: Read, one: SampleImport, found: Sequence[Sample | Refusal], *, base: bytes
) -> Sequence[Sample | Refusal]:
    """Without the samples whose files are being deleted, or were since the import was asked for."""
    if not samples.is_deleting(tx):
        return found
    paths = {samples.path_of(each, base) for each in found if isinstance(each, Sample)}
    going = samples.on_their_way(tx, paths, since=one.created_at)
    return [each for each in found if not isinstance(each, Sample) or samples.path_of(each, base) not in going]


def _keep_refusals(tx: Write, one: SampleImport, found: Sequence[Refusal]) -> None:
    if not found:
        return
    rows = [
        {
            "import_id": one.id,
            "number": one.counts.refused + place,
            "name": readable(refused.path),
            "line": refused.line,
            "reason": msgspec.json.encode(refused.reason).decode(),
        }
        for place, refused in enumerate(found, start=1)
    ]
    tx.run(insert(refusals), rows)


def _going(id: int) -> tuple[ColumnElement[bool], ...]:
    return imports.c.id == id, imports.c.finished_at.is_(None)
