"""The calls about models."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from trivium.base.caller import Caller, Role
from trivium.base.query import Condition, Offset, Op, Query
from trivium.dialects.operation import Mark, Read, Write
from trivium.dialects.zstack.apis import Api, Job, Listing, Pending, at, queried_at
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.models.asking import (
    AddModelAsked,
    GenerateMetadataAsked,
    OfPair,
    UpdateModelAsked,
    model_change,
    new_model,
)
from trivium.dialects.zstack.models.inventory import MODEL
from trivium.dialects.zstack.models.shapes import ModelShapes
from trivium.dialects.zstack.services.shapes import ServiceShapes
from trivium.dialects.zstack.things import Deleting, DeletingMany, deleted, deletions, uuid_of
from trivium.resources import hosts, marks, models, operations, services
from trivium.resources.models import NoSuchModel
from trivium.resources.operations import Operation
from trivium.resources.services import NoSuchService

CLASSIFICATIONS: Final = "modelClassifications"
"""What the system tags begin with that keep how a model is classified."""


class Models:
    """The calls; a new model asks for `extra_gpu_memory` bytes besides what it needs."""

    def __init__(self, utc_offset: timedelta, extra_gpu_memory: int) -> None:
        self._extra_gpu_memory = extra_gpu_memory
        self._shapes = ModelShapes(utc_offset)
        self._service_shapes = ServiceShapes(utc_offset)

    def add(self, tx: Write, caller: Caller, asked: AddModelAsked) -> Pending:
        """A new model, and the reading of its files, which goes on."""
        made = models.create(tx, caller, new_model(asked), extra_gpu_memory=self._extra_gpu_memory, tags=asked.marks)
        bound, default = asked.model_service_uuids or (), asked.default_model_service_uuid
        services.bind_all(tx, caller, made.uuid, services=bound, default=default)
        host = hosts.working(tx)
        return Pending(
            target=made.id,
            begin=lambda tx, operation: models.begin_import(tx, caller, made.uuid, host=host, operation=operation),
        )

    def added(self, tx: Read, operation: Operation) -> Result:
        """The model whose files were read, as its project sees it."""
        caller = Caller(user=operation.user, user_name="", project=operation.project, role=Role.MEMBER)
        query = Query(
            where=(Condition(field="id", op=Op.EQ, value=operation.target or 0),), page=Offset(limit=1), total=False
        )
        found = models.LISTING.page(tx, caller, query).rows
        if not found:
            raise NoSuchModel
        return {"inventory": self._shapes.one(tx, caller, found[0])}

    def update(self, tx: Write, caller: Caller, asked: UpdateModelAsked) -> Result:
        """The model as it is then."""
        uuid = asked.meant
        after = models.change(tx, caller, uuid, to=model_change(asked))
        if asked.model_classifications is not None:
            thing = models.thing_of(after)
            marks.replace_system(tx, caller, thing, prefix=CLASSIFICATIONS, values=asked.model_classifications)
        if asked.clear_default_model_service:
            services.set_default(tx, caller, uuid, service=None)
        if asked.default_model_service_uuid is not None:
            services.bind_all(tx, caller, uuid, services=(), default=asked.default_model_service_uuid)
        return {"inventory": self._shapes.one(tx, caller, after)}

    def bind(self, tx: Write, caller: Caller, asked: OfPair) -> Result:
        """The service that the model is bound to from now on."""
        service = uuid_of(asked.model_service_uuid)
        services.bind(tx, caller, uuid_of(asked.model_uuid), service=service)
        return self._service(tx, caller, service)

    def unbind(self, tx: Write, caller: Caller, asked: OfPair) -> Result:
        """The service that the model is bound to no more, where the caller sees it."""
        service = uuid_of(asked.model_service_uuid)
        services.unbind(tx, caller, uuid_of(asked.model_uuid), service=service)
        try:
            return self._service(tx, caller, service)
        except NoSuchService:  # another's, which somebody bound to the caller's model
            return {}

    def _service(self, tx: Read, caller: Caller, service: UUID) -> Result:
        found = services.get(tx, caller, service)
        return {"inventory": self._service_shapes.one(tx, caller, found)}

    def listing(self) -> Listing:
        """How queries are answered."""
        return Listing(
            inventory=MODEL,
            rows=models.LISTING.page,
            shapes=self._shapes.page,
            summed=lambda tx, caller, query, of: models.LISTING.summed(tx, caller, query, of=of),
        )


def delete(tx: Write, caller: Caller, asked: Deleting) -> Result:
    """The model is gone from the catalogue; its files stay."""
    mode = asked.delete_mode.deletion
    return deleted(asked, lambda uuid: models.delete(tx, caller, uuid, users=services.MODEL_USERS, mode=mode))


def delete_many(tx: Write, caller: Caller, asked: DeletingMany) -> Result:
    """What became of each."""
    mode = asked.delete_mode.deletion
    users = services.MODEL_USERS
    return deletions(asked, lambda uuids: models.delete_many(tx, caller, uuids, users=users, mode=mode))


def generate_metadata(_tx: Write, caller: Caller, asked: GenerateMetadataAsked) -> Pending:
    """The reading of the models' files, which goes on."""
    store, only = asked.model_center_uuid, asked.model_uuids

    def begin(tx: Write, operation: int) -> None:
        if not models.read_again(tx, caller, store, only=only, operation=operation):
            operations.finish(tx, operation)

    return Pending(target=None, begin=begin)


