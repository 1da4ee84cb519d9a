"""Zones, clusters, hosts, GPU devices and development services, asked for in ZStack's query language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from tests import shares
from tests.builders import HOST, Place, cards, node_found
from tests.shares import allow, part
from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.base.units import GIB
from trivium.dialects.zstack import development, queries
from trivium.dialects.zstack import estate as dialect
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.errors import NoSuchRelation, NotComparable, OnlyWithin
from trivium.dialects.zstack.inventories import Catalogue, Inventory
from trivium.resources import estate, nodes, notebooks, pools, sites
from trivium.resources import shares as shares_room
from trivium.resources.nodes.ports import AcceleratorFound, CardFound
from trivium.resources.notebooks import Found, Notebook, Status
from trivium.resources.notebooks.table import notebooks as notebook_table
from trivium.resources.pools import PoolDetails
from trivium.server.host.inventory import take_stock
from trivium.store import Read

CATALOGUE = Catalogue((*dialect.INVENTORIES, *development.INVENTORIES))
GRAMMAR = Grammar(catalogue=CATALOGUE, utc_offset=timedelta(hours=8))
SHAPES = dialect.Shapes(GRAMMAR.utc_offset)

List = Callable[[Read, Caller, Query], Listed[Any]]
LISTS: dict[str, List] = {
    "Zone": estate.list_sites,
    "Cluster": estate.list_pools,
    "Host": estate.list_nodes,
    "GpuDevice": estate.list_cards,
    "ApplicationDevelopmentService": estate.list_notebooks,
}


def shapes_of(here: Place, name: str) -> Callable[[Read, Caller, Sequence[Any]], Sequence[Any]]:
    return {
        "Zone": SHAPES.zones,
        "Cluster": SHAPES.clusters,
        "Host": SHAPES.hosts,
        "GpuDevice": SHAPES.gpu_devices,
        "ApplicationDevelopmentService": development.shapes(here.site),
    }[name]


def ask(here: Place, caller: Caller, name: str, *conditions: str, **parameters: str) -> list[dict[str, Any]]:
    """What is shown of the rows that a request finds; the total, where it is told, is right."""
    given = {"q": conditions, "replyWithCount": ["true"], **{key: [value] for key, value in parameters.items()}}
    asked = queries.of_parameters(GRAMMAR, CATALOGUE.of(name), given)

    def look(tx: Read) -> list[dict[str, Any]]:
        found = LISTS[name](tx, caller, asked.query)
        assert found.total == len(found.rows) or parameters
        return msgspec.to_builtins(shapes_of(here, name)(tx, caller, found.rows))

    return here.store.read_now(look)


def names(here: Place, caller: Caller, name: str, *conditions: str, **parameters: str) -> list[str]:
    return [row["name"] for row in ask(here, caller, name, *conditions, **parameters)]


@pytest.fixture
def caller(here: Place) -> Caller:
    """A member whose project may have pools, on a site with a machine that has two cards."""
    here.store.write_now(sites.note, name="North", description="Hall 3")
    gpu = CardFound(
        unit="GPU-1",
        serial="SN-1",
        pci_address="0000:c1:00.0",
        pci_class=0x0302,
        vendor="NVIDIA",
        vendor_id="10de",
        device_id="2335",
        subvendor_id="10de",
        subdevice_id="18be",
        power=700,
        driver_loaded=True,
    )
    accelerator = AcceleratorFound(index=0, kind="gpu", model="NVIDIA X", memory=80 * GIB, declared=False, card=gpu)
    machine = node_found(8, 64 * GIB, (accelerator, *cards("dcu", 1)))
    here.store.write_now(
        take_stock,
        (msgspec.structs.replace(machine, name="Machine-Ä", architecture="x86_64"),),
        host=HOST,
    )
    return allow(here, here.user("caller"))


def own_pool(here: Place, caller: Caller, title: str = "own") -> str:
    """A pool of the caller's with one slice of two cores."""
    details = PoolDetails(description="For Tests")
    return shares.make(here, caller, part("cpu.2u", 1), title=title, details=details).uuid.hex


def test_the_site_is_one_zone_whose_uuid_stays(here: Place, caller: Caller) -> None:
    (zone,) = ask(here, caller, "Zone")
    assert zone.keys() == {"uuid", "name", "description", "state", "type", "isDefault", "createDate", "lastOpDate"}
    assert (zone["name"], zone["description"], zone["state"], zone["type"]) == ("North", "Hall 3", "Enabled", "zstack")
    here.store.write_now(sites.note, name="South")
    (other,) = ask(here, caller, "Zone")
    assert (other["uuid"], other["name"], "description" in other) == (zone["uuid"], "South", False)
    assert here.store.read_now(sites.is_noted, name="South")
    assert not here.store.read_now(sites.is_noted, name="South", description="Hall 3")


