"""Between ModelArts' words for images and the core's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from trivium.base.errors import Invalid
from trivium.base.query import Condition, Offset, Op, Query
from trivium.base.text import Language
from trivium.base.units import KIB
from trivium.dialects.modelarts.errors import BadDescription, NotHere
from trivium.dialects.modelarts.images.shapes import (
    CreateImageBody,
    ImageShape,
    ImagesQuery,
    RegisterImageBody,
    WholeImageShape,
)
from trivium.dialects.modelarts.notebooks.flavors import architecture
from trivium.dialects.modelarts.notebooks.naming import CATEGORIES
from trivium.dialects.modelarts.notebooks.tagging import tag_shapes
from trivium.dialects.modelarts.paging import offset_page
from trivium.dialects.modelarts.sorting import orders
from trivium.dialects.modelarts.spelling import Text, dashed, milliseconds, one_of
from trivium.dialects.modelarts.tags import TagBody
from trivium.dialects.modelarts.workspaces import workspace_id
from trivium.dialects.reading import OutOfBounds
from trivium.resources.images import Image, ImageStatus, Origin, Purpose, Registration, SaveAs, Visibility
from trivium.resources.tags import Tag

BUILT_IN: Final = "BUILD_IN"
TYPES: Final = (BUILT_IN, "DEDICATED")
PURPOSES: Final[Mapping[str, Purpose]] = {
    "COMMON": Purpose.GENERAL,
    "INFERENCE": Purpose.INFERENCE,
    "TRAIN": Purpose.TRAINING,
    "DEV": Purpose.DEVELOPMENT,
    "UNKNOWN": Purpose.UNKNOWN,
}
PURPOSE_WORDS: Final = {purpose: word for word, purpose in PURPOSES.items()}
ORIGINS: Final[Mapping[str, Origin]] = {"CUSTOMIZE": Origin.BUILT, "IMAGE_SAVE": Origin.SAVED}
ORIGIN_WORDS: Final = {origin: word for word, origin in ORIGINS.items()}
VISIBILITIES: Final[Mapping[str, Visibility]] = {"PRIVATE": Visibility.PRIVATE, "PUBLIC": Visibility.SHARED}
"""A public image of a user's is used by its id; only the operator's are in everybody's lists."""

ARCHITECTURES: Final = ("x86_64", "aarch64")
KINDS: Final[Mapping[str, str]] = {"CPU": "cpu", "GPU": "gpu", "ASCEND": "npu"}
NOTEBOOK: Final = "NOTEBOOK"
DEV_SERVICES: Final = (NOTEBOOK, "SSH")
CHIPS: Final = ("ASCEND_SNT9", "ASCEND_SNT9B", "ASCEND_SNT3")
SHORTEST_PATH: Final = 16
LONGEST_PATH: Final = 2048
LONGEST_READ_ME: Final = 3000
DEFAULT_LIMIT: Final = 200
LONGEST_DESCRIPTION: Final = 512
STATUSES: Final[Mapping[ImageStatus, str]] = {
    ImageStatus.SAVING: "CREATING",
    ImageStatus.ACTIVE: "ACTIVE",
    ImageStatus.FAILED: "CREATE_FAILED",
    ImageStatus.BROKEN: "ERROR",
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
    "origin": ("origin",),
    "service_type": ("purpose",),
    "visibility": ("visibility",),
    "arch": (),
    "workspace_id": ("workspace",),
    "flavor_type": ("chip",),
    "show_name": ("name",),
    "show_tag": ("tag",),
}
"""By what the list can be sorted; what is the same of all images makes no order."""


def image_query(asked: ImagesQuery, workspace: int | None) -> Query:
    """The images that are asked for, of a workspace or of all. Raises `Invalid` for what no list can be asked."""
    kind = one_of(asked.type, "type", TYPES)
    service = one_of(asked.service_type, "service_type", tuple(PURPOSES))
    where = [
        *_named(asked.name, fuzzy=asked.name_fuzzy_match is not False),
        *_named(asked.show_name, fuzzy=True),
        *_equal("tag", asked.show_tag),
        *_equal("namespace", asked.namespace),
        *(() if workspace is None else (Condition(field="workspace", op=Op.EQ, value=workspace),)),
        *(() if kind is None else (Condition(field="preset", op=Op.EQ, value=kind == BUILT_IN),)),
        *_of_purpose(service),
    ]
    return Query(
        where=tuple(where),
        order=orders(asked.sort_key, asked.sort_dir, SORTED_BY, default="create_at"),
        page=page_of(asked),
    )


def page_of(asked: ImagesQuery) -> Offset:
    """The page that is asked for. `OutOfBounds`."""
    return offset_page(asked.limit, asked.offset, default=DEFAULT_LIMIT)


def save_as(body: CreateImageBody, *, workspace: int, now: datetime) -> SaveAs:
    """What an image is to be called; without a tag, by the time. `BadDescription`, `NotHere`."""
    if body.swr_instance_id or body.swr_instance_domain:
        raise NotHere(what="an enterprise edition of SWR")
    return SaveAs(
        namespace=body.namespace,
        name=body.name,
        tag=body.tag or f"{now:%Y%m%d%H%M%S}",
        description=_description(body.description),
        workspace=workspace,
    )


