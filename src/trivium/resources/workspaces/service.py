"""Use cases of workspaces."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.query import Listed, Query
from trivium.base.text import fold
from trivium.resources import events, projects
from trivium.resources.workspaces.errors import (
    NoSuchWorkspace,
    WorkspaceInUse,
    WorkspaceIsDefault,
    WorkspaceNameTaken,
)
from trivium.resources.workspaces.table import IN_PROJECT, USABLE, WORKSPACES, workspace_of, workspaces
from trivium.resources.workspaces.types import (
    DEFAULT,
    DEFAULT_NAME,
    Audience,
    Holdings,
    Workspace,
    WorkspaceChange,
)
from trivium.store import Read, Write, query
from trivium.store.query import Condition as Scoped

SHORTEST_NAME: Final = 4
LONGEST_NAME: Final = 64
LONGEST_DESCRIPTION: Final = 256


def create(
    tx: Write, caller: Caller, *, name: str, description: str = "", audience: Audience = Audience.PUBLIC
) -> Workspace:
    """A new workspace of the caller's project, theirs.

    Raises `Invalid` for a senseless name or description, and `WorkspaceNameTaken`, also for `default`.
    """
    _lock_names(tx, caller.project)
    name = _free_name(tx, caller.project, name)
    id = tx.ids.next()
    row = {
        "id": id,
        "uuid": uuid4(),
        "project_id": caller.project,
        "name": name,
        "name_folded": fold(name),
        "description": _description(description),
        "owner_id": caller.user,
        "owner_name": caller.user_name,
        "audience": audience.value,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    tx.run(insert(workspaces).values(row))
    events.record(tx, caller, "workspace.create", target=id, after={"name": name, "audience": audience.value})
    return get(tx, caller, id)


def get(tx: Read, caller: Caller, workspace: int) -> Workspace:
    """The workspace, if the caller may use it; for 0 the project's default one. `NoSuchWorkspace`."""
    if workspace == DEFAULT:
        return _default(tx, caller.project)
    return _one(tx, caller, workspaces.c.id == workspace)


def find(tx: Read, caller: Caller, uuid: UUID) -> Workspace:
    """The workspace of that UUID, if the caller may use it. `NoSuchWorkspace`."""
    return _one(tx, caller, workspaces.c.uuid == uuid)


def uuids_of(tx: Read, ids: Iterable[int]) -> Mapping[int, UUID]:
    """The UUIDs of these workspaces, whosesoever they are; the default one and those that are gone have none."""
    wanted = sorted({id for id in ids if id != DEFAULT})
    if not wanted:
        return {}
    rows = tx.all(select(workspaces.c.id, workspaces.c.uuid).where(workspaces.c.id.in_(wanted)))
    return {row.id: row.uuid for row in rows}


def hidden(tx: Read, caller: Caller) -> Sequence[int]:
    """The ids of those workspaces of the caller's project that they may not use."""
    if caller.is_admin:
        return ()
    mine = (workspaces.c.project_id == caller.project, workspaces.c.owner_id != caller.user)
    kept = select(workspaces.c.id).where(*mine, workspaces.c.audience != Audience.PUBLIC.value)
    return [id for (id,) in tx.all(kept)]


def list_workspaces(tx: Read, caller: Caller, asked: Query) -> Listed[Workspace]:
    """The workspaces of the caller's project that they may use, without the default one, as asked."""
    found = query.page(tx, WORKSPACES, asked, scope=(_scope(caller),))
    return Listed(rows=tuple(map(workspace_of, found.rows)), total=found.total, next=found.next)


def lock_for_use(tx: Write, caller: Caller, workspace: int, *, project: int | None = None) -> None:
    """Keep the workspace from being deleted until this transaction ends, as something of the project is put in it.

    `NoSuchWorkspace` when the caller may not use it, or it is another project's. The default one needs no lock.
    """
    if workspace == DEFAULT:
        return
    tx.lock_key_share(select(workspaces.c.id).where(workspaces.c.id == workspace))
    if get(tx, caller, workspace).project != (caller.project if project is None else project):
        raise NoSuchWorkspace


