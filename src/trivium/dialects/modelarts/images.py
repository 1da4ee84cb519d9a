"""Images: the operator's own and those that users saved, one by one and by name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import structs

from trivium.base.ids import uuid_of
from trivium.base.query import Condition, Offset, Op, Query
from trivium.base.text import Language
from trivium.base.units import KIB
from trivium.dialects.modelarts.errors import BadDescription, NotHere
from trivium.dialects.modelarts.notebooks.finding import named
from trivium.dialects.modelarts.notebooks.flavors import architecture
from trivium.dialects.modelarts.notebooks.naming import CATEGORIES
from trivium.dialects.modelarts.paging import Counts, PageShape, checked_offset, counts, offset_page, paged, whole
from trivium.dialects.modelarts.sorting import orders
from trivium.dialects.modelarts.spelling import Shape, Text, dashed, milliseconds, one_of
from trivium.dialects.modelarts.workspaces import chosen, workspace_id
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, always
from trivium.resources import images, notebooks, workspaces
from trivium.resources.images import GroupQuery, Image, ImageGroup, ImageStatus, NoSuchImage, SaveAs, Visibility

BUILT_IN: Final = "BUILD_IN"
TYPES: Final = (BUILT_IN, "DEDICATED")
COMMON: Final = "COMMON"
DEV: Final = "DEV"
UNKNOWN: Final = "UNKNOWN"
SERVICES: Final = (COMMON, "INFERENCE", "TRAIN", DEV, UNKNOWN)
DEFAULT_LIMIT: Final = 200
LONGEST_DESCRIPTION: Final = 512
STATUSES: Final[Mapping[ImageStatus, str]] = {
    ImageStatus.SAVING: "CREATING",
    ImageStatus.ACTIVE: "ACTIVE",
    ImageStatus.FAILED: "CREATE_FAILED",
    ImageStatus.DELETED: "DELETED",
}

SORTED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "create_at": ("created_at",),
    "update_at": ("changed_at",),
    "name": ("name",),
    "tag": ("tag",),
    "size": ("size",),
    "status": ("status",),
    "swr_path": ("path",),
    "namespace": ("namespace",),
    "description": ("description",),
    "id": ("uuid",),
    "type": ("preset",),
    "origin": ("preset",),
    "service_type": ("preset",),
    "visibility": ("visibility",),
    "arch": (),
    "workspace_id": ("workspace",),
}
"""By what the list can be sorted; what is the same of all images makes no order."""


class ImageShape(Shape, frozen=True, kw_only=True):
    """An image."""

    arch: str
    create_at: int
    description: str
    dev_services: tuple[str, ...]
    id: str
    name: str
    namespace: str
    origin: str
    resource_categories: tuple[str, ...]
    service_type: str
    size: int  # KB
    status: str
    status_message: str = ""
    swr_path: str
    tag: str
    type: str
    update_at: int
    visibility: str
    workspace_id: str


class GroupShape(Shape, frozen=True, kw_only=True):
    """The images of one name."""

    name: str
    create_at: int
    namespace: str
    update_at: int
    version_count: int


class ImagesQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list."""

    limit: int | None = None
    offset: int | None = None
    name: Text = None
    name_fuzzy_match: bool | None = None
    namespace: Text = None
    service_type: Text = None
    sort_dir: Text = None
    sort_key: Text = None
    type: Text = None
    workspace_id: Text = None
    show_name: Text = None
    show_tag: Text = None


class GroupsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list of groups."""

    limit: int | None = None
    offset: int | None = None
    name: Text = None
    name_fuzzy_match: bool | None = None
    namespace: Text = None
    type: Text = None
    workspace_id: Text = None


class CreateImageBody(Wire, frozen=True, kw_only=True):
    """What a notebook's environment is to be saved as."""

    name: str
    namespace: str
    tag: Text = None
    description: Text = None
    workspace_id: Text = None
    swr_instance_id: Text = None
    swr_instance_domain: Text = None


