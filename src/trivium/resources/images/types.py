"""Images as values."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from trivium.base.reasons import Reason
from trivium.base.values import Value
from trivium.resources.tags import Tag

KINDS: Final = ("cpu", "gpu", "dcu", "npu", "mlu")
"""What images are made for: no accelerator, or one of a kind."""


class Visibility(StrEnum):
    """Who may use an image beside its project."""

    PRIVATE = "private"
    SHARED = "shared"  # whoever knows its id; no list of theirs has it
    PUBLIC = "public"


class ImageScope(StrEnum):
    """Which images a list has, of those that its caller may see."""

    VISIBLE = "visible"  # all of them
    PUBLIC = "public"
    PROJECT = "project"  # those of the caller's project that are not public


class ImageStatus(StrEnum):
    """How far an image is."""

    SAVING = "saving"
    ACTIVE = "active"
    FAILED = "failed"
    BROKEN = "broken"  # when it was last looked at, what it is made of was gone, or not what it had been
    DELETED = "deleted"


class Purpose(StrEnum):
    """What an image is meant to be used for, as its owner says."""

    GENERAL = "general"
    INFERENCE = "inference"
    TRAINING = "training"
    DEVELOPMENT = "development"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """How an image came to be."""

    BUILT = "built"
    SAVED = "saved"  # from a notebook


class SaveAs(Value, frozen=True, kw_only=True):
    """What an image is to be called that somebody saves."""

    namespace: str
    name: str
    tag: str
    description: str = ""
    workspace: int = 0  # 0: the default one


class Registration(Value, frozen=True, kw_only=True):
    """What a project is to have as an image of its own, and what its owner says of it."""

    path: str  # of an image that is here
    description: str = ""
    purpose: Purpose = Purpose.UNKNOWN
    origin: Origin = Origin.BUILT
    suits: tuple[str, ...] = ()  # of KINDS; none: what the image was made for
    chip: str = ""  # the model of accelerator that it is for
    visibility: Visibility = Visibility.PRIVATE
    workspace: int = 0  # 0: the default one
    read_me: str | None = None  # of its group; None: that stays as it is
    tags: tuple[Tag, ...] = ()  # more of them for its group


class Image(Value, frozen=True):
    """An environment that notebooks can be made of."""

    id: int
    uuid: UUID
    project: int
    owner: int
    owner_name: str
    visibility: Visibility
    name: str
    tag: str
    path: str  # registry/accelerator/owner/base/name:tag
    kind: str  # JupyterLab, or Custom where it has a command of its own
    accelerator: str  # cpu, gpu, dcu, npu, mlu
    description: str
    status: ImageStatus
    reason: Reason | None
    digest: str  # sha256:<64 hex>; empty until it is there
    size: int  # bytes
    environment: Path
    environment_digest: str  # what stood there when it was added
    fingerprint: str  # the same, in the cheap form
    layers: tuple[Path, ...]
    command: tuple[str, ...]
    preset: bool  # the operator's own
    clones: int  # how many notebooks were made of it
    notebook: int | None  # the notebook that it was saved from
    host: str | None  # where its layers lie; None where it has none
    namespace: str  # whose it is in the registry: a user's name, or what they chose
    workspace: int  # 0: the default one
    group: int | None  # the images of its name in its project; None once it was removed
    registered: bool  # a record of an image that is there under its path as well, or was
    purpose: Purpose
    origin: Origin
    suits: tuple[str, ...]  # kinds that it runs on, as its owner says
    chip: str  # the model of accelerator that it is for; empty where nobody said
    created_at: datetime
    changed_at: datetime

    @property
    def version(self) -> str:
        """`name:tag`."""
        return f"{self.name}:{self.tag}"
