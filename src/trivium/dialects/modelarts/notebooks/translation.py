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
from trivium.dialects.modelarts.errors import BadVolume, NotHere, UnknownFlavor
from trivium.dialects.modelarts.notebooks import statuses
from trivium.dialects.modelarts.notebooks.naming import Asked, asked_of, containing, flavor_id
from trivium.dialects.modelarts.notebooks.shapes import (
    CreateBody,
    DataVolumeShape,
    DomainShape,
    HookBody,
    ImageShape,
    LeaseShape,
    ListQuery,
    NotebookShape,
    PoolShape,
    UserShape,
    VolumeBody,
    VolumeShape,
)
from trivium.dialects.modelarts.paging import offset_page
from trivium.dialects.modelarts.sorting import orders
from trivium.dialects.modelarts.spelling import bare, dashed, milliseconds, one_of, workspace
from trivium.dialects.rendered import Record
from trivium.resources import notebooks
from trivium.resources.notebooks import BadName, Found, NoSuchNotebook, Notebook, NotebookSpec, Status, Wanted
from trivium.resources.notebooks.ports import Mount

QUERIES: Final = 256
"""Queries that are remembered as understood."""

DEFAULT_LIMIT: Final = 10
CODELAB: Final = "DEFAULT"
BILLED: Final = "NOTEBOOK"
FEATURES: Final = (CODELAB, BILLED)
BILLINGS: Final = ("COMPUTE", "STORAGE", "ALL")
CATEGORIES: Final = ("EVS", "EFS", "OBS", "OBSFS")
OWNERSHIPS: Final = ("MANAGED", "DEDICATED")
LEAST_CAPACITY: Final = 5
MOST_CAPACITY: Final = 4096
FOR_EVER: Final = -1
NAME: Final = re.compile(r"[\w-]{1,128}")
SCRIPT: Final = "SCRIPT"
HOOKS: Final = (SCRIPT, "COMMAND")
BUCKET: Final = "obs://"

SORTED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "create_at": ("id",),  # ids are given in the order in which notebooks are made
    "update_at": ("changed_at",),
    "name": ("name",),
    "status": ("status",),
    "flavor": ("kind", "units"),
    "id": ("uuid",),
    "description": (),
    "feature": (),
    "workspace_id": (),
}
"""By what lists can be sorted; what is the same of all notebooks makes no order."""


class Facts(Value, frozen=True):
    """What is shown with a notebook from outside of its row; all but the disk never changes."""

    image: UUID
    image_name: str
    preset: bool
    owner: UUID
    domain: UUID
    domain_name: str
    disk: int  # bytes of the file system that homes are on


@lru_cache(QUERIES)
def list_query(asked: ListQuery) -> Query:
    """The notebooks that are asked for. Raises `Invalid` for what no list can be asked."""
    workspace(asked.workspace_id, asked.workspaceId)
    feature = one_of(asked.feature, "feature", FEATURES) or BILLED
    where = [
        *statuses.conditions(one_of(asked.status, "status", statuses.WORDS)),
        *_equal("pool", asked.pool_id),
        *_contains("name", asked.name),
        *_contains("pool", asked.pool_name),
        *_contains("image_path", asked.swr_path),
        *_contains("owner.name", asked.username),
        *_named("owner.uuid", asked.owner),
        *_named("image.uuid", asked.image_id),
        *_named("uuid", asked.id),
        *(containing(asked.flavor) if asked.flavor else ()),
    ]
    # Nothing is charged for, and no notebook has tags, a description, an address of its own, or is of CodeLab.
    billing = one_of(asked.billing, "billing", BILLINGS) not in (None, "ALL")
    if feature == CODELAB or billing or asked.tags or asked.description or asked.ip:
        where = [NONE]
    return Query(
        where=tuple(where),
        order=orders(asked.sort_key, asked.sort_dir, SORTED_BY, default="create_at"),
        page=page_of(asked),
    )


def page_of(asked: ListQuery) -> Offset:
    """The page that is asked for. `OutOfBounds`."""
    return offset_page(asked.limit, asked.offset, default=DEFAULT_LIMIT)


def may_grow(asked: Query) -> bool:
    """Whether what the query costs may grow with the table: all but the newest or oldest ones of some status."""
    return asked.order[0].field != "id" or any(condition.field != "status" for condition in asked.where)


def spec_of(body: CreateBody, image_path: str) -> NotebookSpec:
    """What is asked for. Raises `Invalid` that names the field, and `NotHere` for what there is not."""
    if not NAME.fullmatch(body.name):
        message = "a notebook's name has 1 to 128 letters, digits, - and _"
        raise BadName("name", message)
    workspace(body.workspace_id)
    if one_of(body.feature, "feature", FEATURES) == CODELAB:
        raise NotHere(what="CodeLab (feature DEFAULT)")
    lease = body.lease.duration if body.lease else None
    must_run_for_ever(body.duration if body.duration is not None else lease)
    _must_be_here(body)
    _check_volume(body.volume)
    asked = _flavor(body.flavor)
    return NotebookSpec(
        name=body.name,
        image_path=image_path,
        kind=asked.kind,
        count=asked.units,
        pool=body.pool_id or None,
        mounts=tuple(_mount(volume) for volume in body.data_volumes),
        start_command=_command(body),
    )


