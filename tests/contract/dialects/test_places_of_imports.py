"""Samples are imported from stores that the caller may see, and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import catalogue
from tests.builders import HOST, Place, held_for_good, place
from trivium.dialects.modelarts.datasets import imports
from trivium.dialects.modelarts.datasets.imports import ImportBody
from trivium.resources.datasets import DatasetType
from trivium.resources.stores import NotInStores


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(f"sqlite:///{tmp_path / 'trivium.db'}") as made:
        made.store.write_now(held_for_good, HOST)
        yield made


def test_a_place_in_another_project_s_store_is_none(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    mine = catalogue.store(here, alice, url=f"{catalogue.ROOT}/alice")
    catalogue.store(here, bob, url=f"{catalogue.ROOT}/bob")
    dataset = catalogue.dataset(here, alice, mine, type=DatasetType.IMAGE_CLASSIFICATION)
    body = ImportBody(import_path="obs://bob/cats")
    with pytest.raises(NotInStores, match="obs://bob/cats is in a store"):
        here.store.write_now(imports._begin, alice, dataset.uuid, body=body, path=f"{catalogue.ROOT}/bob/cats")
    begun = here.store.write_now(imports._begin, alice, dataset.uuid, body=body, path=f"{catalogue.ROOT}/alice/cats")
    assert begun.asked.path == f"{catalogue.ROOT}/alice/cats"
