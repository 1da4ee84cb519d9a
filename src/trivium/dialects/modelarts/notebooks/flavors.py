"""Notebook flavors: what notebooks can be made of, in the sizes that the pools' nodes have room for."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Final

from trivium.base.query import Offset
from trivium.base.units import GIB, KIB
from trivium.dialects.modelarts.errors import NotSortable
from trivium.dialects.modelarts.notebooks.finding import notebook_uuid
from trivium.dialects.modelarts.notebooks.naming import CATEGORIES, flavor_id
from trivium.dialects.modelarts.paging import Counts, checked_offset, counts, offset_page, whole
from trivium.dialects.modelarts.sorting import is_descending, split
from trivium.dialects.modelarts.spelling import Shape, Text, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire
from trivium.resources import nodes, notebooks, pools
from trivium.resources.notebooks import Feature
from trivium.resources.pools import CPU, Flavor, Pool

FEATURE: Final = "NOTEBOOK"
CODELAB: Final = "DEFAULT"
FEATURES: Final = (CODELAB, FEATURE)
TYPES: Final = ("MANAGED", "DEDICATED")
ASCEND_TYPES: Final = ("ASCEND_SNT9", "ASCEND_SNT9B", "ASCEND_SNT3")
STORAGES: Final = ("EVS", "EFS")
SORTED_BY: Final = frozenset(
    {"arch", "category", "description", "feature", "free", "id", "memory", "name", "sold_out", "vcpus"}
)


class BillingShape(Shape, frozen=True, kw_only=True):
    """What would be charged, and in which units."""

    code: str
    unit_num: int


class GpuShape(Shape, frozen=True, kw_only=True):
    """The GPUs of a flavor."""

    gpu: int
    gpu_memory: str
    type: str


class AscendShape(Shape, frozen=True, kw_only=True):
    """The NPUs of a flavor."""

    npu: int
    npu_memory: str
    type: str


class FlavorShape(Shape, frozen=True, kw_only=True):
    """A flavor."""

    arch: str
    ascend: AscendShape | None = None
    billing: BillingShape
    category: str
    description: str
    feature: str
    free: bool
    gpu: GpuShape | None = None
    id: str
    memory: int  # KiB
    name: str
    sold_out: bool
    storages: tuple[str, ...]
    vcpus: int


class FlavorsPage(Shape, frozen=True, kw_only=True):
    """A page of flavors, under both names that clients look for."""

    current: int
    data: list[FlavorShape]
    flavors: list[FlavorShape]
    pages: int
    size: int
    total: int


class FlavorsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list."""

    category: Text = None
    limit: int | None = None
    offset: int | None = None
    type: Text = None
    sort_dir: Text = None
    sort_key: Text = None
    flavor_type: Text = None
    feature: Text = None


class SwitchableQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list for one notebook."""

    limit: int | None = None
    offset: int | None = None
    sort_dir: Text = None
    sort_key: Text = None


def architecture() -> str:
    """The processors of this machine, in ModelArts' small letters."""
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())


def sizes(most: int) -> tuple[int, ...]:
    """How many units flavors have: powers of two up to what the best node has, and all of it; one where there is none.

    A notebook can be asked for in any number of units, listed or not.
    """
    doubled = [1 << power for power in range(most.bit_length())]
    return tuple(dict.fromkeys((*doubled, most))) if most else (1,)


