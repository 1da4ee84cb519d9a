"""Small APIs of ZStack's kind, of workspaces that are called desks, and somebody who calls them in process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, cast
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from msgspec import Meta, structs

from tests.builders import Place
from trivium.base.caller import Caller
from trivium.base.ids import uuid_of
from trivium.base.values import Value
from trivium.dialects.operation import Core, Mark, Read, Request, Wire, Write
from trivium.dialects.zstack import ZStackDialect, ZStackSettings, every_api
from trivium.dialects.zstack.apis import Api, Job, Look, Pending, at
from trivium.dialects.zstack.envelope import Result
from trivium.resources import users, workspaces
from trivium.resources.operations import Operation
from trivium.resources.users import SessionKind
from trivium.resources.workspaces import NoSuchWorkspace, Workspace, WorkspaceChange
from trivium.server.http.routes import Found, Routes

Name = Annotated[str, Meta(min_length=1)]


class Made(Wire, frozen=True, kw_only=True, rename="camel"):
    """A desk to be made."""

    name: Name
    size: int | None = None
    is_shared: bool | None = None
    user_tags: tuple[str, ...] = ()


class Changed(Wire, frozen=True, kw_only=True):
    """A desk to be changed."""

    uuid: str
    name: str | None = None
    description: str | None = None


class Named(Wire, frozen=True, kw_only=True):
    """A desk."""

    uuid: str


class Several(Wire, frozen=True, kw_only=True, rename="camel"):
    """Desks."""

    uuids: Annotated[tuple[str, ...], Meta(min_length=1)]
    delete_mode: str = "Permissive"


def create(tx: Write, caller: Caller, asked: Made) -> Result:
    """A new desk; its tags and size are told back."""
    desk = workspaces.create(tx, caller, name=asked.name, description=",".join(asked.user_tags))
    shape = {"uuid": _hex(desk), "name": desk.name, "userTags": list(asked.user_tags)}
    return {"inventory": shape if asked.size is None else {**shape, "size": asked.size}}


def update(tx: Write, caller: Caller, asked: Changed) -> Result:
    """The desk with another name."""
    to = WorkspaceChange(name=asked.name, description=asked.description)
    return {"inventory": _shape(workspaces.update(tx, caller, _found(tx, caller, asked.uuid).id, to=to))}


def clear(tx: Write, caller: Caller, asked: Named) -> Result:
    """The desk with nothing said of it."""
    to = WorkspaceChange(description="")
    return {"inventory": _shape(workspaces.update(tx, caller, _found(tx, caller, asked.uuid).id, to=to))}


def delete(tx: Write, caller: Caller, asked: Named) -> Result:
    """The desk is gone."""
    workspaces.delete(tx, caller, _found(tx, caller, asked.uuid).id, holdings=())
    return {}


def delete_several(tx: Write, caller: Caller, asked: Several) -> Result:
    """The desks are gone."""
    for uuid in asked.uuids:
        delete(tx, caller, Named(uuid=uuid))
    return {"results": [{"uuid": uuid, "success": True} for uuid in asked.uuids]}


def fetch(tx: Write, caller: Caller, asked: Made) -> Pending:
    """A desk that somebody goes on with."""
    desk = workspaces.create(tx, caller, name=asked.name)
    return Pending(target=desk.id, begin=lambda _tx, _operation: None)  # the tests go on with it themselves


def fetched(tx: Read, job: Operation) -> Result:
    """The desk that was gone on with."""
    owner = users.get(tx, job.user)
    caller = Caller(user=owner.id, user_name=owner.name, project=job.project, role=owner.role)
    return {"inventory": _shape(workspaces.get(tx, caller, job.target or 0))}


def names(_tx: Read, _caller: Caller, asked: Several) -> Result:
    """What was asked for."""
    return {"names": list(asked.uuids)}


DESKS = (
    Api(
        name="CreateDesk",
        places=(at("POST", "/desks"),),
        handler=Job(do=create),
        mark=Mark.BEYOND,
        summary="A new desk",
        shape=Made,
    ),
    Api(
        name="UpdateDesk",
        places=(at("PUT", "/desks/{uuid}"),),
        handler=Job(do=update),
        mark=Mark.BEYOND,
        summary="A desk with another name",
        shape=Changed,
    ),
    Api(
        name="ClearDesk",
        places=(at("PUT", "/desks/{uuid}"),),
        handler=Job(do=clear),
        mark=Mark.BEYOND,
        summary="A desk with nothing said of it",
        shape=Named,
    ),
    Api(
        name="DeleteDesk",
        places=(at("DELETE", "/desks/{uuid}"),),
        handler=Job(do=delete),
        mark=Mark.BEYOND,
        summary="A desk less",
        shape=Named,
    ),
    Api(
        name="DeleteDesks",
        places=(at("DELETE", "/desks"),),
        handler=Job(do=delete_several),
        mark=Mark.BEYOND,
        summary="Several desks less",
        shape=Several,
    ),
    Api(
        name="FetchDesk",
        places=(at("POST", "/desks/fetched"),),
        handler=Job(do=fetch, show=fetched),
        mark=Mark.BEYOND,
        summary="A desk that takes a while",
        shape=Made,
    ),
    Api(
        name="GetDeskNames",
        places=(at("GET", "/desks/names"),),
        handler=Look(look=names),
        mark=Mark.BEYOND,
        summary="What was asked for",
        shape=Several,
    ),
)


class Told(Value, frozen=True):
    """An answer."""

    status: int
    body: Any


class Client:
    """Somebody with a session, who calls a site in process."""

    def __init__(self, here: Place, caller: Caller, settings: ZStackSettings | None = None) -> None:
        core: Any = _Core(here)
        self.here = here
        self.caller = caller
        self.dialect = ZStackDialect(core, settings or ZStackSettings(), _apis)
        self._routes = Routes((self.dialect,))
        self.session = uuid4().hex
        here.store.write_now(
            users.open_session, caller, SessionKind.ZSTACK, lifetime=timedelta(days=1), token=self.session
        )

    async def ask(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Told:
        """The answer to a request; a body that is bytes goes as it is."""
        parts = urlsplit(target)
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(
            method=method,
            path=parts.path,
            raw_path=parts.path.encode(),
            query=parts.query.encode(),
            headers={"host": "zstack.test:8080", "authorization": f"OAuth {self.session}", **(headers or {})},
            body=raw,
            id="0" * 32,
            peer="127.0.0.1",
            scheme="http",
            server=None,
        )
        found = self._routes.find(method, parts.path, parts.path.encode())
        if not isinstance(found, Found):
            reply = self.dialect.wrong_method(request, found.allowed) if found.allowed else None
            reply = reply or self.dialect.not_found(request)
        else:
            request = structs.replace(request, parameters=found.parameters)
            reply = await self.dialect.answer(found.operation, request)
        return Told(status=reply.status, body=json.loads(reply.body))

    async def done(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Told:
        """What comes of a job."""
        taken = await self.ask(method, target, body, headers)
        assert taken.status == 202, taken
        return await self.look(taken)

    async def look(self, taken: Told) -> Told:
        """What has come of a job that was taken."""
        return await self.ask("GET", urlsplit(taken.body["location"]).path)

    async def call(self, name: str, message: dict[str, Any], package: str = "org.zstack.desk.") -> tuple[Any, Any]:
        """The answer to a message of RPC, and what it says came of it, under the class that it is to have."""
        given = {"session": {"uuid": self.session}, **message}
        told = await self.ask("POST", "/zstack/api/", {f"{package}API{name}Msg": given})
        assert told.status == 200, told
        return told.body, opened(told.body)


def opened(wrapped: dict[str, Any]) -> Any:
    """What a wrapped answer says came of a call; None where nothing has yet."""
    return json.loads(wrapped["result"]) if "result" in wrapped else None


class _Core:
    """As much of a core as these calls need."""

    def __init__(self, here: Place) -> None:
        self.store, self.keyring, self.clock, self.site = here.store, here.keyring, here.clock, here.site


def _apis(core: Core, settings: ZStackSettings) -> tuple[Api, ...]:
    return (*every_api(core, settings), *DESKS)


def _found(tx: Read, caller: Caller, uuid: str) -> Workspace:
    named = uuid_of(uuid)
    if named is None:
        raise NoSuchWorkspace
    return workspaces.find(tx, caller, named)


def _shape(desk: Workspace) -> dict[str, Any]:
    return {"uuid": _hex(desk), "name": desk.name}


def _hex(desk: Workspace) -> str:
    return cast("UUID", desk.uuid).hex
