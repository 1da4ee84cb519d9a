"""Huawei's own SDK, unmodified, against a real server: a pool of a project's own, in a network, with a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import Site
from tests.flows.test_modelarts_sdk import comes_to, refused
from tests.huawei import Sdk, sdk
from tests.waiting import until

pytestmark = [pytest.mark.jupyter, pytest.mark.timeout(600)]


@pytest.fixture
def huawei(site: Site, tmp_path: Path) -> Sdk:
    """A client of a project that may have two pools."""
    key = site.key(f"pools-{tmp_path.name}"[:60])
    site.type("quota", "set", key["user"], "pools", "2")
    return Sdk(site.server.url, key)


def network(huawei: Sdk, workspace: str = "0") -> Any:
    labels = sdk.NetworkMetadataLabels(os_modelarts_name="net-demo", os_modelarts_workspace_id=workspace)
    body = sdk.NetworkCreationRequest(
        api_version="v1",
        kind="Network",
        metadata=sdk.NetworkMetadataCreation(labels=labels),
        spec=sdk.NetworkSpec(cidr="192.168.128.0/17", connection=sdk.NetworkConnection()),
    )
    return huawei.ask("create_network", body=body)


def pool(huawei: Sdk, net: str, workspace: str = "0") -> Any:
    """A new pool of one node of two cores."""
    labels = sdk.PoolLabelsCreation(os_modelarts_name="pool-demo", os_modelarts_workspace_id=workspace)
    body = sdk.CreatePoolRequestBody(
        api_version="v2",
        kind="Pool",
        metadata=sdk.PoolMetadataCreation(labels=labels),
        spec=sdk.PoolSpecCreation(
            type="Dedicate",
            scope=["Notebook"],
            network=sdk.PoolSpecCreationNetwork(name=net),
            resources=[sdk.PoolResourceFlavor(flavor="modelarts.vm.cpu.2u", count=1)],
        ),
    )
    return huawei.ask("create_pool", body=body)


def node_pool(huawei: Sdk, name: str) -> Any:
    """A node pool of two nodes of one core beside it."""
    resources = sdk.PoolResource(flavor="modelarts.vm.cpu.1u", count=2, max_count=2)
    body = sdk.CreateNodePoolRequestBody(
        api_version="v2",
        kind="NodePool",
        metadata=sdk.CreateNodePoolMetaVO(name="nodepool-1"),
        spec=sdk.NodePoolSpec(resources=resources),
    )
    return huawei.ask("create_node_pool", pool_name=name, body=body)


def resized(huawei: Sdk, name: str, count: int) -> Any:
    resources = sdk.PoolResource(flavor="modelarts.vm.cpu.1u", count=count, max_count=count)
    body = sdk.PatchNodePoolRequestBody(spec=sdk.NodePoolSpec(resources=resources))
    return huawei.ask("patch_node_pool", pool_name=name, nodepool_name="nodepool-1", body=body)


def free(huawei: Sdk, name: str) -> dict[str, str]:
    """The free cores of each node."""
    found = huawei.ask("list_pool_nodes", pool_name=name).items
    return {one.metadata.name: one.status.available_resources.cpu for one in found}


def test_a_pool_of_ones_own_holds_notebooks_and_is_given_back(huawei: Sdk) -> None:
    net = network(huawei)
    assert (net.status.phase, net.metadata.labels.os_modelarts_name) == ("Active", "net-demo")
    name = pool(huawei, net.metadata.name).metadata.name
    assert name.startswith("pool-demo-")
    assert node_pool(huawei, name).spec.resources.count == 2
    assert [one.metadata.name for one in huawei.ask("list_node_pools", pool_name=name).items] == [
        "modelarts.vm.cpu.2u-Default",
        "nodepool-1",
    ]
    tagged = {"tags": [{"key": "team", "value": "vision"}, {"key": "env", "value": "prod"}]}
    huawei.ask("batch_create_pool_tags", pool_name=name, body=tagged)
    huawei.ask("batch_delete_pool_tags", pool_name=name, body={"tags": [{"key": "env"}]})
    assert huawei.raw("list_pool_tags")["tags"] == [{"key": "team", "values": ["vision"]}]

    assert len(walked_while_it_grows(huawei, name)) == 5
    raw = huawei.raw("show_network_available_ip", network_name=net.metadata.name, network_id=subnet(huawei, net))
    assert raw["subnetIpAvailability"][0]["usedIps"] == 5

    before = free(huawei, name)
    notebook = placed(huawei, name)
    during = free(huawei, name)
    (there,) = (node for node in during if during[node] != before[node])
    assert (before[there], during[there]) in (("2", "1"), ("1", "0"))
    listed = huawei.raw("list_notebooks", pool_id=name)
    assert [(one["id"], one["pool"]["id"]) for one in listed["data"]] == [(notebook, name)]
    comes_to(huawei, notebook, "RUNNING")
    is_the_only_workload(huawei, name, notebook, node=there)

    assert refused(huawei, "delete_pool", pool_name=name) == (400, "ModelArts.50004000")
    assert refused(huawei, "delete_network", network_name=net.metadata.name) == (409, "ModelArts.50025002")
    given = sdk.NodesDeletionRequest(delete_node_names=[there])
    assert refused(huawei, "batch_delete_pool_nodes", pool_name=name, body=given) == (400, "ModelArts.50004000")

    huawei.ask("delete_notebook", id=notebook)
    until(lambda: free(huawei, name) == before, within=60, what="a node that is free again")
    huawei.ask("delete_node_pool", pool_name=name, nodepool_name="nodepool-1")
    assert huawei.ask("delete_pool", pool_name=name).status.phase == "Deleting"
    assert refused(huawei, "list_pool_nodes", pool_name=name) == (404, "ModelArts.50015001")
    huawei.ask("delete_network", network_name=net.metadata.name)
    assert huawei.ask("list_networks").items == []


def test_pools_and_networks_are_in_workspaces(huawei: Sdk) -> None:
    workspace = huawei.ask("create_workspace", body=sdk.CreateWorkspaceReq(name="research")).id
    net = network(huawei, workspace)
    assert net.metadata.labels.os_modelarts_workspace_id == workspace
    own = f"os.modelarts/workspace.id={workspace}"
    assert [one.metadata.name for one in huawei.ask("list_networks", label_selector=own).items] == [net.metadata.name]
    assert huawei.ask("list_networks", label_selector="os.modelarts/workspace.id=0").items == []
    made = pool(huawei, net.metadata.name, workspace)
    assert made.metadata.labels.os_modelarts_workspace_id == workspace
    there = huawei.ask("list_pools", workspace_id=workspace).items
    assert [one.metadata.name for one in there] == [made.metadata.name]
    counts = [huawei.ask("show_pool_statistics", workspace_id=one).statistics.status for one in (workspace, "0")]
    assert [one.created for one in counts] == [1, 1]
    assert [(one.creating, one.failed, one.pending) for one in counts] == [(0, 0, 0)] * 2
    assert refused(huawei, "delete_workspace", workspace_id=workspace) == (400, "ModelArts.0101")
    huawei.ask("delete_pool", pool_name=made.metadata.name)
    assert refused(huawei, "delete_workspace", workspace_id=workspace) == (400, "ModelArts.0101")
    huawei.ask("delete_network", network_name=net.metadata.name)
    assert huawei.ask("delete_workspace", workspace_id=workspace).workspace_id == workspace
    assert refused(huawei, "list_pools", workspace_id=workspace) == (400, "ModelArts.50004000")


def is_the_only_workload(huawei: Sdk, name: str, notebook: str, *, node: str) -> None:
    """Raise unless the pool has the notebook, which runs on that node, and nothing else."""
    address = huawei.ask("show_pool_node", pool_name=name, node_name=node).status.private_ip
    (found,) = huawei.ask("list_workloads", pool_name=name, hostip=[address, "192.0.2.1"]).items
    assert (found.uid, found.job_name, found.type, found.status) == (notebook, "nb-pool", "notebook", "Running")
    assert (found.host_ips, found.nodes[0].resource_requirement.cpu) == (address, "1")
    raw = huawei.raw("list_workloads", pool_name=name, type="notebook", sort="create_time", ascend=True, limit=1)
    assert raw["items"][0]["jobUUID"] == notebook
    assert huawei.ask("list_workloads", pool_name=name, status="Failed").items == []
    (counted,) = huawei.ask("show_workload_statistics", pool_name=name).statistics.items
    assert (counted.type, counted.total, counted.status.running, counted.status.failed) == ("notebook", 1, 1, 0)


def walked_while_it_grows(huawei: Sdk, name: str) -> set[str]:
    """The names of the pool's three nodes, one a page, and of the two that are added after the first page."""
    first = huawei.ask("list_pool_nodes", pool_name=name, limit=1)
    seen, place = [first.items[0].metadata.name], first.metadata._continue
    assert first.metadata.remaining_item_count == 2
    resized(huawei, name, 4)
    while place:
        page = huawei.ask("list_pool_nodes", pool_name=name, limit=1, _continue=place)
        seen += [one.metadata.name for one in page.items]
        place = page.metadata._continue
    own = huawei.ask("list_node_pool_nodes", pool_name=name, nodepool_name="nodepool-1", limit="0").items
    assert [one.metadata.name for one in own] == seen[1:]
    assert len(seen) == len(set(seen))
    return set(seen)


def subnet(huawei: Sdk, net: Any) -> str:
    """The id of the network's subnet, as its nodes name it: the client's type of a network has none."""
    (found,) = huawei.ask("list_pools", label_selector="os.modelarts/name=pool-demo").items
    assert found.spec.network.name == net.metadata.name
    nodes = huawei.ask("list_pool_nodes", pool_name=found.metadata.name).items
    (id,) = {one.spec.host_network.subnet for one in nodes}
    return id


def placed(huawei: Sdk, name: str) -> str:
    """The id of a new notebook in the pool."""
    image = next(found for found in huawei.ask("list_image", type="BUILD_IN").data if found.name == "jupyterlab")
    body = sdk.NotebookCreateRequest(
        name="nb-pool",
        image_id=image.id,
        flavor="modelarts.vm.cpu.1u",
        pool_id=name,
        volume=sdk.VolumeMountRequest(category="EVS", ownership="MANAGED", capacity=10),
    )
    return huawei.ask("create_notebook", body=body).id
