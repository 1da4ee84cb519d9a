"""What goes on with datasets: imports, syncs, exports, and versions that are being published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from trivium.resources.datasets import Dataset
from trivium.resources.transfers import importing
from trivium.resources.transfers.table import export_of, exports, versions
from trivium.resources.transfers.types import SampleExport, SampleImport, Task, TaskKind, Way
from trivium.store import Read


def tasks_of(tx: Read, some: Sequence[Dataset]) -> Mapping[int, Sequence[Task]]:
    """What is not over yet, by the ids of datasets; without those with which nothing goes on."""
    found: dict[int, list[Task]] = {}
    for dataset, imports in importing.running_of(tx, some).items():
        found.setdefault(dataset, []).extend(Task(uuid=one.uuid, kind=_kind(one)) for one in imports)
    writing = _exports_of(tx, some)
    published = _uuids_of(tx, [one.version for one in writing if one.version is not None])
    for one in writing:
        if one.version is None:
            found.setdefault(one.dataset, []).append(Task(uuid=one.uuid, kind=TaskKind.EXPORT))
        elif one.version in published:
            task = Task(uuid=published[one.version], kind=TaskKind.PUBLICATION)
            found.setdefault(one.dataset, []).append(task)
    return found


def _kind(one: SampleImport) -> TaskKind:
    if one.sync:
        return TaskKind.SYNC
    return TaskKind.MANIFEST if one.asked.way is Way.MANIFEST else TaskKind.IMPORT


def _exports_of(tx: Read, some: Sequence[Dataset]) -> Sequence[SampleExport]:
    """The exports that are not over, oldest first."""
    if not some:
        return ()
    mine = (exports.c.dataset_id.in_([dataset.id for dataset in some]), exports.c.finished_at.is_(None))
    return [export_of(row) for row in tx.all(select(exports).where(*mine).order_by(exports.c.id))]


def _uuids_of(tx: Read, ids: Sequence[int]) -> Mapping[int, UUID]:
    """The uuids of versions, by their ids."""
    if not ids:
        return {}
    return {row.id: row.uuid for row in tx.all(select(versions.c.id, versions.c.uuid).where(versions.c.id.in_(ids)))}
