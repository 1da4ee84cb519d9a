"""What the nodes room needs of the world: which machines there are, and what they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trivium.base.values import Value


class AcceleratorFound(Value, frozen=True):
    """One accelerator of a node."""

    index: int
    kind: str  # gpu, dcu, npu, mlu
    model: str  # NVIDIA H200; for a declared one, the kind in capitals
    memory: int  # bytes; 0 where it is not known
    declared: bool  # the configuration says so; nothing on the machine confirms it


class NodeFound(Value, frozen=True):
    """One machine as the runtime finds it."""

    name: str
    address: str  # an IPv4 address to show
    ready: bool
    reason: str
    cores: float
    memory: int  # bytes
    disk: int  # bytes of the file system that holds the data directory
    accelerators: tuple[AcceleratorFound, ...]


class Nodes(Protocol):
    """What finds the nodes of a site."""

    async def nodes(self) -> Sequence[NodeFound]:
        """The nodes as they are now."""
        ...
