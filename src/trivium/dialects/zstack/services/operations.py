"""The calls about model services."""

from __future__ import annotations

from datetime import timedelta

from trivium.base.caller import Caller
from trivium.dialects.operation import Mark, Write
from trivium.dialects.zstack.apis import Api, Job, Listing, at, queried_at
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.services.asking import (
    AddServiceAsked,
    UpdateServiceAsked,
    new_service,
    service_change,
)
from trivium.dialects.zstack.services.inventory import SERVICE
from trivium.dialects.zstack.services.shapes import ServiceShapes
from trivium.dialects.zstack.things import Deleting, DeletingMany, deleted, deletions
from trivium.resources import services


class Services:
    """The calls that show services; times are told by the clock that is so far ahead of UTC."""

    def __init__(self, utc_offset: timedelta) -> None:
        self._shapes = ServiceShapes(utc_offset)

    def add(self, tx: Write, caller: Caller, asked: AddServiceAsked) -> Result:
        """A new service, with the models that are bound to it."""
        made = services.create(tx, caller, new_service(asked), tags=asked.marks)
        for model in asked.model_uuids or ():
            services.bind(tx, caller, model, service=made.uuid)
        return {"inventory": self._shapes.one(tx, caller, made)}

    def update(self, tx: Write, caller: Caller, asked: UpdateServiceAsked) -> Result:
        """The service as it is then."""
        after = services.change(tx, caller, asked.meant, to=service_change(asked))
        return {"inventory": self._shapes.one(tx, caller, after)}

    def listing(self) -> Listing:
        """How queries are answered."""
        return Listing(
            inventory=SERVICE,
            rows=services.SERVICE_LISTING.page,
            shapes=self._shapes.page,
            summed=lambda tx, caller, query, of: services.SERVICE_LISTING.summed(tx, caller, query, of=of),
        )


def delete(tx: Write, caller: Caller, asked: Deleting) -> Result:
    """The service is gone."""
    return deleted(asked, lambda uuid: services.delete(tx, caller, uuid, mode=asked.delete_mode.deletion))


def delete_many(tx: Write, caller: Caller, asked: DeletingMany) -> Result:
    """What became of each."""
    mode = asked.delete_mode.deletion
    return deletions(asked, lambda uuids: services.delete_many(tx, caller, uuids, mode=mode))


def apis(utc_offset: timedelta) -> tuple[Api, ...]:
    """The calls."""
    calls = Services(utc_offset)
    return (
        Api(
            name="QueryModelService",
            places=queried_at("/ai/model-services"),
            handler=calls.listing(),
            mark=Mark.COMPANION,
            summary="Model services: the project's own and public ones, all for an administrator",
        ),
        Api(
            name="AddModelService",
            places=(at("POST", "/ai/model-services"),),
            handler=Job(do=calls.add),
            mark=Mark.COMPANION,
            summary="A model service, as an entry of the catalogue",
            shape=AddServiceAsked,
        ),
        Api(
            name="UpdateModelService",
            places=(at("PUT", "/ai/model-services/{uuid}"),),
            handler=Job(do=calls.update),
            mark=Mark.COMPANION,
            summary="Change what is said of a model service",
            shape=UpdateServiceAsked,
        ),
        Api(
            name="DeleteModelService",
            places=(at("DELETE", "/ai/model-services/{uuid}"),),
            handler=Job(do=delete),
            mark=Mark.COMPANION,
            summary="Delete a model service",
            shape=Deleting,
        ),
        Api(
            name="DeleteModelServices",
            places=(at("DELETE", "/ai/model-services"),),
            handler=Job(do=delete_many),
            mark=Mark.BEYOND,
            summary="Delete several model services",
            shape=DeletingMany,
        ),
    )
