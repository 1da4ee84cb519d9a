"""What is noted while files of samples are deleted, and which of them stay.

Files are dealt with in the order of their ids, some at a time, each time with how far that is: what is gone once is
gone when it is tried again, so whoever is killed amid it loses nothing. Those that could not be deleted are tried again
after a while, in rounds. At the end the notes stay until no import goes on that may have read one of the files before.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
from msgspec import structs
from sqlalchemy import ColumnElement, Row, and_, delete, exists, false, func, not_, or_, select, update

from trivium.base.caller import SYSTEM
from trivium.base.text import readable
from trivium.resources import events, samples
from trivium.resources.samples import DeletedFile, FileDeletion, FileTerms, deleted, deletions
from trivium.resources.samples.ports import Fate, Removal
from trivium.resources.transfers.importing import MOST_FAULTS
from trivium.resources.transfers.table import imports
from trivium.store import Read, Write

PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Between two rounds; after the last one what could not be deleted is given up."""

LARGEST: Final = 256 * 1024 * 1024  # bytes that are read between two notes, more or less
FORGOTTEN: Final = 2000  # files that one transaction forgets
TOLD: Final = 100
"""Files that an event names."""


def due(tx: Read, host: str, *, most: int) -> Sequence[int]:
    """The ids of the oldest deletions of that host that have something to do now."""
    reading = exists().where(imports.c.finished_at.is_(None), imports.c.created_at <= deletions.c.finished_at)
    is_due = or_(
        and_(deletions.c.finished_at.is_(None), deletions.c.due_at <= tx.now),
        and_(deletions.c.finished_at.is_not(None), ~reading),
    )
    mine = select(deletions.c.id).where(deletions.c.host == host, not_(deletions.c.open), is_due)
    return [row.id for row in tx.all(mine.order_by(deletions.c.id).limit(most))]


def get(tx: Read, id: int) -> FileDeletion | None:
    """The deletion as it is now; None where it is over and forgotten."""
    row = tx.first(select(deletions).where(deletions.c.id == id))
    return None if row is None else _deletion_of(row)


def next_files(tx: Read, one: FileDeletion, *, most: int) -> Sequence[DeletedFile]:
    """The files that come next in this round: all in the first, and then those that failed in each so far."""
    mine: list[ColumnElement[bool]] = [deleted.c.deletion_id == one.id, deleted.c.sample_id > one.looked]
    if one.round:
        mine += [deleted.c.failed > 0, deleted.c.failed == one.round]
    rows = tx.all(select(deleted).where(*mine).order_by(deleted.c.sample_id).limit(most))
    found: list[DeletedFile] = []
    size = 0
    for row in rows:
        size += row.size or 0
        if found and size > LARGEST:
            break
        found.append(_file_of(row))
    return found


def wait_for_imports(tx: Write) -> None:
    """Come after every transaction that puts samples, and does not know yet that the files are to be deleted.

    On PostgreSQL those that go on now must begin anew, as each locks the row of its import. SQLite has one writer.
    """
    tx.run(update(imports).where(imports.c.finished_at.is_(None)).values(faults=imports.c.faults))


def removals(tx: Read, one: FileDeletion, found: Sequence[DeletedFile]) -> Mapping[int, Removal]:
    """What is to be deleted of the files, by their ids: what may be, and what no sample is made of."""
    rights = samples.rights_of(tx, one.terms, [file.path for file in found])
    endings = _endings(one.terms)
    made = {
        file.id: Removal(
            path=file.path,
            size=file.size,
            digest=file.digest,
            came_at=file.came_at,
            beside=_ending(endings, file.path) if rights.allow_beside(file.path) else b"",
        )
        for file in found
        if rights.allow(file.path, brought=file.brought)
    }
    besides = {id: _stem(each.path) + each.beside for id, each in made.items() if each.beside}
    named = samples.named(tx, {*(each.path for each in made.values()), *besides.values()})
    return {
        id: structs.replace(each, beside=b"") if besides.get(id) in named else each
        for id, each in made.items()
        if each.path not in named
    }


