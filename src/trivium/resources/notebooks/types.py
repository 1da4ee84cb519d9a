"""Notebooks as values: what was asked, and what is the case."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from trivium.base.reasons import Reason
from trivium.base.values import Value
from trivium.resources.notebooks.ports import Mount


class Wanted(StrEnum):
    """What the user asked for."""

    RUNNING = "running"
    STOPPED = "stopped"
    DELETED = "deleted"


class Found(StrEnum):
    """What the platform saw last."""

    NOTHING = "nothing"  # no launch of this generation was seen yet
    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    GONE = "gone"  # nothing is left of it


class Status(StrEnum):
    """The word that is shown; computed from what was asked and what was found (`states.shown`)."""

    CREATING = "creating"
    STARTING = "starting"
    RUNNING = "running"
    SAVING = "saving"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DELETING = "deleting"
    DELETED = "deleted"
    FAILED = "failed"


class Resources(Value, frozen=True):
    """What a notebook has of its node."""

    kind: str  # cpu, or the accelerator's kind
    count: int  # accelerators; units of cores where the kind is cpu
    model: str  # what people call the accelerator
    millicores: int
    memory: int  # bytes


class NotebookSpec(Value, frozen=True, kw_only=True):
    """What a caller asks for in a new notebook."""

    name: str | None = None  # None: a name is made of the time
    image_path: str
    kind: str  # cpu, or the accelerator's kind
    count: int
    pool: str | None = None  # a pool's name; None: the first usable one that has the kind
    mount_home: bool = True
    mounts: tuple[Mount, ...] = ()
    start_command: str | None = None


class Notebook(Value, frozen=True):
    """One notebook as the platform knows it."""

    id: int
    uuid: UUID
    project: int
    owner: int
    owner_name: str
    name: str
    wanted: Wanted
    found: Found
    status: Status
    reason: Reason | None  # why it failed or waits
    progress: int | None  # per cent while it is being made
    generation: int  # how often it was started
    pool: int
    pool_name: str
    pool_short: int
    node: int | None
    node_address: str | None
    resources: Resources
    image: int
    image_path: str
    image_version: str
    image_size: int
    mount_home: bool
    mounts: tuple[Mount, ...]
    start_command: str | None
    service_command: str | None
    service_port: int | None
    service_seen: bool  # something of the notebook listened on that port when its start was asked
    workload: str | None  # 64 hex while there is one
    operation: int  # the last asynchronous call, SCNet's taskId
    save_as: UUID | None  # the image that is being made of it
    losses: int  # how often it was lost since a caller last started it
    max_running: timedelta | None
    release_after: timedelta | None  # how long after its end it is released
    created_at: datetime
    changed_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    release_at: datetime | None  # when it will be released, unless it is started before
    deleted_at: datetime | None
    host: str | None = None  # whose runtime has it
