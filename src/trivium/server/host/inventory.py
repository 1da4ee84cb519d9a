"""What nodes the runtime found, written down: the default pool, the nodes in it, and flavors that fit them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from trivium.resources import nodes, pools
from trivium.resources.nodes.ports import NodeFound
from trivium.resources.pools import Pool
from trivium.store import Write, migrations


def take_stock(tx: Write, found: Sequence[NodeFound], *, host: str) -> None:
    """Write down what the runtime found; the default pool and its flavors are made and follow what is there."""
    migrations.lock(tx.connection)  # two servers that start at once make one default pool
    pools.alone(tx)
    pool = pools.default_pool(tx) or _default_pool(tx)
    nodes.take_stock(tx, found, host=host, pool=pool.id, new_uuid=uuid4)
    nodes.set_units(tx, pool.id, [node for node in nodes.in_pool(tx, pool.id) if node.ready])


def _default_pool(tx: Write) -> Pool:
    uuid = uuid4()
    return pools.create(tx, uuid, name=f"default-{uuid.hex}", project=None, title="default")
