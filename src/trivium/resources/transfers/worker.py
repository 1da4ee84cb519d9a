"""The worker that reads the sources of imports, and puts what it finds into datasets."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from trivium.base.threads import DaemonThreads
from trivium.resources import stores
from trivium.resources.datasets import SourceRefused
from trivium.resources.datasets.ports import Refusal, Sample, Sources
from trivium.resources.hosts import Gone, Rounds, Tenure, held_write, until_there
from trivium.resources.stores import Sight
from trivium.resources.transfers import importing, syncing
from trivium.resources.transfers.syncing import Place
from trivium.resources.transfers.types import SampleImport, Way
from trivium.store import Read, Store, Write

AT_ONCE: Final = 2
MOST: Final = 2000  # samples that are kept together
LARGEST: Final = 8 * 1024 * 1024  # characters of what is said of them, more or less
SAID: Final = 256  # characters of a label, more or less
SLICE: Final = 0.5  # seconds after which what was found is kept, however little

Found: TypeAlias = "list[Sample | Refusal]"


class SampleImportWorker(Rounds):
    """Takes the imports of one host, oldest first and two at a time.

    `run` goes on until it is cancelled; `wake` makes it look at once. What was read is kept with how far that is, in
    one transaction, so whoever acts on the host next goes on from there.
    """

    def __init__(self, store: Store, sources: Sources, tenure: Tenure) -> None:
        super().__init__(store, tenure, _Imports(store, sources, tenure))


class _Imports:
    """What there is to do of imports: fulfils `hosts.Work`."""

    name = "sample import"
    at_once = AT_ONCE

    def __init__(self, store: Store, sources: Sources, tenure: Tenure) -> None:
        self._store = store
        self._sources = sources
        self._tenure = tenure
        self._threads = DaemonThreads()

    def due(self, tx: Read, host: str, *, most: int) -> Sequence[int]:
        """Imports that are not over."""
        return importing.due(tx, host, most=most)

    def count_fault(self, tx: Write, id: int) -> None:
        """See the protocol."""
        importing.count_fault(tx, id)

    async def do(self, id: int) -> None:
        """Read the source of one to its end; then look for the files of all samples, if it is a sync."""
        one = await held_write(self._store, self._tenure, importing.take, id)
        if one is None:
            raise Gone
        reason = None
        try:
            one = await self._read(one)
            if one.sync:
                await self._take_out(one)
        except SourceRefused as error:
            reason = error.reason
        await until_there(lambda: held_write(self._store, self._tenure, importing.finish, id, reason=reason))

    async def _read(self, one: SampleImport) -> SampleImport:
        """Read what is after the import's position. What comes next is read while what was read is kept."""
        clock = self._store.clock
        sight = stores.EVERYTHING
        if one.asked.way is Way.MANIFEST:  # it may name files anywhere
            everywhere = one.asked.everywhere
            sight = await self._store.read(importing.sight_of, one.dataset, everywhere=everywhere)
        base, found = await asyncio.to_thread(self._opened, one, sight)
        reading = _Reading(found, self._threads)
        began = clock.monotonic()
        ahead = reading.next()
        try:
            while batch := await ahead:
                ahead = reading.next()
                now = clock.monotonic()
                one = await self._keep(one, batch, base=base, seconds=now - began)
                began = now
            return one
        finally:
            ahead.cancel()
            reading.end()

    async def _take_out(self, one: SampleImport) -> None:
        """Take out the samples whose files are gone, of those that were not looked for yet."""
        while places := await self._store.search(syncing.next_places, one, most=MOST):
            one = await self._look(one, places)

    async def _look(self, one: SampleImport, places: Sequence[Place]) -> SampleImport:
        """Look for the files of samples, and take out those whose are gone."""
        began = self._store.clock.monotonic()
        paths = [place.path for place in places if place.path]
        gone = {*await self._threads.run(self._sources.gone, Path(one.asked.path), paths)}
        ids = [place.id for place in places if place.path in gone]
        seconds, last = self._store.clock.monotonic() - began, places[-1].id
        noted = await until_there(
            lambda: held_write(self._store, self._tenure, syncing.take_gone, one, gone=ids, last=last, seconds=seconds)
        )
        if noted is None:
            raise Gone
        return noted

    async def _keep(self, one: SampleImport, found: Found, *, base: bytes, seconds: float) -> SampleImport:
        kept = await until_there(
            lambda: held_write(self._store, self._tenure, importing.keep, one, found, base=base, seconds=seconds)
        )
        if kept is None:
            raise Gone
        return kept

    def _opened(self, one: SampleImport, sight: Sight) -> tuple[bytes, Iterator[Sample | Refusal]]:
        """The directory that paths begin from, and what reads the source."""
        asked, path = one.asked, Path(one.asked.path)
        base, after = os.fsencode(syncing.base_of(asked)), one.position
        match asked.way:
            case Way.MANIFEST:
                return base, self._sources.manifest(path, wanted=asked.wanted, sight=sight, after=after)
            case Way.TABLE:
                rows = self._sources.table(path, asked.columns, wanted=asked.wanted, after=after)
                return os.fsencode(path) if path.is_dir() else base, rows
            case Way.DIRECTORY:
                found = self._sources.directory(path, asked.layout, wanted=asked.wanted, texts=asked.texts, after=after)
                return base, found


class _Reading:
    """What a source has, read in threads, as much at a time as is kept together."""

    def __init__(self, found: Iterator[Sample | Refusal], threads: DaemonThreads) -> None:
        self._found = found
        self._threads = threads
        self._lock = threading.Lock()  # one thread at a time has what is found
        self._is_over = False

    def next(self) -> asyncio.Future[Found]:
        """What comes next; nothing at the end. Raises `SourceRefused`."""
        return asyncio.ensure_future(self._threads.run(self._batch))

    def end(self) -> None:
        """Close the source, once no thread reads it any more; nobody waits for that."""
        self._is_over = True
        self._close()

    def _batch(self) -> Found:
        found: Found = []
        size = 0
        until = time.monotonic() + SLICE
        try:
            with self._lock:
                for one in self._found:
                    found.append(one)
                    if isinstance(one, Sample):
                        size += len(one.text or "") + SAID * len(one.labels)
                    if len(found) >= MOST or size >= LARGEST or time.monotonic() >= until:
                        break
            return found
        finally:
            if self._is_over:
                self._close()

    def _close(self) -> None:
        found = self._found
        if self._lock.acquire(blocking=False):  # else the thread that has it closes what it has read
            try:
                if isinstance(found, Generator):
                    found.close()
            finally:
                self._lock.release()
