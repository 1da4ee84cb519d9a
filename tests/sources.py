"""A directory of sources, and a user's datasets in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from blake3 import blake3
from sqlalchemy import select

from tests import catalogue
from tests.builders import HOST, Place, held_for_good
from tests.contract.annotations import world
from tests.waiting import until_async
from trivium.base.caller import Caller
from trivium.base.query import Condition, Offset, Order, Query
from trivium.drivers.annotations import SourceReader
from trivium.drivers.exports import ExportWriter
from trivium.drivers.samples import FileRemover
from trivium.resources import datasets, samples, transfers
from trivium.resources.datasets import Dataset, DatasetType, NewDataset
from trivium.resources.datasets.ports import Json, Wanted
from trivium.resources.hosts import Tenure
from trivium.resources.samples import KeptSample, Named, SampleState
from trivium.resources.samples.ports import Remover
from trivium.resources.stores import ModelStore
from trivium.resources.transfers import (
    FileDeletionWorker,
    Form,
    NewExport,
    NewImport,
    NewVersion,
    SampleExport,
    SampleExportWorker,
    SampleImport,
    SampleImportWorker,
    Version,
    VersionStatus,
    Way,
)
from trivium.store import Read

FORM: Final = Form()


class Shelf:
    """A directory of sources, and a user's datasets in it."""

    def __init__(self, here: Place, root: Path) -> None:
        self.here, self.root, self.store = here, root, here.store
        self.alice = here.user("alice")
        self.tenure: Tenure = here.store.write_now(held_for_good, HOST)
        self.center = self.center_of(self.alice, root, public=True)
        self.remover: Remover = FileRemover([root], hasher=blake3)

    def center_of(self, caller: Caller, path: Path, *, public: bool = False) -> ModelStore:
        """A store of somebody's."""
        return catalogue.store(self.here, caller, path.name, root=str(self.root), url=str(path), public=public)

    def dataset(self, type: DatasetType = DatasetType.IMAGE_CLASSIFICATION, name: str = "animals") -> Dataset:
        new = NewDataset(name=name, url=str(self.root), store=self.center.uuid, type=type)
        return self.store.write_now(datasets.create, self.alice, new)

    def now(self, dataset: Dataset) -> Dataset:
        return self.store.read_now(datasets.get, self.alice, dataset.uuid)

    def images(self, *labels: str, of_each: int = 5) -> Path:
        """A directory with images in a directory of each label."""
        for label in labels:
            (self.root / "images" / label).mkdir(parents=True)
            for number in range(of_each):
                (self.root / "images" / label / f"{number:04}.png").write_bytes(world.png(8 + number, 8))
        return self.root / "images"

    def begin(self, dataset: Dataset, path: Path, way: Way = Way.DIRECTORY, **wanted: Any) -> SampleImport:
        new = NewImport(path=str(path), way=way, wanted=Wanted(digests=True, **wanted))
        return self.store.write_now(transfers.begin_import, self.alice, dataset.uuid, new=new)

    def imported(self, one: SampleImport, dataset: Dataset) -> SampleImport:
        return self.store.read_now(transfers.get_import, dataset, one.uuid)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Workers that read imports and write exports, woken by what is committed."""
        workers = (
            SampleImportWorker(self.store, SourceReader([self.root], hasher=blake3), self.tenure),
            SampleExportWorker(self.store, ExportWriter([self.root], hasher=blake3), self.tenure),
            FileDeletionWorker(self.store, self.remover, self.tenure),
        )
        loop = asyncio.get_running_loop()

        def wake(_name: str) -> None:
            for worker in workers:
                loop.call_soon_threadsafe(worker.wake)

        self.store.on_wake = wake
        running = [asyncio.create_task(worker.run()) for worker in workers]
        try:
            yield
        finally:
            self.store.on_wake = None
            for task in running:
                task.cancel()
            for task in running:
                with suppress(asyncio.CancelledError):
                    await task

    async def deleted(self) -> None:
        """Come back once no file waits to be deleted, nor is any noted."""
        await until_async(self._is_all_deleted, what="the end of what is deleted")

    async def _is_all_deleted(self) -> bool:
        return self.store.read_now(lambda tx: tx.first(select(samples.deletions)) is None)

    async def ended(self, one: SampleImport, dataset: Dataset) -> SampleImport:
        """The import once it is over."""

        async def over() -> SampleImport | None:
            now = self.imported(one, dataset)
            return now if now.finished_at is not None else None

        found = await until_async(over, what="the end of the import")
        assert found is not None
        return found

    async def read(self, dataset: Dataset, path: Path, way: Way = Way.DIRECTORY, **wanted: Any) -> SampleImport:
        """An import from its beginning to its end."""
        async with self.working():
            return await self.ended(self.begin(dataset, path, way, **wanted), dataset)

    async def synced(self, dataset: Dataset) -> SampleImport:
        """A sync from its beginning to its end."""
        async with self.working():
            one = self.store.write_now(transfers.begin_sync, self.alice, dataset.uuid)
            return await self.ended(one, dataset)

    def begin_export(self, dataset: Dataset, folder: str, **asked: Any) -> SampleExport:
        new = NewExport(path=str(self.root / folder), **{"manifest": "all.manifest", **asked})
        return self.store.write_now(transfers.begin_export, self.alice, dataset.uuid, new=new)

    async def export_ended(self, one: SampleExport, dataset: Dataset) -> SampleExport:
        """The export once it is over."""

        async def over() -> SampleExport | None:
            now = self.store.read_now(transfers.get_export, dataset, one.uuid)
            return now if now.finished_at is not None else None

        found = await until_async(over, what="the end of the export")
        assert found is not None
        return found

    async def written(self, dataset: Dataset, folder: str, **asked: Any) -> SampleExport:
        """An export from its beginning to its end."""
        async with self.working():
            return await self.export_ended(self.begin_export(dataset, folder, **asked), dataset)

    async def published(self, dataset: Dataset, *, form: Form = FORM, **asked: Any) -> Version:
        """A version from its beginning to its end."""
        new = NewVersion(path=str(self.root / "work"), **asked)
        async with self.working():
            made = self.store.write_now(transfers.publish, self.alice, dataset.uuid, new=new, form=form)

            async def over() -> Version | None:
                now = self.store.read_now(transfers.get_version, dataset, made.uuid)
                return None if now.status is VersionStatus.MAKING else now

            found = await until_async(over, what="the end of the version")
        assert found is not None
        return found

    def all(self, dataset: Dataset, *where: Condition) -> tuple[KeptSample, ...]:
        asked = Query(where=where, order=(Order(field="id"),), page=Offset(limit=1000))
        found = self.store.read_now(samples.list_samples, dataset, asked)
        assert found.total == len(found.rows)
        return found.rows

    def labels(self, dataset: Dataset) -> dict[str, tuple[int, int]]:
        """The numbers of samples and of labels, by name."""
        asked = Query(order=(Order(field="id"),), page=Offset(limit=1000))
        found = self.store.read_now(samples.list_labels, dataset, asked)
        return {label.name: (label.samples, label.number) for label in found.rows}

    def check(self, dataset: Dataset) -> None:
        """Hold every number against the rows, all of one moment: a worker that was ended may just be writing."""
        self.store.read_now(self._check, dataset)

    def _check(self, tx: Read, dataset: Dataset) -> None:
        every = Query(order=(Order(field="id"),), page=Offset(limit=1000))
        now = datasets.get(tx, self.alice, dataset.uuid)
        counts = now.counts
        rows = samples.list_samples(tx, dataset, every).rows
        states = Counter(row.state for row in rows)
        assert (counts.total, now.size or 0) == (len(rows), sum(row.size for row in rows))
        assert counts.annotated == states[SampleState.ANNOTATED] + states[SampleState.AUTOMATIC]
        assert counts.unconfirmed == states[SampleState.UNCONFIRMED]
        assert samples.by_state(tx, dataset) == {state: states[state] for state in SampleState}
        said = Counter(Named(label.type, label.name) for row in rows for label in row.labels)
        for label in samples.list_labels(tx, dataset, every).rows:
            named = Named(label.type, label.name)
            having = [row.id for row in rows if any((one.type, one.name) == named for one in row.labels)]
            assert (label.samples, label.number) == (len(having), said[named]), label
            found = samples.list_labelled(tx, dataset, every, label=label.id, number=label.samples)
            assert [row.id for row in found.rows] == having
        assert all((row.state is SampleState.BARE) == (not row.labels) for row in rows)
        assert samples.count_properties(tx, dataset) == _properties([row.metadata for row in rows])


def _properties(every: Sequence[Mapping[str, Json]]) -> dict[str, dict[str, int]]:
    """How many samples have which value of their metadata, where these are few; of lists only that there are some."""
    found: dict[str, Counter[str]] = {}
    for name, value in (pair for one in every for pair in one.items()):
        own = found.setdefault(name, Counter())
        if not isinstance(value, (list, dict)):
            own[value if isinstance(value, str) else msgspec.json.encode(value).decode()] += 1
    return {name: dict(own) for name, own in found.items()}
