"""Between what ModelArts' clients say of notebooks and what the notebooks room says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Raw

from trivium.base.errors import Missing
from trivium.base.ids import uuid_of
from trivium.base.keyring import Keyring
from trivium.base.query import Condition, Offset, Op, Query
from trivium.base.site import Site
from trivium.base.text import Language
from trivium.base.units import GIB
from trivium.base.values import Value
from trivium.dialects.modelarts.errors import BadDescription, BadNotebookName, BadVolume, NotHere, UnknownFlavor
from trivium.dialects.modelarts.notebooks import statuses
from trivium.dialects.modelarts.notebooks.leases import lease_shape
from trivium.dialects.modelarts.notebooks.naming import Asked, asked_of, containing, flavor_id
from trivium.dialects.modelarts.notebooks.shapes import (
    CreateBody,
    DataVolumeShape,
    DomainShape,
    HookBody,
    HooksBody,
    ImageShape,
    ListQuery,
    NotebookShape,
    PoolShape,
    UpdateBody,
    UserShape,
    VolumeBody,
    VolumeShape,
)
from trivium.dialects.modelarts.notebooks.storage import AREA, BUCKET
from trivium.dialects.modelarts.notebooks.tagging import read as read_tags
from trivium.dialects.modelarts.notebooks.tagging import tag_shapes
from trivium.dialects.modelarts.paging import offset_page
from trivium.dialects.modelarts.sorting import orders
from trivium.dialects.modelarts.spelling import DEFAULT_WORKSPACE, bare, dashed, milliseconds, one_of
from trivium.dialects.modelarts.workspaces import workspace_id
from trivium.dialects.rendered import Record
from trivium.resources import notebooks
from trivium.resources.notebooks import (
    Feature,
    Found,
    LeaseAsked,
    Notebook,
    NotebookChange,
    NotebookScope,
    NotebookSpec,
    Status,
    Volume,
    VolumeKind,
    Wanted,
)
from trivium.resources.notebooks.ports import Mount
from trivium.resources.tags import Tag

QUERIES: Final = 256
"""Queries that are remembered as understood."""

DEFAULT_LIMIT: Final = 10
CODELAB: Final = "DEFAULT"
BILLED: Final = "NOTEBOOK"
FEATURES: Final[Mapping[str, Feature]] = {CODELAB: Feature.FREE, BILLED: Feature.ORDINARY}
FEATURE_WORDS: Final[Mapping[Feature, str]] = {feature: word for word, feature in FEATURES.items()}
BILLINGS: Final = ("COMPUTE", "STORAGE", "ALL")
CATEGORIES: Final = ("EVS", "EFS", "OBS", "OBSFS")
OWNERSHIPS: Final = ("MANAGED", "DEDICATED")
VOLUMES: Final[Mapping[str, tuple[VolumeKind, int]]] = {"EVS": (VolumeKind.BLOCK, 5), "EFS": (VolumeKind.FILE, 50)}
"""The sort of storage that a category is, and the GB that it has unless told."""

VOLUME_WORDS: Final[Mapping[VolumeKind, str]] = {kind: word for word, (kind, _) in VOLUMES.items()}
LEAST_CAPACITY: Final = 5
MOST_CAPACITY: Final = 4096
NAME: Final = re.compile(r"[\w-]{1,128}")
SCRIPT: Final = "SCRIPT"
HOOKS: Final = (SCRIPT, "COMMAND")
LONGEST_DESCRIPTION: Final = 512

SORTED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "create_at": ("id",),  # ids are given in the order in which notebooks are made
    "update_at": ("changed_at",),
    "name": ("name",),
    "status": ("status",),
    "flavor": ("kind", "units"),
    "id": ("uuid",),
    "description": ("description",),
    "feature": ("feature",),
    "workspace_id": ("workspace",),
    "user_id": ("owner_id",),  # as users were made
    "ip": ("address",),
}
"""By what lists can be sorted."""


class Facts(Value, frozen=True):
    """What is shown with a notebook from outside of its row.

    Disk and workspace apart, none of it changes while the row's revision is the same.
    """

    image: UUID
    image_name: str
    preset: bool
    owner: UUID
    domain: UUID
    domain_name: str
    tags: tuple[Tag, ...]
    disk: int  # bytes of the file system that homes are on
    workspace: UUID | None  # None: the default one, or one that is no more


class Sought(Value, frozen=True):
    """What a list is asked for."""

    query: Query
    scope: NotebookScope
    tagged: tuple[Tag, ...]


@lru_cache(QUERIES)
def sought(asked: ListQuery, workspace: int | None) -> Sought:
    """The notebooks that are asked for, of a workspace or of all. Raises `Invalid` for what no list can be asked."""
    status = one_of(asked.status, "status", statuses.WORDS)
    feature = FEATURES[one_of(asked.feature, "feature", tuple(FEATURES)) or BILLED]
    where = [
        *statuses.conditions(status),
        Condition(field="feature", op=Op.EQ, value=feature.value),
        *(() if workspace is None else (Condition(field="workspace", op=Op.EQ, value=workspace),)),
        *_equal("pool", asked.pool_id),
        *_equal("address", asked.ip),
        *_contains("name", asked.name),
        *_contains("pool", asked.pool_name),
        *_contains("image_path", asked.swr_path),
        *_contains("description", asked.description),
        *_contains("owner_name", asked.username),
        *_named("owner.uuid", asked.owner),
        *_named("image.uuid", asked.image_id),
        *_named("uuid", asked.id),
        *(containing(asked.flavor) if asked.flavor else ()),
    ]
    if one_of(asked.billing, "billing", BILLINGS) not in (None, "ALL"):  # nothing is charged for
        where = [NONE]
    order = orders(asked.sort_key, asked.sort_dir, SORTED_BY, default="create_at")
    query = Query(where=tuple(where), order=order, page=page_of(asked))
    return Sought(query=query, scope=statuses.scope(status), tagged=read_tags(asked.tags))


def page_of(asked: ListQuery) -> Offset:
    """The page that is asked for. `OutOfBounds`."""
    return offset_page(asked.limit, asked.offset, default=DEFAULT_LIMIT)


def may_grow(asked: ListQuery) -> bool:
    """Whether what a list costs may grow with the table."""
    workspace = (asked.workspace_id or asked.workspaceId or "").strip()
    wanted = sought(asked, int(workspace != DEFAULT_WORKSPACE) if workspace else None)
    return notebooks.may_grow(wanted.query, scope=wanted.scope, tagged=wanted.tagged)


def spec_of(
    body: CreateBody, *, image_path: str, workspace: int, lease: LeaseAsked, image: UUID | None = None
) -> NotebookSpec:
    """What is asked for. Raises `Invalid` that names the field, and `NotHere` for what there is not."""
    _must_be_here(body)
    volume = _volume(body.volume)
    asked = _flavor(body.flavor)
    return NotebookSpec(
        name=_name(body.name),
        image_path=image_path,
        image=image,
        kind=asked.kind,
        count=asked.units,
        pool=body.pool_id or None,
        mounts=tuple(_mount(volume) for volume in body.data_volumes),
        start_command=_command(body.hooks),
        feature=FEATURES[one_of(body.feature, "feature", tuple(FEATURES)) or BILLED],
        description=_description(body.description) or "",
        workspace=workspace,
        lease=lease,
        volume=volume,
        attach_at=AREA,
    )


def change_of(body: UpdateBody, *, image_path: str | None, image: UUID | None = None) -> NotebookChange:
    """What is to be another. Raises as `spec_of` does."""
    _must_be_here(body)
    if body.data_volumes:
        raise NotHere(what="other data_volumes for a notebook that is there")
    asked = _flavor(body.flavor) if body.flavor else None
    return NotebookChange(
        name=None if body.name is None else _name(body.name),
        description=_description(body.description),
        volume_capacity=_capacity(body.storage_new_size, "storage_new_size"),
        image_path=image_path,
        image=image,
        kind=asked.kind if asked else None,
        count=asked.units if asked else None,
        start_command=None if body.hooks is None else _command(body.hooks) or "",
    )


def notebook_shape(notebook: Notebook, facts: Facts, *, keyring: Keyring, site: Site) -> NotebookShape:
    """The notebook as ModelArts shows it."""
    has = notebook.resources
    runs = notebook.found is Found.RUNNING and notebook.wanted is Wanted.RUNNING
    failed = notebook.status is Status.FAILED and notebook.reason is not None
    return NotebookShape(
        id=dashed(notebook.uuid),
        name=notebook.name,
        description=notebook.description,
        feature=FEATURE_WORDS[notebook.feature],
        flavor=flavor_id(has.kind, has.count),
        status=statuses.shown(notebook),
        image=ImageShape(
            id=dashed(facts.image),
            name=facts.image_name,
            swr_path=notebook.image_path,
            type="BUILD_IN" if facts.preset else "DEDICATED",
        ),
        lease=lease_shape(notebook),
        token=str(notebooks.access_token(notebook, keyring)),
        url=f"{notebooks.place(site, notebook.id, service=False)}lab" if runs else "",
        volume=VolumeShape(
            capacity=(facts.disk if notebook.volume is None else notebook.volume.capacity) // GIB,
            category="EVS" if notebook.volume is None else VOLUME_WORDS.get(notebook.volume.kind, "OBS"),
            mount_path=f"{site.homes / str(notebook.owner)}/",
            ownership="MANAGED",
            status="MOUNTED" if runs else "UNMOUNTED",
            mount_type="STATIC",
        ),
        data_volumes=tuple(_data_volume(mount, mounted=runs) for mount in notebook.mounts),
        pool=PoolShape(id=notebook.pool_name, name=notebook.pool_name),
        user=UserShape(
            id=bare(facts.owner),
            name=notebook.owner_name,
            domain=DomainShape(id=bare(facts.domain), name=facts.domain_name),
        ),
        user_id=bare(facts.owner),
        fail_reason=notebook.reason.say(Language.EN) if failed and notebook.reason else "",
        ip=notebook.node_address or "" if runs else "",
        tags=tag_shapes(facts.tags),
        workspace_id=workspace_id(facts.workspace),
        create_at=milliseconds(notebook.created_at),
        update_at=milliseconds(notebook.changed_at),
    )


def notebook_record(notebook: Notebook, facts: Facts, now: datetime, *, shape: NotebookShape) -> Record:
    """The same as text: good as long as the row is the same, its node's disk as large, and its workspace there."""
    about, fact = (notebook.node, notebook.workspace), (facts.disk, facts.workspace)
    return Record(text=Raw(msgspec.json.encode(shape)), since=now, about=about, fact=fact)


