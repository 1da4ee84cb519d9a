"""Use cases of images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.query import Listed, Query
from trivium.base.reasons import Reason
from trivium.base.site import Site
from trivium.base.text import fold
from trivium.resources import events, workspaces
from trivium.resources.images import grouping
from trivium.resources.images.errors import ImageChanged, ImageExists, NoSuchImage
from trivium.resources.images.ports import EnvironmentFound
from trivium.resources.images.table import (
    EVERYBODY,
    IMAGES,
    NO_LAYERS,
    NOBODY,
    SCOPES,
    fingerprints,
    image_of,
    images,
)
from trivium.resources.images.types import (
    KINDS,
    Image,
    ImageScope,
    ImageStatus,
    Origin,
    Purpose,
    SaveAs,
    Visibility,
)
from trivium.store import Read, Write, query

NAME: Final = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*")
LONGEST_NAMESPACE: Final = 64
LONGEST_NAME: Final = 512
LONGEST_DESCRIPTION: Final = 512
VISIBLE: Final = SCOPES[ImageScope.VISIBLE].clause
TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def add(
    tx: Write,
    caller: Caller,
    site: Site,
    *,
    version: str,
    accelerator: str,
    environment: Path,
    found: EnvironmentFound,
    command: Sequence[str] = (),
    description: str = "",
) -> Image:
    """A new public image from an environment that the operator has on disk.

    Raises `Forbidden` unless the caller is an administrator, `Invalid` for a senseless `name:tag` or accelerator, and
    `ImageExists` when the path that it would get is taken.
    """
    caller.must_be_admin("add images")
    name, tag = split_version(version)
    if accelerator not in KINDS:
        message = f"the accelerator must be one of {', '.join(KINDS)}"
        raise Invalid("accelerator", message)
    made = {
        "visibility": Visibility.PUBLIC.value,
        "audience": EVERYBODY,
        "path": image_path(site, accelerator, caller.user_name, version=version),
        "namespace": caller.user_name,
        "kind": "Custom" if command else "JupyterLab",
        "accelerator": accelerator,
        "description": description,
        "status": ImageStatus.ACTIVE.value,
        "digest": found.digest,
        "size": found.size,
        "environment": str(environment),
        "environment_digest": found.digest,
        "fingerprint": found.fingerprint,
        "layers": NO_LAYERS,
        "command": msgspec.json.encode(list(command)).decode(),
        "preset": True,
        "purpose": Purpose.GENERAL.value,
        "origin": Origin.BUILT.value,
    }
    return _made(tx, caller, made, name=name, tag=tag)


def adopt(tx: Write, image: Image, found: EnvironmentFound) -> None:
    """Take what stands in an image's environment now as what was added: the operator upgraded it.

    Images that were saved over the same environment or registered follow, for they lie on what is there now.
    """
    on_it = images.c.environment == str(image.environment)
    now_there = {"environment_digest": found.digest, "fingerprint": found.fingerprint, "changed_at": tx.now}
    tx.run(update(images).where(on_it).values(now_there))
    changed = and_(images.c.status == ImageStatus.BROKEN.value, images.c.reason.contains(f'"{ImageChanged.code}"'))
    tx.run(update(images).where(on_it, changed).values(status=ImageStatus.ACTIVE.value, reason=None))
    bare = and_(images.c.layers == NO_LAYERS, images.c.status == ImageStatus.ACTIVE.value)
    tx.run(update(images).where(on_it, bare).values(digest=found.digest, size=found.size))


def relocate(tx: Write, image: Image, environment: Path) -> Image:
    """Look for an image's environment in another place from now on; images that were saved over it follow.

    What stands there is for the caller to `adopt`.
    """
    elsewhere = {"environment": str(environment), "changed_at": tx.now}
    tx.run(update(images).where(images.c.environment == str(image.environment)).values(elsewhere))
    return get_any(tx, image.id)


def note_fingerprint(tx: Write, image: Image, host: str, *, fingerprint: str) -> None:
    """Remember a fingerprint whose content was read on that host and found to be what was added."""
    values = {"digest": image.environment_digest, "fingerprint": fingerprint}
    there = {"environment": str(image.environment), "host": host}
    mine = (fingerprints.c.environment == there["environment"], fingerprints.c.host == host)
    if not tx.run(update(fingerprints).where(*mine).values(values)):
        tx.run(insert(fingerprints).values(**there, **values))


def forget_fingerprint(tx: Write, image: Image, host: str) -> None:
    """The image's environment on that host is another one by now."""
    mine = (fingerprints.c.environment == str(image.environment), fingerprints.c.host == host)
    tx.run(delete(fingerprints).where(*mine))


