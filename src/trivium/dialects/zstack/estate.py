"""Zones, clusters, hosts and GPU devices: the site, its pools, their nodes, and the accelerators.

A node of a pool is a host of that cluster, whether it is a machine or a slice of one: that is what is given out in the
pool, and what ZStack's users look for in a cluster. A machine shows what it has not given to slices, so that nothing is
counted twice. An accelerator is a device of the host that has it to give out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from trivium.base.caller import Caller
from trivium.dialects.operation import Mark, Read
from trivium.dialects.zstack.apis import Api, Listing, queried_at
from trivium.dialects.zstack.inventories import Inventory, Kind, Link, Member, absent, word_of
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.resources import estate
from trivium.resources.estate import Allocation, CardRow, CardSort, CardState, NodeRow, NodeState, PoolRow, Readiness
from trivium.resources.sites import SiteRecord

ENABLED: Final = "Enabled"
TYPE: Final = "zstack"
"""The type of zones and clusters that ZStack's clients know."""

HYPERVISOR: Final = "Native"
"""There is none: what runs are processes of the machine itself."""

MILLI: Final = 1000

HOST_STATES: Final = {ENABLED: NodeState.ENABLED.value, "Disabled": NodeState.CORDONED.value}
HOST_STATUSES: Final = {"Connected": Readiness.READY.value, "Disconnected": Readiness.UNREADY.value}
DEVICE_STATES: Final = {ENABLED: CardState.THERE.value, "Disabled": CardState.GONE.value}
DEVICE_STATUSES: Final = {"Active": CardState.THERE.value, "Inactive": CardState.GONE.value}
ALLOCATIONS: Final = {"Allocated": Allocation.ALLOCATED.value, "Unallocated": Allocation.FREE.value}
DEVICE_TYPES: Final[Mapping[str, str | tuple[str, ...]]] = {
    "GPU_Video_Controller": (CardSort.VIDEO.value, CardSort.UNKNOWN.value),
    "GPU_3D_Controller": CardSort.CONTROLLER_3D.value,
    "GPU_Processing_Accelerators": CardSort.PROCESSING.value,
}

_UUID: Final = Member(name="uuid", kind=Kind.UUID, field="uuid")
_NAME: Final = Member(name="name", kind=Kind.STRING, field="name")
_DESCRIPTION: Final = Member(name="description", kind=Kind.STRING, field="description")
_STATE: Final = Member(name="state", kind=Kind.STRING, constant=ENABLED)
_TYPE: Final = Member(name="type", kind=Kind.STRING, constant=TYPE)
_ZONE: Final = Member(name="zoneUuid", kind=Kind.UUID, field="site")
_ARCHITECTURE: Final = Member(name="architecture", kind=Kind.STRING, field="architecture")
_TIMES: Final = (
    Member(name="createDate", kind=Kind.TIMESTAMP, field="created_at"),
    Member(name="lastOpDate", kind=Kind.TIMESTAMP, field="changed_at"),
)

ZONE: Final = Inventory(
    "Zone",
    (
        *(_UUID, _NAME, _DESCRIPTION, _STATE, _TYPE),
        Member(name="isDefault", kind=Kind.BOOLEAN, constant="true"),
        *_TIMES,
    ),
    links=(
        Link(name="cluster", to="Cluster", path="pools"),
        Link(name="host", to="Host", path="nodes"),
        Link(name="gpuDevice", to="GpuDevice", path="nodes.cards"),
    ),
)
"""The site."""

CLUSTER: Final = Inventory(
    "Cluster",
    (
        _UUID,
        _NAME,
        _DESCRIPTION,
        _ZONE,
        _STATE,
        _TYPE,
        Member(name="hypervisorType", kind=Kind.STRING, constant=HYPERVISOR),
        _ARCHITECTURE,
        *_TIMES,
    ),
    links=(
        Link(name="zone", to="Zone", path="site"),
        Link(name="host", to="Host", path="nodes"),
        Link(name="gpuDevice", to="GpuDevice", path="nodes.cards"),
    ),
)
"""A pool."""

HOST: Final = Inventory(
    "Host",
    (
        _UUID,
        _NAME,
        Member(name="clusterUuid", kind=Kind.UUID, field="pool"),
        _ZONE,
        Member(name="managementIp", kind=Kind.STRING, field="address"),
        Member(name="hypervisorType", kind=Kind.STRING, constant=HYPERVISOR),
        Member(name="state", kind=Kind.WORD, field="state", words=HOST_STATES),
        Member(name="status", kind=Kind.WORD, field="readiness", words=HOST_STATUSES),
        Member(name="cpuNum", kind=Kind.INTEGER, field="cores"),
        Member(name="totalCpuCapacity", kind=Kind.LONG, field="cores"),
        Member(name="availableCpuCapacity", kind=Kind.LONG, field="free_cores"),
        Member(name="totalMemoryCapacity", kind=Kind.LONG, field="memory"),
        Member(name="availableMemoryCapacity", kind=Kind.LONG, field="free_memory"),
        _ARCHITECTURE,
        *absent(Kind.STRING, "description", "ipmiAddress", "ipmiUsername", "ipmiPowerStatus"),
        *absent(Kind.INTEGER, "cpuSockets", "ipmiPort"),
        *absent(Kind.STRING, "cpuStatus", "memoryStatus", "diskStatus", "nicStatus", "gpuStatus", "raidStatus"),
        *absent(Kind.STRING, "powerSupplyStatus", "fanStatus", "temperatureStatus"),
        *_TIMES,
    ),
    links=(
        Link(name="zone", to="Zone", path="site"),
        Link(name="cluster", to="Cluster", path="pool"),
        Link(name="gpuDevice", to="GpuDevice", path="cards"),
    ),
)
"""A node. What is available is what no notebook and no slice has now; it was last looked at on `lastOpDate`.

Nothing asks a machine's management controller, so what that would tell is absent.
"""

