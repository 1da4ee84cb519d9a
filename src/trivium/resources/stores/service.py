"""Use cases of stores."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from msgspec import structs
from sqlalchemy import delete as delete_from
from sqlalchemy import insert, select, update

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.resources import events, marks, owning
from trivium.resources.marks import NewMarks, Thing, ThingKind
from trivium.resources.owning import Deletion, Dependents
from trivium.resources.stores.errors import ModelStoreInUse, NoSuchModelStore
from trivium.resources.stores.finding import check_open
from trivium.resources.stores.places import spot_of
from trivium.resources.stores.table import store_of, stores
from trivium.resources.stores.types import ModelStore, ModelStoreChange, NewModelStore, StoreState
from trivium.store import Read, Write

LIMITS: Final = {
    "name": 255,
    "url": 2048,
    "description": 2048,
    "parameters": 2048,
    "management_ip": 255,
    "container_registry": 2048,
    "container_network": 2048,
    "container_storage_network": 2048,
}
"""Characters."""

LARGEST_PORT: Final = 65_535
UUIDS: Final = ("storage_network", "service_network", "zone")
NEW: Final = "stores"
"""What is woken when there is a store that nobody has looked at."""

NO_MARKS: Final = NewMarks()


def create(
    tx: Write,
    caller: Caller,
    new: NewModelStore,
    *,
    roots: Collection[str],
    reachable: bool | None = None,
    tags: NewMarks = NO_MARKS,
) -> ModelStore:
    """A new store of the caller's project. `reachable`: whether its directory can be read now; None: nobody looked.

    `roots` are the directories that stores may lie in. Raises `Missing`, `Invalid`, `UuidTaken`, `NotInStores`
    for a directory that is another's store's, and what marks raise.
    """
    told = _columns(structs.asdict(new), roots)
    check_open(tx, caller, told["path"], field="url")
    id, uuid = tx.ids.next(), owning.claimed(tx, stores, new.uuid)
    row = {
        "id": id,
        "uuid": uuid,
        "project_id": caller.project,
        "audience": owning.audience(caller.project, public=new.public),
        "state": _state(reachable).value,
        "created_at": tx.now,
        "changed_at": tx.now,
        **told,
    }
    tx.run(insert(stores).values(owning.folded_values(stores, row)))
    made = get(tx, caller, uuid)
    marks.put(tx, caller, thing_of(made), new=tags)
    events.record(tx, caller, "model_store.create", target=id, after={"name": made.name, "url": made.url})
    if reachable is None:
        tx.wake(NEW)
    return made


def ensure(tx: Write, caller: Caller, root: str, *, reachable: bool | None = None) -> ModelStore | None:
    """A public store of a root, for everybody; None where some store has that very directory already."""
    if tx.first(select(stores.c.id).where(stores.c.path == root).limit(1)) is not None:
        return None
    new = NewModelStore(name=os.path.basename(root) or root, url=root, public=True)  # noqa: PTH119 - a spelling, no file
    return create(tx, caller, new, roots=(root,), reachable=reachable)


def get(tx: Read, caller: Caller, uuid: UUID) -> ModelStore:
    """The store of that uuid, if the caller may see it. `NoSuchModelStore`."""
    row = tx.first(select(stores).where(stores.c.uuid == uuid))
    if row is None or not owning.sees(caller, row):
        raise NoSuchModelStore(uuid=uuid.hex)
    return store_of(row)


def locked(tx: Write, caller: Caller, uuid: UUID) -> ModelStore:
    """The same, which nobody else puts anything in, changes or deletes until the transaction ends."""
    row = tx.lock(select(stores).where(stores.c.uuid == uuid))
    if row is None or not owning.sees(caller, row):
        raise NoSuchModelStore(uuid=uuid.hex)
    return store_of(row)


def everywhere(tx: Read) -> Sequence[ModelStore]:
    """Every store, oldest first: what is looked at to see whether it can be read."""
    return [store_of(row) for row in tx.all(select(stores).order_by(stores.c.id))]


def markable(tx: Read, caller: Caller, uuid: UUID) -> Thing:
    """The store as something to be marked. `NoSuchModelStore`; `Forbidden` unless the caller may change it."""
    return thing_of(_own(tx, caller, uuid))


def change(
    tx: Write,
    caller: Caller,
    uuid: UUID,
    *,
    to: ModelStoreChange,
    roots: Collection[str],
    users: Collection[Dependents],
    reachable: bool | None = None,
) -> ModelStore:
    """Change what is given; `users` know what is in the store.

    Raises `NoSuchModelStore`, `Forbidden`, `Missing`, `Invalid`, `NotInStores` as `create` does, and
    `ModelStoreInUse` for another directory while something is in it.
    """
    before = locked(tx, caller, uuid)
    _own(tx, caller, uuid)
    given = {name: value for name, value in structs.asdict(to).items() if value is not None}
    told = _columns(given, roots)
    if told.get("path", before.path) != before.path:
        check_open(tx, caller, told["path"], field="url")
        if any(user.hinder(tx, caller, uuid, mode=Deletion.ENFORCING) for user in users):
            raise ModelStoreInUse(name=before.name)
        told["state"] = _state(reachable).value
        if reachable is None:
            tx.wake(NEW)
    told["changed_at"] = tx.now
    tx.run(update(stores).where(stores.c.id == before.id).values(owning.folded_values(stores, told)))
    after = get(tx, caller, uuid)
    shown = ({"name": one.name, "url": one.url} for one in (before, after))
    events.record(
        tx,
        caller,
        "model_store.change",
        target=before.id,
        project=before.project,
        before=next(shown),
        after=next(shown),
    )
    return after


def delete(tx: Write, caller: Caller, uuid: UUID, *, users: Collection[Dependents]) -> None:
    """Delete an empty store; what is on disk stays. `users` know what is in it.

    Raises `NoSuchModelStore`, `Forbidden` and, however it is asked for, `ModelStoreInUse`.
    """
    before = locked(tx, caller, uuid)
    _own(tx, caller, uuid)
    if any(user.hinder(tx, caller, uuid, mode=Deletion.ENFORCING) for user in users):
        raise ModelStoreInUse(name=before.name)
    marks.remove_all(tx, uuid)
    tx.run(delete_from(stores).where(stores.c.id == before.id))
    told = {"name": before.name, "url": before.url}
    events.record(tx, caller, "model_store.delete", target=before.id, project=before.project, before=told)


def note_state(tx: Write, uuid: UUID, *, reachable: bool) -> bool:
    """Write down whether the store's directory can be read; False when it was so before, or the store is gone."""
    state = _state(reachable).value
    other = (stores.c.uuid == uuid, stores.c.state != state)
    return bool(tx.run(update(stores).where(*other).values(state=state)))


