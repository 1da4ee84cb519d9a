"""One site for all that is tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.village import Village, furnish


@pytest.fixture(scope="session")
def village_of_all() -> Iterator[Village]:
    """The site itself; `village` looks after it."""
    made = furnish()
    try:
        yield made
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
