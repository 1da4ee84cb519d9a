"""One server for all escapes of a test process, and a notebook each for alice, who tries, and bob, who is safe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.escapes.world import Inside, Stage

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # the runner of parallel tests looks at marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process of the run has them all: a server and its notebooks are dearer than what is tried in them."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("escapes"))


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A server that runs, as root."""
    if os.geteuid() != 0:
        pytest.skip("needs to be root: an ordinary user's notebooks are not kept apart")
    stage = Stage()
    try:
        yield stage
    finally:
        stage.close()


@pytest.fixture(scope="session")
def alice(stage: Stage) -> Inside:
    """The notebook that tries."""
    return stage.started("alice")


@pytest.fixture(scope="session")
def bob(stage: Stage) -> Inside:
    """The notebook that is tried upon."""
    return stage.started("bob")
