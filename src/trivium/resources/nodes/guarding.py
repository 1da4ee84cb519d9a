"""Keeping things from nodes: locks against actions, and cordons against new placements."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec
from sqlalchemy import or_, select, update

from trivium.base.errors import Invalid
from trivium.resources.nodes.errors import NodeLocked
from trivium.resources.nodes.table import node_of, nodes
from trivium.resources.nodes.types import Node
from trivium.store import Write

DELETE: Final = "delete"
"""The action that gives a node back."""

MOST_LOCKS: Final = 32
LONGEST_ACTION: Final = 64


def set_locked(tx: Write, node: Node, actions: Collection[str]) -> None:
    """Lock the node against these actions and no others. `Invalid` for what can be no names of actions."""
    if len(actions) > MOST_LOCKS or not all(0 < len(one) <= LONGEST_ACTION and one.isprintable() for one in actions):
        message = f"a node is locked against at most {MOST_LOCKS} actions, each of at most {LONGEST_ACTION} characters"
        raise Invalid("actions", message)
    told = msgspec.json.encode(sorted(set(actions))).decode()
    tx.run(update(nodes).where(nodes.c.id == node.id).values(locked=told))


def must_be_unlocked(node: Node, action: str) -> None:
    """Raise `NodeLocked` when the node is locked against the action."""
    if action in node.locked:
        raise NodeLocked(name=node.name, action=action)


def set_cordoned(tx: Write, node: Node, *, cordoned: bool) -> None:
    """Place nothing new on the node, and on a machine's slices, or do so again."""
    mine = or_(nodes.c.id == node.id, nodes.c.parent_id == node.id)
    tx.all(select(nodes.c.id).where(mine, nodes.c.listed).order_by(nodes.c.id).with_for_update())
    tx.run(update(nodes).where(mine, nodes.c.listed).values(cordoned=cordoned))


def locked(tx: Write, node: int) -> Node | None:
    """The node, which nobody else changes until the transaction ends; None when it was given back."""
    row = tx.lock(select(nodes).where(nodes.c.id == node))
    return None if row is None or not row.listed else node_of(row)
