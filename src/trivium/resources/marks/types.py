"""Marks: texts that people or programs put on a thing of any kind, by the thing's uuid."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from trivium.base.values import Value


class MarkType(StrEnum):
    """Who puts a mark on a thing."""

    USER = "user"
    SYSTEM = "system"


class ThingKind(StrEnum):
    """What can be marked."""

    STORE = "store"
    MODEL = "model"
    DATASET = "dataset"
    SERVICE = "service"
    GROUP = "group"
    NOTEBOOK = "notebook"
    SITE = "site"
    POOL = "pool"
    NODE = "node"
    DEVICE = "device"


class Thing(Value, frozen=True):
    """What is marked, as the room that it is in says of it."""

    uuid: UUID
    kind: ThingKind
    project: int
    public: bool  # everybody sees it, and so its marks


class NewMarks(Value, frozen=True):
    """The marks that a new thing is to have."""

    user: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    patterns: tuple[UUID, ...] = ()  # of tags that are described elsewhere


class Mark(Value, frozen=True):
    """One mark."""

    id: int
    uuid: UUID
    project: int
    public: bool
    type: MarkType
    thing: UUID
    kind: ThingKind
    tag: str
    pattern: UUID | None
    created_at: datetime
    changed_at: datetime
