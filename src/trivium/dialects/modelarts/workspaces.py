"""Workspaces: parts of a project, of which there is always the default one, called `0`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.ids import uuid_of
from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.dialects.modelarts.errors import NotHere, NotSortable, UnknownWorkspace
from trivium.dialects.modelarts.paging import FURTHEST, MOST, checked_offset
from trivium.dialects.modelarts.spelling import DEFAULT_WORKSPACE, Shape, Text, bare, milliseconds, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, always
from trivium.dialects.reading import OutOfBounds
from trivium.resources import datasets, images, models, networks, notebooks, pools, users, workspaces
from trivium.resources.workspaces import DEFAULT, Audience, Workspace, WorkspaceChange

ALL: Final = "/v1/{project_id}/workspaces"
ONE: Final = f"{ALL}/{{workspace_id}}"
NAME: Final = re.compile(r"[\w-]{4,64}")
LONGEST_DESCRIPTION: Final = 256
AUDIENCES: Final = tuple(audience.value.upper() for audience in Audience)
SORTED_BY: Final[Mapping[str, tuple[str, ...]]] = {"name": ("name",), "update_time": ("changed_at",), "status": ("id",)}
DEFAULT_ENTERPRISE: Final = "0"
NORMAL: Final = "NORMAL"
HOLDINGS: Final = (
    notebooks.NotebookHoldings(),
    images.ImageHoldings(),
    models.ModelHoldings(),
    datasets.DatasetHoldings(),
    pools.PoolHoldings(),
    networks.NetworkHoldings(),
)


class WorkspaceShape(Shape, frozen=True, kw_only=True):
    """A workspace."""

    id: str
    name: str
    description: str
    owner: str
    auth_type: str
    enterprise_project_id: str
    create_time: int
    update_time: int
    status: str
    status_info: str = ""


class WorkspacesPage(Shape, frozen=True, kw_only=True):
    """A page of workspaces."""

    total_count: int
    count: int
    workspaces: list[WorkspaceShape]


class WorkspaceId(Shape, frozen=True, kw_only=True):
    """Which workspace was changed or deleted."""

    workspace_id: str


class WorkspacesQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list; the offset counts pages."""

    offset: int | None = None
    limit: int | None = None
    sort_by: Text = None
    order: Text = None
    name: Text = None
    enterprise_project_id: Text = None


class Grant(Wire, frozen=True, kw_only=True):
    """A user who may use a workspace."""


class WorkspaceBody(Wire, frozen=True, kw_only=True):
    """A new workspace."""

    name: str
    description: Text = None
    auth_type: Text = None
    grants: tuple[Grant, ...] = ()
    enterprise_project_id: Text = None


class WorkspaceChangeBody(Wire, frozen=True, kw_only=True):
    """What is to be another of a workspace."""

    name: Text = None
    description: Text = None
    auth_type: Text = None
    grants: tuple[Grant, ...] = ()


def chosen(tx: Read, caller: Caller, *given: Text) -> int | None:
    """The workspace that a thing is in or is to be in, by whichever of its names; None where none is given.

    Raises `UnknownWorkspace`, which is not the error of the workspaces' own interfaces.
    """
    text = next((name.strip() for name in given if name and name.strip()), None)
    if text in (None, DEFAULT_WORKSPACE):
        return None if text is None else DEFAULT
    uuid = uuid_of(text)
    if uuid is None:
        raise UnknownWorkspace("workspace_id")
    try:
        return workspaces.find(tx, caller, uuid).id
    except workspaces.NoSuchWorkspace:
        raise UnknownWorkspace("workspace_id") from None


def canonical(text: Text) -> str:
    """The one spelling of a workspace's id; the default one's where there is none."""
    uuid = uuid_of(text) if text else None
    return workspace_id(uuid)


def workspace_id(uuid: UUID | None) -> str:
    """What a workspace is called; the default one, and one that is no more, have no UUID."""
    return DEFAULT_WORKSPACE if uuid is None else bare(uuid)


def workspace_shape(tx: Read, workspace: Workspace) -> WorkspaceShape:
    """The workspace as ModelArts shows it."""
    return WorkspaceShape(
        id=workspace_id(workspace.uuid),
        name=workspace.name,
        description=workspace.description,
        owner="" if workspace.owner is None else bare(users.get(tx, workspace.owner).uuid),
        auth_type=workspace.audience.value.upper(),
        enterprise_project_id=DEFAULT_ENTERPRISE,
        create_time=milliseconds(workspace.created_at),
        update_time=milliseconds(workspace.changed_at),
        status=NORMAL,
    )


