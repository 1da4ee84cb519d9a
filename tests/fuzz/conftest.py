"""One site for all that is tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.fuzz.huawei import Surface, surface
from tests.fuzz.stock import Stock, furnished, owner
from tests.fuzz.village import MARK, Village, belongings, furnish


@pytest.fixture(scope="session")
def village_of_all() -> Iterator[Village]:
    """The site itself; `village` looks after it."""
    made = furnish()
    try:
        furnished(made, made.victim.key, MARK)
        yield replace(made, before=belongings(made.victim))
    finally:
        for user in (made.mallory, made.victim):
            user.close()
        made.site.close()


@pytest.fixture
def village(village_of_all: Village) -> Iterator[Village]:
    """A site with two users; in the end nothing may have befallen it or the other of the two."""
    yield village_of_all
    village_of_all.clear()
    village_of_all.has_kept_the_peace()


@pytest.fixture(scope="session")
def theirs(village_of_all: Village) -> tuple[Stock, Any]:
    """What the other user has of ModelArts' things: names, and all that they see of them."""
    with owner(village_of_all, village_of_all.victim.key) as victim:
        return victim.stock(), victim.possessions()


@pytest.fixture
def there(village: Village, theirs: tuple[Stock, Any]) -> Iterator[Surface]:
    """ModelArts' side of the village; in the end the other user has what they had."""
    stock, before = theirs
    yield surface(village, stock)
    with owner(village, village.victim.key) as victim:
        assert victim.possessions() == before


@pytest.fixture(scope="session")
def examples(request: pytest.FixtureRequest) -> int:
    """How often each operation is called with what hypothesis makes: more where more `--requests` are wanted."""
    return max(25, request.config.option.requests // 120)
