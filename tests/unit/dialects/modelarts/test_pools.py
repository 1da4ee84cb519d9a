"""Between ModelArts' pools, node pools and nodes and the rooms'."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from trivium.base.errors import Conflict, Forbidden, Internal, Invalid, Missing, OverQuota, Unavailable, Unsupported
from trivium.base.units import GIB
from trivium.dialects.modelarts import objects
from trivium.dialects.modelarts.codes import told_of
from trivium.dialects.modelarts.errors import BadNodePoolName, NotHere
from trivium.dialects.modelarts.nodes.translation import Around, node_shape
from trivium.dialects.modelarts.pools.shapes import (
    CreateNodePoolBody,
    NodePoolMetadataBody,
    NodePoolSpecBody,
    ResourceBody,
)
from trivium.dialects.modelarts.pools.translation import Facts as PoolFacts
from trivium.dialects.modelarts.pools.translation import new_node_pool, node_pool_shape, part_named, pool_shape
from trivium.resources.networks import NoSuchNetwork
from trivium.resources.nodes import Cards, Node, NodeDetail, SliceSize
from trivium.resources.pools import NoSuchPool, Pool, PoolDetails, PoolExists, PoolPhase
from trivium.resources.shares import NodePool, NodePoolCount, NoSuchNodePool

AT = datetime(2026, 1, 1, tzinfo=UTC)
POOL = Pool(
    id=1,
    uuid=UUID(int=1),
    name="pool-demo-0f",
    short=1,
    project=2,
    title="pool-demo",
    details=PoolDetails(),
    phase=PoolPhase.ABNORMAL,
    network=None,
    node_prefix="node",
    created_at=AT,
    changed_at=AT,
    deleted_at=None,
)


def part(id: int, name: str, flavor: str = "cpu.1u") -> NodePool:
    return NodePool(
        id=id,
        uuid=UUID(int=id),
        pool=1,
        name=name,
        flavor=flavor,
        size=SliceSize("cpu", "", 0, 1000, GIB),
        count=3,
        max_count=5,
        annotations={},
        created_at=AT,
        changed_at=AT,
    )


@dataclass
class Said:
    """What is the same of most nodes of these tests."""

    ready: bool = True
    cordoned: bool = False
    locked: tuple[str, ...] = ()
    flavor: str = "cpu.4u"


def node(said: Said, *cards: Cards) -> NodeDetail:
    """A slice of 3.92 cores and 6270 MiB, of which 2.97 cores and 4558 MiB are free."""
    return NodeDetail(
        node=Node(
            id=7,
            uuid=UUID(int=7),
            pool=1,
            host="h",
            name="node-1",
            address="127.0.0.1",
            ready=said.ready,
            reason="",
            millicores=3920,
            memory=6270 << 20,
            disk=0,
            held_millicores=950,
            held_memory=1712 << 20,
            seen_at=AT,
            parent=1,
            node_pool=2,
            flavor=said.flavor,
            kind="cpu",
            cards=0,
            sliced_millicores=0,
            sliced_memory=0,
            cordoned=said.cordoned,
            locked=said.locked,
            private_address="192.168.0.1",
            created_at=AT,
            revision=1,
        ),
        cards=cards,
    )


def shown(said: Said, *cards: Cards) -> Any:
    return node_shape(node(said, *cards), Around(pool=POOL.name, node_pool="small", network=None), "az")


def test_what_a_node_has_is_written_as_kubernetes_writes_it() -> None:
    status = shown(Said()).status
    assert status.resources == {"cpu": "3920m", "memory": "6270Mi"}
    assert status.available_resources == {"cpu": "2970m", "memory": "4558Mi"}
    assert (status.phase, status.private_ip, status.az) == ("Available", "192.168.0.1", "az")


@pytest.mark.parametrize(
    ("kind", "model", "name"),
    [
        ("gpu", "A800", "nvidia.com/gpu"),
        ("npu", "Ascend910B", "huawei.com/ascend-snt9"),
        ("npu", "Ascend310P", "huawei.com/ascend-snt3"),
        ("dcu", "K100", "hygon.com/dcu"),
        ("mlu", "MLU370", "cambricon.com/mlu"),
    ],
)
def test_accelerators_have_the_names_that_kubernetes_has_for_them(kind: str, model: str, name: str) -> None:
    status = shown(Said(), Cards(kind=kind, model=model, memory=GIB, total=8, free=3)).status
    assert (status.resources[name], status.available_resources[name]) == ("8", "3")


def test_cards_of_two_models_under_one_name_are_added_up() -> None:
    two = [Cards(kind="gpu", model=model, memory=GIB, total=2, free=1) for model in ("A100", "A800")]
    status = shown(Said(), *two).status
    assert (status.resources["nvidia.com/gpu"], status.available_resources["nvidia.com/gpu"]) == ("4", "2")


def test_a_node_that_is_away_drained_or_locked_says_so() -> None:
    away = shown(Said(ready=False))
    assert (away.status.phase, away.status.driver.phase) == ("Abnormal", "Abnormal")
    kept = shown(Said(cordoned=True, locked=("delete", "reboot")))
    assert kept.metadata.annotations == {
        "os.modelarts.node/lock.action": "delete,reboot",
        "os.modelarts.node/drain": "true",
    }
    assert [taint.effect for taint in kept.status.taints] == ["NoSchedule"]
    assert kept.metadata.labels["os.modelarts.node/nodepool"] == "small"


def test_a_machine_has_a_flavor_of_what_it_has() -> None:
    assert shown(Said(flavor="")).spec.flavor == "modelarts.bm.cpu.3u"
    cards = Cards(kind="dcu", model="K100", memory=GIB, total=8, free=3)
    assert shown(Said(flavor=""), cards).spec.flavor == "modelarts.bm.dcu.8"


def test_pools_have_lists_of_resources_and_node_pools_one_object() -> None:
    there = NodePoolCount(ready=2, unready=1)
    facts = PoolFacts(parts=[(part(1, "a"), there)], network=None, project="", order="")
    resources = pool_shape(POOL, facts, "az").status.resources
    assert [one.count for one in resources.available] == [2]
    assert [one.count for one in resources.abnormal] == [1]
    assert (resources.creating, resources.deleting) == ((), ())
    single = node_pool_shape(part(1, "a"), there, None, zone="az").status.resources
    assert single.abnormal
    assert (single.available.count, single.abnormal.count) == (2, 1)


def test_a_node_pool_is_meant_by_its_name_or_by_a_flavor_that_it_alone_has() -> None:
    parts = [part(1, "a"), part(2, "b"), part(3, "modelarts.vm.cpu.4u-Default", "cpu.4u"), part(4, "c", "dcu.1")]
    named = ResourceBody(flavor="modelarts.vm.cpu.1u", count=1, nodePool="b")
    assert part_named(parts, named) == parts[1]
    assert part_named(parts, ResourceBody(flavor="modelarts.vm.cpu.4u", count=1)) == parts[2]
    assert part_named(parts, ResourceBody(flavor="modelarts.vm.dcu.1", count=1)) == parts[3]
    assert part_named(parts, ResourceBody(flavor="modelarts.vm.cpu.1u", count=1)) is None
    assert part_named(parts, ResourceBody(flavor="modelarts.vm.dcu.1", count=1, nodePool="new")) is None


@pytest.mark.parametrize("name", ["ab", "a-b", "x" * 50, "a1", "default-a", "a-defaults"])
def test_names_of_node_pools_that_can_be(name: str) -> None:
    assert new_node_pool(wanted(name)).name == name


@pytest.mark.parametrize("name", ["", "a", "A1", "1a", "a-", "a_b", "x" * 51, "a-default", "ab\n"])
def test_names_of_node_pools_that_cannot_be(name: str) -> None:
    with pytest.raises(BadNodePoolName):
        new_node_pool(wanted(name))


def wanted(name: str) -> CreateNodePoolBody:
    resources = ResourceBody(flavor="modelarts.vm.cpu.1u", count=1)
    return CreateNodePoolBody(
        apiVersion="v2",
        kind="NodePool",
        metadata=NodePoolMetadataBody(name=name),
        spec=NodePoolSpecBody(resources=resources),
    )


def test_a_description_is_an_annotation_and_a_period_is_not_paid_for() -> None:
    assert objects.split_description({objects.DESCRIPTION: "x", "a": "b"}) == ({"a": "b"}, "x")
    assert objects.said({"a": "b"}, "x") == {"a": "b", objects.DESCRIPTION: "x"}
    assert objects.said({}, "") == {}
    with pytest.raises(NotHere):
        objects.split_description({objects.BILLING: "1"})


IN_POOLS = ["/v2/p/pools", "/v2/p/pools/x/nodes", "/v1/p/networks", "/v1/p/resourceflavors", "/v1/p/events"]


@pytest.mark.parametrize("path", IN_POOLS)
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Missing("name"), 400, "50004000"),
        (Invalid("name"), 400, "50004000"),
        (Conflict(), 400, "50004000"),
        (OverQuota(), 400, "50004000"),
        (Unsupported(), 400, "50004000"),
        (NoSuchPool(), 404, "50015001"),
        (PoolExists(name="x"), 409, "50015000"),
        (NoSuchNetwork(), 404, "50025001"),
        (NoSuchNodePool("x"), 400, "50004000"),
        (Forbidden(), 403, "0108"),
        (Unavailable(), 503, "6101"),
        (Internal(), 500, "50005000"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else None,
)
def test_what_is_refused_of_pools_has_codes_of_its_own(path: str, error: Any, status: int, code: str) -> None:
    told = told_of(error, path)
    assert (told.status, told.code) == (status, f"ModelArts.{code}")


def test_bad_requests_begin_with_these_words_once() -> None:
    assert told_of(Missing("name", "name is required"), "/v2/p/pools").words == "Bad request. name is required."
    assert told_of(NoSuchNodePool("x"), "/v2/p/pools/x").words == "Bad request. invalid nodepool name"
    assert told_of(NoSuchPool(), "/v2/p/pools/x").words == "pool not found"


@pytest.mark.parametrize("path", ["/v1/p/notebooks", "/v1/p/poolside", "/v3/p/pools", "/v1/p/notebooks/pools"])
def test_other_paths_keep_theirs(path: str) -> None:
    assert told_of(Missing("name"), path).code == "ModelArts.6335"