def test_pools_are_clusters_of_the_zone(here: Place, caller: Caller) -> None:
    (zone,) = ask(here, caller, "Zone")
    uuid = own_pool(here, caller)
    first, second = ask(here, caller, "Cluster")
    assert second == {
        "uuid": uuid,
        "name": "own",
        "description": "For Tests",
        "zoneUuid": zone["uuid"],
        "state": "Enabled",
        "type": "zstack",
        "hypervisorType": "Native",
        "architecture": "x86_64",
        "createDate": second["createDate"],
        "lastOpDate": second["lastOpDate"],
    }
    assert first["name"] == "default"
    assert "description" not in first


def test_nodes_are_hosts_with_what_they_have_free_now(here: Place, caller: Caller) -> None:
    own_pool(here, caller)
    machine, slice_ = ask(here, caller, "Host")
    clusters = ask(here, caller, "Cluster")
    assert [machine["clusterUuid"], slice_["clusterUuid"]] == [cluster["uuid"] for cluster in clusters]
    assert {machine["zoneUuid"], slice_["zoneUuid"]} == {clusters[0]["zoneUuid"]}
    assert (machine["name"], machine["managementIp"]) == ("Machine-Ä", "192.0.2.1")
    assert (machine["state"], machine["status"], machine["architecture"]) == ("Enabled", "Connected", "x86_64")
    shown = ("cpuNum", "totalCpuCapacity", "availableCpuCapacity", "totalMemoryCapacity", "availableMemoryCapacity")
    assert [machine[name] for name in shown] == [6, 6, 6, 56 * GIB, 56 * GIB]
    assert [slice_[name] for name in shown] == [2, 2, 2, 8 * GIB, 8 * GIB]
    need = nodes.Need(kind="cpu", count=3, millicores=2500, memory=GIB)
    pool = shares.machine(here).pool
    here.store.write_now(lambda tx: nodes.reserve(tx, 7, pool=pool, need=need, hosts=(HOST,)))
    (machine,) = ask(here, caller, "Host", f"uuid={machine['uuid']}")
    assert [machine[name] for name in shown] == [6, 6, 3, 56 * GIB, 55 * GIB]


def test_cards_are_gpu_devices(here: Place, caller: Caller) -> None:
    (host,) = ask(here, caller, "Host")
    gpu, dcu = ask(here, caller, "GpuDevice")
    assert gpu == {
        "uuid": gpu["uuid"],
        "name": "NVIDIA X",
        "hostUuid": host["uuid"],
        "type": "GPU_3D_Controller",
        "state": "Enabled",
        "status": "Active",
        "vendorId": "10de",
        "vendor": "NVIDIA",
        "deviceId": "2335",
        "device": "NVIDIA X",
        "subvendorId": "10de",
        "subdeviceId": "18be",
        "pciDeviceAddress": "0000:c1:00.0",
        "serialNumber": "SN-1",
        "memory": 80 * GIB,
        "power": 700,
        "isDriverLoaded": True,
        "gpuType": "GPU",
        "allocateStatus": "Unallocated",
        "createDate": gpu["createDate"],
        "lastOpDate": gpu["lastOpDate"],
    }
    assert (dcu["gpuType"], dcu["type"]) == ("DCU", "GPU_Video_Controller")
    assert dcu["description"] == "declared in the configuration"
    assert not {"serialNumber", "vendor", "power", "isDriverLoaded"} & dcu.keys()


