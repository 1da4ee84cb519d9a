"""What can be asked of models."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.errors import TriviumError
from trivium.base.ids import uuid_of
from trivium.dialects.modelarts.codes import told_of
from trivium.dialects.modelarts.models.checking import location
from trivium.dialects.modelarts.models.events import ModelEventsPage, ModelEventsQuery, event_shape, events_query
from trivium.dialects.modelarts.models.shapes import (
    CreateModelBody,
    DeletedShape,
    DeleteQuery,
    FailedShape,
    ModelIdShape,
    ModelShape,
    ModelsPage,
    ModelsQuery,
)
from trivium.dialects.modelarts.models.translation import Around, model_item, model_shape, models_query, new_model
from trivium.dialects.modelarts.spelling import dashed
from trivium.dialects.modelarts.workspaces import chosen
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, always
from trivium.resources import models, projects, services, users, workspaces
from trivium.resources.datasets import Buckets
from trivium.resources.models import Model, ModelKind, NoSuchModel
from trivium.resources.owning import Outcome

ALL: Final = "/v1/{project_id}/models"
ONE: Final = f"{ALL}/{{model_id}}"
AT_ONCE: Final = 1000
"""Models that one transaction deletes."""


def list_models(tx: Read, call: Call[Nothing, ModelsQuery]) -> ModelsPage:
    """A page of the project's models."""
    asked, caller = call.query, call.caller
    query = models_query(asked, chosen(tx, caller, asked.workspace_id, asked.workspaceId))
    found = models.list_own(tx, caller, query)
    around = _around(tx, caller.project, found.rows)
    shown = [model_item(model, around) for model in found.rows]
    return ModelsPage(total_count=found.total or 0, count=len(shown), models=shown)


def show_model(tx: Read, call: Call[Nothing, Nothing]) -> ModelShape:
    """One model."""
    model = models.find(tx, call.caller, _uuid(call))
    return model_shape(model, _around(tx, model.project, [model]))


def list_events(tx: Read, call: Call[Nothing, ModelEventsQuery]) -> ModelEventsPage:
    """A page of what happened to a model of the project's own."""
    wanted = events_query(call.query)
    model = _own(tx, call.caller, _uuid(call))
    found = models.list_events(tx, model, wanted)
    shown = [event_shape(model, event) for event in found.rows]
    return ModelEventsPage(
        model_id=dashed(model.uuid),
        model_name=model.name,
        total_count=found.total or 0,
        count=len(shown),
        events=shown,
    )


class Models:
    """What makes models, from places that are looked up in the buckets."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    async def create(self, call: Call[CreateModelBody, Nothing]) -> ModelIdShape:
        """A new model, and the reading of its files, which goes on."""
        body = call.body
        workspace = await call.read(chosen, body.workspace_id)
        new = new_model(body, workspace or workspaces.DEFAULT)
        if new.kind is not ModelKind.IMAGE:
            place = await asyncio.to_thread(location, call.caller, new.install_path, buckets=self._buckets)
            new = structs.replace(new, install_path=place)
        made = await call.write(models.register, new)
        return ModelIdShape(model_id=dashed(made.uuid))


async def delete_model(call: Call[Nothing, DeleteQuery]) -> DeletedShape:
    """Take a model, or all versions of its name, from the catalogue; files and images stay."""
    model = await call.read(_own, _uuid(call))
    wanted = await call.core.store.search(models.versions_of, model) if call.query.cascade else [model.uuid]
    outcomes: list[Outcome] = []
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        outcomes += await call.write(models.delete_many, some, users=services.MODEL_USERS)
    return DeletedShape(
        delete_success_list=[dashed(one.uuid) for one in outcomes if one.failure is None],
        delete_failed_list=[_failed(one.uuid, one.failure) for one in outcomes if one.failure is not None],
    )


def operations(buckets: Buckets) -> tuple[Operation, ...]:
    """All of it."""
    return (
        Operation(
            name="ListModels",
            method="GET",
            path=ALL,
            handler=View(look=list_models, may_grow=always),
            mark=Mark.SEED,
            summary="The project's models",
            query=ModelsQuery,
        ),
        Operation(
            name="CreateModel",
            method="POST",
            path=ALL,
            handler=Models(buckets).create,
            mark=Mark.COMPANION,
            summary="A model of files on disk, which are read, or of an image",
            body=CreateModelBody,
        ),
        Operation(
            name="ShowModel",
            method="GET",
            path=ONE,
            handler=View(look=show_model),
            mark=Mark.COMPANION,
            summary="One model",
        ),
        Operation(
            name="ListModelEvents",
            method="GET",
            path=f"{ONE}/events",
            handler=View(look=list_events, may_grow=always),
            mark=Mark.BEYOND,
            summary="What happened to a model",
            query=ModelEventsQuery,
        ),
        Operation(
            name="DeleteModel",
            method="DELETE",
            path=ONE,
            handler=delete_model,
            mark=Mark.COMPANION,
            summary="Take a model, or all versions of its name, from the catalogue",
            query=DeleteQuery,
        ),
    )


def _uuid(call: Call[Any, Any]) -> UUID:
    """The model that a path names. `NoSuchModel`."""
    found = uuid_of(call.request.parameters["model_id"])
    if found is None:
        raise NoSuchModel
    return found


def _own(tx: Read, caller: Caller, uuid: UUID) -> Model:
    """The model, which is the project's own. `NoSuchModel`, `Forbidden`."""
    models.find(tx, caller, uuid)
    return models.own(tx, caller, uuid)


def _around(tx: Read, project: int, found: Sequence[Model]) -> Around:
    owners = {model.owner for model in found if model.owner is not None}
    return Around(
        project=projects.get(tx, project).uuid,
        domain=projects.get_domain(tx).uuid,
        owners={owner: users.get(tx, owner).uuid for owner in owners},
        workspaces=workspaces.uuids_of(tx, [model.workspace for model in found]),
    )


def _failed(uuid: UUID, error: TriviumError) -> FailedShape:
    told = told_of(error)
    return FailedShape(model_id=dashed(uuid), error_code=told.code, error_msg=told.words)
