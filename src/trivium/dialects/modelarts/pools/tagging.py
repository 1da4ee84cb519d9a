"""Tags of pools: given, taken, and all of a project's by key."""

from __future__ import annotations

from typing import Final

from trivium.dialects.modelarts.paging import checked_offset
from trivium.dialects.modelarts.pools.operations import POOL
from trivium.dialects.modelarts.tags import TagsBody, TagsShape, tags_by_key, tags_of_one
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, always
from trivium.dialects.reading import OutOfBounds
from trivium.resources import shares

ONE: Final = "/v1/{project_id}/pools/{pool_name}/tags"
DEFAULT: Final = 200
MOST: Final = 1000


class TagsQuery(Wire, frozen=True, kw_only=True):
    """Which page of the keys is wanted; the offset counts pages."""

    limit: int | None = None
    offset: int | None = None


def list_pool_tags(tx: Read, call: Call[Nothing, TagsQuery]) -> TagsShape:
    """A page of the tags of the project's pools, by key, each value once."""
    limit = DEFAULT if call.query.limit is None else call.query.limit
    if not 1 <= limit <= MOST:
        raise OutOfBounds("limit", f"between 1 and {MOST}")
    begin = checked_offset(call.query.offset) * limit
    every = shares.tags_by_key(tx, call.caller)
    return tags_by_key({key: every[key] for key in [*every][begin : begin + limit]})


def show_pool_tags(tx: Read, call: Call[Nothing, Nothing]) -> TagsShape:
    """The tags of a pool."""
    return tags_of_one(shares.tags_of(tx, call.caller, call.request.parameters[POOL]))


async def create_pool_tags(call: Call[TagsBody, Nothing]) -> TagsShape:
    """Give a pool tags; a key that it has gets the new value."""
    return tags_of_one(await call.write(shares.put_tags, call.request.parameters[POOL], given=call.body.given))


async def delete_pool_tags(call: Call[TagsBody, Nothing]) -> TagsShape:
    """Take tags from a pool, by their keys; those that it does not have are none."""
    return tags_of_one(await call.write(shares.remove_tags, call.request.parameters[POOL], keys=call.body.keys))


OPERATIONS: Final = (
    Operation(
        name="ListPoolTags",
        method="GET",
        path="/v1/{project_id}/pools/tags",
        handler=View(look=list_pool_tags, may_grow=always),
        mark=Mark.SEED,
        summary="Every tag of the project's pools",
        query=TagsQuery,
    ),
    Operation(
        name="ShowPoolTags",
        method="GET",
        path=ONE,
        handler=View(look=show_pool_tags),
        mark=Mark.COMPANION,
        summary="The tags of a pool",
    ),
    Operation(
        name="BatchCreatePoolTags",
        method="POST",
        path=f"{ONE}/create",
        handler=create_pool_tags,
        mark=Mark.COMPANION,
        summary="Give a pool tags",
        body=TagsBody,
    ),
    Operation(
        name="BatchDeletePoolTags",
        method="DELETE",
        path=f"{ONE}/delete",
        handler=delete_pool_tags,
        mark=Mark.COMPANION,
        summary="Take tags from a pool",
        body=TagsBody,
    ),
)
