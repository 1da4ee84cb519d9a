"""Whether what was found of a host's machines is what is written down of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, func, select

from trivium.resources.nodes.ports import AcceleratorFound, NodeFound
from trivium.resources.nodes.table import devices, nodes
from trivium.store import Prepared, Read

# A server asks this before it is ready: prepared, these two take a tenth of what taking stock takes.
MACHINES: Final = Prepared(
    select(
        nodes.c.id,
        nodes.c.name,
        nodes.c.address,
        nodes.c.ready,
        nodes.c.reason,
        nodes.c.millicores,
        nodes.c.memory,
        nodes.c.disk,
        nodes.c.architecture,
    ).where(nodes.c.host == bindparam("host"), nodes.c.parent_id.is_(None), nodes.c.ready),
    "host",
)
DEVICES: Final = Prepared(
    select(
        func.coalesce(nodes.c.parent_id, nodes.c.id).label("machine"),
        devices.c.number,
        devices.c.kind,
        devices.c.model,
        devices.c.memory,
        devices.c.declared,
    )
    .join(nodes, nodes.c.id == devices.c.node_id)
    .where(nodes.c.host == bindparam("host"), devices.c.present),
    "host",
)


def is_noted(tx: Read, found: Sequence[NodeFound], *, host: str) -> bool:
    """Whether the machines of the host are known just so, all of them ready, and no others: taking stock can wait."""
    machines: dict[str, Any] = {row.name: row for row in MACHINES.rows(tx, host)}
    owned: dict[int, set[tuple[Any, ...]]] = {row.id: set() for row in machines.values()}
    for row in DEVICES.rows(tx, host):
        owned.setdefault(row.machine, set()).add((row.number, row.kind, row.model, row.memory, row.declared))
    return len(machines) == len(found) and all(
        (row := machines.get(node.name)) is not None
        and _told(node) == (row.address, row.ready, row.reason, row.millicores, row.memory, row.disk, row.architecture)
        and {_device(card) for card in node.accelerators} == owned[row.id]
        for node in found
    )


def _told(node: NodeFound) -> tuple[Any, ...]:
    size = (round(node.cores * 1000), node.memory, node.disk)
    return (node.address, node.ready, node.reason, *size, node.architecture)


def _device(card: AcceleratorFound) -> tuple[Any, ...]:
    return card.index, card.kind, card.model, card.memory, card.declared
