"""What docs/zstack.md says is indexed is what the tables have indexes for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trivium.dialects.zstack import INVENTORIES
from trivium.dialects.zstack.inventories import Inventory
from trivium.resources import datasets, marks, models, services, stores
from trivium.store import Resource

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "zstack.md").read_text("utf-8")
TABLE = PAGE.split("### What is indexed", 1)[1].split("\n## ", 1)[0]
ROWS = {found[1]: found[2].split(", ") for found in re.finditer(r"^\| (\w+) \| ([\w, ]+) \|$", TABLE, re.MULTILINE)}
RESOURCES = {
    "Model": models.MODELS,
    "ModelCenter": stores.STORES,
    "ModelService": services.SERVICES,
    "ModelServiceTemplate": services.IMAGES,
    "ModelServiceRef": services.REFS,
    "ModelServiceInstanceGroup": services.GROUPS,
    "ModelServiceInstance": services.INSTANCES,
    "ModelServiceInstanceGroupDatasetRef": services.DATASET_REFS,
    "Dataset": datasets.DATASETS,
    "UserTag": marks.MARKS,
}


def leading(resource: Resource) -> set[str]:
    """The columns that some index of all rows begins with."""
    whole = [index for index in resource.table.indexes if index.dialect_options["sqlite"]["where"] is None]
    first = {next(iter(index.columns)).key for index in whole}
    return first | {column.key for column in resource.table.c if column.unique}


def indexed(inventory: Inventory, resource: Resource) -> list[str]:
    columns = leading(resource)
    held = [(member.name, resource.fields[member.field]) for member in inventory.members.values() if member.field]
    return [name for name, field in held if {getattr(field.compared, "key", ""), field.column.key} & columns]


@pytest.mark.parametrize("inventory", [one for one in INVENTORIES if one.name in RESOURCES], ids=lambda one: one.name)
def test_the_page_tells_which_fields_are_indexed(inventory: Inventory) -> None:
    assert ROWS[inventory.name] == indexed(inventory, RESOURCES[inventory.name])


def test_the_page_tells_of_nothing_else() -> None:
    assert {name for name in ROWS if name != "resource"} == set(RESOURCES)