class DeleteImageBody(Wire, frozen=True, kw_only=True):
    """How an image is deleted: what only it has is always dropped, once no notebook needs it."""

    is_force: bool | None = None


def image_query(asked: ImagesQuery, workspace: int | None) -> Query:
    """The images that are asked for, of a workspace or of all. Raises `Invalid` for what no list can be asked."""
    where = [
        *_named(asked.name, fuzzy=asked.name_fuzzy_match is not False),
        *_named(asked.show_name, fuzzy=True),
        *_equal("tag", asked.show_tag),
        *_equal("namespace", asked.namespace),
        *(() if workspace is None else (Condition(field="workspace", op=Op.EQ, value=workspace),)),
        *_preset(one_of(asked.type, "type", TYPES), one_of(asked.service_type, "service_type", SERVICES)),
    ]
    return Query(
        where=tuple(where),
        order=orders(asked.sort_key, asked.sort_dir, SORTED_BY, default="create_at"),
        page=page_of(asked),
    )


def page_of(asked: ImagesQuery) -> Offset:
    """The page that is asked for. `OutOfBounds`."""
    return offset_page(asked.limit, asked.offset, default=DEFAULT_LIMIT)


def group_query(asked: GroupsQuery, page: Offset) -> GroupQuery:
    """The groups that are asked for."""
    kind = one_of(asked.type, "type", TYPES)
    fuzzy = asked.name_fuzzy_match is not False
    return GroupQuery(
        name=None if fuzzy else asked.name or None,
        containing=(asked.name or None) if fuzzy else None,
        namespace=asked.namespace or None,
        preset=None if kind is None else kind == BUILT_IN,
        page=page,
    )


def save_as(body: CreateImageBody, *, workspace: int, now: datetime) -> SaveAs:
    """What an image is to be called; without a tag, by the time. `BadDescription`, `NotHere`."""
    if body.swr_instance_id or body.swr_instance_domain:
        raise NotHere(what="an enterprise edition of SWR")
    description = body.description or ""
    if len(description) > LONGEST_DESCRIPTION or "<" in description or ">" in description:
        raise BadDescription("description", longest=LONGEST_DESCRIPTION)
    return SaveAs(
        namespace=body.namespace,
        name=body.name,
        tag=body.tag or f"{now:%Y%m%d%H%M%S}",
        description=description,
        workspace=workspace,
    )


