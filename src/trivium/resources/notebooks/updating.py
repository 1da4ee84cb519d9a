"""Changing what was asked of a notebook: some of it at any time, some only while nothing of it runs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from trivium.base.caller import Caller
from trivium.base.text import fold
from trivium.resources import events, images, nodes, pools
from trivium.resources.images import Image, ImageNotReady, ImageStatus
from trivium.resources.nodes import NoCapacity
from trivium.resources.notebooks.asking import (
    checked_command,
    checked_description,
    checked_name,
    checked_volume,
    need_of,
)
from trivium.resources.notebooks.changes import change, own
from trivium.resources.notebooks.errors import ImageElsewhere, NoFlavor, NotStopped, VolumeShrinks
from trivium.resources.notebooks.service import of_image, of_need
from trivium.resources.notebooks.states import STARTABLE
from trivium.resources.notebooks.types import Notebook, NotebookChange, Volume, VolumeKind
from trivium.store import Read, Write


def update(
    tx: Write, caller: Caller, notebook: int, *, to: NotebookChange, hosts: Collection[str] = frozenset()
) -> Notebook:
    """Change a notebook; what is None stays as it is, and nothing is changed if anything is refused.

    `hosts` are those that have the new image, where it gets one. Name, description and volume can be changed at any
    time; image, size and start command while it is stopped or failed, for its next start.

    Raises `NoSuchNotebook`, `BadName`, `Invalid`, `VolumeShrinks`, `NotStopped`; for another image `NoSuchImage`,
    `ImageNotReady` and `ImageElsewhere`; for another size `NoFlavor`, and `NoCapacity` when its node is too small.
    """
    before = own(tx, caller, notebook)
    values = _at_any_time(before, to)
    stopped_only = (to.image_path, to.kind, to.count, to.start_command)
    if any(one is not None for one in stopped_only) and before.status not in STARTABLE:
        raise NotStopped(status=before.status.value)
    if to.start_command is not None:
        values["start_command"] = checked_command(to.start_command, "startCommand")
    if to.image_path is not None and (to.image is not None or to.image_path != before.image_path):
        image = images.chosen(tx, caller, path=to.image_path, uuid=to.image)
        values |= _another_image(tx, before, image, hosts=hosts)
    if to.kind is not None or to.count is not None:
        values |= _another_size(tx, before, to)
    after = change(tx, before, **values)
    events.record(tx, caller, "notebook.update", target=before.id, before=_told(before), after=_told(after))
    return after


def _at_any_time(before: Notebook, to: NotebookChange) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if to.name is not None:
        name = checked_name(to.name)
        values |= {"name": name, "name_folded": fold(name)}
    if to.description is not None:
        description = checked_description(to.description)
        values |= {"description": description, "description_folded": fold(description)}
    if to.volume_capacity is not None:
        kind = VolumeKind.BLOCK if before.volume is None else before.volume.kind
        volume = checked_volume(Volume(kind=kind, capacity=to.volume_capacity))
        if before.volume is not None and volume.capacity < before.volume.capacity:
            raise VolumeShrinks("capacity", capacity=before.volume.capacity)
        values |= {"volume_kind": volume.kind.value, "volume_capacity": volume.capacity}
    return values


def _another_image(tx: Write, before: Notebook, image: Image, *, hosts: Collection[str]) -> dict[str, object]:
    """The columns of another image. What the user installed in the notebook stays, over the new image."""
    if image.id == before.image:
        return {}
    if image.status is not ImageStatus.ACTIVE:
        raise ImageNotReady(path=image.path)
    if before.host not in hosts:
        raise ImageElsewhere(path=image.path)
    images.count_clone(tx, image.id)
    return of_image(image)


def _another_size(tx: Read, before: Notebook, to: NotebookChange) -> dict[str, object]:
    """The columns of another size, which its node could give if nothing else were on it."""
    kind = before.resources.kind if to.kind is None else to.kind
    flavor = pools.flavor_of(tx, before.pool, kind)
    if flavor is None:
        raise NoFlavor(kind=kind)
    need = need_of(flavor, before.resources.count if to.count is None else to.count)
    if not nodes.could_hold(tx, before.pool, need, host=before.host or ""):
        raise NoCapacity(kind=need.kind, count=need.count)
    return of_need(flavor, need)


def _told(notebook: Notebook) -> dict[str, object]:
    return {
        "name": notebook.name,
        "image": notebook.image_path,
        "flavor": notebook.flavor,
        "capacity": None if notebook.volume is None else notebook.volume.capacity,
    }