GPU_DEVICE: Final = Inventory(
    "GpuDevice",
    (
        _UUID,
        Member(name="name", kind=Kind.STRING, field="model"),
        _DESCRIPTION,
        Member(name="hostUuid", kind=Kind.UUID, field="node"),
        Member(name="type", kind=Kind.WORD, field="sort", words=DEVICE_TYPES, sortable=False),
        Member(name="state", kind=Kind.WORD, field="state", words=DEVICE_STATES),
        Member(name="status", kind=Kind.WORD, field="state", words=DEVICE_STATUSES, sortable=False),
        Member(name="vendorId", kind=Kind.STRING, field="vendor_id"),
        Member(name="vendor", kind=Kind.STRING, field="vendor"),
        Member(name="deviceId", kind=Kind.STRING, field="device_id"),
        Member(name="device", kind=Kind.STRING, field="model"),
        Member(name="subvendorId", kind=Kind.STRING, field="subvendor_id"),
        Member(name="subdeviceId", kind=Kind.STRING, field="subdevice_id"),
        Member(name="pciDeviceAddress", kind=Kind.STRING, field="pci_address"),
        Member(name="serialNumber", kind=Kind.STRING, field="serial"),
        Member(name="memory", kind=Kind.LONG, field="memory"),
        Member(name="power", kind=Kind.LONG, field="power"),
        Member(name="isDriverLoaded", kind=Kind.BOOLEAN, field="driver_loaded"),
        Member(name="gpuType", kind=Kind.STRING, field="kind"),
        Member(name="gpuStatus", kind=Kind.STRING, field="health"),
        Member(name="allocateStatus", kind=Kind.WORD, field="allocation", words=ALLOCATIONS),
        *absent(Kind.UUID, "parentUuid", "vmInstanceUuid", "pciSpecUuid"),
        *absent(Kind.STRING, "virtStatus", "chooser", "iommuGroup", "metaData", "rev"),
        *_TIMES,
    ),
    links=(
        Link(name="host", to="Host", path="node"),
        Link(name="cluster", to="Cluster", path="node.pool"),
        Link(name="zone", to="Zone", path="node.site"),
    ),
)
"""An accelerator. One that vanished is disabled, and forgotten after a while. None is handed to a virtual machine."""

INVENTORIES: Final = (ZONE, CLUSTER, HOST, GPU_DEVICE)


class ZoneShape(Shape, frozen=True, kw_only=True):
    """A zone."""

    uuid: str
    name: str
    description: str | None = None
    state: str
    type: str
    is_default: bool
    create_date: str
    last_op_date: str


class ClusterShape(Shape, frozen=True, kw_only=True):
    """A cluster."""

    uuid: str
    name: str
    description: str | None = None
    zone_uuid: str
    state: str
    type: str
    hypervisor_type: str
    architecture: str | None = None
    create_date: str
    last_op_date: str


class HostShape(Shape, frozen=True, kw_only=True):
    """A host. Capacities of processors are whole cores, those of memory bytes."""

    uuid: str
    name: str
    cluster_uuid: str
    zone_uuid: str
    management_ip: str
    hypervisor_type: str
    state: str
    status: str
    cpu_num: int
    total_cpu_capacity: int
    available_cpu_capacity: int
    total_memory_capacity: int
    available_memory_capacity: int
    architecture: str | None = None
    create_date: str
    last_op_date: str


class GpuDeviceShape(Shape, frozen=True, kw_only=True):
    """A GPU device: memory in bytes, power in watts."""

    uuid: str
    name: str
    description: str | None = None
    host_uuid: str
    type: str
    state: str
    status: str
    vendor_id: str | None = None
    vendor: str | None = None
    device_id: str | None = None
    device: str
    subvendor_id: str | None = None
    subdevice_id: str | None = None
    pci_device_address: str | None = None
    serial_number: str | None = None
    memory: int | None = None
    power: int | None = None
    is_driver_loaded: bool | None = None
    gpu_type: str
    gpu_status: str | None = None
    allocate_status: str
    create_date: str
    last_op_date: str


