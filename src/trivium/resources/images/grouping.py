"""The rows of groups: one for the images of a name, in a namespace of a project, for as long as there are any.

Whoever adds an image to a group or takes one from it locks the group first, and images after that.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from sqlalchemy import delete, insert, select

from trivium.resources import projects, tags
from trivium.resources.images.table import image_groups, images
from trivium.store import Write

KIND: Final = "image_group"
"""What groups are called among the things that have tags."""


def lock_for(tx: Write, project: int, *, namespace: str, name: str) -> int:
    """The group, locked; a new one where there is none."""
    key = (
        image_groups.c.project_id == project,
        image_groups.c.namespace == namespace,
        image_groups.c.name == name,
    )
    there = select(image_groups.c.id).where(*key)
    found = tx.lock(there)
    if found is None:
        projects.lock(tx, project)  # of two who look at once, one makes it
        found = tx.lock(there)
    if found is not None:
        return int(found.id)
    id = tx.ids.next()
    row = {"id": id, "uuid": uuid4(), "project_id": project, "namespace": namespace, "name": name, "read_me": ""}
    tx.run(insert(image_groups).values(row))
    return id


def lock(tx: Write, group: int) -> None:
    """Let nobody else add an image to the group or take one from it until this transaction ends."""
    tx.lock(select(image_groups.c.id).where(image_groups.c.id == group))


def drop_if_empty(tx: Write, group: int) -> None:
    """Remove the group and its tags if it has no images. It must be locked."""
    if tx.first(select(images.c.id).where(images.c.group_id == group).limit(1)) is None:
        tags.remove_all(tx, KIND, group)
        tx.run(delete(image_groups).where(image_groups.c.id == group))
