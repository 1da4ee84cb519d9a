"""Registering: a project gets an image that is here as one of its own, which shares what it is made of.

The two are equals from then on. Whichever is removed first, environment and layers stay for the other, for saved layers
are dropped only when no image that is there has them (`layers`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, or_, select

from trivium.base.caller import Caller
from trivium.resources import events, users, workspaces
from trivium.resources.images import grouping
from trivium.resources.images.errors import ImageExists, ImageNotReady, ImageOutOfReach
from trivium.resources.images.groups import describe
from trivium.resources.images.service import checked_description, insert_image
from trivium.resources.images.table import EVERYBODY, images
from trivium.resources.images.types import Image, ImageStatus, Registration
from trivium.store import Read, Write

SHARED: Final = (
    *("kind", "accelerator", "digest", "size", "environment", "environment_digest"),
    *("fingerprint", "layers", "command", "host", "namespace"),
)
"""The columns of what an image is, which both have."""


def register(tx: Write, caller: Caller, as_: Registration) -> Image:
    """A new image of the caller's project: what the image of that path is, with what the caller says of it.

    That image is an operator's, or of another of the projects in which the caller has a role.

    Raises `ImageOutOfReach` where none is that the caller may use, `ImageExists` where the project has it already,
    `ImageNotReady`, `NoSuchWorkspace`, `Invalid` and `TooManyTags`.
    """
    workspaces.lock_for_use(tx, caller, as_.workspace)
    seen = _source(tx, caller, as_.path)
    group = grouping.lock_for(tx, caller.project, namespace=seen.namespace, name=seen.name)
    # Nobody removes it while it is copied: a layer that nobody needs is dropped.
    source = tx.lock(select(images).where(images.c.id == seen.id, images.c.deleted_at.is_(None)))
    if source is None:
        raise ImageOutOfReach(path=as_.path)
    if source.status != ImageStatus.ACTIVE.value:
        raise ImageNotReady(path=as_.path)
    made = {column: getattr(source, column) for column in SHARED} | {
        "visibility": as_.visibility.value,
        "audience": caller.project,
        "path": None,
        "refers_to": as_.path,
        "workspace": as_.workspace,
        "description": checked_description(as_.description),
        "status": ImageStatus.ACTIVE.value,
        "preset": False,
        "purpose": as_.purpose.value,
        "origin": as_.origin.value,
        "suits": msgspec.json.encode(as_.suits or _suits(source)).decode(),
        "chip": as_.chip,
    }
    image = insert_image(tx, caller, made, name=source.name, tag=source.tag, group=group)
    events.record(tx, caller, "image.register", target=image.id, after={"path": image.path})
    describe(tx, group, read_me=as_.read_me, more=as_.tags, project=caller.project)
    return image


def _source(tx: Read, caller: Caller, path: str) -> Row[Any]:
    """The image that has the path; where that is gone, the oldest that is registered by it. None of the project's."""
    mine = [caller.project, *(one.id for one, _ in users.projects_of(tx, caller.user) if one.enabled)]
    has = tx.first(select(images).where(images.c.path == path, _reached(mine)))
    others = (images.c.project_id.in_(mine), images.c.refers_to == path)
    found = has or tx.first(select(images).where(*others).order_by(images.c.id).limit(1))
    if found is None:
        raise ImageOutOfReach(path=path)
    if found.project_id == caller.project:
        raise ImageExists(path=path)
    return found


def _reached(projects: Collection[int]) -> ColumnElement[bool]:
    return or_(images.c.audience == EVERYBODY, images.c.project_id.in_(projects))


def _suits(source: Row[Any]) -> tuple[str, ...]:
    known = msgspec.json.decode(source.suits, type=tuple[str, ...])
    return known or (source.accelerator,)
