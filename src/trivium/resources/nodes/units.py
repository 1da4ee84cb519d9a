"""What one unit of each kind gives in a pool: made of what the pool's nodes have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trivium.base.units import GIB
from trivium.resources import pools
from trivium.resources.nodes.ports import AcceleratorFound, NodeFound
from trivium.resources.pools import CPU
from trivium.store import Write

MOST_MEMORY_PER_CORE: Final = 4 * GIB


def set_units(tx: Write, pool: int, found: Sequence[NodeFound]) -> None:
    """One unit of each kind that there is: a card with its share of its node, or one core with some memory.

    Where nodes differ, a unit is what the smallest gives, so that it fits everywhere. Nothing changes without nodes.
    """
    if not found:
        return
    pools.set_flavor(
        tx,
        pool,
        kind=CPU,
        model="CPU",
        device_memory=0,
        millicores=min(1000, *(round(node.cores * 1000) for node in found)),
        memory=memory_per_core(found),
        declared=False,
    )
    for kind in sorted({card.kind for node in found for card in node.accelerators}):
        _set_card(tx, pool, [(node, cards) for node in found if (cards := _of_kind(node, kind))])


def memory_per_core(found: Sequence[NodeFound]) -> int:
    """Bytes of memory that go with a core on each of the nodes."""
    return min(MOST_MEMORY_PER_CORE, *(round(node.memory / max(node.cores, 1)) for node in found))


def share_of_cards(found: Sequence[tuple[NodeFound, Sequence[AcceleratorFound]]]) -> tuple[int, int]:
    """Thousandths of cores and bytes of memory that go with one card on each of the nodes."""
    share = min(round(node.cores * 1000) // len(cards) for node, cards in found)
    whole = share // 1000 * 1000  # whole cores where there are as many
    return whole or share, min(node.memory // len(cards) for node, cards in found)


def _of_kind(node: NodeFound, kind: str) -> Sequence[AcceleratorFound]:
    return [card for card in node.accelerators if card.kind == kind]


def _set_card(tx: Write, pool: int, found: Sequence[tuple[NodeFound, Sequence[AcceleratorFound]]]) -> None:
    millicores, memory = share_of_cards(found)
    first = found[0][1][0]
    pools.set_flavor(
        tx,
        pool,
        kind=first.kind,
        model=first.model,
        device_memory=min(card.memory for _, cards in found for card in cards),
        millicores=millicores,
        memory=memory,
        declared=first.declared,
    )
