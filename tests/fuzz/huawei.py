"""Calls of every operation that ModelArts' dialect declares: signed as they must be, with parameters of every kind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import structs

from tests.crash.scnet import Key
from tests.fuzz.calls import Call, Known, call_of
from tests.fuzz.dice import Dice, chance, one_of
from tests.fuzz.speaking import Answer, Connection
from tests.fuzz.village import MARK, Village
from tests.worlds import site_in
from trivium.base.keyring import Keyring
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings, signing
from trivium.dialects.operation import Operation

STATUSES = frozenset({200, 201, 204, 400, 401, 403, 404, 405, 409, 413})
IAM = b"/v3/"


@dataclass(frozen=True)
class Stock:
    """The names of somebody's networks, pools and nodes."""

    networks: tuple[str, ...]
    pools: tuple[str, ...]  # the site's own first
    nodes: tuple[str, ...]

    def likely(self) -> dict[str, tuple[Any, ...]]:
        """Values that calls of these may well have."""
        named = {"labels": {"os.modelarts/name": "pool-fuzz"}, "annotations": {"os.modelarts/description": "x"}}
        part = {"flavor": "modelarts.vm.cpu.1u", "count": 1, "maxCount": 1}
        spec = {"type": "Dedicate", "scope": ["Notebook"], "resources": [part], "network": {"name": self.networks[0]}}
        return {
            "pool_name": (*self.pools, "x"),
            "nodepool_name": ("modelarts.vm.cpu.1u-Default", "x"),
            "node_name": (*self.nodes, "x"),
            "nodeNames": (list(self.nodes), ["x"], []),
            "deleteNodeNames": (list(self.nodes), ["x"], []),
            "actions": (["delete"], ["drain", "reboot"]),
            "apiVersion": ("v1", "v2"),
            "kind": ("Pool", "NodePool", "Network"),
            "metadata": (named, {"name": "parts", "annotations": {}}, {"annotations": {"a": None}}),
            "spec": (spec, {"resources": part}, {"cidr": "172.16.0.0/16"}, {"resources": [part]}),
            "labelSelector": ("os.modelarts/name=pool-fuzz", "a in (b,c),!d", "a=="),
            "involvedName": self.pools,
            "resource": ("pools", "nodes"),
            "continue": ("b2Zmc2V0PTE",),
            "since": (0, 1 << 45),
        }


@dataclass(frozen=True)
class Surface:
    """What somebody who tries everything knows of ModelArts' side of the village."""

    key: Key
    projects: tuple[str, ...]  # their own first
    known: Known


def operations() -> tuple[Operation, ...]:
    """All that the dialect declares."""

    class Parts:
        keyring = Keyring(bytes(32))
        site = site_in(Path("/nowhere"))

    core: Any = Parts()
    return ModelArtsDialect(core, ModelArtsSettings()).operations


def surface(village: Village) -> Surface:
    """The surface, as the two users of the village see it."""
    with Connection(village.site.port) as connection:
        projects = [
            _asked(connection, user.key, b"/v3/projects")["projects"][0]["id"]
            for user in (village.mallory, village.victim)
        ]
        own, theirs = (
            [one["id"] for one in _asked(connection, user.key, f"/v1/{project}/notebooks".encode())["data"]]
            for user, project in zip((village.mallory, village.victim), projects, strict=True)
        )
        images = _asked(connection, village.mallory.key, f"/v1/{projects[0]}/images".encode())["data"]
        made = _stocked(connection, village.mallory.key, projects[0], title="net-fuzz")
        hidden = _stocked(connection, village.victim.key, projects[1], title=f"net-{MARK}")
    by_name: Mapping[str, tuple[Any, ...]] = {
        **made.likely(),
        "network_name": (*made.networks, *hidden.networks, "x"),
        "id": (*own, *theirs, images[0]["id"], "1"),
        "image_id": (images[0]["id"], theirs[0]),
        "flavor": ("modelarts.vm.dcu.1u", "modelarts.vm.cpu.1u", "cpu"),
        "status": ("RUNNING", "STOPPED", "ERROR"),
        "feature": ("NOTEBOOK", "DEFAULT"),
        "sort_key": ("create_at", "name,status", "token"),
        "sort_dir": ("ASC", "DESC"),
        "limit": (10, "1"),
        "offset": (0, "1"),
        "type": ("BUILD_IN", "MANAGED", "TIMING", "IDLE"),
        "duration": (-1, 3600000),
        "name": ("nb", "small"),
        "volume": ({"category": "EVS", "ownership": "MANAGED"},),
        "workspace_id": ("0", "1"),
        "resource_id": (*own, *theirs, "1"),
        "instance_id": (*own, *theirs, "1"),
        "storage_id": (*own, "1"),
        "tags": ([{"key": "env", "value": "prod"}], "env|prod"),
        "namespace": ("team", "Team/a"),
        "uri": ("obs://shared", "../shared"),
        "mount_path": ("/data/a", "/etc"),
        "storage_new_size": (20, 4097),
    }
    return Surface(village.mallory.key, tuple(projects), Known(tokens=("",), by_name=dict(by_name)))