NONE: Final = Condition(field="id", op=Op.EQ, value=0)
"""What holds of no notebook."""


def _equal(field: str, text: str | None) -> tuple[Condition, ...]:
    return (Condition(field=field, op=Op.EQ, value=text),) if text else ()


def _contains(field: str, text: str | None) -> tuple[Condition, ...]:
    return (Condition(field=field, op=Op.CONTAINS, value=text),) if text else ()


def _named(field: str, text: str | None) -> tuple[Condition, ...]:
    """The one with that id; none for what is no id."""
    if not text:
        return ()
    uuid = uuid_of(text)
    return (NONE,) if uuid is None else (Condition(field=field, op=Op.EQ, value=uuid),)


def _flavor(name: str | None) -> Asked:
    if not name:
        raise Missing("flavor")
    found = asked_of(name)
    if found is None:
        raise UnknownFlavor(flavor=name[:256])
    return found


def _must_be_here(body: CreateBody | UpdateBody) -> None:
    if body.custom_spec is not None:
        raise NotHere(what="custom_spec")
    if isinstance(body, CreateBody) and body.user_vpc is not None:
        raise NotHere(what="user_vpc")
    if any((endpoint.service or "").upper() == "SSH" for endpoint in body.endpoints):
        raise NotHere(what="SSH into a notebook")


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BadNotebookName("name")
    return name


