"""A gallery of pictures, and its visitors: for tests that have a place `here`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.builders import Place
from tests.gallery import Gallery, Visit
from trivium.resources.datasets import Dataset


@pytest.fixture
def gallery(here: Place, tmp_path: Path) -> Gallery:
    return Gallery(here, tmp_path)


@pytest.fixture
def cats(gallery: Gallery) -> Dataset:
    return gallery.dataset()


@pytest_asyncio.fixture
async def visit(gallery: Gallery) -> AsyncIterator[Visit]:
    async with gallery.open() as visit:
        yield visit
