"""The stage of each module, and what listens there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.builders import HOST, held_for_good
from tests.listening import Listener, listening
from tests.wire.modelarts import samples
from tests.wire.modelarts.stage import Stage
from tests.wire.scnet.stage import images_of
from tests.worlds import world
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(database: str | None) -> AsyncIterator[Stage]:
    """A site on the module's database."""
    async with world(url=database) as made:
        await made.core.store.write(held_for_good, HOST)  # models are read by whoever holds it: nobody, here
        settings = ModelArtsSettings(
            body_limit=65536, dataset_roots=(samples.ROOT,), is_directory=samples.BUCKETS.__contains__
        )
        dialect = ModelArtsDialect(made.core, settings)
        yield Stage(made, dialect, await images_of(made))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listener(stage: Stage) -> AsyncIterator[Listener]:
    """The dialect behind a socket."""
    async with listening(stage.speaker) as answering:
        yield answering
