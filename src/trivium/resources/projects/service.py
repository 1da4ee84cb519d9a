"""Making and finding domains and projects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.resources import events
from trivium.resources.projects.errors import ProjectNameTaken, ProjectNotFound
from trivium.resources.projects.table import domain_of, domains, project_of, projects
from trivium.resources.projects.types import Domain, Project
from trivium.store import Read, Write

DEFAULT_DOMAIN: Final = "default"
NAME_LENGTH: Final = 64


def ensure_domain(
    tx: Write, caller: Caller, name: str = DEFAULT_DOMAIN, *, new_uuid: Callable[[], UUID] = uuid4
) -> Domain:
    """The domain of that name, made where there is none."""
    found = _domain_named(tx, name)
    if found is not None:
        return found
    made = Domain(id=tx.ids.next(), uuid=new_uuid(), name=name, enabled=True, created_at=tx.now)
    tx.run(insert(domains).values(id=made.id, uuid=made.uuid, name=name, enabled=True, created_at=tx.now))
    events.record(tx, caller, "domain.create", target=made.id, after={"name": name})
    return made


def get_domain(tx: Read, name: str = DEFAULT_DOMAIN) -> Domain:
    """The domain of that name; `ProjectNotFound` where there is none."""
    found = _domain_named(tx, name)
    if found is None:
        raise ProjectNotFound(domain=name)
    return found


def create(
    tx: Write, caller: Caller, name: str, *, domain: int, owner: int, new_uuid: Callable[[], UUID] = uuid4
) -> Project:
    """A new project of that owner; `ProjectNameTaken` when the owner has one of that name."""
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise Invalid("name", f"a project's name has 1 to {NAME_LENGTH} printable characters")
    own = (projects.c.domain_id == domain, projects.c.owner_id == owner, projects.c.name == name)
    if tx.first(select(projects.c.id).where(*own)) is not None:
        raise ProjectNameTaken(name=name)
    made = Project(
        id=tx.ids.next(), uuid=new_uuid(), domain=domain, owner=owner, name=name, enabled=True, created_at=tx.now
    )
    row = {"id": made.id, "uuid": made.uuid, "name": name, "enabled": True, "created_at": tx.now}
    tx.run(insert(projects).values(**row, domain_id=domain, owner_id=owner))
    events.record(tx, caller, "project.create", target=made.id, project=made.id, after={"name": name, "owner": owner})
    return made


def get(tx: Read, id: int) -> Project:
    """The project; `ProjectNotFound` where there is none. It asks for no right: callers do."""
    row = tx.first(select(projects).where(projects.c.id == id))
    if row is None:
        raise ProjectNotFound
    return project_of(row)


def get_by_uuid(tx: Read, uuid: UUID) -> Project:
    """The same by its UUID."""
    row = tx.first(select(projects).where(projects.c.uuid == uuid))
    if row is None:
        raise ProjectNotFound
    return project_of(row)


def lock_accounts(tx: Write) -> None:
    """Let nobody else make or end accounts until this transaction ends.

    Names, POSIX uids and "the last administrator" are judged over several rows; the first domain's row stands for all.
    """
    tx.lock(select(domains.c.id).order_by(domains.c.id).limit(1))


def lock(tx: Write, project: int) -> None:
    """Let nobody else lock the project until this transaction ends. `ProjectNotFound`."""
    if tx.lock(select(projects.c.id).where(projects.c.id == project)) is None:
        raise ProjectNotFound


def _domain_named(tx: Read, name: str) -> Domain | None:
    row = tx.first(select(domains).where(domains.c.name == name))
    return None if row is None else domain_of(row)
