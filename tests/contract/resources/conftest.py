"""A site on a fresh database of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders import Place, place


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    """A new site."""
    with place(database_url) as made:
        yield made