def update(tx: Write, caller: Caller, workspace: int, *, to: WorkspaceChange) -> Workspace:
    """Give a workspace another name, description or audience.

    Raises `NoSuchWorkspace`, `WorkspaceIsDefault`, `WorkspaceNameTaken`, `Invalid`, and `Forbidden` for who is neither
    its owner nor an administrator.
    """
    _lock_names(tx, caller.project)
    before = _own(tx, caller, workspace)
    values: dict[str, Any] = {"changed_at": tx.now}
    if to.name is not None and to.name != before.name:
        name = _free_name(tx, caller.project, to.name)
        values |= {"name": name, "name_folded": fold(name)}
    if to.description is not None:
        values["description"] = _description(to.description)
    if to.audience is not None:
        values["audience"] = to.audience.value
    tx.run(update_of(workspaces).where(workspaces.c.id == before.id).values(values))
    after = get(tx, caller, before.id)
    told = ({"name": one.name, "audience": one.audience.value} for one in (before, after))
    events.record(tx, caller, "workspace.update", target=before.id, before=next(told), after=next(told))
    return after


def delete(tx: Write, caller: Caller, workspace: int, *, holdings: Collection[Holdings]) -> None:
    """Delete an empty workspace; `holdings` know what is in it.

    Raises `NoSuchWorkspace`, `WorkspaceIsDefault`, `WorkspaceInUse`, and `Forbidden` as `update` does.
    """
    before = _own(tx, caller, workspace)
    tx.lock(select(workspaces.c.id).where(workspaces.c.id == before.id))
    for room in holdings:
        held = room.held_in(tx, before.id)
        if held is not None:
            raise WorkspaceInUse(name=before.name, held=held)
    tx.run(delete_from(workspaces).where(workspaces.c.id == before.id))
    events.record(tx, caller, "workspace.delete", target=before.id, before={"name": before.name})


def _own(tx: Read, caller: Caller, workspace: int) -> Workspace:
    if workspace == DEFAULT:
        raise WorkspaceIsDefault
    found = get(tx, caller, workspace)
    if found.owner != caller.user:
        caller.must_be_admin("change another user's workspace")
    return found


def _default(tx: Read, project: int) -> Workspace:
    made = projects.get(tx, project).created_at
    return Workspace(
        id=DEFAULT,
        uuid=None,
        project=project,
        name=DEFAULT_NAME,
        description="",
        owner=None,
        owner_name="",
        audience=Audience.PUBLIC,
        created_at=made,
        changed_at=made,
    )


def _one(tx: Read, caller: Caller, which: ColumnElement[bool]) -> Workspace:
    row = tx.first(select(workspaces).where(which))
    if row is None or row.project_id != caller.project:
        raise NoSuchWorkspace
    found = workspace_of(row)
    if not caller.is_admin and found.owner != caller.user and found.audience is not Audience.PUBLIC:
        raise NoSuchWorkspace
    return found


def _scope(caller: Caller) -> Scoped:
    if caller.is_admin:
        return IN_PROJECT.of(project=caller.project)
    return USABLE.of(project=caller.project, user=caller.user)


def _lock_names(tx: Write, project: int) -> None:
    """Let nobody else name workspaces of the project until this transaction ends."""
    tx.lock(select(projects.projects.c.id).where(projects.projects.c.id == project))


def _free_name(tx: Read, project: int, name: str) -> str:
    name = unicodedata.normalize("NFC", name.strip())
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME or not name.isprintable():
        message = f"a workspace's name has {SHORTEST_NAME} to {LONGEST_NAME} printable characters"
        raise Invalid("name", message)
    named = select(workspaces.c.id).where(workspaces.c.project_id == project, workspaces.c.name == name)
    if name == DEFAULT_NAME or tx.first(named) is not None:
        raise WorkspaceNameTaken(name=name)
    return name


def _description(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_DESCRIPTION or "\0" in text:
        message = f"a workspace's description has at most {LONGEST_DESCRIPTION} characters"
        raise Invalid("description", message)
    return text