def forget_host(tx: Write, host: str) -> None:
    """Forget what environments looked like on a host that will not come back."""
    tx.run(delete(fingerprints).where(fingerprints.c.host == host))


def fingerprints_of(tx: Read, image: Image) -> Mapping[str, str]:
    """What the image's environment looked like on each host where its content was read and was what was added."""
    same = (
        fingerprints.c.environment == str(image.environment),
        fingerprints.c.digest == image.environment_digest,
    )
    return {row.host: row.fingerprint for row in tx.all(select(fingerprints).where(*same))}


def start_save(
    tx: Write,
    caller: Caller,
    site: Site,
    *,
    of: Image,
    notebook: int,
    notebook_name: str,
    host: str | None,
    as_: SaveAs | None = None,
) -> Image:
    """The image that a notebook is about to be saved as, on its host: private, with the layers of what it was made of.

    Where nobody says what to call it, it is named after the notebook, with the time as its tag. It can be used once
    `finish_save` said so.

    Raises `Invalid` for a senseless name, `NoSuchWorkspace`, and `ImageExists` for what the namespace has already.
    """
    if as_ is None:
        as_ = _named_after(tx, caller, site, notebook_name=notebook_name)
        path = image_path(site, of.accelerator, caller.user_name, version=f"{as_.name}:{as_.tag}")
    else:
        path = _chosen_path(site, as_)
    workspaces.lock_for_use(tx, caller, as_.workspace)
    made = {
        "visibility": Visibility.PRIVATE.value,
        "audience": caller.project,
        "path": path,
        "namespace": as_.namespace,
        "workspace": as_.workspace,
        "kind": of.kind,
        "accelerator": of.accelerator,
        "description": as_.description,
        "status": ImageStatus.SAVING.value,
        "digest": "",
        "size": of.size,
        "environment": str(of.environment),
        "environment_digest": of.environment_digest,
        "fingerprint": of.fingerprint,
        "layers": msgspec.json.encode([str(layer) for layer in of.layers]).decode(),
        "command": msgspec.json.encode(list(of.command)).decode(),
        "preset": False,
        "notebook_id": notebook,
        "host": host,
        "purpose": Purpose.DEVELOPMENT.value,
        "origin": Origin.SAVED.value,
        "suits": msgspec.json.encode(of.suits).decode(),
        "chip": of.chip,
    }
    return _made(tx, caller, made, name=as_.name, tag=as_.tag)


def finish_save(
    tx: Write, image: UUID, *, layer: Path | None = None, size: int = 0, digest: str = "", reason: Reason | None = None
) -> None:
    """Say what came of a save: a layer more, or a reason why not. A finished one stays as it is."""
    row = tx.lock(select(images).where(images.c.uuid == image, images.c.status == ImageStatus.SAVING.value))
    if row is None:
        return
    values: dict[str, Any] = {"status": ImageStatus.FAILED.value, "changed_at": tx.now}
    if layer is not None:
        layers = [*msgspec.json.decode(row.layers, type=list[str]), str(layer)]
        values |= {"status": ImageStatus.ACTIVE.value, "layers": msgspec.json.encode(layers).decode()}
        values |= {"size": row.size + size, "digest": digest}
    if reason is not None:
        values["reason"] = msgspec.json.encode(reason).decode()
    tx.run(update(images).where(images.c.id == row.id).values(values))