def apis(utc_offset: timedelta, extra_gpu_memory: int) -> tuple[Api, ...]:
    """The calls; times are told by the clock that is so far ahead of UTC."""
    calls = Models(utc_offset, extra_gpu_memory)
    return (
        Api(
            name="QueryModel",
            places=queried_at("/ai/models"),
            handler=calls.listing(),
            mark=Mark.SEED,
            summary="Models: the project's own and public ones, all for an administrator",
        ),
        *_changing(calls),
        *_binding(calls),
    )


def _changing(calls: Models) -> tuple[Api, ...]:
    return (
        Api(
            name="AddModel",
            places=(at("POST", "/ai/models"),),
            handler=Job(do=calls.add, show=calls.added),
            mark=Mark.COMPANION,
            summary="A model of files that lie in a centre, which are read",
            shape=AddModelAsked,
        ),
        Api(
            name="UpdateModel",
            places=(at("PUT", "/ai/models/{uuid}"),),
            handler=Job(do=calls.update),
            mark=Mark.COMPANION,
            summary="Change what is said of a model",
            shape=UpdateModelAsked,
        ),
        Api(
            name="DeleteModel",
            places=(at("DELETE", "/ai/models/{uuid}"),),
            handler=Job(do=delete),
            mark=Mark.COMPANION,
            summary="Take a model from the catalogue; its files stay",
            shape=Deleting,
        ),
        Api(
            name="DeleteModels",
            places=(at("DELETE", "/ai/models"),),
            handler=Job(do=delete_many),
            mark=Mark.COMPANION,
            summary="Take several models from the catalogue",
            shape=DeletingMany,
        ),
        Api(
            name="GenerateModelMetadata",
            places=(at("PUT", "/ai/model/metadata/generate"),),
            handler=Job(do=generate_metadata),
            mark=Mark.BEYOND,
            summary="Read the files of models again",
            shape=GenerateMetadataAsked,
        ),
    )


def _binding(calls: Models) -> tuple[Api, ...]:
    pair = "/ai/models/{modelUuid}/model-services/{modelServiceUuid}"
    return (
        Api(
            name="BindModelToService",
            places=(at("POST", pair),),
            handler=Job(do=calls.bind),
            mark=Mark.COMPANION,
            summary="Bind a model to a service",
            shape=OfPair,
        ),
        Api(
            name="UnbindModelFromService",
            places=(at("DELETE", pair),),
            handler=Job(do=calls.unbind),
            mark=Mark.COMPANION,
            summary="Bind a model to a service no more",
            shape=OfPair,
        ),
    )
