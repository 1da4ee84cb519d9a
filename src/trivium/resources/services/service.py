"""Use cases of model services."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, update
from sqlalchemy import delete as delete_from

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.resources import events, marks, owning, stores
from trivium.resources.marks import NewMarks, Thing, ThingKind
from trivium.resources.owning import Deletion, Outcome
from trivium.resources.services import releasing
from trivium.resources.services.asking import MOST_IMAGES, columns, image_columns
from trivium.resources.services.errors import NoSuchService, ServiceInUse
from trivium.resources.services.rows import service_of
from trivium.resources.services.table import groups, images, refs, services
from trivium.resources.services.types import ModelService, NewImage, NewService, ServiceChange
from trivium.store import Read, Write

NO_MARKS: Final = NewMarks()


def create(tx: Write, caller: Caller, new: NewService, *, tags: NewMarks = NO_MARKS) -> ModelService:
    """A new service of the caller's project, in a store that they see.

    Raises `NoSuchModelStore`, `Missing`, `Invalid` and `UuidTaken`, and what marks raise.
    """
    store = stores.locked(tx, caller, new.store)
    given = {name: getattr(new, name) for name in new.__struct_fields__}
    told = columns(given)
    if new.architectures is None:
        told |= columns({"architectures": tuple(image.architecture.value for image in new.images)})
    id, uuid = tx.ids.next(), owning.claimed(tx, services, new.uuid)
    row = {
        "id": id,
        "uuid": uuid,
        "project_id": caller.project,
        "audience": owning.audience(caller.project, public=new.public),
        "store_uuid": store.uuid,
        "zone_uuid": new.zone,
        "created_at": tx.now,
        "changed_at": tx.now,
        **told,
    }
    tx.run(insert(services).values(owning.folded_values(services, row)))
    stores.charge(tx, store.uuid, services=new.size or 0)
    made = get(tx, caller, uuid)
    _set_images(tx, made, new.images)
    marks.put(tx, caller, thing_of(made), new=tags)
    events.record(tx, caller, "model_service.create", target=id, after={"name": made.name, "type": made.type.value})
    return made


def get(tx: Read, caller: Caller, uuid: UUID) -> ModelService:
    """The service of that uuid, if the caller may see it. `NoSuchService`."""
    return service_of(_seen(tx, caller, uuid))


def markable(tx: Read, caller: Caller, uuid: UUID) -> Thing:
    """The service as something to be marked. `NoSuchService`; `Forbidden` unless the caller may change it."""
    row = _seen(tx, caller, uuid)
    owning.must_own(caller, row, "change a model service")
    return thing_of(service_of(row))


def change(tx: Write, caller: Caller, uuid: UUID, *, to: ServiceChange) -> ModelService:
    """Change what is given; images that are given take the place of those that are there.

    Raises `NoSuchService`, `Forbidden`, `Missing` and `Invalid`.
    """
    before = _locked(tx, caller, uuid)
    given = {name: value for name in to.__struct_fields__ if (value := getattr(to, name)) is not None}
    told = columns(given) | {"changed_at": tx.now}
    if to.settings:
        told["settings"] = owning.checked_document("settings", {**before.settings, **to.settings})
    tx.run(update(services).where(services.c.id == before.id).values(owning.folded_values(services, told)))
    if to.images is not None:
        _set_images(tx, before, to.images)
    after = get(tx, caller, uuid)
    shown = ({"name": one.name, "type": one.type.value} for one in (before, after))
    events.record(
        tx,
        caller,
        "model_service.change",
        target=before.id,
        project=before.project,
        before=next(shown),
        after=next(shown),
    )
    return after


def delete(tx: Write, caller: Caller, uuid: UUID, *, mode: Deletion = Deletion.PERMISSIVE) -> None:
    """Delete a service. Models that are bound to it hinder that, unless they are to be let go; groups always do.

    Those that the caller does not see hinder nothing: others' bindings go along, and their groups go on without it.
    Raises `NoSuchService`, `Forbidden` and `ServiceInUse`.
    """
    before = _locked(tx, caller, uuid)
    tx.lock(select(stores.stores.c.id).where(stores.stores.c.uuid == before.store))
    of_models = select(refs.c.id).where(refs.c.service_uuid == uuid, *owning.seen_by(caller, refs))
    of_groups = select(groups.c.id).where(groups.c.service_uuid == uuid, *owning.seen_by(caller, groups))
    bound = tx.first(of_models.limit(1)) is not None
    runs = tx.first(of_groups.limit(1)) is not None
    if runs or (bound and mode is Deletion.PERMISSIVE):
        raise ServiceInUse(name=before.name)
    releasing.take_away(tx, caller, refs.c.service_uuid == uuid)
    tx.run(delete_from(images).where(images.c.service_uuid == uuid))
    marks.remove_all(tx, uuid)
    tx.run(delete_from(services).where(services.c.id == before.id))
    stores.charge(tx, before.store, services=-(before.size or 0))
    events.record(
        tx, caller, "model_service.delete", target=before.id, project=before.project, before={"name": before.name}
    )


def delete_many(
    tx: Write, caller: Caller, uuids: Sequence[UUID], *, mode: Deletion = Deletion.PERMISSIVE
) -> tuple[Outcome, ...]:
    """Delete each of these services, and tell what became of each. `Invalid` for none and for too many."""
    return owning.each(uuids, lambda uuid: delete(tx, caller, uuid, mode=mode))


def thing_of(service: ModelService) -> Thing:
    """The service as what marks are on."""
    return Thing(uuid=service.uuid, kind=ThingKind.SERVICE, project=service.project, public=service.public)


def _seen(tx: Read, caller: Caller, uuid: UUID) -> Row[Any]:
    row = tx.first(select(services).where(services.c.uuid == uuid))
    if row is None or not owning.sees(caller, row):
        raise NoSuchService(uuid=uuid.hex)
    return row


def _locked(tx: Write, caller: Caller, uuid: UUID) -> ModelService:
    owning.must_own(caller, _seen(tx, caller, uuid), "change a model service")
    row = tx.lock(select(services).where(services.c.uuid == uuid))
    if row is None:  # gone by now
        raise NoSuchService(uuid=uuid.hex)
    return service_of(row)


def _set_images(tx: Write, service: ModelService, given: Collection[NewImage]) -> None:
    if len(given) > MOST_IMAGES:
        message = f"there are at most {MOST_IMAGES}"
        raise Invalid("images", message)
    tx.run(delete_from(images).where(images.c.service_uuid == service.uuid))
    for each in given:
        row: Mapping[str, Any] = {
            "id": tx.ids.next(),
            "uuid": uuid4(),
            "project_id": service.project,
            "audience": owning.audience(service.project, public=service.public),
            "service_uuid": service.uuid,
            "created_at": tx.now,
            "changed_at": tx.now,
            **image_columns(each),
        }
        tx.run(insert(images).values(owning.folded_values(images, row)))