def get(tx: Read, caller: Caller, image: int) -> Image:
    """The image, if the caller may see it. `NoSuchImage`."""
    return _one(tx, caller, images.c.id == image)


def get_any(tx: Read, image: int) -> Image:
    """The image whosesoever it is, also when it was removed: notebooks that were made of it need it still."""
    row = tx.first(select(images).where(images.c.id == image))
    if row is None:
        raise NoSuchImage
    return image_of(row)


def by_uuid(tx: Read, caller: Caller, uuid: UUID) -> Image:
    """The image of that UUID, if the caller may use it; a shared one is found by nothing else. `NoSuchImage`."""
    shared = and_(images.c.visibility == Visibility.SHARED.value, images.c.deleted_at.is_(None))
    row = tx.first(select(images).where(images.c.uuid == uuid, or_(VISIBLE, shared)), {"project": caller.project})
    if row is None:
        raise NoSuchImage
    return image_of(row)


def by_path(tx: Read, caller: Caller, path: str) -> Image:
    """The image of that registry path, if the caller may use it. `NoSuchImage`.

    Where the image that had it is gone, it is the one that the caller's project registered by it.
    """
    try:
        return _one(tx, caller, images.c.path == path)
    except NoSuchImage:
        registered = (images.c.project_id == caller.project, images.c.refers_to == path)
        return _one(tx, caller, and_(*registered))


def chosen(tx: Read, caller: Caller, *, path: str, uuid: UUID | None = None) -> Image:
    """The image that somebody chose: by its UUID where that is told, for several may have one path. `NoSuchImage`."""
    return by_path(tx, caller, path) if uuid is None else by_uuid(tx, caller, uuid)


def list_images(tx: Read, caller: Caller, asked: Query, *, scope: ImageScope = ImageScope.VISIBLE) -> Listed[Image]:
    """The images of the scope that the query names, as asked."""
    found = query.page(tx, IMAGES, asked, scope=(SCOPES[scope].of(project=caller.project),))
    return Listed(rows=tuple(map(image_of, found.rows)), total=found.total, next=found.next)


def everywhere(tx: Read) -> Sequence[Image]:
    """Every image that was not removed, oldest first: for the command line and for workers."""
    return [image_of(row) for row in tx.all(select(images).where(images.c.deleted_at.is_(None)).order_by(images.c.id))]


def count_clone(tx: Write, image: int) -> None:
    """One more notebook was made of it."""
    tx.run(update(images).where(images.c.id == image).values(clones=images.c.clones + 1))


def must_own(caller: Caller, image: Image) -> None:
    """Raise `Forbidden` for the operator's images and another project's, which only an administrator may change."""
    if image.preset or image.project != caller.project:
        caller.must_be_admin("change the operator's images or another project's")


def remove(tx: Write, caller: Caller, image: Image) -> None:
    """Take the image off the lists. Notebooks that were made of it keep what they have, and its layers until then.

    Layers that other images have, too, stay. Raises `Forbidden`.
    """
    must_own(caller, image)
    if image.group is not None:
        grouping.lock(tx, image.group)
    values = {
        "deleted_at": tx.now,
        "changed_at": tx.now,
        "status": ImageStatus.DELETED.value,
        "audience": NOBODY,
        "path": None,
        "refers_to": None,
        "group_id": None,
    }
    if tx.run(update(images).where(images.c.id == image.id, images.c.deleted_at.is_(None)).values(values)):
        events.record(tx, caller, "image.remove", target=image.id, before={"path": image.path})
    if image.group is not None:
        grouping.drop_if_empty(tx, image.group)


def split_version(version: str) -> tuple[str, str]:
    """Name and tag of `name:tag`. `Invalid` when either cannot stand in an image's path."""
    name, colon, tag = version.partition(":")
    if not colon or not NAME.fullmatch(name) or not TAG.fullmatch(tag):
        message = f"an image is named name:tag, in lower case like jupyterlab-pytorch:2.5.1, not {version!r}"
        raise Invalid("version", message)
    return name, tag