@pytest.mark.parametrize(
    ("inventory", "condition", "found"),
    [
        ("Zone", "name=NORTH", ["North"]),
        ("Zone", "name~=n%h", ["North"]),
        ("Zone", "name!=north", []),
        ("Zone", "description is null", []),
        ("Zone", "state=enabled", ["North"]),
        ("Zone", "state!=Enabled", []),
        ("Zone", "type?=x,zstack", ["North"]),
        ("Zone", "type not null", ["North"]),
        ("Zone", "state is null", []),
        ("Zone", "cluster.name=OWN", ["North"]),
        ("Zone", "cluster.state=Disabled", []),
        ("Zone", "cluster.state~=en%", ["North"]),
        ("Zone", "host.cpuNum>5", ["North"]),
        ("Zone", "host.cpuNum>6", []),
        ("Zone", "gpuDevice.serialNumber=sn-1", ["North"]),
        ("Cluster", "name=Default", ["default"]),
        ("Cluster", "name~=%n", ["own"]),
        ("Cluster", "description=for tests", ["own"]),
        ("Cluster", "description is null", ["default"]),
        ("Cluster", "hypervisorType=KVM", []),
        ("Cluster", "hypervisorType=native", ["default", "own"]),
        ("Cluster", "architecture=X86_64", ["default", "own"]),
        ("Cluster", "architecture!=x86_64", []),
        ("Cluster", "zone.name=north", ["default", "own"]),
        ("Cluster", "zone.state=enabled", ["default", "own"]),
        ("Cluster", "zone.state=disabled", []),
        ("Cluster", "host.availableCpuCapacity=2", ["own"]),
        ("Cluster", "gpuDevice.vendor=nvidia", ["default"]),
        ("Host", "name=MACHINE-ä", ["Machine-Ä"]),
        ("Host", "state=Enabled", ["Machine-Ä", "*"]),
        ("Host", "state=Disabled", []),
        ("Host", "status!=Connected", []),
        ("Host", "status~=conn%", ["Machine-Ä", "*"]),
        ("Host", "totalCpuCapacity>=6", ["Machine-Ä"]),
        ("Host", "availableMemoryCapacity<60129542144", ["*"]),
        ("Host", "architecture=x86_64", ["Machine-Ä", "*"]),
        ("Host", "managementIp~=192.0.2.%", ["Machine-Ä", "*"]),
        ("Host", "cluster.name=own", ["*"]),
        ("Host", "cluster.zone.name=north", ["Machine-Ä", "*"]),
        ("Host", "zone.name=south", []),
        ("Host", "gpuDevice.gpuType=dcu", ["Machine-Ä"]),
        ("GpuDevice", "vendor is null", ["DCU"]),
        ("GpuDevice", "vendor!=x", ["NVIDIA X"]),
        ("GpuDevice", "memory>20000000000", ["NVIDIA X"]),
        ("GpuDevice", "power=700", ["NVIDIA X"]),
        ("GpuDevice", "type=gpu_video_controller", ["DCU"]),
        ("GpuDevice", "type!=GPU_Video_Controller", ["NVIDIA X"]),
        ("GpuDevice", "allocateStatus=Unallocated", ["NVIDIA X", "DCU"]),
        ("GpuDevice", "allocateStatus=Allocated", []),
        ("GpuDevice", "isDriverLoaded=true", ["NVIDIA X"]),
        ("GpuDevice", "isDriverLoaded is null", ["DCU"]),
        ("GpuDevice", "pciDeviceAddress=0000:C1:00.0", ["NVIDIA X"]),
        ("GpuDevice", "state=Enabled", ["NVIDIA X", "DCU"]),
        ("GpuDevice", "status=inactive", []),
        ("GpuDevice", "description~=declared%", ["DCU"]),
        ("GpuDevice", "gpuStatus is null", ["NVIDIA X", "DCU"]),
        ("GpuDevice", "host.name~=machine%", ["NVIDIA X", "DCU"]),
        ("GpuDevice", "cluster.name=own", []),
        ("GpuDevice", "zone.name=north", ["NVIDIA X", "DCU"]),
    ],
)
def test_conditions_find_what_they_say(
    here: Place, caller: Caller, inventory: str, condition: str, found: list[str]
) -> None:
    own_pool(here, caller)
    shown = names(here, caller, inventory, condition)
    assert len(shown) == len(found)
    assert all(wanted in {name, "*"} for name, wanted in zip(shown, found, strict=True))


@pytest.mark.parametrize("name", [name for name in LISTS if name != "ApplicationDevelopmentService"])
def test_each_field_is_found_by_what_is_shown_of_it(here: Place, caller: Caller, name: str) -> None:
    own_pool(here, caller)
    inventory = CATALOGUE.of(name)
    for row in ask(here, caller, name):
        assert row.keys() <= inventory.members.keys()
        for field in inventory.members:
            value = row.get(field)
            text = str(value).lower() if isinstance(value, bool) else value
            condition = f"{field} is null" if value is None else f"{field}={text}"
            assert row in ask(here, caller, name, condition), condition


