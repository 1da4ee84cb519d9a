"""Accelerator resources: what notebooks can be made of in each group, and how much of it is free."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from trivium.base.errors import Missing
from trivium.base.site import Site
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View
from trivium.dialects.scnet.errors import NotId
from trivium.dialects.scnet.spelling import Shape, cores, memory
from trivium.resources import nodes, pools
from trivium.resources.nodes import Availability
from trivium.resources.pools import CPU, Flavor, Pool

UNSPOKEN: Final = re.compile(r"[^A-Za-z0-9.]+")


class ResourceSpec(Shape, frozen=True, kw_only=True):
    """What one unit is, as the text of `resourceSpec` tells."""

    memory: str
    cpu_core: str
    gpu_model: str
    gpu_memory: str
    declared: bool  # the accelerator stands in the configuration, and nothing on the machine confirms it


class Resource(Shape, frozen=True, kw_only=True):
    """One kind of accelerator in one group."""

    id: str
    resource_group_code: str
    resource_group_name: str
    cluster_id: int
    cluster_name: str
    max_num: int
    max_free_num: int
    cpu_number: str
    ram_size: str
    resource_id: str
    resource_type: str
    resource_name: str
    resource_spec: str


class ResourcesQuery(Shape, frozen=True, kw_only=True):
    """What is asked: regions, separated by commas or given repeatedly, and perhaps one model."""

    cluster_ids: tuple[str, ...] = ()
    resource_id: str | None = None


def regions_of(values: tuple[str, ...]) -> frozenset[str]:
    """The regions' ids. `Missing` when there are none, `NotId` for one that is no number."""
    ids = frozenset(part.strip() for value in values for part in value.split(",") if part.strip())
    if not ids:
        raise Missing("clusterIds")
    if not all(id.isascii() and id.isdigit() for id in ids):
        raise NotId("clusterIds")
    return ids


def resource(site: Site, pool: Pool, flavor: Flavor, *, room: Availability) -> Resource:
    """A flavor of a pool in SCNet's shape."""
    name = flavor.model if not flavor.device_memory else f"{flavor.model} {memory(flavor.device_memory)}"
    spec = ResourceSpec(
        memory=memory(flavor.memory),
        cpu_core=cores(flavor.millicores),
        gpu_model="" if flavor.kind == CPU else flavor.model,
        gpu_memory=memory(flavor.device_memory) if flavor.device_memory else "",
        declared=flavor.declared,
    )
    return Resource(
        id=str(flavor.short),
        resource_group_code=pool.name,
        resource_group_name=pool.name,
        cluster_id=site.id,
        cluster_name=site.name,
        max_num=room.most,
        max_free_num=room.free,
        cpu_number=f"{cores(flavor.millicores)}核",
        ram_size=memory(flavor.memory),
        resource_id=model_id(flavor, room.most),
        resource_type=flavor.kind.upper(),
        resource_name=name,
        resource_spec=msgspec.json.encode(spec).decode(),
    )


def model_id(flavor: Flavor, most: int) -> str:
    """What SCNet calls a model of resources: `<model>-<cores>C-<units of a node>*<KIND>`."""
    model = UNSPOKEN.sub("-", flavor.model).strip("-")
    return f"{model}-{cores(flavor.millicores)}C-{most}*{flavor.kind.upper()}"


def resources_of(
    site: Site, offered: list[tuple[Pool, Flavor]], room: Mapping[tuple[int, str], Availability]
) -> list[Resource]:
    """What is offered, in SCNet's shape."""
    return [resource(site, pool, flavor, room=room[pool.id, flavor.kind]) for pool, flavor in offered]


def query_accelerators(tx: Read, call: Call[Nothing, ResourcesQuery]) -> list[Resource]:
    """What is offered in those regions; another installation's region offers nothing here."""
    site = call.core.site
    if str(site.id) not in regions_of(call.query.cluster_ids):
        return []
    offered = list(pools.offered(tx, call.caller))
    room = nodes.availability(tx, [flavor for _, flavor in offered])
    found = resources_of(site, offered, room)
    # The id of a model is made here and stands in no table; what is offered is a handful.
    wanted = call.query.resource_id
    return [one for one in found if one.resource_id == wanted] if wanted else found


OPERATIONS = (
    Operation(
        name="QueryAccelerators",
        method="GET",
        path="/ac/openapi/v2/resources/accelerators",
        handler=View(query_accelerators),
        mark=Mark.COMPANION,
        summary="What notebooks can be made of in each group, and how much of it is free",
        query=ResourcesQuery,
    ),
)
