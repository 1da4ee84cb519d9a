"""What can be asked of each resource: what ZStack's command line offers at `QueryModel <Tab>`, from the same table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta

from trivium.base.caller import Caller
from trivium.dialects.operation import Mark, Read, Wire
from trivium.dialects.zstack.apis import Api, Listing, Look, at
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.errors import BadValue
from trivium.dialects.zstack.inventories import Catalogue, Inventory, queryable
from trivium.dialects.zstack.refusals import Mandatory
from trivium.dialects.zstack.spelling import Shape


class QueryableAsked(Wire, frozen=True, kw_only=True):
    """Of which query it is wanted, or of which resource: that which a relation leads to, too."""

    api: Annotated[str, Meta(min_length=1)] | None = None
    resource: Annotated[str, Meta(min_length=1)] | None = None


class FieldShape(Shape, frozen=True, kw_only=True):
    """A field, and what it holds."""

    name: str
    type: str


class RelationShape(Shape, frozen=True, kw_only=True):
    """A relation, and what it leads to."""

    name: str
    resource: str


def apis(catalogue: Catalogue, others: Iterable[Api]) -> tuple[Api, ...]:
    """The call, about all queries among the others, and all that is in the catalogue."""
    of_apis = {api.name: api.handler.inventory for api in others if isinstance(api.handler, Listing)}
    of_resources = {inventory.name: inventory for inventory in catalogue}

    def look(_tx: Read, _caller: Caller, asked: QueryableAsked) -> Result:
        if asked.api is not None:
            inventory = _known("api", asked.api, of_apis)
        elif asked.resource is not None:
            inventory = _known("resource", asked.resource, of_resources)
        else:
            raise Mandatory("api", of="APIGetQueryableFieldsMsg")
        found = queryable(inventory)
        return {
            "fields": [FieldShape(name=name, type=type) for name, type in found.fields],
            "relations": [RelationShape(name=name, resource=to) for name, to in found.relations],
            "parameters": found.parameters,
        }

    return (
        Api(
            name="GetQueryableFields",
            places=(at("GET", "/ai/queryable-fields"),),
            handler=Look(look=look),
            mark=Mark.COMPANION,
            summary="What can be asked of a resource: fields, relations, parameters",
            shape=QueryableAsked,
        ),
    )


def _known(field: str, name: str, inventories: Mapping[str, Inventory]) -> Inventory:
    found = inventories.get(name)
    if found is None:
        raise BadValue(field, value=name[:100], expected=f"one of {', '.join(sorted(inventories))}")
    return found