@pytest.mark.parametrize("name", LISTS)
def test_whatever_can_be_sorted_by_is_sorted(here: Place, caller: Caller, name: str) -> None:
    own_pool(here, caller)
    with_two_notebooks(here, caller)
    for member in CATALOGUE.of(name).members.values():
        if not member.is_of_rows or not member.sortable:
            with pytest.raises(NotComparable):
                ask(here, caller, name, sort=member.name)
            continue
        for direction in "+-":
            shown = [row.get(member.name) for row in ask(here, caller, name, sort=f"{direction}{member.name}")]
            if member.name in {"createDate", "lastOpDate"}:
                continue  # as text they have another order
            there = [str(value).lower() if isinstance(value, str) else value for value in shown if value is not None]
            assert there == sorted(there, reverse=direction == "-")


@pytest.mark.parametrize("name", LISTS)
def test_groups_are_made_by_what_rows_are_told_apart_by(here: Place, caller: Caller, name: str) -> None:
    own_pool(here, caller)
    with_two_notebooks(here, caller)
    for member in CATALOGUE.of(name).members.values():
        if not member.is_of_rows:
            with pytest.raises(NotComparable):
                ask(here, caller, name, groupBy=member.name)
            continue
        shown = [row.get(member.name) for row in ask(here, caller, name, groupBy=member.name)]
        every = [row.get(member.name) for row in ask(here, caller, name)]
        if member.kind.value != "Word":  # several of the core's words may be one here
            assert sorted(map(str, shown)) == sorted({str(value) for value in every})


# ---- who sees what ----------------------------------------------------------------------------------------------


def test_what_is_in_other_projects_pools_is_not_there(here: Place, caller: Caller) -> None:
    own_pool(here, caller, "secret")
    other = here.user("other")
    assert names(here, other, "Cluster") == ["default"]
    assert names(here, other, "Host") == ["Machine-Ä"]
    assert names(here, here.admin, "Cluster") == ["default", "secret"]
    assert len(names(here, here.admin, "Host")) == 2


@pytest.mark.parametrize(
    ("inventory", "condition"),
    [
        ("Zone", "cluster.name=secret"),
        ("Zone", "cluster.host.cpuNum=2"),
        ("Zone", "host.cpuNum=2"),
        ("Cluster", "zone.cluster.name=secret"),
        ("Host", "zone.host.cluster.name=secret"),
        ("GpuDevice", "zone.cluster.name=secret"),
        ("ApplicationDevelopmentService", "zone.cluster.name=secret"),
    ],
)
def test_relations_tell_nothing_of_what_is_not_seen(
    here: Place, caller: Caller, inventory: str, condition: str
) -> None:
    own_pool(here, caller, "secret")
    other = here.user("other")
    with_two_notebooks(here, other)
    with_two_notebooks(here, caller)
    assert ask(here, other, inventory, condition) == []
    assert ask(here, caller, inventory, condition) != []
    assert ask(here, here.admin, inventory, condition) != []


def test_what_was_deleted_and_given_back_is_not_there(here: Place, caller: Caller) -> None:
    pool = shares.make(here, caller, part("cpu.2u", 1), title="gone")
    here.store.write_now(shares_room.delete, caller, pool.name, occupants=shares.OCCUPANTS)
    for who in (caller, here.admin):
        assert names(here, who, "Cluster") == ["default"]
        assert names(here, who, "Host") == ["Machine-Ä"]
        assert names(here, who, "Zone", "cluster.name=gone") == []
        assert names(here, who, "Zone", "host.cpuNum=2") == []


def test_a_drained_host_is_disabled_and_one_that_is_away_is_disconnected(here: Place, caller: Caller) -> None:
    pool = shares.make(here, caller, part("cpu.2u", 2))
    first, second = shares.nodes_of(here, caller, pool)
    here.store.write_now(shares_room.drain, caller, pool.name, node=first.node.name)
    assert names(here, caller, "Host", "state=Disabled") == [first.node.name]
    assert second.node.name in names(here, caller, "Host", "state=Enabled")
    here.store.write_now(nodes.note_away, [HOST])
    assert len(names(here, caller, "Host", "status=Disconnected")) == 3
    assert names(here, caller, "Host", "status=Connected") == []


# ---- notebooks --------------------------------------------------------------------------------------------------


def with_two_notebooks(here: Place, caller: Caller) -> tuple[Notebook, Notebook]:
    """Two notebooks of the caller's in the default pool, the second of which runs."""
    image = here.image(version=f"base:{caller.user}")
    first, second = (here.notebook(caller, image, name=f"Notebook-{number}", pool=default(here)) for number in (1, 2))
    set_status(here, second, Status.RUNNING)
    return first, second


