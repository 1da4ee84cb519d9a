"""What nodes the runtime found, written down: the default pool, the nodes in it, and flavors that fit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import uuid4

from trivium.base.units import GIB
from trivium.resources import nodes, pools
from trivium.resources.nodes.ports import AcceleratorFound, NodeFound
from trivium.resources.pools import CPU, Pool
from trivium.store import Write, migrations

MOST_MEMORY_PER_CORE: Final = 4 * GIB


def take_stock(tx: Write, found: Sequence[NodeFound], *, host: str) -> None:
    """Write down what the runtime found; the default pool and its flavors are made and follow what is there."""
    migrations.lock(tx.connection, tx.flavour)  # two servers that start at once make one default pool
    pool = pools.default_pool(tx) or _default_pool(tx)
    nodes.take_stock(tx, found, host=host, pool=pool.id, new_uuid=uuid4)
    there = [node for node in nodes.in_pool(tx, pool.id) if node.ready]
    if there:
        _set_flavors(tx, pool, there)


def _default_pool(tx: Write) -> Pool:
    uuid = uuid4()
    return pools.create(tx, uuid, name=f"default-{uuid.hex}", project=None)


def _set_flavors(tx: Write, pool: Pool, found: Sequence[NodeFound]) -> None:
    """One unit of each kind that there is: a card with its share of its machine, or one core with some memory.

    Where machines differ, a unit is what the smallest gives, so that it fits everywhere.
    """
    pools.set_flavor(
        tx,
        pool.id,
        kind=CPU,
        model="CPU",
        device_memory=0,
        millicores=min(1000, *(round(node.cores * 1000) for node in found)),
        memory=min(MOST_MEMORY_PER_CORE, *(round(node.memory / max(node.cores, 1)) for node in found)),
        declared=False,
    )
    for kind in sorted({card.kind for node in found for card in node.accelerators}):
        _set_card(tx, pool, [(node, cards) for node in found if (cards := _of_kind(node, kind))])


def _of_kind(node: NodeFound, kind: str) -> Sequence[AcceleratorFound]:
    return [card for card in node.accelerators if card.kind == kind]


def _set_card(tx: Write, pool: Pool, found: Sequence[tuple[NodeFound, Sequence[AcceleratorFound]]]) -> None:
    share = min(round(node.cores * 1000) // len(cards) for node, cards in found)
    first = found[0][1][0]
    pools.set_flavor(
        tx,
        pool.id,
        kind=first.kind,
        model=first.model,
        device_memory=min(card.memory for _, cards in found for card in cards),
        millicores=share // 1000 * 1000 or share,  # whole cores where there are as many
        memory=min(node.memory // len(cards) for node, cards in found),
        declared=first.declared,
    )
