"""The stage of each module, and what listens there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.listening import Listener, listening
from tests.wire.modelarts.stage import Stage
from tests.wire.scnet.stage import images_of
from tests.worlds import world
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(database: str | None) -> AsyncIterator[Stage]:
    """A site on the module's database."""
    async with world(url=database) as made:
        dialect = ModelArtsDialect(made.core, ModelArtsSettings(body_limit=65536))
        yield Stage(made, dialect, await images_of(made))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listener(stage: Stage) -> AsyncIterator[Listener]:
    """The dialect behind a socket."""
    async with listening(stage.speaker) as answering:
        yield answering
