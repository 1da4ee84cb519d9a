"""The worker that writes exports and versions."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from trivium.base.errors import Conflict, Forbidden, Invalid, NotFound, WrongState
from trivium.base.reasons import Reason
from trivium.base.threads import DaemonThreads
from trivium.resources import stores
from trivium.resources.hosts import Gone, Rounds, Tenure, held_write, until_there
from trivium.resources.samples import KeptSample
from trivium.resources.transfers import exporting, importing, publishing
from trivium.resources.transfers.errors import SampleNotWritten, TargetRefused, VersionUnreadable
from trivium.resources.transfers.exporting import Batch, Put
from trivium.resources.transfers.ports import Kept, Sink, Sinks
from trivium.resources.transfers.types import SampleExport
from trivium.store import Read, Store, Write

AT_ONCE: Final = 2
MOST: Final = 1000  # samples between two notes of how far an export is


class SampleExportWorker(Rounds):
    """Takes the exports of one host, oldest first and two at a time; as `SampleImportWorker` does imports."""

    def __init__(self, store: Store, sinks: Sinks, tenure: Tenure) -> None:
        super().__init__(store, tenure, _Exports(store, sinks, tenure))


class _Exports:
    """What there is to do of exports: fulfils `hosts.Work`."""

    name = "sample export"
    at_once = AT_ONCE

    def __init__(self, store: Store, sinks: Sinks, tenure: Tenure) -> None:
        self._store = store
        self._sinks = sinks
        self._tenure = tenure
        self._threads = DaemonThreads()

    def due(self, tx: Read, host: str, *, most: int) -> Sequence[int]:
        """Exports that are not over."""
        return exporting.due(tx, host, most=most)

    def count_fault(self, tx: Write, id: int) -> None:
        """See the protocol."""
        publishing.count_fault(tx, id)

    async def do(self, id: int) -> None:
        """Write one to its end."""
        one = await held_write(self._store, self._tenure, exporting.take, id)
        if one is None:
            raise Gone
        reason = digest = None
        try:
            digest = await self._write(one)
        except (TargetRefused, VersionUnreadable) as error:
            reason = error.reason
        try:
            await self._end(id, reason=reason, digest=digest)
        except (Invalid, NotFound, Conflict, WrongState, Forbidden) as error:  # no dataset could be made of it
            await self._end(
                id,
                reason=Reason(code=error.code, details={name: str(value) for name, value in error.details.items()}),
                digest=None,
            )
        if digest is not None:
            await self._threads.run(self._sinks.release, Path(one.asked.path), owner=one.uuid)

    async def _end(self, id: int, *, reason: Reason | None, digest: bytes | None) -> None:
        await until_there(
            lambda: held_write(self._store, self._tenure, publishing.end_export, id, reason=reason, digest=digest)
        )

    async def _write(self, one: SampleExport) -> bytes:
        reading = await self._threads.run(self._reading, one)
        try:
            return await self._written(one, reading)
        finally:
            reading.end()

    def _reading(self, one: SampleExport) -> _Reading:
        source = one.asked.source
        kept = None if source is None else self._sinks.kept(Path(source.path), digest=source.digest)
        return _Reading(self._store, kept, self._threads)

    async def _written(self, one: SampleExport, reading: _Reading) -> bytes:
        asked = one.asked
        sight = stores.EVERYTHING
        if asked.form.copies:
            sight = await self._store.read(importing.sight_of, one.dataset, everywhere=asked.everywhere)
        sink = await self._threads.run(
            self._sinks.open,
            Path(asked.path),
            owner=one.uuid,
            manifest=asked.manifest,
            position=one.position,
            form=asked.form,
            sight=sight,
        )
        writing = _Writing(sink)
        try:
            while found := await reading.next(one):
                put = await self._threads.run(writing.put, found.samples)
                one = await self._note(one, found, put=put)
            return await self._threads.run(writing.finish)
        finally:
            writing.end()

    async def _note(self, one: SampleExport, found: Batch, *, put: Put) -> SampleExport:
        noted = await until_there(lambda: held_write(self._store, self._tenure, publishing.note, one, found, put=put))
        if noted is None:
            raise Gone
        return noted


class _Reading:
    """The samples that there are: the dataset's, or those of a manifest, which is closed when no thread reads it."""

    def __init__(self, store: Store, kept: Kept | None, threads: DaemonThreads) -> None:
        self._store = store
        self._kept = kept
        self._threads = threads
        self._lock = threading.Lock()

    async def next(self, one: SampleExport) -> Batch | None:
        """Those that come next; None where none does. Raises `VersionUnreadable`."""
        if self._kept is None:
            return await self._store.search(exporting.next_samples, one, most=MOST)
        return await self._threads.run(self._of_manifest, self._kept, one)

    def end(self) -> None:
        """Close the manifest, which a thread may still be reading; nobody waits for that."""
        if self._kept is not None:
            threading.Thread(target=self._close, args=(self._kept,), name="version", daemon=True).start()

    def _of_manifest(self, kept: Kept, one: SampleExport) -> Batch | None:
        with self._lock:
            lines = [*islice(kept.lines(one.last), MOST)]
            found = [kept.sample(line, dataset=one.dataset) for line in lines]
        return exporting.batch(one.asked, found, last=lines[-1][0] + 1) if lines else None

    def _close(self, kept: Kept) -> None:
        with self._lock:
            kept.close()


class _Writing:
    """A sink, written to in threads, and closed when none writes to it any more."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = threading.Lock()

    def put(self, found: Sequence[KeptSample]) -> Put:
        """Write samples; what came of it. Raises `TargetRefused`."""
        refused: list[Reason] = []
        with self._lock:
            for sample in found:
                try:
                    self._sink.put(sample)
                except SampleNotWritten as error:
                    refused.append(error.reason)
            position = self._sink.keep()
        first = next(iter(refused), None)
        return Put(written=len(found) - len(refused), refused=len(refused), first=first, position=position)

    def finish(self) -> bytes:
        """All is written; the checksum of the manifest. Raises `TargetRefused`."""
        with self._lock:
            return self._sink.finish()

    def end(self) -> None:
        """Close the sink, which a thread may still be writing to; nobody waits for that."""
        threading.Thread(target=self._close, name="export", daemon=True).start()

    def _close(self) -> None:
        with self._lock:
            self._sink.close()
