"""A site on a fresh database of each kind, for each test or for all of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders import Place, place


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    """A new site."""
    with place(database_url) as made:
        yield made


@pytest.fixture(scope="module")
def there(module_database_url: str) -> Iterator[Place]:
    """A new site for all tests of a module, which fills it with many rows."""
    with place(module_database_url) as made:
        yield made