def signed_call(dice: Dice, operation: Operation, there: Surface) -> Call:
    """A call of an operation, in most cases of the caller's own project and rightly signed."""
    project = there.projects[0] if chance(dice, 85) else one_of(dice, there.projects)
    placed = structs.replace(operation, path=operation.path.replace("{project_id}", project))
    call = call_of(dice, placed, there.known)
    headers = _signed(there.key, call) if chance(dice, 92) else call.headers
    return replace(call, headers=headers)


def judged(village: Village, call: Call, answer: Answer) -> None:
    """AssertionError where an answer of the dialect's is not as every answer must be."""
    where = f"{call.raw()[:3000]!r}\n{answer}"
    assert answer.status in STATUSES, where
    assert any(name == "x-request-id" for name, _ in answer.headers), where
    if answer.status == 204 or not answer.body:
        return
    assert answer.type == "application/json", where
    told = answer.json()
    assert isinstance(told, dict), where
    if answer.status >= 400 and not call.target.startswith(IAM):
        assert set(told) - {"request_id"} == {"error_code", "error_msg"}, where
    sent = call.raw()
    said = answer.body.decode()
    assert [text for text in village.planted if text in said and text.encode() not in sent] == [], where


def _stocked(connection: Connection, key: Key, project: str, *, title: str) -> Stock:
    """What somebody has, a network among it; a pool, too, where they may have one."""
    at, in_pools = f"/v1/{project}/networks".encode(), f"/v2/{project}/pools".encode()
    if not _asked(connection, key, at)["items"]:
        labels = {"os.modelarts/name": title}
        body = {
            "apiVersion": "v1",
            "kind": "Network",
            "metadata": {"labels": labels},
            "spec": {"cidr": "192.168.0.0/24"},
        }
        _told(connection, key, at, body)
    networks = [one["metadata"]["name"] for one in _asked(connection, key, at)["items"]]
    if len(_asked(connection, key, in_pools)["items"]) == 1:
        spec = {"type": "Dedicate", "scope": ["Notebook"], "network": {"name": networks[0]}}
        spec |= {"resources": [{"flavor": "modelarts.vm.cpu.1u", "count": 1}]}
        labels = {"os.modelarts/name": "pool-fuzz"}
        _told(
            connection,
            key,
            in_pools,
            {"apiVersion": "v2", "kind": "Pool", "metadata": {"labels": labels}, "spec": spec},
        )
    pools = [one["metadata"]["name"] for one in _asked(connection, key, in_pools)["items"]]
    found = _asked(connection, key, f"/v2/{project}/pools/{pools[-1]}/nodes".encode())["items"]
    return Stock(tuple(networks), tuple(pools), tuple(one["metadata"]["name"] for one in found))


def _told(connection: Connection, key: Key, target: bytes, body: dict[str, Any]) -> None:
    """Ask for something new; that may be refused, as what was made by trying may have taken its place."""
    raw, kind = json.dumps(body).encode(), (("Content-Type", b"application/json"),)
    call = Call(operation="", method="POST", target=target, headers=kind, body=raw)
    assert connection.ask(replace(call, headers=_signed(key, call)).raw()).status < 500


def _asked(connection: Connection, key: Key, target: bytes) -> Any:
    call = Call(operation="", method="GET", target=target, headers=(), body=b"")
    answer = connection.ask(replace(call, headers=_signed(key, call)).raw())
    assert answer.status == 200, answer
    return answer.json()


def _signed(key: Key, call: Call) -> tuple[tuple[str, bytes], ...]:
    path, _, query = call.target.partition(b"?")
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    signature = signing.expected(
        key.secret_key,
        method=call.method,
        raw_path=path,
        raw_query=query,
        headers=[("x-sdk-date", stamp.encode())],
        payload=hashlib.sha256(call.body).hexdigest(),
        stamp=stamp,
    )
    said = f"SDK-HMAC-SHA256 Access={key.access_key}, SignedHeaders=x-sdk-date, Signature={signature}"
    others = tuple(pair for pair in call.headers if pair[0] in ("Content-Type", "X-Request-Id"))
    return (*others, ("X-Sdk-Date", stamp.encode()), ("Authorization", said.encode()))
