"""Calls of every operation that ModelArts' dialect declares: signed as they must be, with parameters of every kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from tests.crash.scnet import Key
from tests.fuzz.calls import Call, Known, call_of
from tests.fuzz.dice import Dice, chance, one_of
from tests.fuzz.speaking import Answer, Connection
from tests.fuzz.stock import NODE, Stock, furnished, owner, planted, signed
from tests.fuzz.village import PASSWORD, Village
from tests.worlds import site_in
from trivium.base.keyring import Keyring
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings
from trivium.dialects.operation import Operation

STATUSES: Final = frozenset({200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 501})
IAM: Final = b"/v3/"
JSON: Final = (b"application/json", b"application/json;charset=utf-8", b"application/merge-patch+json")


@dataclass(frozen=True)
class Surface:
    """What somebody who tries everything knows of ModelArts' side of the village."""

    key: Key
    token: str  # of IAM
    own: Stock
    theirs: Stock
    known: Known
    made_of: Mapping[str, dict[str, tuple[Any, ...]]]  # the same for single operations
    planted: tuple[str, ...]  # texts that no answer may have in it


def operations() -> tuple[Operation, ...]:
    """All that the dialect declares."""

    class Parts:
        keyring = Keyring(bytes(32))
        site = site_in(Path("/nowhere"))

    core: Any = Parts()
    return ModelArtsDialect(core, ModelArtsSettings()).operations


def surface(village: Village, theirs: Stock) -> Surface:
    """The surface, as one of the two users of the village sees it."""
    own = furnished(village, village.mallory.key, "fuzz")
    with owner(village, village.mallory.key) as mallory:
        image = mallory.asked(f"/v1/{own.project}/images?type=BUILD_IN")["data"][0]["id"]
    token = _token(village, village.mallory.key)
    user = {"name": village.mallory.key.user, "password": PASSWORD, "domain": {"name": "default"}}
    known = Known(tokens=("",), by_name=_likely(own, theirs, image) | {"user": (user,)})
    key, made_of = village.mallory.key, _made_of(own, theirs)
    return Surface(key, token, own, theirs, known=known, made_of=made_of, planted=planted(village, theirs))


def signed_call(dice: Dice, operation: Operation, there: Surface) -> Call:
    """A call of an operation, in most cases of the caller's own project, with a right signature or token."""
    project = there.own.project if chance(dice, 85) else there.theirs.project
    placed = structs.replace(operation, path=operation.path.replace("{project_id}", project))
    known = replace(there.known, by_name=there.known.by_name | there.made_of.get(operation.name, {}))
    call = call_of(dice, placed, known)
    if call.body and chance(dice, 85):
        others = tuple(pair for pair in call.headers if pair[0] != "Content-Type")
        call = replace(call, headers=(*others, ("Content-Type", one_of(dice, JSON))))
    if chance(dice, 15):
        return replace(call, headers=(*call.headers, ("X-Auth-Token", there.token.encode())))
    return replace(call, headers=signed(there.key, call)) if chance(dice, 92) else call


def judged(there: Surface, call: Call, answer: Answer) -> None:
    """AssertionError where an answer of the dialect's is not as every answer must be."""
    where = f"{call.raw()[:3000]!r}\n{answer}"
    assert answer.status in STATUSES, where
    assert any(name == "x-request-id" for name, _ in answer.headers), where
    if call.target.startswith((f"/v1/{there.theirs.project}".encode(), f"/v2/{there.theirs.project}".encode())):
        assert answer.status >= 400, where
    if answer.status == 204:
        assert answer.body == b"", where
        return
    assert answer.type == "application/json", where
    told = answer.json()
    assert isinstance(told, dict), where
    if answer.status >= 400:
        _refused(told, call, where)
    sent, said = call.raw().decode("latin-1"), answer.body.decode()
    assert [text for text in there.planted if text in said and text not in sent] == [], where


def _refused(told: Any, call: Call, where: str) -> None:
    if call.target.startswith(IAM):
        assert set(told) == {"error"}, where
        assert set(told["error"]) == {"code", "message", "title"}, where
        return
    assert set(told) - {"request_id"} == {"error_code", "error_msg"}, where
    assert all(isinstance(part, str) and part for part in told.values()), where
    assert ("request_id" in told) == told["error_code"].startswith("APIGW."), where


