"""The stage that ModelArts' wire cases play on: SCNet's, whose people ask as ModelArts' clients do."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import UUID

import msgspec

from tests.huawei import BasicCredentials, SdkRequest, Signer, quiet
from tests.listening import Listener
from tests.wire.modelarts import samples, things
from tests.wire.scnet import stage as scnet
from tests.worlds import Person, World
from trivium.base.caller import Caller
from trivium.base.query import Offset, Order, Query
from trivium.dialects.modelarts import ModelArtsDialect
from trivium.dialects.modelarts.auth import TOKEN_MARK
from trivium.dialects.operation import Reply, Request
from trivium.resources import images as image_room
from trivium.resources import networks, notebooks, pools, projects, quotas, shares, users, workspaces
from trivium.resources.images import GroupQuery, Image, Registration, Visibility
from trivium.resources.networks import NewNetwork
from trivium.resources.notebooks import Feature, LeaseAsked
from trivium.resources.pools import PoolDetails
from trivium.resources.shares import NewNodePool, NewPool
from trivium.resources.tags import Tag
from trivium.resources.users import SessionKind
from trivium.resources.workspaces import Audience
from trivium.server.http.routes import Found, Routes

AGES: Final = {"now": 0, "20 minutes ago": -1200, "in 20 minutes": 1200, "14 minutes ago": -840}
PASSWORD: Final = "correct horse"
GRANTED: Final = "granted"

Ask = Callable[[Request], Awaitable[tuple[int, str, Any, dict[str, str]]]]


class Stage(scnet.Stage):
    """What the cases of a run have in common."""

    def __init__(self, world: World, dialect: ModelArtsDialect, images: dict[str, Image]) -> None:
        self.world = world
        self.images = images
        self.speaker = dialect
        self._projects: list[Caller] = []
        self._names_of_images: dict[str, Any] = {}

    def person_names(self, label: str, person: Person) -> dict[str, Any]:
        """What a case may say of a person: their name, ids, key, token and password."""
        store, token = self.world.core.store, TOKEN_MARK + secrets.token_hex(20)
        store.write_now(users.set_password, person.caller, person.caller.user, password=_password())
        store.write_now(
            users.open_session, person.caller, SessionKind.MODELARTS, lifetime=timedelta(hours=1), token=token
        )
        self._projects.append(person.caller)
        told = {
            "name": person.name,
            "id": store.read_now(users.get, person.caller.user).uuid.hex,
            "project": store.read_now(projects.get, person.caller.project).uuid.hex,
            "access_key": person.key.access_key,
            "secret": person.key.secret,
            "token": token,
            "password": PASSWORD,
        }
        return {f"{label}.{name}": value for name, value in told.items()}

    def common_names(self) -> dict[str, Any]:
        """What a case may say of the site."""
        core = self.world.core
        pool = core.store.read_now(pools.default_pool)
        assert pool is not None
        domain = core.store.read_now(projects.get_domain)
        told = {"site.name": core.site.name, "pool.name": pool.name, "domain.id": domain.uuid.hex}
        if not self._names_of_images:  # of the operator's, which no case changes
            for label, image in self.images.items():
                self._names_of_images |= image_names(label, image)
                self._names_of_images |= self._group_names(self.world.admin, label, image)
        told |= self._names_of_images
        return told

    async def step(self, told: dict[str, Any], people: dict[str, Person], names: dict[str, Any]) -> None:
        """Carry out one step of what is given before."""
        if samples.put(self.world.core.store, people[told.get("of", "alice")].caller, told, names):
            return
        if things.put(self.world.core.store, people[told.get("of", "alice")].caller, told, names):
            return
        if "registered" in told:
            self._register(told, people[told.get("by", "alice")].caller, names)
        else:
            await self._other_step(told, people, names)

    async def _other_step(self, told: dict[str, Any], people: dict[str, Person], names: dict[str, Any]) -> None:
        if GRANTED in told:
            given, of = people[told[GRANTED]], people[told["in"]]
            self.world.core.store.write_now(
                users.grant, self.world.admin, given.caller.user, project=of.caller.project, role=given.caller.role
            )
            return
        if {"pool", "network", "allowed", "locked", "tagged"} & told.keys() and "notebook" not in told:
            await self._of_pools(told, people[told.get("of", "alice")].caller, names)
            return
        if "disabled" in told:
            self.world.core.store.write_now(users.disable, self.world.admin, people[told["disabled"]].caller.user)
            return
        if "key deleted" in told:
            person = people[told["key deleted"]]
            self.world.core.store.write_now(users.delete_key, person.caller, person.key.access_key)
            return
        if "pool" not in told and "placed in" in told:
            told = {**told, "pool": names[f"{told['placed in']}.name"]}
            del told["placed in"]
        if "workspace" in told and "named" in told:
            await self._make_workspace(told, people, names)
            return
        if "of notebook" in told:
            await self._of_notebook(told, people, names)
            return
        saved = told.get("image") if "saved" in told else None
        await super().step(_asked(told, names), people, names)
        if saved:
            names |= {f"{saved}.uuid": _dashed(names[f"{saved}.id"])}
            caller = people[told["saved"]].caller
            names |= self._group_names(caller, saved, self._image(caller, names[f"{saved}.uuid"]))
        if "notebook" in told:
            made = self.world.core.store.read_now(_uuid_of, names[f"{told['notebook']}.number"])
            names |= {f"{told['notebook']}.uuid": made}

    async def clear_pools(self) -> None:
        """Leave no pool of anybody's."""
        for caller in self._projects:
            await self.world.core.store.write(_without_pools, self.world.admin, caller.project)
        self._projects.clear()

    async def _of_pools(self, told: dict[str, Any], caller: Caller, names: dict[str, Any]) -> None:
        """A pool or network that is made, a number of pools that is allowed, or a node that is locked."""
        store, admin = self.world.core.store, self.world.admin
        if "allowed" in told:
            store.write_now(quotas.set_most, admin, caller.project, name=quotas.POOLS, most=told["allowed"])
        elif "tagged" in told:
            given = [Tag(key=key, value=value) for key, value in told["with"].items()]
            store.write_now(shares.put_tags, caller, names[f"{told['tagged']}.name"], given=given)
        elif "locked" in told:
            pool, node = names[f"{told['in pool']}.name"], names[told["locked"]]
            store.write_now(shares.lock_nodes, caller, pool, node=node, actions=told["against"])
        else:
            names |= await store.write(_made, admin, caller, told, names)

    def _register(self, told: dict[str, Any], caller: Caller, names: dict[str, Any]) -> None:
        """An image that a project has as its own."""
        given = tuple(Tag(key=key, value=value) for key, value in told.get("tags", {}).items())
        as_ = Registration(
            path=names[f"{told['registered']}.path"],
            read_me=told.get("read_me"),
            tags=given,
            visibility=Visibility(told.get("visibility", "private")),
        )
        made = self.world.core.store.write_now(image_room.register, caller, as_)
        names |= image_names(told["image"], made) | self._group_names(caller, told["image"], made)

    def _image(self, caller: Caller, uuid: str) -> Image:
        return self.world.core.store.read_now(image_room.by_uuid, caller, UUID(uuid))

    def _group_names(self, caller: Caller, label: str, image: Image) -> dict[str, Any]:
        found = self.world.core.store.search_now(image_room.list_groups, caller, GroupQuery(name=image.name))
        return {f"{label}.group": str(next(one.uuid for one in found.rows if one.id == image.group))}

    async def _make_workspace(self, told: dict[str, Any], people: dict[str, Person], names: dict[str, Any]) -> None:
        person = people[told.get("of", "alice")]
        audience = Audience(told.get("audience", "public"))
        made = self.world.core.store.write_now(workspaces.create, person.caller, name=told["named"], audience=audience)
        label = told["workspace"]
        names |= {f"{label}.id": _bare(made.uuid), f"{label}.number": made.id, f"{label}.name": made.name}

    async def _of_notebook(self, told: dict[str, Any], people: dict[str, Person], names: dict[str, Any]) -> None:
        """Something that is done to a notebook that is there."""
        store, caller = self.world.core.store, people[told.get("of", "alice")].caller
        notebook = names[f"{told['of notebook']}.number"]
        if "tags" in told:
            given = [Tag(key=key, value=value) for key, value in told["tags"].items()]
            store.write_now(notebooks.put_tags, caller, notebook, given=given)
        if told.get("released"):
            await self.world.pause()
            store.write_now(notebooks.release, caller, notebook)


