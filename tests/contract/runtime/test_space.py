"""A full disk: a clear ending, and nothing half done."""

from __future__ import annotations

import ctypes
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.runtime.test_layers import NAME, install
from tests.contract.runtime.world import IS_ROOT, OVER, World
from trivium.resources.notebooks.ports import Ending, Phase

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="needs to be root, to mount a small file system")


@pytest_asyncio.fixture
async def small(image: Path) -> AsyncIterator[World]:
    """A world whose data directory is a file system of 3 MiB."""
    world = World(image)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mount(b"tmpfs", os.fsencode(world.data), b"tmpfs", 0, b"size=3m,mode=711") == 0
    yield world
    (world.data / "filler").unlink(missing_ok=True)
    for key in await world.runtime.adopt():
        await world.runtime.remove(key.launch)
    keeper = await world.keeper()
    await world.runtime.close()
    keeper.terminate()
    keeper.wait(10)
    assert libc.umount2(os.fsencode(world.data), 2) == 0


def fill(world: World) -> None:
    """Leave not a byte."""
    with suppress(OSError), (world.data / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


async def test_a_start_on_a_full_disk_ends_for_want_of_space(small: World) -> None:
    await small.keeper()
    fill(small)
    spec = small.spec()
    await small.runtime.launch(spec)
    ended = await small.ended(spec.key)
    assert ended.ending is Ending.NO_SPACE
    assert not list((small.data / "keeper").glob("*-*"))


async def test_a_notebook_on_a_disk_that_became_full_still_stops_and_tells_how_it_ended(small: World) -> None:
    spec = await small.started()
    fill(small)
    ended = await small.stopped(spec.key)
    assert ended.ending is Ending.STOPPED
    await small.kill_keeper()
    (small.data / "filler").unlink()
    seen = await small.settled(spec.key, {Phase.RUNNING, *OVER})
    assert seen.phase is Phase.ENDED


async def test_a_save_on_a_full_disk_leaves_nothing(small: World) -> None:
    spec = await small.started()
    install(small, spec.key.launch)
    fill(small)
    with pytest.raises(OSError, match="No space"):
        await small.runtime.save(spec.key, NAME)
    assert not list((small.data / "saved").glob("*"))
    (small.data / "filler").unlink()
    assert (await small.runtime.save(spec.key, NAME)).size > 0