def note(
    tx: Write, one: FileDeletion, found: Sequence[DeletedFile], *, fates: Mapping[int, Fate]
) -> FileDeletion | None:
    """Write down what became of files; what has no fate stays. The deletion as it is then; None where it is over."""
    row: Row[Any] | None = tx.lock(select(deletions).where(deletions.c.id == one.id, deletions.c.finished_at.is_(None)))
    if row is None or (row.round, row.looked) != (one.round, one.looked):
        return None
    failed = [file.id for file in found if fates.get(file.id) is Fate.FAILED]
    done = [file.id for file in found if file.failed and fates.get(file.id) is not Fate.FAILED]
    for ids, times in ((failed, one.round + 1), (done, 0)):
        if ids:
            tx.run(
                update(deleted)
                .where(deleted.c.deletion_id == one.id, deleted.c.sample_id.in_(ids))
                .values(failed=times)
            )
    numbers = Counter(fates.get(file.id) for file in found)
    gone = numbers[Fate.GONE]
    told = {"gone": row.gone + gone, "stayed": row.stayed + len(found) - gone - len(failed), "looked": found[-1].id}
    tx.run(update(deletions).where(deletions.c.id == one.id).values(told))
    return get(tx, one.id)


def end_round(tx: Write, one: FileDeletion) -> None:
    """All files were tried: those that failed are tried again later, or given up."""
    now = get(tx, one.id)
    if now is None or now.finished_at is not None or (now.round, now.looked) != (one.round, one.looked):
        return
    failed = (deleted.c.deletion_id == one.id, deleted.c.failed > 0)
    if one.round >= len(PAUSES) or tx.first(select(deleted.c.sample_id).where(*failed).limit(1)) is None:
        _finish(tx, now, failed)
        return
    told = {"round": one.round + 1, "looked": 0, "due_at": tx.now + PAUSES[one.round]}
    tx.run(update(deletions).where(deletions.c.id == one.id).values(told))


def forget_some(tx: Write, id: int) -> bool:
    """Forget some files of a deletion that is over, and then itself; False where it is forgotten. Repeatable."""
    some = select(deleted.c.sample_id).where(deleted.c.deletion_id == id).order_by(deleted.c.sample_id).limit(FORGOTTEN)
    ids = [row.sample_id for row in tx.all(some)]
    if ids:
        tx.run(delete(deleted).where(deleted.c.deletion_id == id, deleted.c.sample_id <= ids[-1]))
        return True
    tx.run(delete(deletions).where(deletions.c.id == id))
    return False


def count_fault(tx: Write, id: int) -> None:
    """Count a fault of ours; with too many the rest of the files is given up."""
    tx.run(update(deletions).where(deletions.c.id == id).values(faults=deletions.c.faults + 1))
    row = tx.first(select(deletions).where(deletions.c.id == id))
    if row is not None and row.finished_at is None and row.faults >= MOST_FAULTS:
        rest = false() if row.round else deleted.c.sample_id > row.looked
        _finish(tx, _deletion_of(row), (deleted.c.deletion_id == id, or_(deleted.c.failed > 0, rest)))


def _finish(tx: Write, one: FileDeletion, failed: tuple[ColumnElement[bool], ...]) -> None:
    """Tell what became of the files; `failed` are those that are given up."""
    tx.run(update(deletions).where(deletions.c.id == one.id).values(finished_at=tx.now))
    rows = tx.all(select(deleted.c.path).where(*failed).order_by(deleted.c.sample_id).limit(TOLD))
    number = int(tx.value(select(func.count()).select_from(deleted).where(*failed)) or 0)
    names = [readable(row.path) for row in rows]
    after = {"gone": one.gone, "stayed": one.stayed, "failed": number, "files": names}
    events.record(tx, SYSTEM, "dataset.files_deleted", target=one.dataset, project=one.project, after=after)


def _endings(terms: FileTerms) -> Sequence[tuple[bytes, bytes]]:
    return [(os.fsencode(path).rstrip(b"/") + b"/", ending.encode()) for path, ending in terms.besides]


def _ending(endings: Sequence[tuple[bytes, bytes]], path: bytes) -> bytes:
    """What the name of the labels beside a file ends in, if an import read them; else nothing."""
    if not _stem(path).rpartition(b"/")[2]:
        return b""
    return next((ending for directory, ending in endings if path.startswith(directory)), b"")


def _stem(path: bytes) -> bytes:
    """A path without what is behind the last dot of its name."""
    head, slash, name = path.rpartition(b"/")
    return head + slash + name.rpartition(b".")[0]


def _deletion_of(row: Row[Any]) -> FileDeletion:
    return FileDeletion(
        id=row.id,
        dataset=row.dataset_id,
        project=row.project_id,
        terms=msgspec.json.decode(row.terms, type=FileTerms),
        round=row.round,
        looked=row.looked,
        gone=row.gone,
        stayed=row.stayed,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _file_of(row: Row[Any]) -> DeletedFile:
    return DeletedFile(
        id=row.sample_id,
        path=row.path,
        size=row.size,
        digest=row.digest,
        came_at=row.came_at,
        brought=row.brought,
        failed=row.failed,
    )
