"""Images one by one: listed, shown, saved, registered, looked at again, deleted."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from msgspec import structs

from trivium.base.ids import uuid_of
from trivium.dialects.modelarts.images.shapes import (
    CreateImageBody,
    DeleteImageBody,
    ImageShape,
    ImagesQuery,
    RegisterImageBody,
    WholeImageShape,
)
from trivium.dialects.modelarts.images.translation import (
    image_query,
    image_shape,
    page_of,
    registration_of,
    save_as,
    whole_image_shape,
)
from trivium.dialects.modelarts.notebooks.finding import named
from trivium.dialects.modelarts.paging import PageShape, counts, paged
from trivium.dialects.modelarts.workspaces import chosen
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, always
from trivium.resources import images, notebooks, workspaces
from trivium.resources.images import Image, ImageStatus, NoSuchImage


def list_image(tx: Read, call: Call[Nothing, ImagesQuery]) -> PageShape[ImageShape]:
    """A page of the images that the caller may use."""
    workspace = chosen(tx, call.caller, call.query.workspace_id)
    found = images.list_images(tx, call.caller, image_query(call.query, workspace))
    uuids = workspaces.uuids_of(tx, [image.workspace for image in found.rows])
    tags = images.tags_of_groups(tx, {image.group for image in found.rows if image.group is not None})
    shown = [image_shape(image, uuids.get(image.workspace), tags.get(image.group or 0, ())) for image in found.rows]
    return paged(counts(page_of(call.query), found.total or 0), shown)


def show_image(tx: Read, call: Call[Nothing, Nothing]) -> WholeImageShape:
    """One image."""
    return _shown(tx, images.by_uuid(tx, call.caller, _uuid(call)))


async def create_image(call: Call[CreateImageBody, Nothing]) -> WholeImageShape:
    """Save the environment of a notebook that runs as an image; the notebook runs on."""
    core, body = call.core, call.body
    found = await named(call)
    workspace = await call.read(chosen, body.workspace_id)
    as_ = save_as(body, workspace=workspace or workspaces.DEFAULT, now=core.clock.now())
    saved = await call.write(notebooks.save, core.site, notebook=found.id, as_=as_)
    return await core.store.read(_shown, saved)


async def register_image(call: Call[RegisterImageBody, Nothing]) -> WholeImageShape:
    """Have an image that is here as one of the project's own."""
    workspace = await call.read(chosen, call.body.workspace_id)
    as_ = registration_of(call.body, workspace=workspace or workspaces.DEFAULT)
    return await call.core.store.read(_shown, await call.write(images.register, as_))


async def sync_image(call: Call[Nothing, Nothing]) -> WholeImageShape:
    """Look again at what an image is made of; its status and size are what was found."""
    core = call.core
    image = await call.read(images.by_uuid, _uuid(call, "image_id"))
    found = await images.examine(core.store, core.places, call.caller, image=image)
    return await core.store.read(_shown, await call.write(images.note_examined, image, examined=found))


async def delete_image(call: Call[DeleteImageBody, Nothing]) -> WholeImageShape:
    """Remove an image; notebooks that were made of it go on."""
    image = await call.read(images.by_uuid, _uuid(call))
    shown = await call.core.store.read(_shown, image)
    await call.write(images.remove, image)
    return structs.replace(shown, status=ImageStatus.DELETED.name)


OPERATIONS: Final = (
    Operation(
        name="ListImage",
        method="GET",
        path="/v1/{project_id}/images",
        handler=View(look=list_image, may_grow=always),
        mark=Mark.SEED,
        summary="The images that notebooks can be made of",
        query=ImagesQuery,
    ),
    Operation(
        name="ShowImage",
        method="GET",
        path="/v1/{project_id}/images/{id}",
        handler=View(look=show_image),
        mark=Mark.COMPANION,
        summary="One image",
    ),
    Operation(
        name="RegisterImage",
        method="POST",
        path="/v1/{project_id}/images",
        handler=register_image,
        mark=Mark.COMPANION,
        summary="Have an image that is here as one of the project's own",
        body=RegisterImageBody,
    ),
    Operation(
        name="SyncImage",
        method="POST",
        path="/v1/{project_id}/images/{image_id}/sync",
        handler=sync_image,
        mark=Mark.COMPANION,
        summary="Look again at what an image is made of",
    ),
    Operation(
        name="DeleteImage",
        method="DELETE",
        path="/v1/{project_id}/images/{id}",
        handler=delete_image,
        mark=Mark.COMPANION,
        summary="Remove an image",
        body=DeleteImageBody,
    ),
    Operation(
        name="CreateImage",
        method="POST",
        path="/v1/{project_id}/notebooks/{id}/create-image",
        handler=create_image,
        mark=Mark.COMPANION,
        summary="Save the environment of a notebook that runs as an image",
        body=CreateImageBody,
    ),
)


def _uuid(call: Call[Any, Any], parameter: str = "id") -> UUID:
    """The image that a path names. `NoSuchImage`."""
    found = uuid_of(call.request.parameters[parameter])
    if found is None:
        raise NoSuchImage
    return found


def _shown(tx: Read, image: Image) -> WholeImageShape:
    uuid = workspaces.uuids_of(tx, (image.workspace,)).get(image.workspace)
    tags = () if image.group is None else images.tags_of_groups(tx, (image.group,))[image.group]
    return whole_image_shape(image, uuid, tags)