def registration_of(body: RegisterImageBody, *, workspace: int) -> Registration:
    """What is to be registered. Raises `Invalid` that names the field, and `NotHere` for what there is not."""
    _must_be_here(body)
    if body.read_me is not None and len(body.read_me) > LONGEST_READ_ME:
        raise OutOfBounds("read_me", f"at most {LONGEST_READ_ME} characters")
    categories = [one_of(word, "resource_category", tuple(KINDS)) for word in body.resource_category or ()]
    return Registration(
        path=_path(body.swr_path),
        description=_description(body.description),
        purpose=PURPOSES[one_of(body.service_type, "service_type", tuple(PURPOSES)) or "UNKNOWN"],
        origin=ORIGINS[one_of(body.origin, "origin", tuple(ORIGINS)) or "CUSTOMIZE"],
        suits=tuple(kind for word, kind in KINDS.items() if word in categories),
        chip=one_of(body.flavor_type, "flavor_type", CHIPS) or "",
        visibility=VISIBILITIES[one_of(body.visibility, "visibility", tuple(VISIBILITIES)) or "PRIVATE"],
        workspace=workspace,
        read_me=body.read_me,
        tags=tuple(map(_tag, body.tags or ())),
    )


def whole_image_shape(image: Image, workspace: UUID | None, tags: Sequence[Tag]) -> WholeImageShape:
    """The image as ModelArts shows it by itself, in a workspace of that UUID, with the tags of its group."""
    return WholeImageShape(**_told(image, workspace, tags), support_res_categories=_categories(image))


def image_shape(image: Image, workspace: UUID | None, tags: Sequence[Tag]) -> ImageShape:
    """The same as lists have it."""
    return ImageShape(**_told(image, workspace, tags))


def _told(image: Image, workspace: UUID | None, tags: Sequence[Tag]) -> dict[str, Any]:
    return {
        "arch": architecture(),
        "create_at": milliseconds(image.created_at),
        "description": image.description,
        "dev_services": (NOTEBOOK,),
        "id": dashed(image.uuid),
        "name": image.name,
        "namespace": image.namespace,
        "origin": ORIGIN_WORDS[image.origin],
        "resource_categories": _categories(image),
        "service_type": PURPOSE_WORDS[image.purpose],
        "size": -(-image.size // KIB),
        "status": STATUSES[image.status],
        "status_message": image.reason.say(Language.EN) if image.reason else "",
        "swr_path": image.path,
        "tag": image.tag,
        "type": BUILT_IN if image.preset else "DEDICATED",
        "update_at": milliseconds(image.changed_at),
        "visibility": "PRIVATE" if image.visibility is Visibility.PRIVATE else "PUBLIC",
        "workspace_id": workspace_id(workspace),
        "flavor_type": image.chip,
        # Only the operator's images have these two.
        "show_name": image.name if image.preset else "",
        "show_tag": image.tag if image.preset else "",
        "tags": tag_shapes(tuple(tags)),
    }


def _categories(image: Image) -> tuple[str, ...]:
    """What the image runs on, as its owner says, else what it is made for."""
    return tuple(dict.fromkeys(CATEGORIES[kind] for kind in image.suits or (image.accelerator,)))


def _named(name: Text, *, fuzzy: bool) -> Iterable[Condition]:
    """Those of the name; versions, which begin with it, have an index of their substrings."""
    if not name:
        return ()
    if not fuzzy:
        return (Condition(field="name", op=Op.EQ, value=name),)
    return (Condition(field="version", op=Op.CONTAINS, value=name), Condition(field="name", op=Op.CONTAINS, value=name))


def _equal(field: str, text: Text) -> Iterable[Condition]:
    return (Condition(field=field, op=Op.EQ, value=text),) if text else ()


def _of_purpose(service: str | None) -> Iterable[Condition]:
    """UNKNOWN asks nothing: it is what the client sends for a caller who said nothing."""
    if service is None or PURPOSES[service] is Purpose.UNKNOWN:
        return ()
    return (Condition(field="purpose", op=Op.EQ, value=PURPOSES[service].value),)


def _must_be_here(body: RegisterImageBody) -> None:
    """What an image is said to be for that nothing here is. `NotHere`."""
    if body.swr_instance_id:
        raise NotHere(what="an enterprise edition of SWR")
    if one_of(body.arch, "arch", ARCHITECTURES) not in (None, architecture()):
        raise NotHere(what=f"images for other processors than {architecture()}")
    if any(one_of(word, "services", DEV_SERVICES) != NOTEBOOK for word in body.services or ()):
        raise NotHere(what="SSH to notebooks of an image")


def _path(text: str) -> str:
    """`[host[:port]]/namespace/name:tag`, in the part that all paths have."""
    if not SHORTEST_PATH <= len(text) <= LONGEST_PATH:
        raise OutOfBounds("swr_path", f"{SHORTEST_PATH} to {LONGEST_PATH} characters")
    place, slash, version = text.rpartition("/")
    name, colon, tag = version.partition(":")
    if not (place and slash and name and colon and tag):
        message = "swr_path is [host[:port]]/namespace/name:tag"
        raise Invalid("swr_path", message)
    return text


def _description(text: Text) -> str:
    description = text or ""
    if len(description) > LONGEST_DESCRIPTION or "<" in description or ">" in description:
        raise BadDescription("description", longest=LONGEST_DESCRIPTION)
    return description


def _tag(told: str | TagBody) -> Tag:
    if isinstance(told, TagBody):
        return told.meant
    key, _, value = told.partition("=")
    return Tag(key=key, value=value)