def list_workspace(tx: Read, call: Call[Nothing, WorkspacesQuery]) -> WorkspacesPage:
    """A page of the workspaces that the caller may use; the default one is the first of all."""
    asked, caller = call.query, call.caller
    limit = MOST if asked.limit is None else asked.limit
    if not 1 <= limit <= MOST:
        raise OutOfBounds("limit", f"between 1 and {MOST}")
    start = min(checked_offset(asked.offset) * limit, FURTHEST)
    if asked.enterprise_project_id not in (None, "", DEFAULT_ENTERPRISE):
        return WorkspacesPage(total_count=0, count=0, workspaces=[])
    default = workspaces.get(tx, caller, DEFAULT)
    has_default = (asked.name or "").lower() in default.name
    own = 1 if has_default and start == 0 else 0
    page = Offset(limit=max(limit - own, 1), offset=max(start - has_default, 0))
    found = workspaces.list_workspaces(tx, caller, _query(asked, page))
    shown = [*([default] if own else []), *found.rows][:limit]
    total = (found.total or 0) + has_default
    return WorkspacesPage(
        total_count=total, count=len(shown), workspaces=[workspace_shape(tx, workspace) for workspace in shown]
    )


def show_workspace(tx: Read, call: Call[Nothing, Nothing]) -> WorkspaceShape:
    """One workspace."""
    return workspace_shape(tx, _named(tx, call.caller, call.request.parameters["workspace_id"]))


async def create_workspace(call: Call[WorkspaceBody, Nothing]) -> WorkspaceShape:
    """A new workspace."""
    body = call.body
    _must_be_known(body.grants)
    if body.enterprise_project_id not in (None, "", DEFAULT_ENTERPRISE):
        raise NotHere(what="an enterprise project")
    made = await call.write(
        workspaces.create,
        name=_name(body.name),
        description=_description(body.description) or "",
        audience=_audience(body.auth_type) or Audience.PUBLIC,
    )
    return await call.core.store.read(workspace_shape, made)


async def update_workspace(call: Call[WorkspaceChangeBody, Nothing]) -> WorkspaceId:
    """Give a workspace another name, description or audience."""
    body = call.body
    _must_be_known(body.grants)
    to = WorkspaceChange(
        name=None if body.name is None else _name(body.name),
        description=_description(body.description),
        audience=_audience(body.auth_type),
    )
    found = await call.read(_named, call.request.parameters["workspace_id"])
    return WorkspaceId(workspace_id=workspace_id((await call.write(workspaces.update, found.id, to=to)).uuid))


async def delete_workspace(call: Call[Nothing, Nothing]) -> WorkspaceId:
    """Delete a workspace in which nothing is."""
    found = await call.read(_named, call.request.parameters["workspace_id"])
    await call.write(workspaces.delete, found.id, holdings=HOLDINGS)
    return WorkspaceId(workspace_id=workspace_id(found.uuid))


OPERATIONS: Final = (
    Operation(
        name="ListWorkspace",
        method="GET",
        path=ALL,
        handler=View(look=list_workspace, may_grow=always),
        mark=Mark.COMPANION,
        summary="The workspaces of the project",
        query=WorkspacesQuery,
    ),
    Operation(
        name="CreateWorkspace",
        method="POST",
        path=ALL,
        handler=create_workspace,
        mark=Mark.COMPANION,
        summary="A new workspace",
        body=WorkspaceBody,
    ),
    Operation(
        name="ShowWorkspace",
        method="GET",
        path=ONE,
        handler=View(look=show_workspace),
        mark=Mark.COMPANION,
        summary="One workspace",
    ),
    Operation(
        name="UpdateWorkspace",
        method="PUT",
        path=ONE,
        handler=update_workspace,
        mark=Mark.COMPANION,
        summary="Change a workspace's name, description or audience",
        body=WorkspaceChangeBody,
    ),
    Operation(
        name="DeleteWorkspace",
        method="DELETE",
        path=ONE,
        handler=delete_workspace,
        mark=Mark.COMPANION,
        summary="Delete an empty workspace",
    ),
)


def _query(asked: WorkspacesQuery, page: Offset) -> Query:
    key = (asked.sort_by or "").strip() or "name"
    if key not in SORTED_BY:
        raise NotSortable("sort_by", key=key[:128])
    descending = one_of(asked.order, "order", ("asc", "desc")) != "asc"
    where = (Condition(field="name", op=Op.CONTAINS, value=asked.name),) if asked.name else ()
    order = tuple(Order(field=field, descending=descending) for field in SORTED_BY[key])
    return Query(where=where, order=order, page=page)


def _named(tx: Read, caller: Caller, text: str) -> Workspace:
    """The workspace that a path names."""
    if text == DEFAULT_WORKSPACE:
        return workspaces.get(tx, caller, DEFAULT)
    uuid = uuid_of(text)
    if uuid is None:
        raise workspaces.NoSuchWorkspace
    return workspaces.find(tx, caller, uuid)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        message = "a workspace's name has 4 to 64 letters, digits, - and _"
        raise Invalid("name", message)
    return text


def _description(text: Text) -> str | None:
    if text is not None and len(text) > LONGEST_DESCRIPTION:
        raise OutOfBounds("description", f"of at most {LONGEST_DESCRIPTION} characters")
    return text


def _audience(text: Text) -> Audience | None:
    word = one_of(text, "auth_type", AUDIENCES)
    return None if word is None else Audience(word.lower())


def _must_be_known(grants: tuple[Grant, ...]) -> None:
    if grants:
        raise NotHere(what="naming the users of a workspace")
