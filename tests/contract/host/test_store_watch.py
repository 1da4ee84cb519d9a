"""Whether the directories of stores can be read is looked at now and then, and at once for new ones."""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.builders import HOST, Place, held_for_good, place
from tests.listening import logs_in
from tests.waiting import until_async
from trivium.drivers.places import StoreDirectories
from trivium.resources import stores
from trivium.resources.stores import ModelStore, NewModelStore, StoreState
from trivium.server.host.store_watch import StoreWatch


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


def make(here: Place, path: Path) -> ModelStore:
    new = NewModelStore(name=path.name, url=str(path))
    return here.store.write_now(stores.create, here.admin, new, roots=(str(path.parent),))


@asynccontextmanager
async def watching(
    here: Place, root: Path, host: str = HOST, *, directories: StoreDirectories | None = None
) -> AsyncIterator[None]:
    found = directories or StoreDirectories([root])
    watch = StoreWatch(here.store, found, here.store.write_now(held_for_good, host))
    loop = asyncio.get_running_loop()

    def wake(_name: str) -> None:
        loop.call_soon_threadsafe(watch.wake)

    here.store.on_wake = wake
    running = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        here.store.on_wake = None
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@contextmanager
def descriptors_left(number: int) -> Iterator[None]:
    """So many more can be opened meanwhile."""
    free = os.dup(0)
    os.close(free)
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + number, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


class Starved(StoreDirectories):
    """What looks when no descriptor is left."""

    def __init__(self, roots: list[Path]) -> None:
        super().__init__(roots)
        self._turn = asyncio.Lock()

    async def is_readable(self, path: Path) -> bool | None:
        async with self._turn:
            with descriptors_left(0):
                return await super().is_readable(path)


async def comes_to(here: Place, store: ModelStore, state: StoreState) -> None:
    async def is_so() -> bool:
        return here.store.read_now(stores.get, here.admin, store.uuid).state is state

    await until_async(is_so, what=f"a store that is {state}")


async def test_stores_are_seen_as_they_are(here: Place, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "out").symlink_to("/")
    there, gone, file, out = (make(here, tmp_path / name) for name in ("there", "gone", "file", "out"))
    async with watching(here, tmp_path):
        await comes_to(here, there, StoreState.CONNECTED)
        for one in (gone, file, out):
            await comes_to(here, one, StoreState.DISCONNECTED)
    (tmp_path / "there").rmdir()
    (tmp_path / "gone").mkdir()
    async with watching(here, tmp_path):
        await comes_to(here, there, StoreState.DISCONNECTED)
        await comes_to(here, gone, StoreState.CONNECTED)


async def test_a_new_store_is_looked_at_at_once(here: Place, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    first = make(here, tmp_path / "first")
    async with watching(here, tmp_path):
        await comes_to(here, first, StoreState.CONNECTED)
        (tmp_path / "second").mkdir()
        second = make(here, tmp_path / "second")
        await comes_to(here, second, StoreState.CONNECTED)


async def test_what_is_in_no_root_any_more_cannot_be_read(here: Place, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    there = make(here, tmp_path / "there")
    async with watching(here, tmp_path / "another"):
        await comes_to(here, there, StoreState.DISCONNECTED)


@pytest.mark.parametrize("path", ["store", "link", "."])
async def test_with_few_descriptors_a_look_tells_the_truth_or_nothing(tmp_path: Path, path: str) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to("store")
    directories = StoreDirectories([tmp_path])
    seen: list[bool | None] = []
    for left in range(10):
        with descriptors_left(left):
            seen.append(await directories.is_readable(tmp_path / path))
    assert seen[0] is None
    assert seen == sorted(seen, key=bool)
    assert set(seen) == {None, True}


async def test_without_descriptors_what_was_noted_of_stores_stays(here: Place, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    there, gone = make(here, tmp_path / "there"), make(here, tmp_path / "gone")
    async with watching(here, tmp_path):
        await comes_to(here, there, StoreState.CONNECTED)
        await comes_to(here, gone, StoreState.DISCONNECTED)
    log = io.BytesIO()

    async def has_looked() -> bool:
        return bool(log.getvalue())

    with logs_in(log):
        async with watching(here, tmp_path, directories=Starved([tmp_path])):
            await until_async(has_looked, what="a look at both stores")
    said = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["event"], line["stores"]) for line in said] == [("stores.cannot_look", 2)]
    await comes_to(here, there, StoreState.CONNECTED)
    await comes_to(here, gone, StoreState.DISCONNECTED)
