"""A store on a fresh database of each kind, with the tables of `tests.shelf`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import shelf
from trivium.base.clock import SystemClock
from trivium.store import Store


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store."""
    opened = Store.open(database_url, SystemClock(), "cli")
    opened.write_now(shelf.make)
    yield opened
    opened.close()
