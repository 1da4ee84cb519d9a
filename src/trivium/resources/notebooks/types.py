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


class NotebookScope(StrEnum):
    """Which of a project's notebooks a list has."""

    LISTED = "listed"  # those whose release was not asked for
    DELETED = "deleted"  # those that are being released, or were and are remembered
    EVERY = "every"  # both


class Feature(StrEnum):
    """What sort of notebook it is."""

    ORDINARY = "ordinary"
    FREE = "free"  # the one that a user may have for nothing


class LeaseKind(StrEnum):
    """What ends a lease."""

    TIMING = "timing"  # the time
    IDLE = "idle"  # nobody using the notebook: no runtime says that yet, so none is given


class Lease(Value, frozen=True):
    """How long a notebook may run: its stop is asked for when `ends_at` has come."""

    kind: LeaseKind
    enabled: bool  # False: it does not end
    duration: timedelta
    created_at: datetime  # when the notebook was last asked to run
    updated_at: datetime  # when the lease was given or last renewed; the duration counts from then

    @property
    def ends_at(self) -> datetime | None:
        """When it runs out; None for one that does not end."""
        return self.updated_at + self.duration if self.enabled else None


class LeaseAsked(Value, frozen=True):
    """The lease that a caller asks for; without a duration it does not end."""

    duration: timedelta | None
    kind: LeaseKind = LeaseKind.TIMING


class VolumeKind(StrEnum):
    """What sort of storage a home is said to lie on."""

    BLOCK = "block"
    FILE = "file"
    OBJECT = "object"


class Volume(Value, frozen=True):
    """The storage that was asked for the notebook's home. It is declared: written down and shown, and not enforced."""

    kind: VolumeKind
    capacity: int  # bytes


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
    image: UUID | None = None  # which of those that have the path; None: the one that has it itself
    kind: str  # cpu, or the accelerator's kind
    count: int
    pool: str | None = None  # a pool's name; None: the first usable one that has the kind
    mount_home: bool = True
    mounts: tuple[Mount, ...] = ()
    start_command: str | None = None
    feature: Feature = Feature.ORDINARY
    description: str = ""
    workspace: int = 0  # 0: the default one
    lease: LeaseAsked | None = None  # None: it runs until it is stopped
    volume: Volume | None = None
    attach_at: str | None = None  # a new directory below `/`, in which directories can be shown while it runs


class AttachmentStatus(StrEnum):
    """How far a directory is shown."""

    MOUNTING = "mounting"
    MOUNTED = "mounted"
    UNMOUNTING = "unmounting"
    UNMOUNTED = "unmounted"
    FAILED = "failed"


class Attachment(Value, frozen=True):
    """A directory of the home that is shown to a notebook while it runs; it ends with the notebook's run."""

    id: int
    uuid: UUID
    notebook: int
    generation: int  # the start of the notebook that it is shown to
    mount: Mount
    status: AttachmentStatus
    reason: Reason | None  # why it failed, or could not be taken away
    created_at: datetime
    changed_at: datetime


class NotebookChange(Value, frozen=True, kw_only=True):
    """What is to be another; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    volume_capacity: int | None = None  # bytes; it may only grow
    # While it is stopped:
    image_path: str | None = None
    image: UUID | None = None  # which of those that have the path
    kind: str | None = None
    count: int | None = None
    start_command: str | None = None  # empty: none


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
    reason: Reason | None  # why it failed, waits, or was not saved
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
    feature: Feature = Feature.ORDINARY
    description: str = ""
    workspace: int = 0  # 0: the default one
    lease: Lease | None = None
    volume: Volume | None = None
    attach_at: str | None = None  # where directories can be shown while it runs; None: nowhere

    @property
    def flavor(self) -> str:
        """What it has, in one word: kind and units, as in `cpu.2u`."""
        return f"{self.resources.kind}.{self.resources.count}u"
