"""Binding models to services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, update

from trivium.base.caller import Caller
from trivium.base.errors import Forbidden, Invalid
from trivium.resources import events, models, owning
from trivium.resources.models import Model
from trivium.resources.services import releasing
from trivium.resources.services.errors import NotBound
from trivium.resources.services.rows import ref_of
from trivium.resources.services.service import get
from trivium.resources.services.table import refs, services
from trivium.resources.services.types import ModelService, ServiceRef
from trivium.store import Write

MOST: Final = 100
"""Services that one call binds."""

_WITH_OWNERS: Final = select(
    refs.c.project_id,
    models.models.c.id.label("model_id"),
    models.models.c.project_id.label("model_project"),
    services.c.project_id.label("service_project"),
).select_from(
    refs.join(models.models, models.models.c.uuid == refs.c.model_uuid).join(
        services, services.c.uuid == refs.c.service_uuid
    )
)


def bind(tx: Write, caller: Caller, model: UUID, *, service: UUID) -> ServiceRef:
    """A model is bound to a service; binding twice changes nothing. It does not become the model's default.

    Raises `NoSuchModel`, `NoSuchService`, and `Forbidden` for who may change neither.
    """
    mine, its = _both(tx, caller, model, service=service)
    there = tx.first(select(refs).where(refs.c.model_uuid == model, refs.c.service_uuid == service))
    if there is not None:
        return ref_of(there)
    holder, public = _whose(mine, its)
    row: dict[str, Any] = {
        "id": tx.ids.next(),
        "uuid": uuid4(),
        "project_id": holder,
        "audience": owning.audience(holder, public=public),
        "model_uuid": model,
        "service_uuid": service,
        "is_default": False,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    tx.run(insert(refs).values(row))
    told = {"model": model.hex, "service": service.hex}
    events.record(tx, caller, "model.bind", target=mine.id, project=mine.project, after=told)
    return ref_of(tx.all(select(refs).where(refs.c.id == row["id"]))[0])


def bind_all(
    tx: Write, caller: Caller, model: UUID, *, services: Sequence[UUID], default: UUID | None = None
) -> Sequence[ServiceRef]:
    """A model is bound to these services and, where it is not among them, to the one that becomes its default.

    Raises what `bind` and `set_default` raise, and `Invalid` for too many.
    """
    wanted = list(dict.fromkeys([*services, *(() if default is None else (default,))]))
    if len(wanted) > MOST:
        message = f"there are at most {MOST}"
        raise Invalid("services", message)
    for service in wanted:
        bind(tx, caller, model, service=service)
    if default is not None:
        set_default(tx, caller, model, service=default)
    return of_model(tx, caller, model)


def set_default(tx: Write, caller: Caller, model: UUID, *, service: UUID | None) -> None:
    """The service becomes the model's default, in place of another; None: it has none from now on.

    Raises `NoSuchModel`, `Forbidden` for who may not change the model, and `NotBound`.
    """
    mine = models.own(tx, caller, model)
    tx.lock(select(models.models.c.id).where(models.models.c.id == mine.id))
    of_model = refs.c.model_uuid == model
    if service is not None:
        row = tx.first(select(refs).where(of_model, refs.c.service_uuid == service))
        if row is None or not owning.sees(caller, row):
            raise NotBound
        if row.is_default:
            return
    # The old one first: a model never has two.
    tx.run(update(refs).where(of_model, refs.c.is_default).values(is_default=False, changed_at=tx.now))
    if service is not None:
        chosen = update(refs).where(of_model, refs.c.service_uuid == service)
        tx.run(chosen.values(is_default=True, changed_at=tx.now))
    told = {"service": None if service is None else service.hex}
    events.record(tx, caller, "model.default", target=mine.id, project=mine.project, after=told)


def unbind(tx: Write, caller: Caller, model: UUID, *, service: UUID) -> None:
    """A model is bound to a service no more; one that was not is not, either.

    Whoever may change one of them may take the other from it, whether they see that or not. Raises `NoSuchModel`,
    `NoSuchService`, and `Forbidden` for who may change neither.
    """
    both = (refs.c.model_uuid == model, refs.c.service_uuid == service)
    row = tx.first(_WITH_OWNERS.where(*both))
    if row is None or not (caller.is_admin or caller.project in (row.model_project, row.service_project)):
        _both(tx, caller, model, service=service)
        return
    releasing.take_away(tx, caller, *both)
    if row.project_id == caller.project:
        told = {"model": model.hex, "service": service.hex}
        events.record(tx, caller, "model.unbind", target=row.model_id, project=row.model_project, before=told)


def of_model(tx: Write, caller: Caller, model: UUID) -> Sequence[ServiceRef]:
    """The bindings of a model that the caller sees, oldest first."""
    rows: Sequence[Row[Any]] = tx.all(select(refs).where(refs.c.model_uuid == model).order_by(refs.c.id))
    return [ref_of(row) for row in rows if owning.sees(caller, row)]


def _both(tx: Write, caller: Caller, model: UUID, *, service: UUID) -> tuple[Model, ModelService]:
    """The model and the service, of which the caller may change one; neither is deleted until this ends."""
    mine, its = models.get(tx, caller, model), get(tx, caller, service)
    if not caller.is_admin and caller.project not in (mine.project, its.project):
        message = "only the project of the model or of the service, or an administrator, may bind them"
        raise Forbidden(message, action="bind them")
    tx.lock(select(models.models.c.id).where(models.models.c.id == mine.id))
    tx.lock(select(services.c.id).where(services.c.id == its.id))
    return models.get(tx, caller, model), get(tx, caller, service)


def _whose(model: Model, service: ModelService) -> tuple[int, bool]:
    """Whose the binding is, and whether everybody sees it: who does not see both sees no binding either."""
    if model.public and service.public:
        return model.project, True
    return (service.project if model.public else model.project), False
