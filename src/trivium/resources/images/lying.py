"""Which images lie on which saved layers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import PurePath

import msgspec
from sqlalchemy import or_, select

from trivium.base.values import Value
from trivium.resources.images.table import images
from trivium.resources.images.types import ImageStatus
from trivium.store import Read


class Lying(Value, frozen=True):
    """An image, and what it lies on."""

    image: int
    is_removed: bool
    layers: frozenset[str]  # their names: 32 hex, each the uuid of the image that it was saved for


def lying_on(tx: Read, names: Collection[str]) -> Sequence[Lying]:
    """Every image that lies on one of these layers, removed ones too; one that is being saved on the layer to be.

    It reads all images that were saved: for workers, who have the time.
    """
    saved = or_(images.c.layers != "[]", images.c.status == ImageStatus.SAVING.value)
    columns = (images.c.id, images.c.uuid, images.c.layers, images.c.deleted_at)
    wanted = frozenset(names)
    found: list[Lying] = []
    for row in tx.all(select(*columns).where(saved)):
        paths = msgspec.json.decode(row.layers, type=list[str])
        layers = frozenset({row.uuid.hex, *(PurePath(path).name for path in paths)}) & wanted
        if layers:
            found.append(Lying(image=row.id, is_removed=row.deleted_at is not None, layers=layers))
    return found
