"""Use cases of models of the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import structs
from sqlalchemy import Row, insert, select, update
from sqlalchemy import delete as delete_from

from trivium.base.caller import Caller
from trivium.base.errors import Missing
from trivium.base.reasons import Reason
from trivium.base.text import fold
from trivium.base.units import GIB
from trivium.resources import events, marks, operations, owning, projects, stores
from trivium.resources.marks import NewMarks, Thing, ThingKind
from trivium.resources.models import versions
from trivium.resources.models.asking import CHANGED_LIMITS, LIMITS, columns
from trivium.resources.models.errors import ModelImporting, ModelInUse, ModelIsImage, NoSuchModel
from trivium.resources.models.table import imports, model_of, models
from trivium.resources.models.types import NOWHERE, Model, ModelChange, ModelKind, ModelStatus, NewModel
from trivium.resources.models.versions import Family
from trivium.resources.owning import EVERYBODY, Deletion, Dependents, Outcome
from trivium.store import Read, Write

EXTRA_GPU_MEMORY: Final = 2 * GIB
NO_MARKS: Final = NewMarks()
FILLABLE: Final = frozenset({"parameters", "vendor", "version", "size", "recommended_gpu_num", "kind"})
"""What callers may set that is else taken from a model's files."""


def create(
    tx: Write, caller: Caller, new: NewModel, *, extra_gpu_memory: int = EXTRA_GPU_MEMORY, tags: NewMarks = NO_MARKS
) -> Model:
    """A new model of the caller's project, in a store that they see. Nobody has read its files yet.

    Raises `NoSuchModelStore`, `NotInStores`, `Missing`, `Invalid` and `UuidTaken`, and what marks raise. One that is in
    no store, for it is an image's, is for `register` to make.
    """
    given = structs.asdict(new)
    told = columns(given, LIMITS)
    path = _path(tx, caller, new)
    family = Family(project=caller.project, store=new.store, name=new.name)
    model_id = new.model_id or versions.model_id_of(tx, family) or uuid4().hex
    id, uuid = tx.ids.next(), owning.claimed(tx, models, new.uuid)
    row = {
        "id": id,
        "uuid": uuid,
        "project_id": caller.project,
        "audience": owning.audience(caller.project, public=new.public),
        "store_uuid": new.store,
        "path": path,
        "is_latest": False,
        "owner_id": caller.user or None,
        "workspace": new.workspace,
        "settings": owning.checked_document("settings", new.settings),
        "type": new.type.value,
        "kind": (new.kind or ModelKind.CUSTOM).value,
        "status": ModelStatus.READY.value,
        "extra_gpu_memory": extra_gpu_memory,
        "said": _said({name for name in FILLABLE if given[name] is not None}),
        "created_at": tx.now,
        "changed_at": tx.now,
        **told,
        "model_id": model_id,
    }
    tx.run(insert(models).values(owning.folded_values(models, row)))
    if new.model_id:
        versions.share(tx, family, model_id, folded=fold(model_id))
    versions.settle(tx, family)
    made = get(tx, caller, uuid)
    marks.put(tx, caller, thing_of(made), new=tags)
    events.record(tx, caller, "model.create", target=id, after={"name": made.name, "path": made.path})
    return made


def get(tx: Read, caller: Caller, uuid: UUID) -> Model:
    """The model of that uuid, if the caller may see it. `NoSuchModel`."""
    return model_of(_seen(tx, caller, uuid))


def find(tx: Read, caller: Caller, uuid: UUID) -> Model:
    """The model of that uuid, if it is of the caller's project or everybody's, whoever they are. `NoSuchModel`."""
    row = _seen(tx, caller, uuid)
    if row.audience not in (EVERYBODY, caller.project):
        raise NoSuchModel(uuid=uuid.hex)
    return model_of(row)


def markable(tx: Read, caller: Caller, uuid: UUID) -> Thing:
    """The model as something to be marked. `NoSuchModel`; `Forbidden` unless the caller may change it."""
    return thing_of(own(tx, caller, uuid))


def own(tx: Read, caller: Caller, uuid: UUID) -> Model:
    """The model of that uuid, which the caller may change. `NoSuchModel`, `Forbidden`."""
    row = _seen(tx, caller, uuid)
    owning.must_own(caller, row, "change a model")
    return model_of(row)


def change(tx: Write, caller: Caller, uuid: UUID, *, to: ModelChange) -> Model:
    """Change what is given. What the caller set, the model's files change no more.

    Raises `NoSuchModel`, `Forbidden`, `NoSuchModelStore`, `NotInStores`, `Missing`, `Invalid`, and `ModelImporting` for
    another place while the files are being read.
    """
    before = locked(tx, caller, uuid, more=to.store)
    given = {name: value for name, value in structs.asdict(to).items() if value is not None}
    if "model_id" in given and not given["model_id"].strip():
        raise Missing("model_id")
    told: dict[str, Any] = columns(given, CHANGED_LIMITS) | {"changed_at": tx.now}
    told |= _moved(tx, caller, before, told=told, store=to.store)
    told["said"] = _said(before.said | (FILLABLE & given.keys()))
    family = Family(
        project=before.project, store=told.get("store_uuid", before.store), name=told.get("name", before.name)
    )
    if family != family_of(before) and "model_id" not in told:
        told["model_id"] = versions.model_id_of(tx, family) or uuid4().hex
    tx.run(update(models).where(models.c.id == before.id).values(owning.folded_values(models, told)))
    if "model_id" in given:
        versions.share(tx, family, told["model_id"], folded=fold(told["model_id"]))
    for each in {family, family_of(before)}:
        versions.settle(tx, each)
    after = get(tx, caller, uuid)
    shown = ({"name": one.name, "path": one.path, "said": sorted(one.said)} for one in (before, after))
    events.record(
        tx, caller, "model.change", target=before.id, project=before.project, before=next(shown), after=next(shown)
    )
    return after