def image_path(site: Site, accelerator: str, owner: str, *, version: str) -> str:
    """The path in registry form, as SCNet writes it."""
    return f"{site.registry}/{accelerator}/{owner}/base/{version}"


def _named_after(tx: Write, caller: Caller, site: Site, *, notebook_name: str) -> SaveAs:
    """What an image is called of which nobody says it."""
    # An image's name has no room for capitals and other scripts; what is lost shows in the description.
    name = "-".join(NAME.findall(notebook_name.lower())) or "notebook"
    tag = f"{tx.now + site.utc_offset:%Y%m%d%H%M%S}-{uuid4().hex[:4]}"
    return SaveAs(namespace=caller.user_name, name=name, tag=tag, description=notebook_name)


def _chosen_path(site: Site, as_: SaveAs) -> str:
    """The path in registry form of what a caller names. `Invalid` when it cannot stand in one."""
    split_version(f"{as_.name}:{as_.tag}")
    if not NAME.fullmatch(as_.namespace) or len(as_.namespace) > LONGEST_NAMESPACE:
        message = f"a namespace has at most {LONGEST_NAMESPACE} lower-case letters and digits, with ., _ and - between"
        raise Invalid("namespace", message)
    if len(as_.name) > LONGEST_NAME:
        message = f"a name has at most {LONGEST_NAME} characters"
        raise Invalid("name", message)
    checked_description(as_.description)
    return f"{site.registry}/{as_.namespace}/{as_.name}:{as_.tag}"


def checked_description(description: str) -> str:
    """The description. `Invalid` for one that is too long."""
    if len(description) > LONGEST_DESCRIPTION or "\0" in description:
        message = f"a description has at most {LONGEST_DESCRIPTION} characters"
        raise Invalid("description", message)
    return description


def _made(tx: Write, caller: Caller, made: dict[str, Any], *, name: str, tag: str) -> Image:
    """A new image that has its path itself."""
    if tx.value(select(images.c.id).where(images.c.path == made["path"])) is not None:
        raise ImageExists(path=made["path"])
    group = grouping.lock_for(tx, caller.project, namespace=made["namespace"], name=name)
    image = insert_image(tx, caller, made, name=name, tag=tag, group=group)
    events.record(tx, caller, "image.add", target=image.id, after={"path": image.path})
    return image


def insert_image(tx: Write, caller: Caller, made: dict[str, Any], *, name: str, tag: str, group: int) -> Image:
    """A new image of those columns, in a group that is locked. `ImageExists` where its project has the path already."""
    path, version = made["path"] or made["refers_to"], f"{name}:{tag}"
    mine = (images.c.project_id == caller.project, images.c.refers_to == path)
    if tx.value(select(images.c.id).where(*mine)) is not None:
        raise ImageExists(path=path)
    id = tx.ids.next()
    row = {
        "id": id,
        "uuid": uuid4(),
        "project_id": caller.project,
        "owner_id": caller.user,
        "owner_name": caller.user_name,
        "name": name,
        "tag": tag,
        "version": version,
        "version_folded": fold(version),
        "clones": 0,
        "created_at": tx.now,
        "changed_at": tx.now,
        "group_id": group,
    }
    try:
        tx.run(insert(images).values(**row, **made))
    except IntegrityError as error:
        # Somebody gave or registered it meanwhile; SQLite has one writer.
        if any(told in str(error.orig) for told in ("path", "refers_to", "registered")):
            raise ImageExists(path=path) from error
        raise
    return get_any(tx, id)


def _one(tx: Read, caller: Caller, which: ColumnElement[bool]) -> Image:
    row = tx.first(select(images).where(which, VISIBLE), {"project": caller.project})
    if row is None:
        raise NoSuchImage
    return image_of(row)