def apis(utc_offset: timedelta) -> tuple[Api, ...]:
    """The calls; times are told by the clock that is so far ahead of UTC."""
    shapes = Shapes(utc_offset)
    return (
        Api(
            name="QueryZone",
            places=queried_at("/zones"),
            handler=Listing(inventory=ZONE, rows=estate.list_sites, shapes=shapes.zones),
            mark=Mark.BEYOND,
            summary="The site",
        ),
        Api(
            name="QueryCluster",
            places=queried_at("/clusters"),
            handler=Listing(inventory=CLUSTER, rows=estate.list_pools, shapes=shapes.clusters),
            mark=Mark.BEYOND,
            summary="The pools",
        ),
        Api(
            name="QueryHost",
            places=queried_at("/hosts"),
            handler=Listing(inventory=HOST, rows=estate.list_nodes, shapes=shapes.hosts),
            mark=Mark.BEYOND,
            summary="The nodes, with what is free on each",
        ),
        Api(
            name="QueryGpuDevice",
            places=queried_at("/gpu-device/gpu-devices"),
            handler=Listing(inventory=GPU_DEVICE, rows=estate.list_cards, shapes=shapes.gpu_devices),
            mark=Mark.COMPANION,
            summary="The accelerators, with what is known of each",
        ),
    )


class Shapes:
    """What is shown of rows; times are told by the clock that is so far ahead of UTC."""

    def __init__(self, utc_offset: timedelta) -> None:
        self._utc_offset = utc_offset

    def zones(self, _tx: Read, _caller: Caller, found: Sequence[SiteRecord]) -> Sequence[ZoneShape]:
        """The zones that sites are."""
        return [
            ZoneShape(
                uuid=site.uuid.hex,
                name=site.name,
                description=site.description,
                state=ENABLED,
                type=TYPE,
                is_default=True,
                create_date=time_text(site.created_at, self._utc_offset),
                last_op_date=time_text(site.changed_at, self._utc_offset),
            )
            for site in found
        ]

    def clusters(self, _tx: Read, _caller: Caller, found: Sequence[PoolRow]) -> Sequence[ClusterShape]:
        """The clusters that pools are."""
        return [
            ClusterShape(
                uuid=row.pool.uuid.hex,
                name=row.pool.title,
                description=row.pool.details.description or None,
                zone_uuid=row.site.hex,
                state=ENABLED,
                type=TYPE,
                hypervisor_type=HYPERVISOR,
                architecture=row.architecture,
                create_date=time_text(row.pool.created_at, self._utc_offset),
                last_op_date=time_text(row.pool.changed_at, self._utc_offset),
            )
            for row in found
        ]

    def hosts(self, _tx: Read, _caller: Caller, found: Sequence[NodeRow]) -> Sequence[HostShape]:
        """The hosts that nodes are."""
        return [self._host(row) for row in found]

    def gpu_devices(self, _tx: Read, _caller: Caller, found: Sequence[CardRow]) -> Sequence[GpuDeviceShape]:
        """The devices that accelerators are."""
        return [self._gpu_device(row) for row in found]

    def _host(self, row: NodeRow) -> HostShape:
        node = row.detail.node
        cores = row.detail.millicores // MILLI
        return HostShape(
            uuid=node.uuid.hex,
            name=node.name,
            cluster_uuid=row.pool.hex,
            zone_uuid=row.site.hex,
            management_ip=node.address,
            hypervisor_type=HYPERVISOR,
            state=word_of(HOST_STATES, NodeState.CORDONED if node.cordoned else NodeState.ENABLED),
            status=word_of(HOST_STATUSES, Readiness.READY if node.ready else Readiness.UNREADY),
            cpu_num=cores,
            total_cpu_capacity=cores,
            available_cpu_capacity=row.detail.free_millicores // MILLI,
            total_memory_capacity=row.detail.memory,
            available_memory_capacity=row.detail.free_memory,
            architecture=row.architecture,
            create_date=time_text(node.created_at, self._utc_offset),
            last_op_date=time_text(row.seen_at, self._utc_offset),
        )

    def _gpu_device(self, row: CardRow) -> GpuDeviceShape:
        card = row.card
        state = CardState.THERE if card.present else CardState.GONE
        return GpuDeviceShape(
            uuid=card.uuid.hex,
            name=card.model,
            description=estate.DECLARED if card.declared else None,
            host_uuid=card.node_uuid.hex,
            type=word_of(DEVICE_TYPES, estate.sort_of(card.pci_class)),
            state=word_of(DEVICE_STATES, state),
            status=word_of(DEVICE_STATUSES, state),
            vendor_id=card.vendor_id,
            vendor=card.vendor,
            device_id=card.device_id,
            device=card.model,
            subvendor_id=card.subvendor_id,
            subdevice_id=card.subdevice_id,
            pci_device_address=card.pci_address,
            serial_number=card.serial,
            memory=card.memory,
            power=card.power,
            is_driver_loaded=card.driver_loaded,
            gpu_type=card.kind.upper(),
            gpu_status=card.health,
            allocate_status=word_of(ALLOCATIONS, Allocation.ALLOCATED if row.allocated else Allocation.FREE),
            create_date=time_text(card.created_at, self._utc_offset),
            last_op_date=time_text(card.changed_at, self._utc_offset),
        )
