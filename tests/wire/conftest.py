"""Whatever the cases make the product ask of SQLite is looked up, and never looked for in a whole table that grows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plans import Planner, noted


@pytest.fixture(scope="module", autouse=True)
def nothing_scans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Explain every statement that was run; a new list or look-up is among them as soon as it has a case."""
    with noted() as statements:
        yield
    planner = Planner(tmp_path_factory.mktemp("plans"))
    try:
        scans = {text: found for text in statements.texts if (found := planner.scans(text))}
    finally:
        planner.close()
    assert not scans, "\n".join(f"{'; '.join(found)} in {text}" for text, found in scans.items())