def must_run_for_ever(duration: int | None) -> None:
    """Raise `NotHere` where a notebook is to be stopped by itself."""
    if duration not in (None, FOR_EVER):
        raise NotHere(what="stopping a notebook after a duration")


def notebook_uuid(text: str) -> UUID:
    """The notebook that a path names. `NoSuchNotebook` for what no notebook could be called."""
    found = uuid_of(text)
    if found is None or str(found) != text.lower():
        raise NoSuchNotebook
    return found


def notebook_shape(notebook: Notebook, facts: Facts, *, keyring: Keyring, site: Site) -> NotebookShape:
    """The notebook as ModelArts shows it."""
    has = notebook.resources
    runs = notebook.found is Found.RUNNING and notebook.wanted is Wanted.RUNNING
    failed = notebook.status is Status.FAILED and notebook.reason is not None
    return NotebookShape(
        id=dashed(notebook.uuid),
        name=notebook.name,
        description="",
        feature=BILLED,
        flavor=flavor_id(has.kind, has.count),
        status=statuses.shown(notebook),
        image=ImageShape(
            id=dashed(facts.image),
            name=facts.image_name,
            swr_path=notebook.image_path,
            type="BUILD_IN" if facts.preset else "DEDICATED",
        ),
        lease=_lease(notebook),
        token=str(notebooks.access_token(notebook, keyring)),
        url=f"{notebooks.place(site, notebook.id, service=False)}lab" if runs else "",
        volume=VolumeShape(
            capacity=facts.disk // GIB,
            category="EVS",
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
        workspace_id=workspace(),
        create_at=milliseconds(notebook.created_at),
        update_at=milliseconds(notebook.changed_at),
    )


def notebook_record(notebook: Notebook, facts: Facts, now: datetime, *, shape: NotebookShape) -> Record:
    """The same as text, which is good as long as the row is the same, and its node's disk as large."""
    return Record(text=Raw(msgspec.json.encode(shape)), since=now, about=(notebook.node,), fact=facts.disk)


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


def _must_be_here(body: CreateBody) -> None:
    if body.custom_spec is not None:
        raise NotHere(what="custom_spec")
    if body.user_vpc is not None:
        raise NotHere(what="user_vpc")
    if any((endpoint.service or "").upper() == "SSH" for endpoint in body.endpoints):
        raise NotHere(what="SSH into a notebook")


def _check_volume(volume: VolumeBody) -> None:
    """The volume is the user's home, whatever it is called; it cannot be somebody else's storage."""
    category = one_of(volume.category, "volume.category", CATEGORIES)
    if one_of(volume.ownership, "volume.ownership", OWNERSHIPS) == "DEDICATED" or category in ("OBS", "OBSFS"):
        raise NotHere(what="a volume of ownership DEDICATED")
    if volume.capacity is not None and not LEAST_CAPACITY <= volume.capacity <= MOST_CAPACITY:
        raise BadVolume("volume.capacity", least=LEAST_CAPACITY, most=MOST_CAPACITY)


def _mount(volume: VolumeBody) -> Mount:
    """A directory of the home; a bucket is a directory there, too."""
    one_of(volume.category, "data_volumes.category", CATEGORIES)
    if not volume.uri:
        raise Missing("data_volumes.uri")
    if not volume.mount_path:
        raise Missing("data_volumes.mount_path")
    source = volume.uri.removeprefix(BUCKET)
    return Mount(source=source, target=volume.mount_path, writable=not volume.read_only)


def _command(body: CreateBody) -> str | None:
    """What the hooks run, one after the other, when the notebook starts."""
    hooks = body.hooks.container_hooks if body.hooks else None
    given = (hooks.pre_start, hooks.post_start) if hooks else ()
    lines = [_line(hook) for hook in given if hook is not None and hook.script]
    return "\n".join(lines) or None


def _line(hook: HookBody) -> str:
    kind = one_of(hook.type, "hooks.type", HOOKS) or SCRIPT
    script = hook.script or ""
    return f"bash {shlex.quote(script)}" if kind == SCRIPT else script


def _lease(notebook: Notebook) -> LeaseShape:
    begin = notebook.started_at or notebook.created_at
    limit = notebook.max_running
    return LeaseShape(
        create_at=milliseconds(begin),
        duration=FOR_EVER if limit is None else int(limit.total_seconds() * 1000),
        enable=limit is not None,
        type="TIMING",
        update_at=milliseconds(begin),
    )


def _data_volume(mount: Mount, *, mounted: bool) -> DataVolumeShape:
    return DataVolumeShape(
        category="OBSFS",
        mount_path=mount.target,
        url=f"{BUCKET}{mount.source}",
        uri=f"{BUCKET}{mount.source}",
        status="MOUNTED" if mounted else "UNMOUNTED",
        mount_type="STATIC",
    )