def image_shape(image: Image, workspace: UUID | None) -> ImageShape:
    """The image as ModelArts shows it, in a workspace of that UUID."""
    failed = image.reason.say(Language.EN) if image.reason else ""
    return ImageShape(
        arch=architecture(),
        create_at=milliseconds(image.created_at),
        description=image.description,
        dev_services=("NOTEBOOK",),
        id=dashed(image.uuid),
        name=image.name,
        namespace=image.namespace,
        origin="CUSTOMIZE" if image.preset else "IMAGE_SAVE",
        resource_categories=(CATEGORIES[image.accelerator],),
        service_type=COMMON if image.preset else DEV,
        size=-(-image.size // KIB),
        status=STATUSES[image.status],
        status_message=failed,
        swr_path=image.path,
        tag=image.tag,
        type=BUILT_IN if image.preset else "DEDICATED",
        update_at=milliseconds(image.changed_at),
        visibility="PUBLIC" if image.visibility is Visibility.PUBLIC else "PRIVATE",
        workspace_id=workspace_id(workspace),
    )


def group_shape(group: ImageGroup) -> GroupShape:
    """The images of one name as ModelArts shows them."""
    return GroupShape(
        name=group.name,
        create_at=milliseconds(group.created_at),
        namespace=group.namespace,
        update_at=milliseconds(group.changed_at),
        version_count=group.versions,
    )


def list_image(tx: Read, call: Call[Nothing, ImagesQuery]) -> PageShape[ImageShape]:
    """A page of the images that the caller may use."""
    workspace = chosen(tx, call.caller, call.query.workspace_id)
    found = images.list_images(tx, call.caller, image_query(call.query, workspace))
    uuids = workspaces.uuids_of(tx, [image.workspace for image in found.rows])
    shown = [image_shape(image, uuids.get(image.workspace)) for image in found.rows]
    return paged(counts(page_of(call.query), found.total or 0), shown)


def list_image_group(tx: Read, call: Call[Nothing, GroupsQuery]) -> PageShape[GroupShape]:
    """The same by name; all of them unless a limit is given."""
    asked = call.query
    chosen(tx, call.caller, asked.workspace_id)  # groups are of all workspaces
    page = offset_page(asked.limit, asked.offset, default=DEFAULT_LIMIT)
    if asked.limit is None:
        page = Offset(limit=1 << 31, offset=checked_offset(asked.offset))
    found = images.list_groups(tx, call.caller, group_query(asked, page))
    total = found.total or 0
    numbers: Counts = whole(total) if asked.limit is None else counts(page, total)
    return paged(numbers, [group_shape(group) for group in found.rows])


def show_image(tx: Read, call: Call[Nothing, Nothing]) -> ImageShape:
    """One image."""
    return _shown(tx, images.by_uuid(tx, call.caller, _uuid(call)))


async def create_image(call: Call[CreateImageBody, Nothing]) -> ImageShape:
    """Save the environment of a notebook that runs as an image; the notebook runs on."""
    core, body = call.core, call.body
    found = await named(call)
    workspace = await call.read(chosen, body.workspace_id)
    as_ = save_as(body, workspace=workspace or workspaces.DEFAULT, now=core.clock.now())
    saved = await call.write(notebooks.save, core.site, notebook=found.id, as_=as_)
    return await core.store.read(_shown, saved)


async def delete_image(call: Call[DeleteImageBody, Nothing]) -> ImageShape:
    """Remove an image; notebooks that were made of it go on."""
    image = await call.read(images.by_uuid, _uuid(call))
    await call.write(images.remove, image)
    return await call.core.store.read(_shown, structs.replace(image, status=ImageStatus.DELETED))


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
        name="ListImageGroup",
        method="GET",
        path="/v1/{project_id}/images/group",
        handler=View(look=list_image_group, may_grow=always),
        mark=Mark.SEED,
        summary="The same by name, with how many versions there are of each",
        query=GroupsQuery,
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

NONE: Final = Condition(field="id", op=Op.EQ, value=0)
"""What holds of no image."""


def _uuid(call: Call[Any, Any]) -> UUID:
    """The image that a path names. `NoSuchImage`."""
    found = uuid_of(call.request.parameters["id"])
    if found is None:
        raise NoSuchImage
    return found


def _shown(tx: Read, image: Image) -> ImageShape:
    return image_shape(image, workspaces.uuids_of(tx, (image.workspace,)).get(image.workspace))


def _named(name: Text, *, fuzzy: bool) -> tuple[Condition, ...]:
    """Those of the name; versions, which begin with it, have an index of their substrings."""
    if not name:
        return ()
    if not fuzzy:
        return (Condition(field="name", op=Op.EQ, value=name),)
    return (Condition(field="version", op=Op.CONTAINS, value=name), Condition(field="name", op=Op.CONTAINS, value=name))


def _equal(field: str, text: Text) -> tuple[Condition, ...]:
    return (Condition(field=field, op=Op.EQ, value=text),) if text else ()


def _preset(kind: str | None, service: str | None) -> tuple[Condition, ...]:
    """The operator's own are BUILD_IN and for COMMON use, saved ones for development; UNKNOWN asks nothing."""
    found: list[Condition] = []
    if kind is not None:
        found.append(Condition(field="preset", op=Op.EQ, value=kind == BUILT_IN))
    if service in (COMMON, DEV):
        found.append(Condition(field="preset", op=Op.EQ, value=service == COMMON))
    elif service not in (None, UNKNOWN):
        found.append(NONE)
    return tuple(found)
