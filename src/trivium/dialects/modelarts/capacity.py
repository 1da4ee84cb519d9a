"""What the site has for pools, and how many of them and of networks a project may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from trivium.base.keyring import Keyring
from trivium.base.query import After
from trivium.dialects.modelarts import networks, objects, quantities, selectors
from trivium.dialects.modelarts.continuing import Continuations, Key, ListMetadata
from trivium.dialects.modelarts.notebooks.flavors import architecture
from trivium.dialects.modelarts.notebooks.naming import CATEGORIES
from trivium.dialects.modelarts.objects import ContinuedQuery
from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View
from trivium.resources import nodes, quotas
from trivium.resources.nodes import SiteFlavor
from trivium.resources.pools import CPU

SCOPE: Final = "os.modelarts/scope"
SCOPED: Final = "Notebook"
TYPES: Final = {quotas.POOLS: "pool", quotas.NETWORKS: "network"}


class XpuShape(Shape, frozen=True, kw_only=True):
    """The accelerators of a flavor: their model, how many, and the memory of each."""

    type: str
    size: str
    memory: str


class FlavorSpec(Shape, frozen=True, kw_only=True, rename="camel"):
    """What a node of the flavor has."""

    type: str
    cpu_arch: str
    cpu: str
    memory: str
    gpu: XpuShape | None = None
    npu: XpuShape | None = None
    billing_modes: tuple[int, ...]
    billing_code: str


class FlavorStatus(Shape, frozen=True, kw_only=True):
    """By zone: whether a node of the flavor can be had now."""

    phase: Mapping[str, str]


class ResourceFlavor(Shape, frozen=True, kw_only=True, rename="camel"):
    """A size of nodes."""

    kind: str
    api_version: str
    metadata: FlavorMetadata
    spec: FlavorSpec
    status: FlavorStatus


class FlavorMetadata(Shape, frozen=True, kw_only=True):
    """What a flavor is called."""

    name: str
    labels: Mapping[str, str]


class FlavorList(Shape, frozen=True, kw_only=True, rename="camel"):
    """A page of flavors."""

    kind: str
    api_version: str
    metadata: ListMetadata
    items: list[ResourceFlavor]


class FlavorsQuery(ContinuedQuery, frozen=True, kw_only=True):
    """What is asked of the list."""

    labelSelector: Text = None  # noqa: N815 - as the wire spells it


class QuotaShape(Shape, frozen=True, kw_only=True):
    """How many of a kind a project may have, and has."""

    type: str
    quota: int
    used: int


class QuotasShape(Shape, frozen=True, kw_only=True):
    """All quotas of a project."""

    resources: list[QuotaShape]


class QuotasAnswer(Shape, frozen=True, kw_only=True):
    """The same, as they go out."""

    quotas: QuotasShape


class ConfigShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """What networks and pools may be."""

    network_cidrs: tuple[str, ...]
    network_quota: int
    pool_quota: int
    pool_high_available: bool


def flavor_shape(flavor: SiteFlavor, zone: str) -> ResourceFlavor:
    """A size of slices as ModelArts shows it."""
    size, name = flavor.size, objects.flavor_name(flavor.name)
    cards = None
    if size.kind != CPU:
        cards = XpuShape(type=size.model, size=str(size.cards), memory=quantities.memory(flavor.card_memory))
    is_npu = CATEGORIES[size.kind] == "ASCEND"
    return ResourceFlavor(
        kind="ResourceFlavor",
        api_version="v1",
        metadata=FlavorMetadata(name=name, labels={SCOPE: SCOPED}),
        spec=FlavorSpec(
            type="Dedicate",
            cpu_arch="arm64" if architecture() == "aarch64" else "x86",
            cpu=quantities.cores(size.millicores),
            memory=quantities.memory(size.memory),
            gpu=None if is_npu else cards,
            npu=cards if is_npu else None,
            billing_modes=(0,),
            billing_code=name,
        ),
        status=FlavorStatus(phase={zone: "soldout" if flavor.is_sold_out else "normal"}),
    )


class Lists:
    """The list of flavors, with the places to continue it at."""

    def __init__(self, keyring: Keyring) -> None:
        self._places = Continuations(keyring)

    def list_flavors(self, tx: Read, call: Call[Nothing, FlavorsQuery]) -> FlavorList:
        """A page of the sizes that the site's machines can be cut into. They are few, and made anew each time."""
        asked = call.query
        wanted = selectors.parse(asked.labelSelector)
        of = f"resourceflavors by place {call.caller.project} {asked.labelSelector or ''}"
        page = self._places.page(asked.place, asked.limit, of=of, now=tx.now)
        every: Sequence[SiteFlavor] = nodes.site_flavors(tx) if selectors.holds(wanted, {SCOPE: SCOPED}) else []
        left = [flavor for flavor in every if flavor.place > page.key] if isinstance(page, After) else every
        shown, rest = left[: page.limit], len(left) - page.limit
        following: Key | None = shown[-1].place if rest > 0 else None
        return FlavorList(
            kind="ResourceFlavorList",
            api_version="v1",
            metadata=self._places.metadata(following, remaining=rest, of=of, now=tx.now),
            items=[flavor_shape(flavor, call.core.site.name) for flavor in shown],
        )


def show_quotas(tx: Read, call: Call[Nothing, Nothing]) -> QuotasAnswer:
    """What the project may have, and has."""
    found = [
        QuotaShape(type=TYPES[one.name], quota=one.most, used=one.used)
        for one in quotas.of_project(tx, call.caller.project)
        if one.name in TYPES
    ]
    return QuotasAnswer(quotas=QuotasShape(resources=found))


def show_config(tx: Read, call: Call[Nothing, Nothing]) -> ConfigShape:
    """What networks and pools may be."""
    most = {name: quotas.get(tx, call.caller.project, name).most for name in TYPES}
    return ConfigShape(
        network_cidrs=tuple(map(str, networks.RANGES)),
        network_quota=most[quotas.NETWORKS],
        pool_quota=most[quotas.POOLS],
        pool_high_available=False,
    )


def operations(keyring: Keyring) -> tuple[Operation, ...]:
    """All that can be asked of it."""
    return (
        Operation(
            name="ListResourceFlavors",
            method="GET",
            path="/v1/{project_id}/resourceflavors",
            handler=View(look=Lists(keyring).list_flavors),
            mark=Mark.COMPANION,
            summary="What nodes pools can be made of, and whether it is free now",
            query=FlavorsQuery,
        ),
        Operation(
            name="ShowOsQuota",
            method="GET",
            path="/v1/{project_id}/quotas",
            handler=View(look=show_quotas),
            mark=Mark.COMPANION,
            summary="How many pools and networks the project may have, and has",
        ),
        Operation(
            name="ShowOsConfig",
            method="GET",
            path="/v1/{project_id}/os-user-config",
            handler=View(look=show_config),
            mark=Mark.COMPANION,
            summary="What networks and pools may be",
        ),
    )
