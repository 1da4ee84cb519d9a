"""Between what SCNet's clients say of notebooks and what the notebooks room says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw

from trivium.base.caller import Caller
from trivium.base.query import Condition, Op, Query
from trivium.base.site import Site
from trivium.base.text import Language
from trivium.dialects.rendered import FOREVER, Record
from trivium.dialects.scnet.errors import OtherRegion
from trivium.dialects.scnet.notebooks.shapes import (
    CreateBody,
    IdBody,
    IdQuery,
    LinkShape,
    ListQuery,
    MountShape,
    NotebookShape,
)
from trivium.dialects.scnet.spelling import (
    ACCELERATORS,
    cores,
    countdown,
    countdown_until,
    duration,
    flag,
    memory,
    numbered_page,
    one_of,
    required,
    required_whole,
    row_id,
    time_text,
)
from trivium.dialects.scnet.statuses import MEANT, SHOWN
from trivium.resources.nodes import Availability
from trivium.resources.notebooks import BadMount, Link, Notebook, NotebookSpec, Status
from trivium.resources.notebooks.ports import Mount

MOST_CARDS: Final = 1024

TELLING: Final = frozenset({Status.FAILED, Status.STOPPED})
"""The statuses with a message: why it failed, or why its environment was not saved when it was stopped."""

QUERIES: Final = 256
"""Queries that are remembered as understood."""

Room: TypeAlias = Mapping[tuple[int, str], Availability]


@lru_cache(QUERIES)
def list_query(asked: ListQuery) -> Query:
    """The notebooks whose names hold the text and whose status is shown as the word, newest first."""
    word = one_of(asked.notebook_status, "notebookStatus", tuple(MEANT))
    where: list[Condition] = []
    if word is not None:
        where.append(Condition(field="status", op=Op.IN, value=MEANT[word]))
    if asked.notebook_name:
        where.append(Condition(field="name", op=Op.CONTAINS, value=asked.notebook_name))
    return Query(where=tuple(where), page=numbered_page(asked.page, asked.size))


def may_grow(asked: Query) -> bool:
    """Whether what the query costs may grow with the table, as the store would judge: it looks into names.

    For the rest there are indexes and counters, however far behind the newest the page is.
    """
    return any(condition.op is Op.CONTAINS for condition in asked.where)


def named(asked: IdQuery | IdBody, field: str) -> int:
    """The id of the notebook that is meant; `field` is what the interface's own page calls it."""
    return row_id(asked.notebook_id or asked.id, field)


def spec_of(body: CreateBody, site: Site, caller: Caller) -> NotebookSpec:
    """What is asked for. `Missing` and `Invalid` name the field; `OtherRegion` when it is for a region not here."""
    region = required_whole(body.cluster_id, "clusterId", least=0, most=10**15)
    path = required(body.image_path, "imagePath")
    required(body.image_name, "imageName")
    kind = one_of(required(body.accelerator_type, "acceleratorType"), "acceleratorType", ACCELERATORS)
    count = required_whole(body.accelerator_number, "acceleratorNumber", least=1, most=MOST_CARDS)
    if region != site.id:
        raise OtherRegion("clusterId")
    home = str(site.homes / str(caller.user))
    return NotebookSpec(
        image_path=path.strip(),
        kind=kind or "",
        count=count,
        pool=body.resource_group_code or None,
        mount_home=flag(body.mount_home, "mountHome", default=True),
        mounts=tuple(mount_of(mount, home) for mount in body.mount_info or ()),
        start_command=body.start_command or None,
    )


def mount_of(shape: MountShape, home: str) -> Mount:
    """The mount. Its source may be written from the home's own path on, from `~` on, or from within the home.

    `BadMount` for another absolute path: it would else be looked for within the home, and not be there.
    """
    source = _within(required(shape.source_path, "sourcePath").strip(), home)
    permission = one_of(shape.permission, "permission", ("ro", "rw")) or "ro"
    return Mount(source=source, target=required(shape.target_path, "targetPath"), writable=permission == "rw")


def notebook_shape(notebook: Notebook, room: Availability, now: datetime) -> NotebookShape:
    """The notebook as SCNet shows it."""
    has = notebook.resources
    port = None if notebook.service_port is None else str(notebook.service_port)
    told = notebook.reason if notebook.status in TELLING else None
    failure = told.say(Language.ZH) if told else None
    return NotebookShape(
        id=str(notebook.id),
        notebook_name=notebook.name,
        notebook_status=SHOWN[notebook.status],
        image_name=notebook.image_version,
        image_path=notebook.image_path,
        iamge_path=notebook.image_path,
        cpu_number=f"{cores(has.millicores)}核心",
        accelerator_type=has.kind,
        accelerator_number=has.count,
        resource_group_code=notebook.pool_name,
        resource_group_id=str(notebook.pool_short),
        accelerator_mode=has.model,
        ram_size=memory(has.memory),
        image_size=str(notebook.image_size),
        create_time=time_text(notebook.created_at),
        update_time=time_text(notebook.changed_at),
        release_time=countdown(notebook.release_at, now),
        progress=notebook.progress if notebook.status is Status.CREATING else None,
        max_timeout=duration(notebook.max_running),
        task_id=str(notebook.operation),
        enough_resource=room.free >= has.count,
        container_id=notebook.workload,
        max_number=room.most,
        free_number=room.free,
        node=notebook.node_address,
        command=notebook.service_command,
        customize_port=port,
        customsize_port=port,
        error_message=failure,
        message=failure,
    )


def notebook_record(notebook: Notebook, room: Room, now: datetime) -> Record:
    """The same as text, with what its group has of its kind; good until the countdown goes on."""
    about = (notebook.pool, notebook.resources.kind)
    return Record(
        text=Raw(msgspec.json.encode(notebook_shape(notebook, room[about], now))),
        since=now,
        until=countdown_until(notebook.release_at, now) or FOREVER,
        about=about,
        fact=room[about],
    )


def link_shape(link: Link) -> LinkShape:
    """A link as SCNet shows it."""
    return LinkShape(status="active" if link.active else "inactive", url=link.url)


def _within(source: str, home: str) -> str:
    for start in (home, "~"):
        if source == start or source.startswith(f"{start}/"):
            return source[len(start) :].strip("/")
    if source.startswith("/"):
        message = f"a mount's source must lie under {home}"
        raise BadMount("sourcePath", message)
    return source
