"""ModelArts' clients delete samples and labels with their files: whole or not at all, and only what they may."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from sqlalchemy import select

from tests.builders import HOST, Place, held_for_good, place
from tests.contract.annotations.world import png
from tests.gallery import Visit
from tests.listening import Answer
from tests.waiting import until_async
from trivium.drivers.samples import FileRemover
from trivium.resources import samples
from trivium.resources.datasets import Dataset
from trivium.resources.transfers import FileDeletionWorker
from trivium.store import Read


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@asynccontextmanager
async def working(visit: Visit) -> AsyncIterator[None]:
    """A worker that deletes files; at the end all of them are dealt with."""
    store, remover = visit.gallery.store, FileRemover([visit.gallery.root], hasher=blake3)
    worker = FileDeletionWorker(store, remover, store.write_now(held_for_good, HOST))
    running = asyncio.create_task(worker.run())
    try:
        yield
        await until_async(lambda: store.read(is_done), what="the end of what is deleted")
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def is_done(tx: Read) -> bool:
    return tx.first(select(samples.deletions)) is None


async def ask(visit: Visit, method: str, target: str, body: Any = None, of: dict[str, str] | None = None) -> Answer:
    headers = {**(of or visit.token), "content-type": "application/json"}
    return await visit.listener.ask(method, target, headers, b"" if body is None else json.dumps(body).encode())


async def brought(visit: Visit, dataset: Dataset, *names: str, of: dict[str, str] | None = None) -> list[str]:
    """The ids of samples that are brought."""
    every = [
        {"name": name, "data": base64.b64encode(png()).decode(), "labels": [{"name": name[0], "type": 0}]}
        for name in names
    ]
    answer = await ask(visit, "POST", visit.gallery.path(dataset), {"samples": every}, of)
    assert answer.status == 200, answer.body
    return [one["info"] for one in answer.json["results"]]


async def deleted(visit: Visit, dataset: Dataset, *ids: str) -> Answer:
    body = {"samples": ids, "delete_source": True}
    return await ask(visit, "POST", visit.gallery.path(dataset, "/delete"), body)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_samples_and_labels_are_deleted_with_their_files(visit: Visit, cats: Dataset) -> None:
    ids = await brought(visit, cats, "a.png", "b.png", "c.png", "d.png")
    labels = visit.gallery.path(cats).removesuffix("samples") + "labels"
    async with working(visit):
        answer = await deleted(visit, cats, ids[0])
        assert (answer.status, answer.json) == (200, {"success": True})
        body = {"labels": [{"name": "b", "type": 0}]}
        answer = await ask(visit, "POST", f"{labels}/delete?delete_policy=2", body)
        assert (answer.status, answer.json) == (200, {"success": True})
        assert (await ask(visit, "DELETE", f"{labels}/c?delete_source=true")).status == 204
    assert names_in(visit.gallery.cats) == ["d.png"]
    answer = await deleted(visit, cats, ids[0])
    assert (answer.status, answer.json["error_code"]) == (400, "ModelArts.4420")


@pytest.mark.parametrize("kind", ["link", "directory", "linked directory"])
async def test_nothing_is_deleted_where_one_file_may_not_be(visit: Visit, cats: Dataset, kind: str) -> None:
    gallery, (id,) = visit.gallery, await brought(visit, cats, "a.png")
    bad = gallery.cats / "deep" / "b.png"
    other = gallery.put(cats, bad, png())
    if kind == "linked directory":
        bad.parent.rename(gallery.root / "elsewhere")
        bad.parent.symlink_to("../../elsewhere")
    else:
        bad.unlink()
        bad.symlink_to("../a.png") if kind == "link" else bad.mkdir()
    async with working(visit):
        answer = await deleted(visit, cats, id, other)
    assert (answer.status, answer.json["error_code"]) == (400, "ModelArts.0101")
    assert answer.json["error_msg"].startswith("delete_source: the file of the sample b.png may not be deleted")
    assert (await visit.asked(gallery.path(cats)))["sample_count"] == 2
    assert (gallery.cats / "a.png").exists()


async def test_files_that_are_gone_already_hinder_nobody(visit: Visit, cats: Dataset) -> None:
    (id,) = await brought(visit, cats, "a.png")
    (visit.gallery.cats / "a.png").unlink()
    async with working(visit):
        assert (await deleted(visit, cats, id)).status == 200
