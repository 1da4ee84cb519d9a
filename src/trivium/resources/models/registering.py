"""Models that a project has once under their name and version, of files in a store or of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import structs
from sqlalchemy import select

from trivium.base.caller import Caller, Role
from trivium.base.reasons import Reason
from trivium.resources import hosts, images, projects, stores, workspaces
from trivium.resources.images import Image, ImageNotReady, ImageStatus, NoSuchImage
from trivium.resources.models.errors import ModelExists
from trivium.resources.models.importing import begin_import
from trivium.resources.models.service import create, get
from trivium.resources.models.table import models
from trivium.resources.models.types import NOWHERE, Facts, Import, Model, ModelKind, NewModel
from trivium.resources.models.versions import version_of
from trivium.store import Read, Write

GONE: Final = Reason(code="model.image_gone")


def register(tx: Write, caller: Caller, new: NewModel) -> Model:
    """A new model, which is being read from then on: of what its path leads to, in the innermost store that has it.

    Raises `ModelExists`, what `create` raises, `NoSuchWorkspace`, `NoSuchImage`, `ImageNotReady` and `HostAway`.
    """
    projects.lock(tx, caller.project)
    workspaces.lock_for_use(tx, caller, new.workspace)
    if _has(tx, caller.project, new):
        raise ModelExists(name=new.name, version=new.version)
    if new.kind is ModelKind.IMAGE:
        _checked(images.by_path(tx, caller, new.install_path))
        store = NOWHERE
    else:
        store = stores.containing(tx, caller, new.install_path).uuid
    made = create(tx, caller, structs.replace(new, store=store))
    begin_import(tx, caller, made.uuid, host=hosts.working(tx))
    return get(tx, caller, made.uuid)


def versions_of(tx: Read, model: Model) -> Sequence[UUID]:
    """All that the project of a model has under its name, oldest first."""
    mine = (models.c.project_id == model.project, models.c.name == model.name)
    return [row.uuid for row in tx.all(select(models.c.uuid).where(*mine).order_by(models.c.id))]


def image_facts(tx: Read, one: Import) -> Facts | None:
    """What there is to say of an image that a model is; None where it is not there any more, or is broken."""
    caller = Caller(user=0, user_name="", project=one.project, role=Role.MEMBER)
    try:
        image = _checked(images.by_path(tx, caller, one.path))
    except (NoSuchImage, ImageNotReady):
        return None
    return Facts(size=image.size, files=0, checksum=image.digest.rpartition(":")[2])


def _checked(image: Image) -> Image:
    if image.status is not ImageStatus.ACTIVE:
        raise ImageNotReady(path=image.path, status=image.status.value)
    return image


def _has(tx: Read, project: int, new: NewModel) -> bool:
    """Whether the project has a model of that name and version, however the version is written."""
    read = version_of(new.version)
    version = models.c.version == new.version if read is None else models.c.version_key == read.key
    mine = (models.c.project_id == project, models.c.name == new.name, version)
    return tx.first(select(models.c.id).where(*mine).limit(1)) is not None
