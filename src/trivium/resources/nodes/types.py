"""Nodes, their devices, and what is held of them, as values."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from trivium.base.values import Value


class Node(Value, frozen=True):
    """One machine or a slice of one, with what it has and what of it is held. Cores are thousandths, memory is bytes.

    What slices have is held on their machine, and what is reserved in a slice is held on the slice alone.
    """

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
    parent: int | None  # the machine that it is a slice of; None for a machine
    node_pool: int | None  # None for a machine
    flavor: str  # what a slice was made by; empty for a machine
    kind: str  # of a slice's accelerators, or `cpu`; empty for a machine
    cards: int  # accelerators that a slice was given
    sliced_millicores: int  # of what is held, what slices have
    sliced_memory: int
    cordoned: bool  # nothing new is placed on it; what runs there goes on
    locked: tuple[str, ...]  # names of actions that are not to be done to it
    private_address: str | None  # out of its pool's network
    created_at: datetime
    revision: int
    architecture: str = ""  # of its processors, as the kernel calls it; empty where it is not known


class Cards(Value, frozen=True):
    """The accelerators of one kind and model that a node has to give out."""

    kind: str
    model: str
    memory: int  # bytes of one
    total: int
    free: int


class NodeDetail(Value, frozen=True):
    """A node with its accelerators. Of a machine only what it has not given to slices."""

    node: Node
    cards: tuple[Cards, ...]

    @property
    def millicores(self) -> int:
        """Thousandths of cores that it has to give out."""
        return max(self.node.millicores - self.node.sliced_millicores, 0)

    @property
    def memory(self) -> int:
        """Bytes of memory that it has to give out."""
        return max(self.node.memory - self.node.sliced_memory, 0)

    @property
    def free_millicores(self) -> int:
        """What of the cores is not held."""
        return max(self.node.millicores - self.node.held_millicores, 0)

    @property
    def free_memory(self) -> int:
        """What of the memory is not held."""
        return max(self.node.memory - self.node.held_memory, 0)


class SliceSize(Value, frozen=True):
    """What a slice gets of a machine."""

    kind: str  # of its accelerators; `cpu` for none
    model: str  # of its accelerators; empty for none
    cards: int
    millicores: int
    memory: int  # bytes


class SiteFlavor(Value, frozen=True):
    """A size of slices that the site's machines can be cut into."""

    name: str
    size: SliceSize
    card_memory: int  # bytes of one accelerator
    most: int  # slices of it that the machines have in all
    free: int  # slices of it that can be made now

    @property
    def is_sold_out(self) -> bool:
        """Whether not one can be made now."""
        return not self.free

    @property
    def place(self) -> tuple[bool, str, str, int]:
        """Where it stands among all flavors, of which each has another place, whatever comes and goes beside it."""
        size = self.size
        return size.cards > 0, size.kind, size.model, size.cards or size.millicores


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


class Card(Value, frozen=True):
    """One accelerator as a thing, wherever it is plugged in. None: neither its driver nor the machine tells."""

    id: int
    uuid: UUID
    node: int  # which has it to give out: its machine, or a slice
    node_uuid: UUID
    kind: str
    index: int  # where it was found last
    model: str
    memory: int | None  # bytes
    declared: bool  # the configuration says so; nothing on the machine confirms it
    present: bool  # False: it was there once
    unit: str | None  # what the driver calls this very card
    serial: str | None
    pci_address: str | None
    pci_class: int | None  # class and subclass
    vendor: str | None
    vendor_id: str | None  # four hexadecimal digits, as the next three
    device_id: str | None
    subvendor_id: str | None
    subdevice_id: str | None
    power: int | None  # watts
    driver_loaded: bool | None
    health: str | None  # in the driver's own word
    created_at: datetime
    changed_at: datetime


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
