"""What the two users of the village have of ModelArts' things: made with calls of the dialect itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from tests.crash.scnet import Key
from tests.fuzz.calls import Call
from tests.fuzz.speaking import Connection
from tests.fuzz.village import MARK, Village
from trivium.dialects.modelarts import signing

LABEL: Final = "os.modelarts/name"
NODE: Final = "modelarts.vm.cpu.1u"
ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
LIVELY: Final = frozenset({"availableResources", "revision"})
"""What changes by itself."""


@dataclass(frozen=True)
class Stock:
    """The names of what somebody has."""

    project: str
    networks: tuple[str, ...]
    pools: tuple[str, ...]  # the site's own first
    nodes: tuple[str, ...]
    notebooks: tuple[str, ...]
    images: tuple[str, ...]  # and their groups
    workspaces: tuple[str, ...]
    orders: tuple[str, ...]


class Owner:
    """A user who asks for what is theirs, and for more of it."""

    def __init__(self, connection: Connection, key: Key) -> None:
        self._connection = connection
        self._key = key
        self.project = self.asked("/v3/projects")["projects"][0]["id"]

    def asked(self, target: str) -> Any:
        """What is answered. AssertionError for a refusal."""
        call = Call(operation="", method="GET", target=target.encode(), headers=(), body=b"")
        answer = self._connection.ask(replace(call, headers=signed(self._key, call)).raw())
        assert answer.status == 200, answer
        return answer.json()

    def told(self, target: str, body: dict[str, Any]) -> None:
        """Ask for something; that may be refused, as what was made by trying may have taken its place."""
        raw, kind = json.dumps(body).encode(), (("Content-Type", b"application/json"),)
        call = Call(operation="", method="POST", target=target.encode(), headers=kind, body=raw)
        assert self._connection.ask(replace(call, headers=signed(self._key, call)).raw()).status < 500

    def furnish(self, word: str) -> Stock:
        """What they have; of networks, pools, tags and workspaces at least one each, which are called by a word."""
        v1, v2 = f"/v1/{self.project}", f"/v2/{self.project}"
        if not self.asked(f"{v1}/networks")["items"]:
            spec, labels = {"cidr": "192.168.0.0/24"}, {LABEL: f"net-{word}"}
            body = {"apiVersion": "v1", "kind": "Network", "metadata": {"labels": labels}, "spec": spec}
            self.told(f"{v1}/networks", body)
        networks = [one["metadata"]["name"] for one in self.asked(f"{v1}/networks")["items"]]
        if len(self.asked(f"{v2}/pools")["items"]) == 1:
            spec = {"type": "Dedicate", "scope": ["Notebook"], "network": {"name": networks[0]}}
            spec |= {"resources": [{"flavor": NODE, "count": 1}]}
            labels = {LABEL: f"pool-{word}"}
            self.told(f"{v2}/pools", {"apiVersion": "v2", "kind": "Pool", "metadata": {"labels": labels}, "spec": spec})
            pool = self.asked(f"{v2}/pools")["items"][-1]["metadata"]["name"]
            self.told(f"{v1}/pools/{pool}/tags/create", {"tags": [{"key": f"key-{word}", "value": f"value-{word}"}]})
        if not self.asked(f"{v1}/notebooks")["total"]:
            image = self.asked(f"{v1}/images?type=BUILD_IN&name=small")["data"][0]["id"]
            volume = {"category": "EVS", "ownership": "MANAGED"}
            body = {"name": f"nb-{word}", "image_id": image, "flavor": "modelarts.vm.dcu.1u", "volume": volume}
            self.told(f"{v1}/notebooks", body)
        self.told(f"{v1}/workspaces", {"name": f"room-{word}", "description": f"of {word}"})
        for notebook in self.asked(f"{v1}/notebooks?limit=1000")["data"][:1]:
            tags = {"tags": [{"key": f"tag-{word}", "value": "x"}]}
            self.told(f"{v1}/notebooks/{notebook['id']}/tags/create", tags)
        return self.stock()

    def stock(self) -> Stock:
        """What they have now."""
        v1, v2 = f"/v1/{self.project}", f"/v2/{self.project}"
        pools = [one["metadata"]["name"] for one in self.asked(f"{v2}/pools")["items"]]
        return Stock(
            project=self.project,
            networks=_named(self.asked(f"{v1}/networks")),
            pools=tuple(pools),
            nodes=_named(self.asked(f"{v2}/pools/{pools[-1]}/nodes")),
            notebooks=tuple(one["id"] for one in self.asked(f"{v1}/notebooks?limit=1000")["data"]),
            images=tuple(
                one["id"]
                for kind in ("images", "images/group")
                for one in self.asked(f"{v1}/{kind}?type=DEDICATED")["data"]
            ),
            workspaces=tuple(one["id"] for one in self.asked(f"{v1}/workspaces")["workspaces"]),
            orders=tuple(one["orderName"] for one in self.asked(f"{v1}/orders")["items"]),
        )

    def possessions(self) -> Any:
        """All that they have, as they see it; what changes by itself left out."""
        v1, v2 = f"/v1/{self.project}", f"/v2/{self.project}"
        lists = ["networks", "workspaces", "orders", "notebooks/tags", "pools/tags", "quotas", "images?type=DEDICATED"]
        lists += [
            "images/group?type=DEDICATED",
            "notebooks?limit=1000",
            "notebooks?feature=DEFAULT",
            "notebooks?status=DELETED&limit=1000",
        ]
        found = {name: self.asked(f"{v1}/{name}") for name in lists}
        for pool in self.stock().pools[1:]:
            found |= {name: self.asked(f"{v2}/pools/{pool}{name}") for name in ("", "/nodepools", "/nodes")}
            found["events"] = self.asked(f"{v1}/events?resource=pools&name={pool}")
        return _still(found)


@contextmanager
def owner(village: Village, key: Key) -> Iterator[Owner]:
    """One of the village's users, on a connection of their own."""
    with Connection(village.site.port) as connection:
        yield Owner(connection, key)


def furnished(village: Village, key: Key, word: str) -> Stock:
    """What a user has, once they have something of everything."""
    with owner(village, key) as who:
        return who.furnish(word)


def planted(village: Village, stock: Stock) -> tuple[str, ...]:
    """Texts that only the answers to the other user may have in them: names, and ids that nothing else has."""
    own = (*stock.networks, *stock.pools[1:], *stock.nodes, *stock.orders)
    with owner(village, village.victim.key) as victim, owner(village, village.mallory.key) as mallory:
        ids = _ids(victim.possessions()) - _ids(mallory.possessions())
    return (*village.planted, MARK, stock.project, *own, *sorted(ids))


def signed(key: Key, call: Call) -> tuple[tuple[str, bytes], ...]:
    """A call's headers with those of a signature, of its time alone."""
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


def _ids(told: Any) -> frozenset[str]:
    return frozenset(ID.findall(json.dumps(told)))


def _named(listed: Any) -> tuple[str, ...]:
    return tuple(one["metadata"]["name"] for one in listed["items"])


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _still(part) for name, part in value.items() if name not in LIVELY}
    return [_still(part) for part in value] if isinstance(value, list) else value
