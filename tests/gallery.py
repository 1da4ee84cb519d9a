"""Files of samples behind a listener: a directory, datasets in it, and people who ask for what is in them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from blake3 import blake3

from tests.builders import HOST, Place, held_for_good
from tests.listening import Answer, Listener, listening
from trivium.base.caller import Caller
from trivium.base.query import Offset, Order, Query
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings
from trivium.dialects.modelarts.auth import TOKEN_MARK
from trivium.dialects.operation import Core
from trivium.drivers.annotations import SourceReader
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.drivers.samples import FileStore
from trivium.resources import datasets, projects, samples, stores, users
from trivium.resources.datasets import Dataset, DatasetType, NewDataset
from trivium.resources.datasets.ports import Sample, SampleKind
from trivium.resources.stores import ModelStore, NewModelStore
from trivium.resources.users import SessionKind
from trivium.server.remote.runtimes import HostRuntimes
from trivium.store import Read, Write


class Gallery:
    """A root with buckets, and the dialect that shows what is in them."""

    def __init__(self, here: Place, folder: Path) -> None:
        self.here, self.store, self.root = here, here.store, folder / "buckets"
        (self.root / "pets" / "cats").mkdir(parents=True)
        self.cats = self.root / "pets" / "cats"
        self.alice = here.user("alice")
        here.store.write_now(held_for_good, HOST)
        runtime = ProcessRuntime(ProcessSettings(data=folder / "data", run=folder / "run"), here.clock)
        everywhere = HostRuntimes(here.store, runtime, host=HOST)
        self.core = core = Core(
            store=here.store,
            keyring=here.keyring,
            clock=here.clock,
            site=here.site,
            runtime=everywhere,
            places=everywhere,
        )
        settings = ModelArtsSettings(dataset_roots=(str(self.root),), is_directory=lambda path: Path(path).is_dir())
        self.files = FileStore([self.root], thumbnails=folder / "thumbnails", reader=self.reader)
        self.dialect = ModelArtsDialect(core, settings, self.files)
        self.center = self.center_of(self.alice, self.root)

    def reader(self) -> SourceReader:
        """What reads sources here."""
        return SourceReader([self.root], hasher=blake3)

    def center_of(self, caller: Caller, path: Path) -> ModelStore:
        """A store of somebody's, which nobody else sees."""
        new = NewModelStore(name=path.name, url=str(path))
        return self.store.write_now(stores.create, caller, new, roots=(str(self.root),), reachable=True)

    def dataset(self, name: str = "cats", type: DatasetType = DatasetType.IMAGE_CLASSIFICATION) -> Dataset:
        """A dataset of Alice's, of what is in its directory."""
        at = self.root / "pets" / name
        at.mkdir(exist_ok=True)
        new = NewDataset(name=name, url=f"obs://pets/{name}/", store=self.center.uuid, type=type)
        return self.store.write_now(datasets.register, self.alice, new, path=str(at))

    def put(self, dataset: Dataset, path: Path | bytes, content: bytes | None = None, **more: Any) -> str:
        """A sample of a file, which is written where it has a content; its id."""
        if content is not None:
            assert isinstance(path, Path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        raw = os.fsencode(path)
        size = len(content or b"")
        one = Sample(**{"position": raw, "path": raw, "size": size, "kind": SampleKind.IMAGE, **more})
        return self.store.write_now(_put, dataset, one)

    def token(self, caller: Caller, name: str = "token") -> dict[str, str]:
        """The header of a token of somebody's."""
        token = f"{TOKEN_MARK}{name}-{caller.user}"
        self.store.write_now(
            users.open_session, caller, SessionKind.MODELARTS, lifetime=timedelta(hours=24), token=token
        )
        return {"x-auth-token": token}

    def path(self, dataset: Dataset, below: str = "", *, of: Caller | None = None) -> str:
        """The path of what is said of a dataset's samples, in somebody's project."""
        project = self.store.read_now(projects.get, (of or self.alice).project).uuid.hex
        assert dataset.uuid is not None
        return f"/v2/{project}/datasets/{dataset.uuid.hex}/data-annotations/samples{below}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Visit]:
        """The gallery while it answers, to whom Alice's token is shown."""
        async with listening(self.dialect) as listener:
            yield Visit(self, listener, self.token(self.alice))
        self.files.close()


class Visit:
    """Somebody who asks the gallery."""

    def __init__(self, gallery: Gallery, listener: Listener, token: dict[str, str]) -> None:
        self.gallery, self.listener, self.token = gallery, listener, token

    async def source(self, dataset: Dataset, sample: str, query: str = "") -> str:
        """The link to a sample's file, as the list has it; without the origin."""
        every = await self.asked(f"{self.gallery.path(dataset)}?limit=100{query}")
        (found,) = [one for one in every["samples"] if one["sample_id"] == sample]
        parts = urlsplit(found["source"])
        assert f"{parts.scheme}://{parts.netloc}" == self.listener.url
        return f"{parts.path}?{parts.query}"

    async def asked(self, target: str) -> Any:
        """What a list says."""
        answer = await self.listener.ask("GET", target, self.token)
        assert answer.status == 200, answer.body
        return answer.json

    async def get(self, target: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
        """The answer to a browser, which shows nothing but the address."""
        return await self.listener.ask(method, target, headers)


def _put(tx: Write, dataset: Dataset, one: Sample) -> str:
    samples.put(tx, dataset.id, [one], base=b"/")
    return _newest(tx, dataset)


def _newest(tx: Read, dataset: Dataset) -> str:
    asked = Query(order=(Order("id", descending=True),), page=Offset(limit=1))
    return samples.list_samples(tx, dataset, asked).rows[0].uuid.hex
