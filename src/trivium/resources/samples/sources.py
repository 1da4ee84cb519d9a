"""Files of samples that are deleted with them: whose may be, and which are to be.

What is to be deleted is written down together with the samples' going. Until all of it is dealt with imports pass these
files over, so nothing brings the samples back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import exists, insert, literal, or_, select, union_all, update

from trivium.base.caller import Caller
from trivium.resources import events, hosts, stores
from trivium.resources.datasets import Dataset
from trivium.resources.samples import bookkeeping
from trivium.resources.samples.errors import SourceNoFile, SourceNotYours, SourcePublished
from trivium.resources.samples.table import FOUND_BY_PATH, LONGEST_PATH, deleted, deletions, leftovers, samples
from trivium.resources.samples.types import FileTerms, KeptSample
from trivium.resources.stores import Hold, Sight
from trivium.store import Read, Write

DELETING: Final = "file deletions"
"""What is woken when there are files to delete."""

AT_ONCE: Final = 200
"""Paths that one statement looks for samples of."""

NO_NAMES: Final = (b"", b".", b"..")


class FileRights:
    """Whose files may be deleted, as it was when it was asked for: the project's own, and what the dataset was sent."""

    def __init__(self, hold: Hold, sight: Sight) -> None:
        self._hold = hold
        self._sight = sight

    def allow(self, path: bytes, *, brought: bool) -> bool:
        """Whether the file may be deleted; `brought`: it came over an API, for the dataset."""
        directory = path.rpartition(b"/")[0] or b"/"
        return self._hold.covers(directory) or (brought and self._sight.shows(directory))

    def allow_beside(self, path: bytes) -> bool:
        """Whether what somebody put beside the file may be deleted."""
        return self._hold.covers(path.rpartition(b"/")[0] or b"/")


def rights_of(tx: Read, terms: FileTerms, paths: Sequence[bytes]) -> FileRights:
    """Which of these files may be deleted on these terms."""
    if terms.everywhere:
        return FileRights(stores.ALL, stores.EVERYTHING)
    directories = {path.rpartition(b"/")[0] for path in paths if path}
    return FileRights(
        stores.hold_of(tx, terms.project, of=directories),
        stores.sight_of(tx, terms.project, own=terms.store, of=directories),
    )


def check_sources(tx: Read, terms: FileTerms, found: Sequence[KeptSample], *, field: str) -> None:
    """Raise why the file of one of the samples stays: `SourceNotYours`, `SourceNoFile`, `SourcePublished`."""
    rights = rights_of(tx, terms, [one.path for one in found])
    for one in found:
        if one.path and not rights.allow(one.path, brought=one.brought):
            raise SourceNotYours(field=field, name=one.name)
        if not _is_file(one):
            raise SourceNoFile(field=field, name=one.name)
        if _is_published(one, terms):
            raise SourcePublished(field=field, name=one.name)


def begin_deletion(tx: Write, caller: Caller, dataset: Dataset, *, terms: FileTerms, is_open: bool) -> int:
    """Have files of a dataset's samples deleted; its id. While it is open more files may come. `HostAway`."""
    id = tx.ids.next()
    row = {
        "id": id,
        "dataset_id": dataset.id,
        "project_id": dataset.project,
        "host": hosts.working(tx),
        "terms": msgspec.json.encode(terms).decode(),
        "open": is_open,
        "due_at": tx.now,
        "created_at": tx.now,
    }
    tx.run(insert(deletions).values(row))
    events.record(tx, caller, "dataset.delete_files", target=dataset.id, project=dataset.project)
    tx.wake(DELETING)
    return id


def note_files(tx: Write, deletion: int, found: Sequence[KeptSample]) -> None:
    """Have the files of samples that go out deleted, too. What is none, or is named by versions, stays."""
    kept = tx.value(select(deletions.c.terms).where(deletions.c.id == deletion))
    terms = msgspec.json.decode(kept, type=FileTerms)
    leaving = [one for one in found if _is_file(one) and not _is_published(one, terms)]
    going = {(one.path, one.line is None): one for one in leaving}
    known = _noted(tx, deletion, [path for path, is_whole in going if not is_whole])
    rows = [
        {
            "deletion_id": deletion,
            "sample_id": one.id,
            "path": one.path,
            "size": one.size if one.line is None else None,
            "digest": one.digest if one.line is None else None,
            "came_at": one.created_at,
            "brought": one.brought,
        }
        for one in going.values()
        if one.path not in known
    ]
    if rows:
        tx.run(insert(deleted), rows)
    stayed = deletions.c.stayed + len(found) - len(leaving)
    tx.run(update(deletions).where(deletions.c.id == deletion).values(stayed=stayed))


def close_deletion(tx: Write, deletion: int) -> None:
    """No more files come."""
    tx.run(update(deletions).where(deletions.c.id == deletion).values(open=False, due_at=tx.now))
    tx.wake(DELETING)


def is_deleting(tx: Read) -> bool:
    """Whether any files are being deleted, or were a short while ago."""
    return tx.first(select(deletions.c.id).limit(1)) is not None


def on_their_way(tx: Read, paths: Collection[bytes], *, since: datetime) -> frozenset[bytes]:
    """Those of the paths whose files are being deleted, or were after that time."""
    found: set[bytes] = set()
    lasting = or_(deletions.c.finished_at.is_(None), deletions.c.finished_at >= since)
    for some in bookkeeping.batches(sorted(paths)):
        wanted = select(deleted.c.path).join(deletions, deletions.c.id == deleted.c.deletion_id)
        found |= {row.path for row in tx.all(wanted.where(deleted.c.path.in_(some), lasting))}
    return frozenset(found)


def named(tx: Read, paths: Collection[bytes]) -> frozenset[bytes]:
    """Those of the paths that samples have, of whichever dataset: none of these files is to be deleted."""
    found: set[bytes] = set()
    every = sorted(paths)
    for start in range(0, len(every), AT_ONCE):
        wanted = union_all(*(select(literal(path).label("path")) for path in every[start : start + AT_ONCE])).cte()
        there = exists().where(
            samples.c.path == wanted.c.path,
            FOUND_BY_PATH,
            ~exists().where(leftovers.c.dataset_id == samples.c.dataset_id),
        )
        found |= {row.path for row in tx.all(select(wanted.c.path).where(there))}
    return frozenset(found)


def is_plain(path: bytes) -> bool:
    """Whether a path is absolute and goes straight to where it leads, by its spelling."""
    return path.startswith(b"/") and b"\0" not in path and not any(part in NO_NAMES for part in path.split(b"/")[1:])


def _is_file(one: KeptSample) -> bool:
    """Whether a sample is a file, or a line of one that has nothing but what came with it."""
    is_whole = one.line is None or (one.brought and one.cells is None)
    return is_whole and is_plain(one.path) and len(one.path) <= LONGEST_PATH


def _is_published(one: KeptSample, terms: FileTerms) -> bool:
    return terms.published is not None and one.created_at <= terms.published


def _noted(tx: Read, deletion: int, paths: Sequence[bytes]) -> frozenset[bytes]:
    """Files of several lines that are noted already."""
    found: set[bytes] = set()
    for some in bookkeeping.batches(paths):
        mine = (deleted.c.deletion_id == deletion, deleted.c.path.in_(some))
        found |= {row.path for row in tx.all(select(deleted.c.path).where(*mine))}
    return frozenset(found)
