"""Dynamic storage: directories of the home that are shown to a notebook while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from trivium.base.ids import uuid_of
from trivium.base.text import Language
from trivium.dialects.modelarts.errors import NotHere
from trivium.dialects.modelarts.notebooks.finding import named, notebook_uuid
from trivium.dialects.modelarts.paging import PageShape, paged, whole
from trivium.dialects.modelarts.spelling import Shape, Text, dashed, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire
from trivium.resources import notebooks
from trivium.resources.notebooks import Attachment, AttachmentStatus, NoSuchAttachment
from trivium.resources.notebooks.ports import Mount

ALL: Final = "/v1/{project_id}/notebooks/{instance_id}/storage"
ONE: Final = f"{ALL}/{{storage_id}}"
AREA: Final = "/data"
"""Below which directories are shown."""

BUCKET: Final = "obs://"
OBSFS: Final = "OBSFS"
CATEGORIES: Final = ("OBS", OBSFS, "EFS")
STATUSES: Final[Mapping[AttachmentStatus, str]] = {
    AttachmentStatus.MOUNTING: "MOUNTING",
    AttachmentStatus.MOUNTED: "MOUNTED",
    AttachmentStatus.UNMOUNTING: "UNMOUNTING",
    AttachmentStatus.UNMOUNTED: "UNMOUNTED",
    AttachmentStatus.FAILED: "MOUNT_FAILED",
}


class StorageShape(Shape, frozen=True, kw_only=True):
    """A directory that is shown."""

    category: str
    id: str
    mount_path: str
    status: str
    uri: str
    failure_reason: str = ""
    mount_type: str


class StorageBody(Wire, frozen=True, kw_only=True):
    """A directory that is to be shown."""

    category: str
    mount_path: str
    uri: str
    efs_id: Text = None


def storage_shape(attachment: Attachment) -> StorageShape:
    """The directory as ModelArts shows it."""
    return StorageShape(
        category=OBSFS,
        id=dashed(attachment.uuid),
        mount_path=attachment.mount.target,
        status=STATUSES[attachment.status],
        uri=f"{BUCKET}{attachment.mount.source}",
        failure_reason=attachment.reason.say(Language.EN) if attachment.reason else "",
        mount_type="DYNAMIC",
    )


def list_dynamic_storages(tx: Read, call: Call[Nothing, Nothing]) -> PageShape[StorageShape]:
    """All that is shown to a notebook; it is a handful."""
    found = notebooks.by_uuid(tx, call.caller, notebook_uuid(call.request.parameters["instance_id"]))
    shown = [storage_shape(one) for one in notebooks.attachments_of(tx, call.caller, found.id)]
    return paged(whole(len(shown)), shown)


def show_dynamic_storage(tx: Read, call: Call[Nothing, Nothing]) -> StorageShape:
    """One of them."""
    found = notebooks.by_uuid(tx, call.caller, notebook_uuid(call.request.parameters["instance_id"]))
    return storage_shape(notebooks.attachment_of(tx, call.caller, found.id, attachment=_uuid(call)))


async def attach_dynamic_storage(call: Call[StorageBody, Nothing]) -> StorageShape:
    """Show a directory to a notebook that runs."""
    body = call.body
    if one_of(body.category, "category", CATEGORIES) == "EFS":
        raise NotHere(what="a volume of category EFS beside the home")
    mount = Mount(source=body.uri.removeprefix(BUCKET), target=body.mount_path.rstrip("/"), writable=True)
    found = await named(call, "instance_id")
    return storage_shape(await call.write(notebooks.attach, found.id, mount=mount))


async def detach_dynamic_storage(call: Call[Nothing, Nothing]) -> StorageShape:
    """Take it away again."""
    found = await named(call, "instance_id")
    return storage_shape(await call.write(notebooks.detach, found.id, attachment=_uuid(call)))


OPERATIONS: Final = (
    Operation(
        name="ListDynamicStorages",
        method="GET",
        path=ALL,
        handler=View(look=list_dynamic_storages),
        mark=Mark.COMPANION,
        summary="The directories that are shown to a notebook while it runs",
    ),
    Operation(
        name="AttachDynamicStorage",
        method="POST",
        path=ALL,
        handler=attach_dynamic_storage,
        mark=Mark.COMPANION,
        summary="Show a directory of the home to a notebook that runs",
        body=StorageBody,
    ),
    Operation(
        name="ShowDynamicStorage",
        method="GET",
        path=ONE,
        handler=View(look=show_dynamic_storage),
        mark=Mark.COMPANION,
        summary="One of them",
    ),
    Operation(
        name="DetachDynamicStorage",
        method="DELETE",
        path=ONE,
        handler=detach_dynamic_storage,
        mark=Mark.COMPANION,
        summary="Take it away again",
    ),
)


def _uuid(call: Call[Any, Any]) -> UUID:
    uuid = uuid_of(call.request.parameters["storage_id"])
    if uuid is None:
        raise NoSuchAttachment
    return uuid