def _description(text: str | None) -> str | None:
    if text is not None and (len(text) > LONGEST_DESCRIPTION or "<" in text or ">" in text):
        raise BadDescription("description", longest=LONGEST_DESCRIPTION)
    return text


def _volume(volume: VolumeBody) -> Volume:
    """The user's home, whatever it is called, of the size that is told; it cannot be somebody else's storage."""
    category = one_of(volume.category, "volume.category", CATEGORIES)
    if one_of(volume.ownership, "volume.ownership", OWNERSHIPS) == "DEDICATED" or category not in VOLUMES:
        raise NotHere(what="a volume of ownership DEDICATED")
    kind, default = VOLUMES[category]
    return Volume(kind=kind, capacity=_capacity(volume.capacity, "volume.capacity") or default * GIB)


def _capacity(size: int | None, field: str) -> int | None:
    """So many GB, in bytes."""
    if size is not None and not LEAST_CAPACITY <= size <= MOST_CAPACITY:
        raise BadVolume(field, least=LEAST_CAPACITY, most=MOST_CAPACITY)
    return None if size is None else size * GIB


def _mount(volume: VolumeBody) -> Mount:
    """A directory of the home; a bucket is a directory there, too."""
    one_of(volume.category, "data_volumes.category", CATEGORIES)
    if not volume.uri:
        raise Missing("data_volumes.uri")
    if not volume.mount_path:
        raise Missing("data_volumes.mount_path")
    source = volume.uri.removeprefix(BUCKET)
    return Mount(source=source, target=volume.mount_path, writable=not volume.read_only)


def _command(asked: HooksBody | None) -> str | None:
    """What the hooks run, one after the other, when the notebook starts."""
    hooks = asked.container_hooks if asked else None
    given = (hooks.pre_start, hooks.post_start) if hooks else ()
    lines = [_line(hook) for hook in given if hook is not None and hook.script]
    return "\n".join(lines) or None


def _line(hook: HookBody) -> str:
    kind = one_of(hook.type, "hooks.type", HOOKS) or SCRIPT
    script = hook.script or ""
    return f"bash {shlex.quote(script)}" if kind == SCRIPT else script


def _data_volume(mount: Mount, *, mounted: bool) -> DataVolumeShape:
    return DataVolumeShape(
        category="OBSFS",
        mount_path=mount.target,
        url=f"{BUCKET}{mount.source}",
        uri=f"{BUCKET}{mount.source}",
        status="MOUNTED" if mounted else "UNMOUNTED",
        mount_type="STATIC",
    )
