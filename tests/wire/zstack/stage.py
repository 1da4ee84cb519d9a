"""The stage that ZStack's wire cases play on: people with sessions and passwords, and jobs that somebody asked for."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

import msgspec

from tests.listening import Listener
from tests.wire.zstack import things
from tests.worlds import Person, World
from trivium.base.caller import Caller
from trivium.base.query import Order, Query
from trivium.base.reasons import Reason
from trivium.dialects.operation import Reply, Request
from trivium.dialects.zstack import ZStackDialect
from trivium.dialects.zstack.jobs import KIND
from trivium.resources import estate, operations, users
from trivium.resources.users import SessionKind
from trivium.server.http.routes import Found, Routes

PASSWORD: Final = "correct horse"
DIGEST: Final = hashlib.sha512(PASSWORD.encode()).hexdigest()
HOUR: Final = timedelta(hours=1)

Ask = Callable[[Request], Awaitable[tuple[int, Any]]]


class Stage:
    """What the cases of a run have in common."""

    def __init__(self, world: World, dialect: ZStackDialect) -> None:
        self.world = world
        self.speaker = dialect

    def person_names(self, label: str, caller: Caller) -> dict[str, Any]:
        """What a case may say of a person: their name, uuid, password and session."""
        store = self.world.core.store
        user = store.read_now(users.get, caller.user)
        told = {"name": caller.user_name, "uuid": user.uuid.hex, "digest": DIGEST, "session": self.session_of(caller)}
        return {f"{label}.{name}": value for name, value in told.items()}

    def session_of(self, caller: Caller, lifetime: timedelta = HOUR) -> str:
        """A new session of somebody's."""
        token = uuid4().hex
        self.world.core.store.write_now(users.open_session, caller, SessionKind.ZSTACK, lifetime=lifetime, token=token)
        return token

    def step(self, told: dict[str, Any], people: dict[str, Caller], names: dict[str, Any]) -> None:
        """Carry out one step of what is given before."""
        store, admin = self.world.core.store, self.world.admin
        if "user" in told:
            people[told["user"]] = self.person(told["user"]).caller
            names |= self.person_names(told["user"], people[told["user"]])
        elif "admin" in told:
            people[told["admin"]] = admin
            names |= self.person_names(told["admin"], admin)
        elif "frozen" in told:
            store.write_now(users.freeze, admin, people[told["frozen"]].user)
        elif "disabled" in told:
            store.write_now(users.disable, admin, people[told["disabled"]].user)
        elif "granted" in told:
            given, of = people[told["granted"]], people[told["in"]]
            store.write_now(users.grant, admin, given.user, project=of.project, role=given.role)
        elif "session" in told:
            caller = people[told.get("of", "alice")]
            names[f"{told['session']}.uuid"] = self.session_of(caller, timedelta(seconds=told.get("seconds", 3600)))
        elif "logged out" in told:
            store.write_now(users.end_session_of, names[told["logged out"]])
        elif "estate" in told:
            names |= self._estate(people[told["estate"]])
        elif "job" in told:
            names[f"{told['job']}.uuid"] = self._job(told, people[told.get("of", "alice")])
        else:
            message = f"unknown step {told}"
            raise ValueError(message)

    def go_on(self, told: dict[str, Any] | None) -> None:
        """Carry out what happens between a call and the look at what has come of it: imports end, if anything."""
        if told is not None:
            things.finish_imports(self.world.core.store, fault=told.get("refused"))

    def person(self, label: str) -> Person:
        """A new user with the password that all have."""
        made = self.world.user(label)
        self.world.core.store.write_now(users.set_password, self.world.admin, made.caller.user, password=_password())
        return made

    def _estate(self, caller: Caller) -> dict[str, Any]:
        """The uuids of what the site has, as somebody sees it: it has one of each, and several cards."""
        store, oldest = self.world.core.store, Query(order=(Order(field="id"),))
        (zone,) = store.read_now(estate.list_sites, caller, oldest).rows
        (cluster,) = store.read_now(estate.list_pools, caller, oldest).rows
        (host,) = store.read_now(estate.list_nodes, caller, oldest).rows
        card = store.read_now(estate.list_cards, caller, oldest).rows[0].card
        uuids = {"zone": zone.uuid, "cluster": cluster.pool.uuid, "host": host.detail.node.uuid, "card": card.uuid}
        return {f"{name}.uuid": uuid.hex for name, uuid in uuids.items()}

    def _job(self, told: dict[str, Any], caller: Caller) -> str:
        """A job that goes on, or that has ended with a result or a failure."""
        store = self.world.core.store
        keep = timedelta(seconds=told.get("kept", 3600))
        kind, called = told.get("kind", f"{KIND}RenewSession"), told.get("called")
        job = store.write_now(operations.start, caller, kind, keep=keep, called=called)
        if "result" in told:
            store.write_now(operations.finish, job.id, result=told["result"])
        if "failed" in told:
            store.write_now(operations.finish, job.id, failure=Reason(code=told["failed"]))
        return job.uuid.hex