@asynccontextmanager
async def given(stage: Stage, steps: list[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    """The prior state of a case, and the names of what is in it; nothing of it is left in the end."""
    try:
        async with scnet.given(stage, steps) as names:
            yield names
    finally:
        await stage.clear_pools()


def _asked(told: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """A step with the values that a notebook's are, for what a case can only write as text."""
    found = dict(told)
    if "feature" in found:
        found["feature"] = Feature(found["feature"])
    if "minutes" in found:
        found["lease"] = LeaseAsked(duration=timedelta(minutes=found.pop("minutes")))
    if "workspace" in found:
        found["workspace"] = names[f"{found['workspace']}.number"]
    return found


def image_names(label: str, image: Image) -> dict[str, Any]:
    """What a case may say of an image."""
    told = {"path": image.path, "tag": image.tag, "name": image.name, "uuid": str(image.uuid)}
    return {f"{label}.{name}": value for name, value in told.items()}


def request_of(told: dict[str, Any], names: dict[str, Any], base_url: str, routes: Routes) -> Request:
    """The request that a case tells of, its names already filled in, signed by Huawei's own client."""
    headers = {"host": urlsplit(base_url).netloc, "user-agent": "wire", **told.get("headers", {})}
    body = told["text"].encode() if "text" in told else b""
    if "body" in told:
        body = msgspec.json.encode(told["body"])
    headers.setdefault("content-type", "application/json")
    query, path = told.get("query", ""), quote(told["path"], safe="/-_.~%")
    who, way = told.get("as", "alice"), told.get("with", "key")
    if way == "key":
        changed = {name: told[name] for name in ("access_key", "secret", "at") if name in told}
        headers = signed({"path": path, "query": query, **told}, body, headers, names | {"as": who}, **changed)
    elif way == "token":
        headers["x-auth-token"] = told.get("token", names[f"{who}.token"])
    query, body = told.get("tampered query", query), told.get("tampered text", body.decode()).encode()
    found = routes.find(told["method"], told["path"], path.encode())
    origin = urlsplit(base_url)
    return Request(
        method=told["method"],
        path=told["path"],
        raw_path=path.encode(),
        query=query.encode(),
        headers=headers,
        body=body,
        id="0" * 32,
        peer="127.0.0.1",
        scheme=origin.scheme,
        server=(origin.hostname or "", origin.port),
        parameters=found.parameters,
    )


def signed(
    told: dict[str, Any],
    body: bytes,
    headers: dict[str, str],
    names: dict[str, Any],
    *,
    access_key: str | None = None,
    secret: str | None = None,
    at: str = "now",
) -> dict[str, str]:
    """The headers with those of a signature."""
    who = names["as"]
    stamp = (datetime.now(UTC) + timedelta(seconds=AGES[at])).strftime("%Y%m%dT%H%M%SZ")
    request = SdkRequest(
        method=told["method"],
        schema="http",
        host=headers["host"],
        resource_path=told["path"],
        query_params=parse_qsl(told["query"], keep_blank_values=True),
        header_params={**headers, "x-sdk-date": stamp},
        body=body.decode(),
    )
    credentials = BasicCredentials(access_key or names[f"{who}.access_key"], secret or names[f"{who}.secret"], "p")
    with quiet():
        made = Signer(credentials).sign(request)
    return {name.lower(): value for name, value in made.header_params.items()}


def in_process(dialect: ModelArtsDialect, routes: Routes) -> Ask:
    """Ask the dialect itself."""

    async def ask(request: Request) -> tuple[int, str, Any, dict[str, str]]:
        reply = await _reply(dialect, request, routes)
        return reply.status, reply.content_type, _decoded(reply.body), {n.lower(): v for n, v in reply.headers}

    return ask


def through_a_socket(listener: Listener) -> Ask:
    """Ask over HTTP."""

    async def ask(request: Request) -> tuple[int, str, Any, dict[str, str]]:
        target = request.raw_path.decode() + (f"?{request.query.decode()}" if request.query else "")
        answer = await listener.ask(request.method, target, dict(request.headers), request.body)
        assert answer.header("x-request-id")
        return answer.status, answer.header("content-type") or "", _decoded(answer.body), dict(answer.headers)

    return ask


async def _reply(dialect: ModelArtsDialect, request: Request, routes: Routes) -> Reply:
    found = routes.find(request.method, request.path, request.raw_path)
    if isinstance(found, Found):
        return await dialect.answer(found.operation, request)
    return dialect.wrong_method(request, found.allowed) if found.allowed else dialect.not_found(request)


def _decoded(body: bytes) -> Any:
    return msgspec.json.decode(body) if body else None


def _uuid_of(tx: Any, notebook: int) -> str:
    from sqlalchemy import select  # noqa: PLC0415 - the one look past the services

    from trivium.resources.notebooks.table import notebooks  # noqa: PLC0415

    return str(tx.value(select(notebooks.c.uuid).where(notebooks.c.id == notebook)))


def _made(tx: Any, admin: Caller, person: Caller, told: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """The names of a network or pool that is made."""
    if "network" in told:
        label, title = told["network"], told["network"].replace("_", "-")
        cidr = told.get("cidr", "192.168.0.0/24")
        new = NewNetwork(title=title, cidr=cidr, labels=_labels(title, told, names), workspace=_workspace(told, names))
        net = networks.create(tx, person, new)
        return {f"{label}.name": net.name, f"{label}.uuid": str(net.uuid)}
    label, title = told["pool"], told["pool"].replace("_", "-")
    quotas.set_most(tx, admin, person.project, name=quotas.POOLS, most=10)
    parts = tuple(NewNodePool(**one) for one in told["node pools"])
    details = PoolDetails(labels=_labels(title, told, names))
    network = names[f"{told['in']}.name"] if "in" in told else None
    workspace = _workspace(told, names)
    new_pool = NewPool(title=title, details=details, node_pools=parts, network=network, workspace=workspace)
    pool = shares.create(tx, person, new_pool)
    asked = Query(order=(Order("id"),), page=Offset(limit=100))
    order = shares.orders_of(tx, person, pool.name, asked=asked).rows[0]
    found = {f"{label}.name": pool.name, f"{label}.uuid": str(pool.uuid), f"{label}.order": str(order.uuid)}
    every = shares.list_nodes(tx, person, pool.name, asked=asked).rows
    return found | {f"{label}.node{number}": one.node.name for number, one in enumerate(every, 1)}


def _labels(title: str, told: dict[str, Any], names: dict[str, Any]) -> dict[str, str]:
    """The labels that ModelArts' clients give."""
    workspace = names[f"{told['workspace']}.id"] if "workspace" in told else "0"
    return {"os.modelarts/name": title, "os.modelarts/workspace.id": workspace, **told.get("labels", {})}


def _workspace(told: dict[str, Any], names: dict[str, Any]) -> int:
    return names[f"{told['workspace']}.number"] if "workspace" in told else 0


def _without_pools(tx: Any, admin: Caller, project: int) -> None:
    for id in pools.newest_of(tx, project):
        pool = pools.get(tx, id)
        if pool.deleted_at is not None:
            continue
        for one in shares.list_nodes(tx, admin, pool.name, asked=Query(page=Offset(limit=100))).rows:
            shares.unlock_nodes(tx, admin, pool.name, node=one.node.name, actions=one.node.locked)
        shares.delete(tx, admin, pool.name, occupants=())


def _bare(uuid: UUID | None) -> str:
    assert uuid is not None
    return uuid.hex


def _dashed(hex32: str) -> str:
    return "-".join((hex32[:8], hex32[8:12], hex32[12:16], hex32[16:20], hex32[20:]))


_HASHED: list[Any] = []


def _password() -> Any:
    """The hash of the password that everybody has: made once, for it takes long on purpose."""
    if not _HASHED:
        _HASHED.append(users.hash_of(PASSWORD))
    return _HASHED[0]
