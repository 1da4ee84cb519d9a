"""What the nodes room needs of the world: which machines there are, and what they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from trivium.base.values import Value


class CardFound(Value, frozen=True, kw_only=True):
    """What is known of an accelerator as a thing of its own; None for what its driver or the machine does not tell."""

    unit: str | None = None  # the identifier that the driver gives this very card
    serial: str | None = None
    pci_address: str | None = None  # as the kernel writes it: 0000:c1:00.0
    pci_class: int | None = None  # class and subclass, 0x0302 for a 3D controller
    vendor: str | None = None  # what people call who made it
    vendor_id: str | None = None  # four hexadecimal digits, as the next three
    device_id: str | None = None
    subvendor_id: str | None = None
    subdevice_id: str | None = None
    power: int | None = None  # watts that it may take
    driver_loaded: bool | None = None
    health: str | None = None  # in the driver's own word


UNKNOWN: Final = CardFound()
"""Nothing is known of the card."""


class AcceleratorFound(Value, frozen=True):
    """One accelerator of a node."""

    index: int
    kind: str  # gpu, dcu, npu, mlu
    model: str  # NVIDIA H200; for a declared one, the kind in capitals
    memory: int  # bytes; 0 where it is not known
    declared: bool  # the configuration says so; nothing on the machine confirms it
    card: CardFound = UNKNOWN


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
    architecture: str = ""  # of its processors, as the kernel calls it


class Nodes(Protocol):
    """What finds the nodes of a site."""

    async def nodes(self) -> Sequence[NodeFound]:
        """The nodes as they are now."""
        ...
