"""Shares: pools of projects, whose nodes are slices of the site's machines, in node pools of one size each."""

from trivium.resources.shares.errors import NodePoolExists, NoSuchNodePool, OfMachines, PoolInUse
from trivium.resources.shares.nodes import (
    drain,
    list_nodes,
    list_stamps,
    lock_nodes,
    node,
    resume,
    unlock_nodes,
)
from trivium.resources.shares.orders import events_of, orders, orders_of
from trivium.resources.shares.rights import managed
from trivium.resources.shares.service import (
    add_node_pool,
    change,
    count_of,
    create,
    delete,
    names,
    node_pool,
    node_pools,
    release,
    remove_node_pool,
    resize,
)
from trivium.resources.shares.tagging import put_tags, remove_tags, tags_by_key, tags_of, tags_of_many
from trivium.resources.shares.types import NewNodePool, NewPool, NodePool, NodePoolCount, Occupants

__all__ = [
    "NewNodePool",
    "NewPool",
    "NoSuchNodePool",
    "NodePool",
    "NodePoolCount",
    "NodePoolExists",
    "Occupants",
    "OfMachines",
    "PoolInUse",
    "add_node_pool",
    "change",
    "count_of",
    "create",
    "delete",
    "drain",
    "events_of",
    "list_nodes",
    "list_stamps",
    "lock_nodes",
    "managed",
    "names",
    "node",
    "node_pool",
    "node_pools",
    "orders",
    "orders_of",
    "put_tags",
    "release",
    "remove_node_pool",
    "remove_tags",
    "resize",
    "resume",
    "tags_by_key",
    "tags_of",
    "tags_of_many",
    "unlock_nodes",
]