@asynccontextmanager
async def given(stage: Stage, steps: list[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    """The prior state of a case, and the names of what is in it."""
    people = {"alice": stage.person("alice").caller}
    names = stage.person_names("alice", people["alice"])
    for step in steps:
        if not things.put(stage.world.core.store, people[step.get("of", "alice")], step, names=names):
            stage.step(step, people, names)
    yield names


def request_of(told: dict[str, Any], names: dict[str, Any], base_url: str, routes: Routes) -> Request:
    """The request that a case tells of, its names already filled in; of alice's session unless it says otherwise."""
    headers = {"host": urlsplit(base_url).netloc, **told.get("headers", {})}
    body = told["text"].encode() if "text" in told else b""
    if "body" in told:
        body = msgspec.json.encode(told["body"])
        headers.setdefault("content-type", "application/json;charset=UTF-8")
    session = told.get("session", names[f"{told.get('as', 'alice')}.session"])
    if session:
        headers.setdefault("authorization", f"OAuth {session}")
    path = quote(told["path"], safe="/-_.~%")
    origin = urlsplit(base_url)
    return Request(
        method=told["method"],
        path=told["path"],
        raw_path=path.encode(),
        query=told.get("query", "").encode(),
        headers=headers,
        body=body,
        id="0" * 32,
        peer="127.0.0.1",
        scheme=origin.scheme,
        server=(origin.hostname or "", origin.port),
        parameters=routes.find(told["method"], told["path"], path.encode()).parameters,
    )


def in_process(dialect: ZStackDialect, routes: Routes) -> Ask:
    """Ask the dialect itself."""

    async def ask(request: Request) -> tuple[int, Any]:
        reply = await _reply(dialect, request, routes)
        assert reply.content_type == "application/json"
        return reply.status, msgspec.json.decode(reply.body)

    return ask


def through_a_socket(listener: Listener) -> Ask:
    """Ask over HTTP."""

    async def ask(request: Request) -> tuple[int, Any]:
        target = request.raw_path.decode() + (f"?{request.query.decode()}" if request.query else "")
        answer = await listener.ask(request.method, target, dict(request.headers), request.body)
        assert answer.header("x-request-id")
        assert answer.header("content-type") == "application/json"
        return answer.status, answer.json

    return ask


async def _reply(dialect: ZStackDialect, request: Request, routes: Routes) -> Reply:
    found = routes.find(request.method, request.path, request.raw_path)
    if isinstance(found, Found):
        return await dialect.answer(found.operation, request)
    return dialect.wrong_method(request, found.allowed) if found.allowed else dialect.not_found(request)


_HASHED: list[Any] = []


def _password() -> Any:
    """The hash of the password that everybody has: made once, for it takes long on purpose."""
    if not _HASHED:
        _HASHED.append(users.hash_of(PASSWORD))
    return _HASHED[0]
