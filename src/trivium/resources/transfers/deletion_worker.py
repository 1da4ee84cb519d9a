"""The worker that deletes files of samples that were deleted with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from trivium.base.threads import DaemonThreads
from trivium.resources.hosts import Gone, Rounds, Tenure, held_write, until_there
from trivium.resources.samples import DeletedFile, FileDeletion
from trivium.resources.samples.ports import Fate, Remover
from trivium.resources.transfers import deletions
from trivium.store import Read, Store, Write

AT_ONCE: Final = 2
MOST: Final = 1000  # files between two notes of how far a deletion is
log = structlog.get_logger()


class FileDeletionWorker(Rounds):
    """Takes the deletions of one host, oldest first and two at a time; as `SampleImportWorker` does imports."""

    def __init__(self, store: Store, remover: Remover, tenure: Tenure) -> None:
        super().__init__(store, tenure, _Deletions(store, remover, tenure))


class _Deletions:
    """What there is to do of deletions: fulfils `hosts.Work`."""

    name = "file deletion"
    at_once = AT_ONCE

    def __init__(self, store: Store, remover: Remover, tenure: Tenure) -> None:
        self._store = store
        self._remover = remover
        self._tenure = tenure
        self._threads = DaemonThreads()

    def due(self, tx: Read, host: str, *, most: int) -> Sequence[int]:
        """Deletions with files that are to be tried now, or with nothing but notes left."""
        return deletions.due(tx, host, most=most)

    def count_fault(self, tx: Write, id: int) -> None:
        """See the protocol."""
        deletions.count_fault(tx, id)

    async def do(self, id: int) -> None:
        """Try all the files of one once; or forget it."""
        one = await self._store.read(deletions.get, id)
        if one is None:
            raise Gone
        if one.finished_at is not None:
            while await held_write(self._store, self._tenure, deletions.forget_some, id):
                pass
            return
        while found := await self._store.search(deletions.next_files, one, most=MOST):
            one = await self._delete(one, found)
        await until_there(lambda: held_write(self._store, self._tenure, deletions.end_round, one))

    async def _delete(self, one: FileDeletion, found: Sequence[DeletedFile]) -> FileDeletion:
        """Delete some files, unless they stay; the deletion as it is then."""
        await held_write(self._store, self._tenure, deletions.wait_for_imports)
        fates = await self._fates(one, found)
        noted = await until_there(
            lambda: held_write(self._store, self._tenure, deletions.note, one, found, fates=fates)
        )
        if noted is None:
            raise Gone
        return noted

    async def _fates(self, one: FileDeletion, found: Sequence[DeletedFile]) -> Mapping[int, Fate]:
        """What became of those that are to be deleted, by their ids."""
        wanted = await self._store.search(deletions.removals, one, found)
        asked = _Asked()
        try:
            fates = await self._threads.run(self._remover.remove, [*wanted.values()], goes_on=asked.goes_on)
        finally:
            asked.is_over = True
        named = dict(zip(wanted, fates, strict=True))
        for id, fate in named.items():
            if fate is not Fate.GONE:
                log.warning("file_deletion.stays", file=repr(wanted[id].path), why=fate.value, deletion=one.id)
        return named


class _Asked:
    """Whether somebody still wants what a thread does: it goes on when its waiter is cancelled."""

    is_over = False

    def goes_on(self) -> bool:
        """Whether it is to go on."""
        return not self.is_over
