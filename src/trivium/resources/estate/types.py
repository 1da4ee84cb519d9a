"""What lists of the estate show: rooms' values with what they belong to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from trivium.base.values import Value
from trivium.resources.nodes import Card, NodeDetail
from trivium.resources.pools import Pool


class PoolRow(Value, frozen=True):
    """A pool, and where it is."""

    pool: Pool
    site: UUID
    architecture: str | None  # of its oldest node's processors; None where there is none, or it is not known


class NodeRow(Value, frozen=True):
    """A node with what it has free now, and where it is."""

    detail: NodeDetail
    site: UUID
    pool: UUID
    architecture: str | None
    seen_at: datetime


class CardRow(Value, frozen=True):
    """An accelerator, and whether a notebook has it now."""

    card: Card
    allocated: bool
