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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def there(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A new site for all tests of a module, which fills it with many rows."""
    if request.param == "sqlite":
        with place(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'plans.db'}") as made:
            yield made
        return
    with request.getfixturevalue("postgres_cluster").database() as url, place(url) as made:
        yield made
