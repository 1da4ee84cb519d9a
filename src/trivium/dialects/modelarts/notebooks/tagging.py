"""Tags of notebooks: given, taken, and all of a project's by key."""

from __future__ import annotations

from typing import Final

from trivium.dialects.modelarts import workspaces
from trivium.dialects.modelarts.errors import BadTags
from trivium.dialects.modelarts.notebooks.finding import named
from trivium.dialects.modelarts.notebooks.shapes import TagShape
from trivium.dialects.modelarts.spelling import Text
from trivium.dialects.modelarts.tags import TagsBody, TagsShape, tags_by_key
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, always
from trivium.resources import notebooks
from trivium.resources.tags import Tag

ONE: Final = "/v1/{project_id}/notebooks/{resource_id}/tags"


class TagsQuery(Wire, frozen=True, kw_only=True):
    """The workspace that is meant."""

    workspace_id: Text = None


def read(text: Text) -> tuple[Tag, ...]:
    """The tags that a list asks for, as `key|value,key|value`. `BadTags`."""
    found: list[Tag] = []
    for part in (text or "").split(",") if (text or "").strip() else ():
        key, sign, value = part.partition("|")
        if not key.strip() or not sign:
            raise BadTags("tags")
        found.append(Tag(key=key.strip(), value=value.strip()))
    return tuple(dict.fromkeys(found))


def tag_shapes(given: tuple[Tag, ...]) -> tuple[TagShape, ...]:
    """Tags as ModelArts shows them."""
    return tuple(TagShape(key=tag.key, value=tag.value) for tag in given)


def show_notebook_tags(tx: Read, call: Call[Nothing, TagsQuery]) -> TagsShape:
    """Every tag of the project's notebooks, by key: of all workspaces, as tags are the project's."""
    workspaces.chosen(tx, call.caller, call.query.workspace_id)
    return tags_by_key(notebooks.tags_by_key(tx, call.caller))


async def create_notebook_tags(call: Call[TagsBody, TagsQuery]) -> None:
    """Give a notebook tags; a key that it has gets the new value."""
    await call.read(workspaces.chosen, call.query.workspace_id)
    await call.write(notebooks.put_tags, (await named(call, "resource_id")).id, given=call.body.given)


async def delete_notebook_tags(call: Call[TagsBody, TagsQuery]) -> None:
    """Take tags from a notebook, by their keys; those that it does not have are none."""
    await call.read(workspaces.chosen, call.query.workspace_id)
    await call.write(notebooks.remove_tags, (await named(call, "resource_id")).id, keys=call.body.keys)


OPERATIONS: Final = (
    Operation(
        name="ShowNotebookTags",
        method="GET",
        path="/v1/{project_id}/notebooks/tags",
        handler=View(look=show_notebook_tags, may_grow=always),
        mark=Mark.COMPANION,
        summary="Every tag of the project's notebooks",
        query=TagsQuery,
    ),
    Operation(
        name="CreateNotebookTags",
        method="POST",
        path=f"{ONE}/create",
        handler=create_notebook_tags,
        mark=Mark.COMPANION,
        summary="Give a notebook tags",
        body=TagsBody,
        query=TagsQuery,
        ok=204,
    ),
    Operation(
        name="DeleteNotebookTags",
        method="DELETE",
        path=f"{ONE}/delete",
        handler=delete_notebook_tags,
        mark=Mark.COMPANION,
        summary="Take tags from a notebook",
        body=TagsBody,
        query=TagsQuery,
        ok=204,
    ),
)