def charge(tx: Write, uuid: UUID, *, models: int = 0, services: int = 0, datasets: int = 0) -> None:
    """Count so many bytes more as in use, or fewer where they are negative. The store must be locked."""
    changes = {"models_used": models, "services_used": services, "datasets_used": datasets}
    values = {name: stores.c[name] + number for name, number in changes.items() if number}
    if values:
        tx.run(update(stores).where(stores.c.uuid == uuid).values(values))


def thing_of(store: ModelStore) -> Thing:
    """The store as what marks are on."""
    return Thing(uuid=store.uuid, kind=ThingKind.STORE, project=store.project, public=store.public)


def _own(tx: Read, caller: Caller, uuid: UUID) -> ModelStore:
    row = tx.first(select(stores).where(stores.c.uuid == uuid))
    if row is None or not owning.sees(caller, row):
        raise NoSuchModelStore(uuid=uuid.hex)
    owning.must_own(caller, row, "change a store of models")
    return store_of(row)


def _state(reachable: bool | None) -> StoreState:  # noqa: FBT001 - what was seen
    if reachable is None:
        return StoreState.CONNECTING
    return StoreState.CONNECTED if reachable else StoreState.DISCONNECTED


def _columns(given: dict[str, Any], roots: Collection[str]) -> dict[str, Any]:
    """The columns of what is given, checked."""
    told = {name: given[name] for name in LIMITS if name in given}
    for name, value in told.items():
        owning.checked_text(name, value, LIMITS[name], needed=name in ("name", "url"))
    told |= {f"{name}_uuid": given[name] for name in UUIDS if name in given}
    if "management_port" in given:
        told["management_port"] = _port(given["management_port"])
    if "url" in told:
        spot = spot_of(told["url"], roots)
        told |= {"host": spot.host, "path": spot.path}
    return told


def _port(port: int | None) -> int | None:
    if port is not None and not 0 < port <= LARGEST_PORT:
        message = f"must be a number from 1 to {LARGEST_PORT}"
        raise Invalid("management_port", message)
    return port
