"""Nodes, their devices, and what is held of them, as values."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from trivium.base.values import Value


class Node(Value, frozen=True):
    """One machine, with what it has and what of it is held. Cores are thousandths, memory is bytes."""

    id: int
    uuid: UUID
    pool: int
    host: str  # which server's runtime it belongs to
    name: str
    address: str
    ready: bool
    reason: str
    millicores: int
    memory: int
    disk: int
    held_millicores: int
    held_memory: int
    seen_at: datetime


class Device(Value, frozen=True):
    """One accelerator of a node."""

    id: int
    node: int
    kind: str
    index: int
    model: str
    memory: int
    declared: bool
    present: bool
    holder: int | None


class Need(Value, frozen=True):
    """What a notebook must have to run."""

    kind: str  # `cpu`, or the accelerator's kind
    count: int  # accelerators, or units of cores
    millicores: int  # in all
    memory: int  # in all, bytes


class Placement(Value, frozen=True):
    """Where a holder was placed, and which accelerators are its own."""

    node: int
    kind: str
    indexes: tuple[int, ...]
    millicores: int
    memory: int


class Availability(Value, frozen=True):
    """How many units of a flavor the best node of a pool has: in all, and free now."""

    most: int
    free: int
