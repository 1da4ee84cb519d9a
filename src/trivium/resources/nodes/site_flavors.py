"""What slices the site's machines can be cut into: made of what they have, sold out by what is free on them now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Final

from sqlalchemy import ColumnElement, and_, func, select

from trivium.base.values import Value
from trivium.resources.nodes.errors import NoSuchFlavor
from trivium.resources.nodes.table import devices, node_of, nodes
from trivium.resources.nodes.types import Node, SiteFlavor, SliceSize
from trivium.resources.nodes.units import MOST_MEMORY_PER_CORE
from trivium.resources.pools import CPU
from trivium.store import Read

STEPS: Final = tuple(1 << power for power in range(11))
"""Cores, or cards, of a slice."""

UNSPOKEN: Final = re.compile(r"[^a-z0-9]+")


class _Deck(Value, frozen=True):
    """The cards of one model that a machine has in all, and has free."""

    total: int
    free: int
    memory: int


def site_flavors(tx: Read) -> Sequence[SiteFlavor]:
    """Every size of slice that the machines can be cut into: without cards, then by kind and model, small ones first.

    Cores and memory come in proportion: with a card its share of the machine, with a core at most four GiB. Where
    machines differ it is what the smallest gives. Names stay as long as kinds and models do.
    """
    machines = [node_of(row) for row in tx.all(select(nodes).where(*MACHINE).order_by(nodes.c.id))]
    if not machines:
        return []
    decks = _decks(tx)
    models = sorted({model for deck in decks.values() for model in deck})
    return [*_plain(machines), *(one for model in models for one in _with_cards(machines, decks, model))]


def site_flavor(tx: Read, name: str) -> SiteFlavor:
    """The flavor of that name. `NoSuchFlavor`."""
    found = next((flavor for flavor in site_flavors(tx) if flavor.name == name), None)
    if found is None:
        message = f"the site's machines have no slices of the flavor {name[:64]!r}"
        raise NoSuchFlavor("flavor", message, name=name[:64])
    return found


MACHINE: Final[tuple[ColumnElement[bool], ...]] = (nodes.c.parent_id.is_(None), nodes.c.listed)


def _decks(tx: Read) -> Mapping[int, Mapping[tuple[str, str], _Deck]]:
    """By machine, and by kind and model: the cards that it and its slices have, and those that it has free."""
    machine = func.coalesce(nodes.c.parent_id, nodes.c.id)
    unheld = and_(devices.c.holder.is_(None), nodes.c.parent_id.is_(None))
    counted = (
        select(
            machine.label("machine"),
            devices.c.kind,
            devices.c.model,
            func.count().label("total"),
            func.count().filter(unheld).label("free"),
            func.min(devices.c.memory).label("memory"),
        )
        .select_from(devices.join(nodes, nodes.c.id == devices.c.node_id))
        .where(devices.c.present)
        .group_by(machine, devices.c.kind, devices.c.model)
    )
    found: dict[int, dict[tuple[str, str], _Deck]] = {}
    for row in tx.all(counted):
        deck = _Deck(total=int(row.total), free=int(row.free), memory=row.memory)
        found.setdefault(row.machine, {})[row.kind, row.model] = deck
    return found


def _plain(machines: Sequence[Node]) -> Sequence[SiteFlavor]:
    per_core = min(MOST_MEMORY_PER_CORE, *(node.memory * 1000 // max(node.millicores, 1000) for node in machines))
    largest = max(node.millicores for node in machines) // 1000
    return [
        _flavor(
            machines, f"cpu.{cores}u", SliceSize(CPU, "", 0, millicores=cores * 1000, memory=max(cores * per_core, 1))
        )
        for cores in takewhile(lambda cores: cores <= largest, STEPS)
    ]


def _with_cards(
    machines: Sequence[Node], decks: Mapping[int, Mapping[tuple[str, str], _Deck]], model: tuple[str, str]
) -> Sequence[SiteFlavor]:
    mine = {node: decks[node.id][model] for node in machines if model in decks.get(node.id, {})}
    if not mine:
        return []
    share = min(node.millicores // deck.total for node, deck in mine.items())
    millicores = max(share // 1000 * 1000 or share, 1)
    memory = max(min(node.memory // deck.total for node, deck in mine.items()), 1)
    most = max(deck.total for deck in mine.values())
    kind, word = model[0], UNSPOKEN.sub("-", model[1].lower()).strip("-")
    stem = kind if word in {"", kind} else f"{kind}.{word}"
    return [
        _flavor(
            list(mine),
            f"{stem}.{cards}",
            SliceSize(kind, model[1], cards, millicores=cards * millicores, memory=cards * memory),
            decks=mine,
        )
        for cards in takewhile(lambda cards: cards <= most, STEPS)
    ]


def _flavor(
    machines: Sequence[Node], name: str, size: SliceSize, *, decks: Mapping[Node, _Deck] | None = None
) -> SiteFlavor:
    most = free = 0
    for node in machines:
        deck = None if decks is None else decks[node]
        most += _fitting(size, node.millicores, node.memory, cards=None if deck is None else deck.total)
        if node.ready and not node.cordoned:
            left = node.millicores - node.held_millicores, node.memory - node.held_memory
            free += _fitting(size, *left, cards=None if deck is None else deck.free)
    memory = 0 if decks is None else min(deck.memory for deck in decks.values())
    return SiteFlavor(name=name, size=size, card_memory=memory, most=most, free=free)


def _fitting(size: SliceSize, millicores: int, memory: int, *, cards: int | None) -> int:
    fitting = min(millicores // size.millicores, memory // size.memory)
    return max(0, fitting if cards is None else min(fitting, cards // size.cards))