def flavor_shape(flavor: Flavor, units: int, *, free: int, feature: str = FEATURE) -> FlavorShape:
    """So many units of a kind that a pool has, for notebooks of a feature."""
    category = CATEGORIES[flavor.kind]
    memory, cores = flavor.memory * units, max(flavor.millicores * units // 1000, 1)
    size = f"{cores} vCPUs {memory // GIB} GB"
    cards = "" if flavor.kind == CPU else f"{units}*{flavor.model} "
    device = f"{flavor.device_memory // GIB}GB"
    id = flavor_id(flavor.kind, units)
    return FlavorShape(
        arch=architecture(),
        ascend=AscendShape(npu=units, npu_memory=device, type=flavor.model) if category == "ASCEND" else None,
        billing=BillingShape(code=id, unit_num=units),
        category=category,
        description=f"{cards}{size}{', declared and not detected' if flavor.declared else ''}",
        feature=feature,
        free=feature == CODELAB,
        gpu=GpuShape(gpu=units, gpu_memory=device, type=flavor.model) if category == "GPU" else None,
        id=id,
        memory=memory // KIB,
        name=f"{category}: {cards}{size}",
        sold_out=free < units,
        storages=STORAGES,
        vcpus=cores,
    )


def list_flavors(tx: Read, call: Call[Nothing, FlavorsQuery]) -> FlavorsPage:
    """What notebooks can be made of. What is offered is a handful, so it is looked through here."""
    asked = call.query
    wanted = one_of(asked.type, "type", TYPES)
    offered = [pair for pair in pools.offered(tx, call.caller) if wanted in (None, _type(pair[0]))]
    feature = one_of(asked.feature, "feature", FEATURES) or FEATURE
    found = [flavor for flavor in _sized(tx, offered, feature) if _is_asked(flavor, asked)]
    return _shown(asked, found)


def show_switchable_flavors(tx: Read, call: Call[Nothing, SwitchableQuery]) -> FlavorsPage:
    """What a notebook could have after it was stopped: all that its pool has."""
    notebook = notebooks.by_uuid(tx, call.caller, notebook_uuid(call.request.parameters["id"]))
    offered = [pair for pair in pools.offered(tx, call.caller) if pair[0].id == notebook.pool]
    feature = CODELAB if notebook.feature is Feature.FREE else FEATURE
    return _shown(call.query, _sized(tx, offered, feature))


OPERATIONS: Final = (
    Operation(
        name="ListFlavors",
        method="GET",
        path="/v1/{project_id}/notebooks/flavors",
        handler=View(look=list_flavors),
        mark=Mark.SEED,
        summary="What notebooks can be made of, and whether it is free now",
        query=FlavorsQuery,
    ),
    Operation(
        name="ShowSwitchableFlavors",
        method="GET",
        path="/v1/{project_id}/notebooks/{id}/flavors",
        handler=View(look=show_switchable_flavors),
        mark=Mark.COMPANION,
        summary="What a notebook could have instead after it was stopped",
        query=SwitchableQuery,
    ),
)


def _shown(asked: FlavorsQuery | SwitchableQuery, found: list[FlavorShape]) -> FlavorsPage:
    """The page of these flavors, in the order that is asked for."""
    for key in reversed(split(asked.sort_key)):
        if key not in SORTED_BY:
            raise NotSortable("sort_key", key=key)
        found.sort(key=lambda flavor, key=key: getattr(flavor, key), reverse=is_descending(asked.sort_dir))
    numbers, page = _page(asked, len(found))
    shown = found[page.offset : page.offset + page.limit]
    return FlavorsPage(
        current=numbers.current,
        data=shown,
        flavors=shown,
        pages=numbers.pages,
        size=numbers.size,
        total=numbers.total,
    )


def _sized(tx: Read, offered: Sequence[tuple[Pool, Flavor]], feature: str) -> list[FlavorShape]:
    """Each flavor once; it is sold out where no pool that has it has room for it."""
    room = nodes.availability(tx, [flavor for _, flavor in offered])
    found: dict[str, FlavorShape] = {}
    for pool, flavor in offered:
        there = room[pool.id, flavor.kind]
        for units in sizes(there.most):
            shape = flavor_shape(flavor, units, free=there.free, feature=feature)
            if shape.id not in found or found[shape.id].sold_out:
                found[shape.id] = shape
    return list(found.values())


def _type(pool: Pool) -> str:
    return "MANAGED" if pool.project is None else "DEDICATED"


def _is_asked(flavor: FlavorShape, asked: FlavorsQuery) -> bool:
    category = one_of(asked.category, "category", ("CPU", "GPU", "ASCEND"))
    chip = one_of(asked.flavor_type, "flavor_type", ASCEND_TYPES)
    return category in (None, flavor.category) and (
        chip is None or (flavor.ascend is not None and _chip(flavor.ascend.type) == chip)
    )


def _chip(model: str) -> str:
    """ModelArts' word for an Ascend chip: 910B is SNT9B, 910 is SNT9, 310 is SNT3."""
    if "910B" in model.upper():
        return "ASCEND_SNT9B"
    return "ASCEND_SNT3" if "310" in model else "ASCEND_SNT9"


def _page(asked: FlavorsQuery | SwitchableQuery, total: int) -> tuple[Counts, Offset]:
    """The page, which is all of the list unless a limit is given."""
    if asked.limit is None:
        return whole(total), Offset(limit=total, offset=checked_offset(asked.offset))
    page = offset_page(asked.limit, asked.offset, default=asked.limit)
    return counts(page, total), page
