"""Which accelerators a machine has, as cards that are known again: by what their driver says of them, not by place.

Devices are what is given out, by their numbers; a card is the thing in that place. One that vanished is remembered for
a while, so that a driver that was away for a moment changes no card's uuid.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from trivium.base.text import fold
from trivium.resources.nodes.ports import AcceleratorFound
from trivium.resources.nodes.table import card_of, cards, devices, nodes
from trivium.resources.nodes.types import Card
from trivium.store import Read, Write

REMEMBERED: Final = timedelta(days=30)
"""How long a card that vanished is kept."""

Key: TypeAlias = "str | tuple[str, int] | None"


def note_cards(tx: Write, machine: int, found: Sequence[AcceleratorFound], *, new_uuid: Callable[[], UUID]) -> None:
    """Write down which cards the machine, whose devices were noted, has now. Only what is another is written."""
    rows = tx.all(select(cards).where(cards.c.machine_id == machine).order_by(cards.c.id))
    known = {row.id: card_of(row) for row in rows}
    kept = {row.id: row for row in rows}
    places = _places(tx, machine)
    same = matched(found, tuple(known.values()))
    for place, one in enumerate(found):
        values = {**_columns(one), **places[one.kind, one.index], "present": True}
        id = same.get(place)
        if id is None:
            identity = {"id": tx.ids.next(), "uuid": new_uuid(), "machine_id": machine}
            tx.run(insert(cards).values(**identity, **values, created_at=tx.now, changed_at=tx.now))
        elif any(getattr(kept[id], name) != value for name, value in values.items()):
            tx.run(update(cards).where(cards.c.id == id).values(**values, changed_at=tx.now))
    vanished = sorted(id for id, card in known.items() if card.present and id not in same.values())
    if vanished:
        tx.run(update(cards).where(cards.c.id.in_(vanished)).values(present=False, changed_at=tx.now))
    long_gone = (cards.c.machine_id == machine, ~cards.c.present, cards.c.changed_at < tx.now - REMEMBERED)
    tx.run(delete(cards).where(*long_gone))


def follow_devices(tx: Write, machines: Collection[int]) -> None:
    """Say of the machines' cards which node has them, after devices went to slices or came back from them."""
    device = devices.c.id == cards.c.device_id
    holder = select(devices.c.node_id).where(device).scalar_subquery()
    joined = nodes.join(devices, devices.c.node_id == nodes.c.id)
    uuid, audience = (
        select(column).select_from(joined).where(device).scalar_subquery()
        for column in (nodes.c.uuid, nodes.c.audience)
    )
    moved = (cards.c.machine_id.in_(sorted(machines)), cards.c.device_id.is_not(None), cards.c.node_id != holder)
    values = {"node_id": holder, "node_uuid": uuid, "audience": audience, "changed_at": tx.now}
    tx.run(update(cards).where(*moved).values(values))


def matched(found: Sequence[AcceleratorFound], known: Sequence[Card]) -> Mapping[int, int]:
    """Which of the cards that are found, by their places, are which of the known ones, by their ids.

    The driver's own identifier tells first, then the serial number, the address on the bus, and at last the number. A
    weaker sign counts only where no stronger one speaks against it.
    """
    same: dict[int, int] = {}
    signs = {place: _signs_found(one) for place, one in enumerate(found)}
    theirs = {card.id: _signs(card) for card in known}
    for strength in range(len(_signs_found(found[0])) if found else 0):
        for place, sign in signs.items():
            if place in same or sign[strength] is None:
                continue
            fitting = (
                id
                for id, other in theirs.items()
                if id not in same.values()
                and other[strength] == sign[strength]
                and not _contradict(sign[:strength], other[:strength])
            )
            id = next(fitting, None)
            if id is not None:
                same[place] = id
    return same


def _signs_found(one: AcceleratorFound) -> tuple[Key, ...]:
    return one.card.unit, one.card.serial, one.card.pci_address, (one.kind, one.index)


def _signs(card: Card) -> tuple[Key, ...]:
    return card.unit, card.serial, card.pci_address, (card.kind, card.index)


def _contradict(one: tuple[Key, ...], other: tuple[Key, ...]) -> bool:
    return any(
        mine is not None and theirs is not None and mine != theirs for mine, theirs in zip(one, other, strict=True)
    )


def _places(tx: Read, machine: int) -> Mapping[tuple[str, int], dict[str, Any]]:
    """By kind and number: the device of the machine or its slices, and the node that has it."""
    sliced = select(nodes.c.id).where(nodes.c.parent_id == machine, nodes.c.listed).order_by(nodes.c.id)
    family = [machine, *(id for (id,) in tx.all(sliced))]
    there = select(devices, nodes.c.uuid, nodes.c.audience).join(nodes, nodes.c.id == devices.c.node_id)
    return {
        (row.kind, row.number): {
            "device_id": row.id,
            "node_id": row.node_id,
            "node_uuid": row.uuid,
            "audience": row.audience,
        }
        for row in tx.all(there.where(devices.c.node_id.in_(family)).order_by(devices.c.id))
    }


def _columns(one: AcceleratorFound) -> dict[str, Any]:
    card = one.card
    folded = {"serial": card.serial, "vendor": card.vendor, "health": card.health}
    return {
        "kind": one.kind,
        "number": one.index,
        "model": one.model,
        "model_folded": fold(one.model),
        "memory": one.memory or None,
        "declared": one.declared,
        "unit": card.unit,
        **folded,
        **{f"{name}_folded": None if value is None else fold(value) for name, value in folded.items()},
        "pci_address": card.pci_address,
        "pci_class": card.pci_class,
        "vendor_id": card.vendor_id,
        "device_code": card.device_id,
        "subvendor_id": card.subvendor_id,
        "subdevice_id": card.subdevice_id,
        "power": card.power,
        "driver_loaded": card.driver_loaded,
    }
