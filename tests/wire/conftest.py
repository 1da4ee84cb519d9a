"""Whatever the cases make the product ask of a database is looked up, and never looked for in a whole growing table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plans import noted
from tests.seeded_plans import all_scans


@pytest.fixture(scope="module", autouse=True)
def nothing_scans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Explain every statement that was run; a new list or look-up is among them as soon as it has a case."""
    with noted() as statements:
        yield
    scans = all_scans(statements, tmp_path_factory.mktemp("plans"))
    assert not scans, "\n".join(scans)
