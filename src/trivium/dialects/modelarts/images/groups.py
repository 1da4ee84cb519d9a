"""Images by name: listed, described, and deleted all at once."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from trivium.base.ids import uuid_of
from trivium.base.query import Offset
from trivium.dialects.modelarts.images.shapes import (
    DeleteImageBody,
    DoneShape,
    GroupPage,
    GroupShape,
    GroupsQuery,
    UpdateGroupBody,
)
from trivium.dialects.modelarts.images.translation import BUILT_IN, DEFAULT_LIMIT, TYPES
from trivium.dialects.modelarts.paging import checked_offset, counts, offset_page, whole
from trivium.dialects.modelarts.spelling import dashed, milliseconds, one_of
from trivium.dialects.modelarts.workspaces import chosen
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, always
from trivium.resources import images
from trivium.resources.images import GroupQuery, ImageGroup, NoSuchImageGroup

ONE: Final = "/v1/{project_id}/images/group/{id}"
EVERYTHING: Final = 1 << 31
"""More groups than there are."""


def group_query(asked: GroupsQuery, workspace: int | None) -> GroupQuery:
    """The groups that are asked for; all of them unless a limit is given. Raises `Invalid`."""
    kind = one_of(asked.type, "type", TYPES)
    fuzzy = asked.name_fuzzy_match is not False
    page = offset_page(asked.limit, asked.offset, default=DEFAULT_LIMIT)
    if asked.limit is None:
        page = Offset(limit=EVERYTHING, offset=checked_offset(asked.offset))
    return GroupQuery(
        name=None if fuzzy else asked.name or None,
        containing=(asked.name or None) if fuzzy else None,
        namespace=asked.namespace or None,
        preset=None if kind is None else kind == BUILT_IN,
        workspace=workspace,
        page=page,
    )


def group_shape(group: ImageGroup) -> GroupShape:
    """The images of one name as ModelArts shows them."""
    return GroupShape(
        id=dashed(group.uuid),
        name=group.name,
        create_at=milliseconds(group.created_at),
        namespace=group.namespace,
        update_at=milliseconds(group.changed_at),
        version_count=group.versions,
        description=group.description,
        read_me=group.read_me,
    )


def list_image_group(tx: Read, call: Call[Nothing, GroupsQuery]) -> GroupPage:
    """A page of the names that images have; no image is in an enterprise edition of SWR."""
    asked = group_query(call.query, chosen(tx, call.caller, call.query.workspace_id))
    found = images.list_groups(tx, call.caller, asked)
    total, rows = (0, ()) if call.query.swr_instance_id else (found.total or 0, found.rows)
    numbers = whole(total) if call.query.limit is None else counts(asked.page, total)
    return GroupPage(
        current=numbers.current,
        data=[group_shape(group) for group in rows],
        pages=numbers.pages,
        size=numbers.size,
        total=numbers.total,
        is_swr_enterprise=False,
    )


async def update_image_group(call: Call[UpdateGroupBody, Nothing]) -> DoneShape:
    """Give a group another guide or other tags."""
    tags = call.body.tags
    given = None if tags is None else [tag.meant for tag in tags]
    await call.write(images.update_group, _uuid(call), read_me=call.body.read_me, given=given)
    return DoneShape()


async def delete_image_group(call: Call[DeleteImageBody, Nothing]) -> DoneShape:
    """Remove all images of a group, or none."""
    await call.write(images.remove_group, _uuid(call))
    return DoneShape()


OPERATIONS: Final = (
    Operation(
        name="ListImageGroup",
        method="GET",
        path="/v1/{project_id}/images/group",
        handler=View(look=list_image_group, may_grow=always),
        mark=Mark.SEED,
        summary="The same by name, with how many versions there are of each",
        query=GroupsQuery,
    ),
    Operation(
        name="UpdateImageGroup",
        method="PUT",
        path=ONE,
        handler=update_image_group,
        mark=Mark.COMPANION,
        summary="Give all images of a name a guide and tags",
        body=UpdateGroupBody,
    ),
    Operation(
        name="DeleteImageGroup",
        method="DELETE",
        path=ONE,
        handler=delete_image_group,
        mark=Mark.COMPANION,
        summary="Remove all images of a name",
        body=DeleteImageBody,
    ),
)


def _uuid(call: Call[Any, Any]) -> UUID:
    """The group that a path names. `NoSuchImageGroup`."""
    found = uuid_of(call.request.parameters["id"])
    if found is None:
        raise NoSuchImageGroup
    return found