def default(here: Place) -> str:
    """The default pool's name."""
    pool = here.store.read_now(pools.default_pool)
    assert pool is not None
    return pool.name


def set_status(here: Place, notebook: Notebook, status: Status) -> None:
    """As a worker notes it."""
    found = Found.RUNNING if status in (Status.RUNNING, Status.SAVING) else Found(status.value)
    values = {"status": status.value, "found": found.value}
    here.store.write_now(
        lambda tx: tx.run(update(notebook_table).where(notebook_table.c.id == notebook.id).values(values))
    )


def test_notebooks_are_development_services(here: Place, caller: Caller) -> None:
    first, second = with_two_notebooks(here, caller)
    created, running = ask(here, caller, "ApplicationDevelopmentService")
    times = {name: created[name] for name in ("createDate", "lastOpDate")}
    common = {"uuid": first.uuid.hex, "name": "Notebook-1", "status": "Deploying", **times}
    assert created == {
        **common,
        "deploymentStatus": "Deploying",
        "service": "JupyterLab",
        "modelServiceType": "App",
        "type": "Container",
        "instances": [{**common, "modelServiceGroupUuid": first.uuid.hex}],
    }
    assert (running["status"], running["deploymentStatus"]) == ("Running", "Deployed")
    assert running["instances"][0]["jupyterUrl"] == f"{here.site.proxy_url}/nb/{second.id}/lab"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("name=NOTEBOOK-1", ["Notebook-1"]),
        ("status=Running", ["Notebook-2"]),
        ("status!=Running", ["Notebook-1"]),
        ("status?=deploying,running", ["Notebook-1", "Notebook-2"]),
        ("deploymentStatus=Deployed", ["Notebook-2"]),
        ("service=jupyterlab", ["Notebook-1", "Notebook-2"]),
        ("type!=Container", []),
        ("description is null", ["Notebook-1", "Notebook-2"]),
        ("instances.status=Running", ["Notebook-2"]),
        ("instances.host.name~=machine%", ["Notebook-1", "Notebook-2"]),
        ("cluster.name=default", ["Notebook-1", "Notebook-2"]),
        ("host.cpuNum>1000", []),
        ("zone.name=North", ["Notebook-1", "Notebook-2"]),
        ("createDate>2020-01-01", ["Notebook-1", "Notebook-2"]),
    ],
)
def test_conditions_find_development_services(here: Place, caller: Caller, condition: str, found: list[str]) -> None:
    with_two_notebooks(here, caller)
    assert names(here, caller, "ApplicationDevelopmentService", condition) == found
    assert names(here, here.admin, "ApplicationDevelopmentService", condition) == found
    assert names(here, here.user("other"), "ApplicationDevelopmentService", condition) == []


def test_a_notebook_that_is_being_saved_runs(here: Place, caller: Caller) -> None:
    _, second = with_two_notebooks(here, caller)
    set_status(here, second, Status.SAVING)
    (row,) = ask(here, caller, "ApplicationDevelopmentService", "status=Running")
    assert row["status"] == "Running"
    assert "jupyterUrl" in row["instances"][0]


def test_deleted_notebooks_are_no_services(here: Place, caller: Caller) -> None:
    _, second = with_two_notebooks(here, caller)
    here.store.write_now(notebooks.release, caller, second.id)
    for who in (caller, here.admin):
        assert names(here, who, "ApplicationDevelopmentService") == ["Notebook-1"]


def test_objects_are_asked_for_by_their_fields(here: Place, caller: Caller) -> None:
    with pytest.raises(OnlyWithin) as refused:
        ask(here, caller, "ApplicationDevelopmentService", "instances=x")
    assert "instances.uuid" in str(refused.value.details["fields"])
    with pytest.raises(NoSuchRelation):
        ask(here, caller, "Zone", "instances.uuid=x")


def test_every_inventory_has_the_fields_that_its_resource_has() -> None:
    resources = {"Zone": estate.SITES, "Cluster": estate.POOLS, "Host": estate.NODES, "GpuDevice": estate.CARDS}
    for name, resource in resources.items():
        inventory: Inventory = CATALOGUE.of(name)
        assert {member.field for member in inventory.members.values() if member.field} <= resource.fields.keys()
        for link in inventory.links.values():
            _, there = resource.walk(link.path)
            assert there is resources[link.to]
