"""Looking again at what an image is made of, and saying what is the matter with it."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import select, update

from trivium.base.caller import Caller
from trivium.base.reasons import Reason
from trivium.base.values import Value
from trivium.resources import events
from trivium.resources.images.errors import ImageChanged
from trivium.resources.images.ports import Places
from trivium.resources.images.service import get_any, must_own
from trivium.resources.images.table import NO_LAYERS, image_of, images
from trivium.resources.images.types import Image, ImageStatus
from trivium.resources.images.verify import verify
from trivium.store import Read, Store, Write

SETTLED: Final = (ImageStatus.ACTIVE, ImageStatus.BROKEN)
"""What a look can change: of others there is nothing yet, or nothing any more."""


class Examined(Value, frozen=True):
    """What a look at an image found."""

    size: int | None = None  # bytes of all that is there; None where that is not known
    reason: Reason | None = None  # why it cannot be used; None: it can


async def examine(store: Store, places: Places, caller: Caller, *, image: Image) -> Examined | None:
    """What is there of the image, on any host; its saved layers are read whole. None for what is not done yet.

    Raises `Forbidden` for the operator's and for another project's, and `HostAway` when nobody acts on the host that
    has its layers.
    """
    must_own(caller, image)
    if image.status not in SETTLED:
        return None
    try:
        await verify(store, places, image)
    except ImageChanged:
        return Examined(reason=Reason(code="image.changed", details={"path": image.path}))
    size = await store.read(_environment_size, image)
    for layer in image.layers:
        found = await places.layer_at(image.host or "", layer)
        if found is None:
            return Examined(reason=Reason(code="image.layer_lost", details={"path": image.path}))
        size = None if size is None else size + found
    return Examined(size=size)


def note_examined(tx: Write, caller: Caller, image: Image, *, examined: Examined | None) -> Image:
    """The image as it is by what was found, unless it is another, or removed, by now."""
    row = tx.lock(select(images).where(images.c.id == image.id))
    if row is None or examined is None or _looked_at(image_of(row)) != _looked_at(image):
        return get_any(tx, image.id)
    status = ImageStatus.ACTIVE if examined.reason is None else ImageStatus.BROKEN
    size = image.size if examined.size is None else examined.size
    if (image.status, image.size, image.reason) == (status, size, examined.reason):
        return image
    reason = None if examined.reason is None else msgspec.json.encode(examined.reason).decode()
    values = {"status": status.value, "size": size, "reason": reason, "changed_at": tx.now}
    tx.run(update(images).where(images.c.id == image.id).values(values))
    before, after = ({"status": one} for one in (image.status.value, status.value))
    events.record(tx, caller, "image.sync", target=image.id, before=before, after=after)
    return get_any(tx, image.id)


def _looked_at(image: Image) -> tuple[object, ...]:
    return image.status, image.environment, image.environment_digest, image.layers


def _environment_size(tx: Read, image: Image) -> int | None:
    """The bytes of the environment that lies under the image's layers, as they were when it was added."""
    bare = (
        images.c.environment == str(image.environment),
        images.c.digest == image.environment_digest,
        images.c.layers == NO_LAYERS,
    )
    return tx.value(select(images.c.size).where(*bare).limit(1))
