"""Node pools, and what is asked of pools, as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from trivium.base.values import Value
from trivium.resources.nodes import SliceSize
from trivium.resources.pools import PoolDetails
from trivium.store import Read


class NewNodePool(Value, frozen=True, kw_only=True):
    """What a caller asks for in a new node pool."""

    flavor: str
    count: int
    name: str | None = None  # None: `<flavor>-default`
    max_count: int | None = None  # None: as many as `count`
    annotations: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])


class NewPool(Value, frozen=True, kw_only=True):
    """What a caller asks for in a new pool."""

    title: str
    details: PoolDetails
    node_pools: tuple[NewNodePool, ...]
    network: str | None = None  # a network's name
    node_prefix: str = "node"
    workspace: int = 0  # of the project; 0 is the default one


class NodePool(Value, frozen=True):
    """Nodes of a pool that are alike."""

    id: int
    uuid: UUID
    pool: int
    name: str
    flavor: str
    size: SliceSize  # what the flavor was when the node pool was made: its nodes stay alike
    count: int
    max_count: int
    annotations: Mapping[str, Any]
    created_at: datetime
    changed_at: datetime


class NodePoolCount(Value, frozen=True):
    """How many nodes of a node pool are ready, and are not."""

    ready: int
    unready: int


class Occupants(Protocol):
    """What may be in a pool and keep it from being deleted."""

    def in_pool(self, tx: Read, pool: int) -> str | None:
        """What there is in the pool, in words; None when there is nothing."""
        ...
