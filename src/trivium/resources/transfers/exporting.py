"""Exports of samples: asking for one, and what is noted while it is written.

As of imports: a worker takes what waits on its host, notes how far it is, and finishes it; each in a transaction in
which nobody can take the host. What was written after the last note is written again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec
from msgspec import structs
from sqlalchemy import ColumnElement, Row, func, insert, select, update

from trivium.base.caller import SYSTEM, Caller
from trivium.base.query import Listed, Query
from trivium.base.reasons import Reason
from trivium.resources import datasets, events, hosts, samples
from trivium.resources.datasets import Dataset, DatasetType
from trivium.resources.samples import KeptSample, SampleState, Sought
from trivium.resources.transfers.errors import NoSuchTransfer, NotExportable
from trivium.resources.transfers.importing import MOST_FAULTS
from trivium.resources.transfers.table import EXPORTS, EXPORTS_OF_DATASET, export_of, exports
from trivium.resources.transfers.types import Chosen, NewExport, SampleExport, TransferStatus
from trivium.store import Read, Write, query

WAITING: Final = "sample exports"
"""What is woken when there is an export to do."""

STATES: Final[Mapping[Chosen, tuple[int, ...]]] = {
    Chosen.LABELLED: (SampleState.ANNOTATED.value, SampleState.AUTOMATIC.value),
    Chosen.BARE: (SampleState.BARE.value,),
}
OF_SHAPES: Final = frozenset({DatasetType.OBJECT_DETECTION, DatasetType.IMAGE_SEGMENTATION, DatasetType.VIDEO})

MOST_NAMED: Final = 1000
"""Samples that may be named."""

_EVERYTHING: Final = Sought()


class Batch(NamedTuple):
    """Some of the samples that there are, in the order of their ids."""

    samples: Sequence[KeptSample]  # that are to be written
    passed: int  # that are not
    last: int  # the id of the last one of both; of a manifest how many lines were read


class Put(NamedTuple):
    """What came of samples that were to be written."""

    written: int
    refused: int  # that could not be
    first: Reason | None  # why the first of these could not
    position: int  # how long the manifest is then


def begin_export(tx: Write, caller: Caller, dataset: UUID, *, new: NewExport, host: str | None = None) -> SampleExport:
    """Have samples of a dataset written: on that host, or on the one that reads files.

    Those that come after it began may be among them.

    Raises `NoSuchDataset`, `Forbidden`, `NotExportable`, `NoSuchSample`, and `HostAway`.
    """
    mine = datasets.locked(tx, caller, dataset)
    made = begin(tx, caller, mine, new=new, host=host)
    events.record(tx, caller, "dataset.export", target=mine.id, project=mine.project, after={"path": new.path})
    return made


def begin(
    tx: Write,
    caller: Caller,
    dataset: Dataset,
    *,
    new: NewExport,
    version: int | None = None,
    host: str | None = None,
) -> SampleExport:
    """The same of a dataset that is locked, and maybe of a version. `NotExportable`, `NoSuchSample`, `HostAway`."""
    if dataset.type is DatasetType.TABLE:
        raise NotExportable("export_type", "tables are not exported", dataset=dataset.name)
    if len(new.uuids) > MOST_NAMED:
        raise NotExportable("samples", f"names more than {MOST_NAMED} samples", dataset=dataset.name)
    id = tx.ids.next()
    # Files of the free format may be called anything, also what labels beside another would be.
    beside = new.form.beside and dataset.type is not DatasetType.FREE
    form = structs.replace(new.form, beside=beside, shapes=dataset.type in OF_SHAPES)
    asked = structs.replace(new, form=form, everywhere=caller.is_admin)
    row = {
        "id": id,
        "uuid": uuid4(),
        "dataset_id": dataset.id,
        "version_id": version,
        "owner_id": caller.user or None,
        "host": host or hosts.working(tx),
        "asked": msgspec.json.encode(asked).decode(),
        "chosen": new.chosen.value,
        "status": TransferStatus.WAITING.value,
        "total": new.source.total if new.source is not None else _total(tx, dataset, new),
        "written": 0,
        "refused": 0,
        "last": 0,
        "position": 0,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    tx.run(insert(exports).values(row))
    tx.wake(WAITING)
    return _get(tx, id)


def get_export(tx: Read, dataset: Dataset, uuid: UUID) -> SampleExport:
    """The export of that uuid. `NoSuchTransfer`."""
    row = tx.first(select(exports).where(exports.c.uuid == uuid, exports.c.dataset_id == dataset.id))
    if row is None:
        raise NoSuchTransfer
    return export_of(row)


def list_exports(tx: Read, dataset: Dataset, asked: Query) -> Listed[SampleExport]:
    """The exports of a dataset, as asked, those of versions among them. Raises what `query.page` raises."""
    found = query.page(tx, EXPORTS, asked, scope=(EXPORTS_OF_DATASET.of(dataset=dataset.id),))
    return Listed(rows=tuple(map(export_of, found.rows)), total=found.total, next=found.next)


def due(tx: Read, host: str, *, most: int) -> Sequence[int]:
    """The ids of the oldest exports of that host that are not over."""
    mine = select(exports.c.id).where(exports.c.host == host, exports.c.finished_at.is_(None))
    return [row.id for row in tx.all(mine.order_by(exports.c.id).limit(most))]


def take(tx: Write, id: int) -> SampleExport | None:
    """The export, which is running from now on; None where it is over, or its dataset was deleted."""
    told = {"status": TransferStatus.RUNNING.value, "changed_at": tx.now}
    return _get(tx, id) if tx.run(update(exports).where(*_going(id)).values(told)) else None


def next_samples(tx: Read, one: SampleExport, *, most: int) -> Batch | None:
    """The samples that come next; None where none does."""
    wanted = (*_chosen(one.dataset, one.asked), samples.samples.c.id > one.last)
    rows = tx.all(select(samples.samples).where(*wanted).order_by(samples.samples.c.id).limit(most))
    return batch(one.asked, samples.samples_of(tx, rows), last=rows[-1].id) if rows else None


def batch(asked: NewExport, found: Sequence[KeptSample], *, last: int) -> Batch:
    """Those of the samples that are asked for."""
    named = frozenset(asked.uuids)
    fitting = [one for one in found if (not named or one.uuid in named) and _fits(asked, one)]
    return Batch(samples=fitting, passed=len(found) - len(fitting), last=last)


def note(tx: Write, one: SampleExport, put: Put, *, last: int, passed: int) -> SampleExport | None:
    """Write down how far an export is; None where it is over. Those that are passed over are not in its total."""
    told: dict[str, Any] = {"last": last, "position": put.position, "changed_at": tx.now}
    told |= {"written": exports.c.written + put.written, "refused": exports.c.refused + put.refused}
    told["total"] = exports.c.total - passed
    if put.first is not None and one.reason is None:
        told["reason"] = msgspec.json.encode(put.first).decode()
    return _get(tx, one.id) if tx.run(update(exports).where(*_going(one.id)).values(told)) else None


def finish(tx: Write, id: int, *, reason: Reason | None = None) -> SampleExport | None:
    """End an export: all is written, or it cannot be written for that reason. None where it is over already."""
    row: Row[Any] | None = tx.lock(select(exports).where(*_going(id)))
    if row is None:
        return None
    status = TransferStatus.DONE if reason is None else TransferStatus.FAILED
    told = {"status": status.value, "finished_at": tx.now, "changed_at": tx.now}
    if reason is not None:
        told["reason"] = msgspec.json.encode(reason).decode()
    tx.run(update(exports).where(exports.c.id == id).values(told))
    project = tx.value(select(datasets.datasets.c.project_id).where(datasets.datasets.c.id == row.dataset_id))
    after = {"written": row.written, "refused": row.refused, "reason": None if reason is None else reason.code}
    events.record(tx, SYSTEM, "dataset.exported", target=row.dataset_id, project=project, after=after)
    return _get(tx, id)


def count_fault(tx: Write, id: int) -> bool:
    """Count a fault of ours; whether there were too many, so that the export is to be given up."""
    tx.run(update(exports).where(exports.c.id == id).values(faults=exports.c.faults + 1))
    return int(tx.value(select(exports.c.faults).where(exports.c.id == id)) or 0) >= MOST_FAULTS


def _total(tx: Read, dataset: Dataset, new: NewExport) -> int:
    """How many samples there are to look at. `NoSuchSample` where one that is named is not there."""
    if new.chosen in (Chosen.ALL, Chosen.SOUGHT) and not new.uuids:
        return dataset.counts.total
    wanted = select(func.count()).select_from(samples.samples).where(*_chosen(dataset.id, new))
    found = int(tx.value(wanted) or 0)
    if found < len({*new.uuids}):
        raise samples.NoSuchSample
    return found


def _get(tx: Read, id: int) -> SampleExport:
    return export_of(tx.all(select(exports).where(exports.c.id == id))[0])


def _chosen(dataset: int, asked: NewExport) -> tuple[ColumnElement[bool], ...]:
    """What the database is asked for: by what there is an index for."""
    mine = [samples.samples.c.dataset_id == dataset]
    if asked.uuids:
        mine.append(samples.samples.c.uuid.in_(sorted({*asked.uuids})))
    elif asked.chosen in STATES:
        mine.append(samples.samples.c.state.in_(STATES[asked.chosen]))
    return tuple(mine)


def _fits(asked: NewExport, sample: KeptSample) -> bool:
    """Whether a sample is asked for, if it is named."""
    if asked.chosen in STATES and sample.state not in STATES[asked.chosen]:
        return False
    if asked.chosen is Chosen.SOUGHT and not any(samples.fits(one, sample) for one in asked.sought):
        return False
    return asked.within == _EVERYTHING or samples.fits(asked.within, sample)


def _going(id: int) -> tuple[ColumnElement[bool], ...]:
    return exports.c.id == id, exports.c.finished_at.is_(None)
