"""Images: the platform's own for notebooks, and those that users saved."""

from __future__ import annotations

from typing import Final, TypeAlias

from trivium.base.query import Condition, Op, Order, Query
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, always
from trivium.dialects.scnet.settings import ImageList
from trivium.dialects.scnet.spelling import ACCELERATORS, Number, Shape, numbered_page, one_of, page_from, time_text
from trivium.resources import images
from trivium.resources.images import Image, ImageScope, ImageStatus, Visibility

ORDERS: Final = {"create_time": "created_at", "share_time": "created_at", "clone_times": "clones"}
"""An image is shared when it is made, if at all."""

COMPLETED: Final = "Completed"
"""The only status that SCNet documents; an image that is still being saved is not listed yet."""


class ModelImage(Shape, frozen=True, kw_only=True):
    """An image, as the list of model images shows it."""

    id: str
    image_id: str
    tag: str
    description: str
    create_time: str
    accelerator_type: str
    path: str
    version: str
    status: str
    image_size: str


class AnyImage(ModelImage, frozen=True, kw_only=True):
    """An image, as the list of all images shows it."""

    name: str
    type: str
    access: str
    user: str
    clone_times: int
    is_preset_image: bool


class ModelImages(Shape, frozen=True, kw_only=True):
    """A page of model images."""

    records: list[ModelImage]
    total: int


class AnyImages(Shape, frozen=True, kw_only=True):
    """A page of images, under both names that clients look for."""

    total: int
    data: list[AnyImage]
    records: list[AnyImage]


class ModelImagesBody(Shape, frozen=True, kw_only=True):
    """What is asked of the list of model images."""

    page: Number = None
    size: Number = None
    accelerator_type: str | None = None


class ImagesBody(Shape, frozen=True, kw_only=True):
    """What is asked of the list of all images."""

    access: str | None = None
    order_by: str | None = None
    sort: str | None = None
    start: Number = None
    limit: Number = None
    name: str | None = None
    type: str | None = None
    accelerator_type: str | None = None


ModelCall: TypeAlias = "Call[ModelImagesBody, Nothing]"
AnyCall: TypeAlias = "Call[ImagesBody, Nothing]"


def model_query(body: ModelImagesBody) -> Query:
    """The operator's own images that are ready, newest first."""
    preset = Condition(field="preset", op=Op.EQ, value=True)
    return Query(
        where=(preset, READY, *_of_accelerator(body.accelerator_type)),
        order=(Order(field="created_at", descending=True),),
        page=numbered_page(body.page, body.size),
    )


def any_scope(body: ImagesBody) -> ImageScope:
    """The public images, or the project's own."""
    access = one_of(body.access, "access", ("public", "private"))
    return ImageScope.PROJECT if access == "private" else ImageScope.PUBLIC


def any_query(body: ImagesBody) -> Query:
    """The images that are ready, as SCNet lets them be filtered and sorted."""
    by = one_of(body.order_by, "orderBy", tuple(ORDERS)) or "create_time"
    sort = one_of(body.sort, "sort", ("ASC", "DESC")) or "DESC"
    where = [READY]
    if body.name:
        where.append(Condition(field="version", op=Op.CONTAINS, value=body.name))
    if body.type:
        where.append(Condition(field="kind", op=Op.EQ, value=body.type))
    return Query(
        where=(*where, *_of_accelerator(body.accelerator_type)),
        order=(Order(field=ORDERS[by], descending=sort == "DESC"),),
        page=page_from(body.start, body.limit),
    )


def model_image(image: Image) -> ModelImage:
    """The image in the shape of the list of model images."""
    return ModelImage(
        id=image.uuid.hex,
        image_id=image.digest,
        tag=image.tag,
        description=image.description,
        create_time=time_text(image.created_at),
        accelerator_type=image.accelerator,
        path=image.path,
        version=image.version,
        status=COMPLETED,
        image_size=str(image.size),
    )


def any_image(image: Image) -> AnyImage:
    """The image in the shape of the list of all images."""
    return AnyImage(
        id=image.uuid.hex,
        image_id=image.digest,
        tag=image.tag,
        description=image.description,
        create_time=time_text(image.created_at),
        accelerator_type=image.accelerator,
        path=image.path,
        version=image.version,
        status=COMPLETED,
        image_size=str(image.size),
        name=image.name,
        type=image.kind,
        access="public" if image.visibility is Visibility.PUBLIC else "private",
        user=image.owner_name,
        clone_times=image.clones,
        is_preset_image=image.preset,
    )


def query_model_images(tx: Read, call: ModelCall) -> ModelImages:
    """A page of model images, as the documents' example has it."""
    found = images.list_images(tx, call.caller, model_query(call.body), scope=ImageScope.PUBLIC)
    return ModelImages(records=[model_image(image) for image in found.rows], total=found.total or 0)


def query_model_images_bare(tx: Read, call: ModelCall) -> list[ModelImage]:
    """The same as the documents' table has it, without a total."""
    return query_model_images(tx, call).records


def query_images(tx: Read, call: AnyCall) -> AnyImages:
    """A page of all images."""
    found = images.list_images(tx, call.caller, any_query(call.body), scope=any_scope(call.body))
    rows = [any_image(image) for image in found.rows]
    return AnyImages(total=found.total or 0, data=rows, records=rows)


def query_images_bare(tx: Read, call: AnyCall) -> list[AnyImage]:
    """The same without a total, for clients that look for an array."""
    return query_images(tx, call).records


def operations(shape: ImageList) -> tuple[Operation, ...]:
    """The operations, whose lists have that shape."""
    bare = shape is ImageList.ARRAY
    return (
        Operation(
            name="QueryModelImages",
            method="POST",
            path="/ai/openapi/v2/image/models",
            handler=View(query_model_images_bare if bare else query_model_images, always),
            mark=Mark.SEED,
            summary="The platform's own images for notebooks",
            body=ModelImagesBody,
        ),
        Operation(
            name="QueryImages",
            method="POST",
            path="/ai/openapi/v2/image/images",
            handler=View(query_images_bare if bare else query_images, always),
            mark=Mark.COMPANION,
            summary="The public images, or those that the user's project saved",
            body=ImagesBody,
        ),
    )


READY: Final = Condition(field="status", op=Op.EQ, value=ImageStatus.ACTIVE.value)


def _of_accelerator(word: str | None) -> tuple[Condition, ...]:
    kind = one_of(word, "acceleratorType", ACCELERATORS)
    return () if kind is None else (Condition(field="accelerator", op=Op.EQ, value=kind),)
