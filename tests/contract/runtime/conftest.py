"""Worlds with a process runtime: with limits that the kernel holds, and with limits that are watched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.runtime.lab import LabWorld, make_lab
from tests.contract.runtime.world import World, make_image


@pytest.fixture(scope="session")
def image() -> Iterator[Path]:
    """A tiny environment, outside of what only the tests' user may enter."""
    directory = Path(tempfile.mkdtemp(prefix="tri-", dir="/tmp"))
    directory.chmod(0o755)
    yield make_image(directory / "env")
    shutil.rmtree(directory)


@pytest_asyncio.fixture
async def world(image: Path) -> AsyncIterator[World]:
    """A runtime that uses whatever this host has."""
    world = World(image)
    yield world
    await world.close()


@pytest_asyncio.fixture
async def watched(image: Path) -> AsyncIterator[World]:
    """A runtime without cgroups."""
    world = World(image, cgroups=False)
    yield world
    await world.close()


@pytest_asyncio.fixture(params=["cgroups", "watched"])
async def any_world(request: pytest.FixtureRequest, image: Path) -> AsyncIterator[World]:
    """Both, one after the other."""
    world = World(image, cgroups=request.param == "cgroups")
    yield world
    await world.close()


@pytest_asyncio.fixture(params=["cgroups", "watched", "forked"])
async def each_world(request: pytest.FixtureRequest, image: Path, tmp_path: Path) -> AsyncIterator[World]:
    """Those, and one whose launches are forked of a warm parent."""
    if request.param != "forked":
        world = World(image, cgroups=request.param == "cgroups")
    else:
        world = LabWorld(make_lab(image.parent / f"lab-{tmp_path.name}"))
    yield world
    await world.close()
    if isinstance(world, LabWorld):
        shutil.rmtree(world.image)
