"""Samples and labels that are deleted together with the files: asking for it, and what that is allowed for.

The files are written down together with what is deleted; a worker deletes them after that (`deletions`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import false, select

from trivium.base.caller import Caller
from trivium.resources import datasets, samples, stores
from trivium.resources.datasets import Dataset
from trivium.resources.datasets.ports import Layout
from trivium.resources.samples import FileTerms, KeptSample, LabelDeletion, Named, SourceNotYours
from trivium.resources.transfers.table import exports, imports, versions
from trivium.resources.transfers.types import NewExport, NewImport, VersionStatus, Way
from trivium.store import Read, Write

BESIDES: Final = {
    Layout.IMAGE_CLASSIFICATION: ".txt",
    Layout.SOUND_CLASSIFICATION: ".txt",
    Layout.OBJECT_DETECTION: ".xml",
}
"""The endings of files that imports of directories read as labels of the sample beside them."""

RESULT: Final = "_result.txt"
"""That of the labels of texts, where they are apart."""


def with_files(tx: Read, caller: Caller, dataset: UUID, *, uuids: Collection[UUID], field: str) -> Sequence[KeptSample]:
    """Samples that may be deleted together with their files; `field` is what that is asked for in.

    Raises `NoSuchDataset`, `Forbidden`, `NoSuchSample`, `Invalid` for too many samples, and why a file stays:
    `SourceNotYours`, `SourceNoFile`, `SourcePublished`.
    """
    mine = datasets.own(tx, caller, dataset)
    found = samples.of_uuids(tx, mine, uuids)
    samples.check_sources(tx, _terms(tx, caller, mine), found, field=field)
    return found


def remove_with_files(tx: Write, caller: Caller, dataset: UUID, *, uuids: Collection[UUID], field: str) -> None:
    """Take samples out of a dataset, and have their files deleted. Whole or not at all.

    Raises `DatasetPublishing` and `HostAway`, and what `with_files` raises.
    """
    mine = datasets.opened(tx, caller, dataset)
    terms = _terms(tx, caller, mine)
    samples.check_sources(tx, terms, samples.of_uuids(tx, mine, uuids), field=field)
    found = samples.remove(tx, caller, dataset, uuids=uuids)
    deletion = samples.begin_deletion(tx, caller, mine, terms=terms, is_open=False)
    samples.note_files(tx, deletion, found)


def delete_label_with_files(tx: Write, caller: Caller, dataset: UUID, *, named: Named, field: str) -> None:
    """Delete a label with the samples that have no other, and their files. What may not be deleted of these stays.

    Raises what `samples.delete_labels` raises, and `SourceNotYours` where samples with the label did not come over an
    API, and the dataset's store is none that the caller may delete files of.
    """
    mine = datasets.opened(tx, caller, dataset)
    label = samples.label_named(tx, mine, named)
    if not _holds(tx, caller, mine) and _has_others(tx, label.id):
        raise SourceNotYours(field=field, name=mine.name)
    terms = _terms(tx, caller, mine)
    samples.delete_labels(tx, caller, dataset, wanted=[named], along=LabelDeletion.SAMPLES, files=terms)


def _terms(tx: Read, caller: Caller, dataset: Dataset) -> FileTerms:
    return FileTerms(
        project=caller.project,
        everywhere=caller.is_admin,
        store=dataset.store,
        published=_named_until(tx, dataset),
        besides=_besides(tx, dataset),
    )


def _named_until(tx: Read, dataset: Dataset) -> datetime | None:
    """When the newest version was made that names files where they are: it names those of all samples until then."""
    mine = (versions.c.dataset_id == dataset.id, versions.c.status != VersionStatus.FAILED.value)
    made = {row.id: row.created_at for row in tx.all(select(versions.c.id, versions.c.created_at).where(*mine))}
    if not made:
        return None
    written = (exports.c.dataset_id == dataset.id, exports.c.version_id.in_(sorted(made)))
    for row in tx.all(select(exports.c.version_id, exports.c.asked).where(*written)):
        if msgspec.json.decode(row.asked, type=NewExport).form.copies:
            del made[row.version_id]
    return max(made.values(), default=None)


def _besides(tx: Read, dataset: Dataset) -> tuple[tuple[str, str], ...]:
    """Directories that were imported with the labels beside samples, and what the names of these end in."""
    mine = (imports.c.dataset_id == dataset.id, imports.c.sync == false())
    every = (msgspec.json.decode(row.asked, type=NewImport) for row in tx.all(select(imports.c.asked).where(*mine)))
    found = {(one.path, _ending(one)) for one in every if one.way is Way.DIRECTORY and one.wanted.labels}
    return tuple(sorted((path, ending) for path, ending in found if ending))


def _ending(one: NewImport) -> str:
    if one.layout is Layout.TEXT_CLASSIFICATION:
        return RESULT if one.texts.separate else ""
    return BESIDES[one.layout]


def _holds(tx: Read, caller: Caller, dataset: Dataset) -> bool:
    """Whether the caller may delete what lies in the dataset's store, stores within it apart."""
    path = stores.path_of(tx, dataset.store)
    if caller.is_admin or path is None:
        return caller.is_admin
    directory = os.fsencode(path)
    return stores.hold_of(tx, caller.project, of=[directory]).covers(directory)


def _has_others(tx: Read, label: int) -> bool:
    """Whether samples have a label whose files did not come over an API."""
    table, labelled = samples.samples, samples.labelled
    others = select(table.c.id).join(labelled, labelled.c.id == table.c.id)
    wanted = others.where(labelled.c.label_id == label, table.c.brought == false())
    return tx.first(wanted.limit(1)) is not None