def delete(
    tx: Write, caller: Caller, uuid: UUID, *, users: Collection[Dependents], mode: Deletion = Deletion.PERMISSIVE
) -> None:
    """Delete a model from the catalogue; its files stay. What still waits for them to be read fails.

    `users` know what refers to models. Raises `NoSuchModel`, `Forbidden` and `ModelInUse`.
    """
    before = locked(tx, caller, uuid)
    if any(user.hinder(tx, caller, uuid, mode=mode) for user in users):
        raise ModelInUse(name=before.name)
    for user in users:
        user.let_go(tx, caller, uuid)
    going = (imports.c.model_id == before.id, imports.c.finished_at.is_(None), imports.c.operation_id.is_not(None))
    for (operation,) in tx.all(select(imports.c.operation_id).where(*going)):
        operations.finish(tx, operation, failure=Reason(code="model.deleted"))
    remove(tx, before)
    told = {"name": before.name, "path": before.path}
    events.record(tx, caller, "model.delete", target=before.id, project=before.project, before=told)


def delete_many(
    tx: Write,
    caller: Caller,
    uuids: Sequence[UUID],
    *,
    users: Collection[Dependents],
    mode: Deletion = Deletion.PERMISSIVE,
) -> tuple[Outcome, ...]:
    """Delete each of these models, and tell what became of each. `Invalid` for none and for too many."""
    return owning.each(uuids, lambda uuid: delete(tx, caller, uuid, users=users, mode=mode))


def locked(tx: Write, caller: Caller, uuid: UUID, *, more: UUID | None = None) -> Model:
    """The model, which the caller may change and nobody else does until this ends; its store first, and another one.

    Raises `NoSuchModel` and `Forbidden`.
    """
    found = own(tx, caller, uuid)
    place = found.store
    for store in sorted({place, *(() if more is None else (more,))}):
        lock_family(tx, store, found.project)
    row = tx.lock(select(models).where(models.c.uuid == uuid))
    if row is None or row.store_uuid not in (place, more):  # gone by now, or elsewhere
        raise NoSuchModel(uuid=uuid.hex)
    return model_of(row)


def remove(tx: Write, model: Model) -> None:
    """Take the row of a model away, with its imports and marks. Its store must be locked, and it must be let go."""
    tx.run(delete_from(imports).where(imports.c.model_id == model.id))
    marks.remove_all(tx, model.uuid)
    tx.run(delete_from(models).where(models.c.id == model.id))
    stores.charge(tx, model.store, models=-(model.artifact_size or 0))
    versions.settle(tx, family_of(model))


def lock_family(tx: Write, store: UUID, project: int) -> None:
    """Let nobody else add or take away versions in the store, or, in none, of the project, until this ends."""
    if store == NOWHERE:
        projects.lock(tx, project)
    else:
        tx.lock(select(stores.stores.c.id).where(stores.stores.c.uuid == store))


def family_of(model: Model) -> Family:
    """The versions that the model is one of."""
    return Family(project=model.project, store=model.store, name=model.name)


def thing_of(model: Model) -> Thing:
    """The model as what marks are on."""
    return Thing(uuid=model.uuid, kind=ThingKind.MODEL, project=model.project, public=model.public)


def _path(tx: Write, caller: Caller, new: NewModel) -> str:
    """Where a new model is: in its store, which is locked then, or where its image is."""
    if new.kind is ModelKind.IMAGE:
        return new.install_path
    store = stores.locked(tx, caller, new.store)
    path = stores.path_within(store.path, store.hosts, new.install_path)
    stores.check_seen(tx, caller, path, field="install_path")
    return path


def _seen(tx: Read, caller: Caller, uuid: UUID) -> Row[Any]:
    row = tx.first(select(models).where(models.c.uuid == uuid))
    if row is None or not owning.sees(caller, row):
        raise NoSuchModel(uuid=uuid.hex)
    return row


def _moved(tx: Write, caller: Caller, before: Model, *, told: dict[str, Any], store: UUID | None) -> dict[str, Any]:
    """The columns of the place, where that is another one."""
    if store is None and "install_path" not in told:
        return {}
    if before.kind is ModelKind.IMAGE:
        raise ModelIsImage("install_path" if store is None else "store", name=before.name)
    if before.status is ModelStatus.IMPORTING:
        raise ModelImporting(name=before.name)
    there = stores.get(tx, caller, before.store if store is None else store)
    if there.uuid != before.store:
        stores.charge(tx, before.store, models=-(before.artifact_size or 0))
        stores.charge(tx, there.uuid, models=before.artifact_size or 0)
    path = stores.path_within(there.path, there.hosts, told.get("install_path", before.install_path))
    stores.check_seen(tx, caller, path, field="install_path")
    return {"store_uuid": there.uuid, "path": path}


def _said(names: Collection[str]) -> str:
    return msgspec.json.encode(sorted(names)).decode()
