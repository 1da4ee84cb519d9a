"""Which images use which saved layers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import PurePath

import msgspec
from sqlalchemy import or_, select

from trivium.base.values import Value
from trivium.resources.images.table import images
from trivium.resources.images.types import ImageStatus
from trivium.store import Read


class LayerUse(Value, frozen=True):
    """An image, and the layers that it uses."""

    image: int
    is_removed: bool
    layers: frozenset[str]  # their names: 32 hex, each the uuid of the image that it was saved for


def uses_of(tx: Read, names: Collection[str]) -> Sequence[LayerUse]:
    """Every image that uses one of these layers, removed ones too; one that is being saved uses the layer to be.

    It reads all images that were saved: for workers, not for requests.
    """
    saved = or_(images.c.layers != "[]", images.c.status == ImageStatus.SAVING.value)
    columns = (images.c.id, images.c.uuid, images.c.layers, images.c.deleted_at)
    wanted = frozenset(names)
    found: list[LayerUse] = []
    for row in tx.all(select(*columns).where(saved)):
        paths = msgspec.json.decode(row.layers, type=list[str])
        layers = frozenset({row.uuid.hex, *(PurePath(path).name for path in paths)}) & wanted
        if layers:
            found.append(LayerUse(image=row.id, is_removed=row.deleted_at is not None, layers=layers))
    return found
