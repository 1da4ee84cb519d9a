"""The stage of each module, what listens there, and what the databases may do for it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
import pytest_asyncio

from tests.builders import HOST, held_for_good
from tests.listening import Listener, listening
from tests.plans import noted
from tests.seeded_plans import all_scans
from tests.wire.zstack.stage import Stage
from tests.wire.zstack.things import ROOT
from tests.worlds import world
from trivium.dialects.zstack import ZStackDialect, ZStackSettings

QUERIED: Final = re.compile(
    r"\b(SCAN|of) (users|pools|nodes|notebooks|stores|models|services|service_\w+|datasets|marks)\b"
)
"""Scans of the tables that ZStack's queries may be about. Whatever is asked there and has no index is bounded by the
time limit instead; `tests/contract/store/test_query_plans.py` has what must be looked up."""


@pytest.fixture(scope="module", autouse=True)
def nothing_scans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Explain every statement that was run, save what was asked in the query language."""
    with noted() as statements:
        yield
    scans = [scan for scan in all_scans(statements, tmp_path_factory.mktemp("plans")) if not QUERIED.search(scan)]
    assert not scans, "\n".join(scans)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(database: str | None) -> AsyncIterator[Stage]:
    """A site on the module's database."""
    async with world(url=database) as made:
        made.core.store.write_now(held_for_good, HOST)
        settings = ZStackSettings(body_limit=65536, store_roots=(ROOT,))
        yield Stage(made, ZStackDialect(made.core, settings))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listener(stage: Stage) -> AsyncIterator[Listener]:
    """The dialect behind a socket."""
    async with listening(stage.speaker) as answering:
        yield answering