def _token(village: Village, key: Key) -> str:
    user = {"name": key.user, "password": PASSWORD, "domain": {"name": "default"}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    call = Call("", "POST", b"/v3/auth/tokens", (("Content-Type", b"application/json"),), json.dumps(body).encode())
    with Connection(village.site.port) as connection:
        answer = connection.ask(call.raw())
    assert answer.status == 201, answer
    return next(value for name, value in answer.headers if name == "x-subject-token")


def _likely(own: Stock, theirs: Stock, image: str) -> dict[str, tuple[Any, ...]]:
    """Values that calls may well have, by the names of their fields."""
    every = (*own.notebooks, *theirs.notebooks)
    return {
        **_of_pools(own, theirs),
        "network_name": (*own.networks, *theirs.networks, "x"),
        "id": (*own.notebooks, *every, image, *own.images, *theirs.images, "1"),
        "swr_path": ("swr.example.com/team/a:1.0",),
        "image_id": (image, image, *own.images, *theirs.images, *theirs.notebooks),
        "flavor": ("modelarts.vm.dcu.1u", NODE, "cpu"),
        "status": ("RUNNING", "STOPPED", "ERROR", "DELETED"),
        "feature": ("NOTEBOOK", "DEFAULT"),
        "sort_key": ("create_at", "name,status", "token"),
        "sort_dir": ("ASC", "DESC"),
        "limit": (10, "1"),
        "offset": (0, "1"),
        "type": ("BUILD_IN", "MANAGED", "TIMING", "IDLE"),
        "duration": (-1, 3600000),
        "name": ("nb", "small", "room-fuzz"),
        "volume": ({"category": "EVS", "ownership": "MANAGED"},),
        "workspace_id": ("0", *own.workspaces, *theirs.workspaces, "1"),
        "workspaceId": ("0", *theirs.workspaces, "1"),
        "resource_id": (*every, "1"),
        "instance_id": (*every, "1"),
        "storage_id": (*own.notebooks, "1"),
        "tags": ([{"key": "env", "value": "prod"}], "env|prod"),
        "namespace": ("team", "Team/a"),
        "uri": ("obs://shared", "../shared"),
        "mount_path": ("/data/a", "/etc"),
        "storage_new_size": (20, 4097),
        "order_name": (*own.orders, *theirs.orders, "x"),
        "methods": (["password"], ["token"]),
        "sort_by": ("name", "update_time"),
        "order": ("asc", "desc"),
        "auth_type": ("PUBLIC", "PRIVATE"),
        "category": ("CPU", "EVS"),
        "ownership": ("MANAGED",),
        "billing": ("ALL", "STORAGE"),
        "service_type": ("COMMON", "DEV"),
        "flavor_type": ("ASCEND_SNT9",),
        "ip": ("10.0.0.1",),
        "owner": ("0" * 32,),
        "grants": ([],),
    }


def _of_pools(own: Stock, theirs: Stock) -> dict[str, tuple[Any, ...]]:
    named = {"labels": {"os.modelarts/name": "pool-fuzz"}, "annotations": {"os.modelarts/description": "x"}}
    nodes = (list(own.nodes), list(own.nodes), list(theirs.nodes), ["x"], [])
    pools = (*own.pools[1:], *own.pools, *theirs.pools)
    return {
        "pool_name": (*pools, "x"),
        "pool_id": (*pools, "x"),
        "nodepool_name": (f"{NODE}-Default", "parts", "x"),
        "node_name": (*own.nodes, *theirs.nodes, "x"),
        "nodeNames": nodes,
        "deleteNodeNames": nodes,
        "actions": (["delete"], ["drain", "reboot"]),
        "apiVersion": ("v1", "v2"),
        "kind": ("Pool", "NodePool", "Network"),
        "metadata": (named, {"annotations": {"os.modelarts/description": "y"}}, {"annotations": {"a": None}}, None),
        "labelSelector": ("os.modelarts/name=pool-fuzz", "a in (b,c),!d", "a=="),
        "involvedName": pools,
        "resource": ("pools", "pools", "nodes"),
        "continue": ("", "b2Zmc2V0PTE"),
        "since": (0, 1 << 41),
        "until": (1 << 41,),
    }


def _made_of(own: Stock, theirs: Stock) -> dict[str, dict[str, tuple[Any, ...]]]:
    """What new pools, node pools and networks are made of, and what changes of them are."""
    named = {"labels": {"os.modelarts/name": "pool-fuzz"}, "annotations": {"os.modelarts/description": "x"}}
    part = {"flavor": NODE, "count": 1, "maxCount": 1}
    spec = {"type": "Dedicate", "scope": ["Notebook"], "resources": [part], "network": {"name": own.networks[0]}}
    other = {"labels": {"os.modelarts/name": "pool-other", "os.modelarts/workspace.id": "0"}}
    v1, v2 = {"apiVersion": ("v1",)}, {"apiVersion": ("v2",)}
    stolen = spec | {"network": {"name": theirs.networks[0]}}
    cidrs = tuple({"cidr": f"172.{second}.0.0/16"} for second in range(16, 32))
    events = {"name": (*own.pools, *theirs.pools), "type": ("Normal", "Warning")}
    return {
        "CreatePool": v2 | {"kind": ("Pool",), "metadata": (other, named), "spec": (spec, stolen)},
        "CreateNodePool": v2
        | {"kind": ("NodePool",), "metadata": ({"name": "parts"},), "spec": ({"resources": part},)},
        "CreateNetwork": v1 | {"kind": ("Network",), "metadata": (named,), "spec": cidrs},
        "PatchPool": {"spec": ({"resources": [part]}, {"resources": [part | {"count": 2, "maxCount": 2}]}, {}, None)},
        "PatchNodePool": {"spec": ({"resources": part}, {"resources": {"count": 2, "maxCount": 2}}, {}, None)},
        "PatchNetwork": {"spec": ({"connection": {}}, {}, None)},
        "ListEvents": events,
        "ListPools": {"status": ("created", "failed", "creating")},
        "StartNotebook": {"type": ("TIMING",)},
        "RenewLease": {"type": ("TIMING",)},
    }
