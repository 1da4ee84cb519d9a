"""One server for all escapes of a test process, and a notebook each for alice, who tries, and bob, who is safe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.escapes.world import Inside, Stage, staged


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A server that runs, as root."""
    with staged() as made:
        yield made


@pytest.fixture(scope="session")
def alice(stage: Stage) -> Inside:
    """The notebook that tries."""
    return stage.started("alice")


@pytest.fixture(scope="session")
def bob(stage: Stage) -> Inside:
    """The notebook that is tried upon."""
    return stage.started("bob")
