"""The table of images, what may be asked of it, and the way between row and value."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    UniqueConstraint,
    bindparam,
    case,
    func,
)
from sqlalchemy import text as sql

from trivium.base.reasons import Reason
from trivium.resources.images.types import KINDS, Image, ImageScope, ImageStatus, Origin, Purpose, Visibility
from trivium.store import fields as f
from trivium.store import metadata
from trivium.store.columns import Instant, Uuid16, revision, text
from trivium.store.counters import Counted
from trivium.store.grams import Grams
from trivium.store.query import Scope
from trivium.store.schema import partial_index

images = Table(
    "images",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
    Column("owner_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("owner_name", text(), nullable=False),
    Column("visibility", text(), nullable=False),
    # Who has it in lists: a project, `EVERYBODY`, or `NOBODY` once it was removed.
    Column("audience", BigInteger, nullable=False, server_default="-1"),
    Column("name", text(), nullable=False),
    Column("tag", text(), nullable=False),
    Column("version", text(), nullable=False),
    Column("version_folded", text(), nullable=False),
    # Null once it was removed, so that the path can be given again; and where it is another's path, see `refers_to`.
    Column("path", text(), unique=True),
    Column("kind", text(), nullable=False),
    Column("accelerator", text(), nullable=False),
    Column("description", text(), nullable=False),
    Column("status", text(), nullable=False),
    Column("reason", text()),
    Column("digest", text(), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("environment", text(), nullable=False, index=True),
    Column("environment_digest", text(), nullable=False),
    Column("fingerprint", text(), nullable=False),
    Column("layers", text(), nullable=False),
    Column("command", text(), nullable=False),
    Column("preset", Boolean, nullable=False),
    Column("clones", Integer, nullable=False),
    Column("notebook_id", BigInteger, index=True),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    Column("host", text()),  # where its layers lie; null where it has none
    Column("namespace", text(), nullable=False, server_default=sql("''")),
    # No foreign key, as for notebooks. 0 is the default one.
    Column("workspace", BigInteger, nullable=False, server_default="0"),
    # No foreign key: SQLite gives none to a table that is there. Null once it was removed.
    Column("group_id", BigInteger, index=True),
    # The path that a project registered, which is an operator's or another project's; null once it was removed.
    Column("refers_to", text()),
    Column("purpose", text(), nullable=False, server_default=sql("'unknown'")),
    Column("origin", text(), nullable=False, server_default=sql("'built'")),
    Column("suits", text(), nullable=False, server_default=sql("'[]'")),
    Column("chip", text(), nullable=False, server_default=sql("''")),
    revision(),
    Index(None, "project_id", "id"),
    Index(None, "audience", "status", "created_at", "id"),
    Index(None, "audience", "status", "accelerator", "created_at", "id"),
    partial_index("uq_images_registered", "project_id", "refers_to", where=sql("refers_to IS NOT NULL"), unique=True),
    partial_index("ix_images_elsewhere", "workspace", where=sql("workspace <> 0 AND deleted_at IS NULL")),
)

image_groups = Table(
    "image_groups",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
    Column("namespace", text(), nullable=False),
    Column("name", text(), nullable=False),
    Column("read_me", text(), nullable=False),
    UniqueConstraint("project_id", "namespace", "name"),
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("environment", text(), primary_key=True),
    Column("host", text(), primary_key=True),
    Column("digest", text(), nullable=False),  # what was read there when the environment looked like that
    Column("fingerprint", text(), nullable=False),
)

NO_LAYERS: Final = "[]"
"""The layers of what was not saved."""

EVERYBODY: Final = 0
"""The audience of public images, and the part of their versions; no project has that id."""

NOBODY: Final = -1
"""The audience of removed images."""

COUNTED = Counted(images, (("audience", "status", "accelerator", "preset"),))

VERSIONS = Grams(
    images,
    "version_folded",
    part=case(
        (images.c.deleted_at.is_not(None), None),
        (images.c.visibility == Visibility.PUBLIC.value, EVERYBODY),
        else_=images.c.project_id,
    ),
)
"""Substrings of the versions of public images, and of each project's others."""

IMAGES = f.Resource(
    "images",
    images,
    (
        f.Field("id", f.integer, images.c.id),
        f.Field("uuid", f.uuid, images.c.uuid),
        f.Field("version", f.text, images.c.version, folded=images.c.version_folded, grams=VERSIONS),
        f.Field("name", f.text, images.c.name, folded=images.c.name),  # never has capitals
        f.Field("tag", f.text, images.c.tag),
        f.Field("namespace", f.text, images.c.namespace),
        f.Field("workspace", f.integer, images.c.workspace),
        f.Field("notebook", f.integer, images.c.notebook_id),
        f.Field("owner", f.text, images.c.owner_name),
        f.Field("description", f.text, images.c.description),
        f.Field("path", f.text, func.coalesce(images.c.path, images.c.refers_to)),
        f.Field("accelerator", f.enum(KINDS), images.c.accelerator),
        f.Field("visibility", f.enum(Visibility), images.c.visibility),
        f.Field("kind", f.text, images.c.kind),
        f.Field("status", f.enum(ImageStatus), images.c.status),
        f.Field("purpose", f.enum(Purpose), images.c.purpose),
        f.Field("origin", f.enum(Origin), images.c.origin),
        f.Field("chip", f.text, images.c.chip),
        f.Field("preset", f.boolean, images.c.preset),
        f.Field("clones", f.integer, images.c.clones),
        f.Field("size", f.integer, images.c.size),
        f.Field("created_at", f.time, images.c.created_at),
        f.Field("changed_at", f.time, images.c.changed_at),
    ),
    counted=COUNTED,
)

PROJECT: Final = bindparam("project", None, BigInteger())
SCOPES: Final = {
    ImageScope.VISIBLE: Scope(images.c.audience.in_((EVERYBODY, PROJECT)), parts=(EVERYBODY, "project")),
    ImageScope.PUBLIC: Scope(images.c.audience == EVERYBODY, parts=(EVERYBODY,)),
    ImageScope.PROJECT: Scope(images.c.audience == PROJECT, parts=("project",)),
}
"""Which images a list has, of those that its caller may see."""


def image_of(row: Row[Any]) -> Image:
    """The image that a row of `images` stands for."""
    return Image(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        owner=row.owner_id,
        owner_name=row.owner_name,
        visibility=Visibility(row.visibility),
        name=row.name,
        tag=row.tag,
        path=row.path or row.refers_to or "",
        kind=row.kind,
        accelerator=row.accelerator,
        description=row.description,
        status=ImageStatus(row.status),
        reason=None if row.reason is None else msgspec.json.decode(row.reason, type=Reason),
        digest=row.digest,
        size=row.size,
        environment=Path(row.environment),
        environment_digest=row.environment_digest,
        fingerprint=row.fingerprint,
        layers=tuple(Path(layer) for layer in msgspec.json.decode(row.layers, type=list[str])),
        command=tuple(msgspec.json.decode(row.command, type=list[str])),
        preset=row.preset,
        clones=row.clones,
        notebook=row.notebook_id,
        host=row.host,
        namespace=row.namespace,
        workspace=row.workspace,
        group=row.group_id,
        registered=row.refers_to is not None,
        purpose=Purpose(row.purpose),
        origin=Origin(row.origin),
        suits=tuple(msgspec.json.decode(row.suits, type=list[str])),
        chip=row.chip,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
