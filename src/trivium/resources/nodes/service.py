"""Use cases of nodes: taking stock of the machines, and giving parts of them out, never one twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select, update

from trivium.base.text import fold
from trivium.resources import pools as of_pools
from trivium.resources import sites
from trivium.resources.nodes.card_stock import note_cards
from trivium.resources.nodes.errors import NoCapacity
from trivium.resources.nodes.ports import AcceleratorFound, NodeFound
from trivium.resources.nodes.slices import follow, note_phases
from trivium.resources.nodes.table import device_of, devices, node_of, nodes, reservations
from trivium.resources.nodes.types import Availability, Device, Need, Node, Placement
from trivium.resources.pools import CPU, Flavor
from trivium.store import Prepared, Read, Write

# Asked with every page of notebooks, so the statements are built once.
OF_ID: Final = Prepared(select(nodes).where(nodes.c.id == bindparam("id", type_=BigInteger)), "id", of=node_of)
OF_POOLS: Final = select(nodes).where(nodes.c.pool_id.in_(bindparam("pools", expanding=True)), nodes.c.listed)
CARDS: Final = (
    select(devices.c.node_id, devices.c.kind, func.count().label("units"), func.count(devices.c.holder).label("held"))
    .select_from(devices.join(nodes, nodes.c.id == devices.c.node_id))
    .where(nodes.c.pool_id.in_(bindparam("pools", expanding=True)), nodes.c.listed, devices.c.present)
    .group_by(devices.c.node_id, devices.c.kind)
)


def get(tx: Read, node: int) -> Node:
    """The node with that id, which must be there."""
    found: Node | None = OF_ID.first(tx, node)
    if found is None:
        message = f"node {node} is referred to and is not there"
        raise LookupError(message)
    return found


def availability(tx: Read, flavors: Iterable[Flavor]) -> Mapping[tuple[int, str], Availability]:
    """For each flavor, by pool and kind: the units that its best node has in all, and has free now."""
    flavors = tuple(flavors)
    pools = sorted({flavor.pool for flavor in flavors})
    by_pool: dict[int, list[Node]] = {pool: [] for pool in pools}
    for row in tx.all(OF_POOLS, {"pools": pools}):
        by_pool[row.pool_id].append(node_of(row))
    cards = tx.all(CARDS, {"pools": pools})
    units = {(row.node_id, row.kind): int(row.units) for row in cards}
    unheld = {(row.node_id, row.kind): int(row.units - row.held) for row in cards}
    return {
        (flavor.pool, flavor.kind): Availability(
            most=max((_units(node, flavor, units, held=False) for node in by_pool[flavor.pool]), default=0),
            free=max((_units(node, flavor, unheld, held=True) for node in by_pool[flavor.pool]), default=0),
        )
        for flavor in flavors
    }


def reserve(tx: Write, holder: int, *, pool: int, need: Need, hosts: Collection[str]) -> Placement:
    """Give the holder a part of a node of the pool, on one of the hosts. `NoCapacity` when none has so much free.

    One that holds something already keeps it, so asking twice gives nothing out twice.
    """
    held = held_by(tx, holder)
    if held is not None:
        return held
    # Nodes are locked in the order of their ids, so that two who reserve at once wait and never deadlock.
    mine = (nodes.c.pool_id == pool, nodes.c.listed, nodes.c.host.in_(sorted(hosts)))
    candidates = tx.all(select(nodes).where(*mine).order_by(nodes.c.id).with_for_update())
    for node in map(node_of, candidates):
        if not _fits(node, need):
            continue
        taken = _take_devices(tx, node.id, holder=holder, need=need)
        if taken is not None:
            _book(tx, holder, node.id, need=need)
            return Placement(
                node=node.id, kind=need.kind, indexes=taken, millicores=need.millicores, memory=need.memory
            )
    raise NoCapacity(kind=need.kind, count=need.count)


def could_hold(tx: Read, pool: int, need: Need, *, host: str) -> bool:
    """Whether a node of the pool on that host has so much, whatever of it is held and whether it is ready."""
    mine = (nodes.c.pool_id == pool, nodes.c.host == host)
    large = (nodes.c.millicores >= need.millicores, nodes.c.memory >= need.memory)
    found = [row.id for row in tx.all(select(nodes.c.id).where(*mine, *large))]
    if need.kind == CPU:
        return bool(found)
    cards = tx.all(CARDS, {"pools": [pool]})
    return any(row.node_id in found and row.kind == need.kind and row.units >= need.count for row in cards)


def free(tx: Write, holder: int) -> bool:
    """Take back all that the holder has; False when it had nothing."""
    row = tx.first(select(reservations.c.node_id).where(reservations.c.holder == holder))
    if row is None:
        return False
    tx.lock(select(nodes.c.id).where(nodes.c.id == row.node_id))
    booked = tx.first(select(reservations).where(reservations.c.holder == holder))
    if booked is None:
        return False
    tx.run(delete(reservations).where(reservations.c.holder == holder))
    tx.run(update(devices).where(devices.c.holder == holder).values(holder=None))
    changed = {
        "held_millicores": nodes.c.held_millicores - booked.millicores,
        "held_memory": nodes.c.held_memory - booked.memory,
    }
    tx.run(update(nodes).where(nodes.c.id == booked.node_id).values(changed))
    return True


def held_by(tx: Read, holder: int) -> Placement | None:
    """What the holder has; None when nothing."""
    row = tx.first(select(reservations).where(reservations.c.holder == holder))
    if row is None:
        return None
    numbers = tx.all(select(devices.c.number).where(devices.c.holder == holder).order_by(devices.c.number))
    return Placement(
        node=row.node_id,
        kind=row.kind,
        indexes=tuple(number for (number,) in numbers),
        millicores=row.millicores,
        memory=row.memory,
    )


def take_stock(
    tx: Write, found: Sequence[NodeFound], *, host: str, pool: int, new_uuid: Callable[[], UUID]
) -> Sequence[Node]:
    """Write down what a runtime found: new machines join the pool, those that are gone are not ready.

    Slices follow their machines.
    """
    for node in found:
        id = _note(tx, node, host=host, pool=pool, new_uuid=new_uuid)
        _note_devices(tx, id, node.accelerators)
        note_cards(tx, id, node.accelerators, new_uuid=new_uuid)
    machine = (nodes.c.host == host, nodes.c.parent_id.is_(None))
    gone = nodes.c.name.not_in([node.name for node in found])
    for (id,) in tx.all(select(nodes.c.id).where(*machine, gone).order_by(nodes.c.id)):
        note_cards(tx, id, (), new_uuid=new_uuid)
    tx.run(update(nodes).where(*machine, gone).values(ready=False, reason="the runtime does not see it any more"))
    machines = [node_of(row) for row in tx.all(select(nodes).where(*machine).order_by(nodes.c.id))]
    follow(tx, machines)
    note_phases(tx, (host,))
    return machines


def in_pool(tx: Read, pool: int) -> Sequence[NodeFound]:
    """What the nodes of a pool have in all, with what slices have of them, in the order of their ids."""
    rows = tx.all(select(nodes).where(nodes.c.pool_id == pool, nodes.c.listed).order_by(nodes.c.id))
    machine = func.coalesce(nodes.c.parent_id, nodes.c.id)
    cards: dict[int, list[Device]] = {}
    there = select(devices, machine.label("machine")).join(nodes, nodes.c.id == devices.c.node_id)
    for row in tx.all(there.where(devices.c.present).order_by(devices.c.number, devices.c.id)):
        for id in {row.node_id, row.machine}:
            cards.setdefault(id, []).append(device_of(row))
    return [
        NodeFound(
            name=node.name,
            address=node.address,
            ready=node.ready,
            reason=node.reason,
            cores=node.millicores / 1000,
            memory=node.memory,
            disk=node.disk,
            accelerators=tuple(
                AcceleratorFound(
                    index=card.index, kind=card.kind, model=card.model, memory=card.memory, declared=card.declared
                )
                for card in cards.get(node.id, ())
            ),
        )
        for node in map(node_of, rows)
    ]


def note_away(tx: Write, hosts: Collection[str]) -> None:
    """Give nothing more of these hosts' nodes out: nobody acts on them. Taking stock makes them ready again."""
    mine = (nodes.c.host.in_(sorted(hosts)), nodes.c.ready)
    if tx.run(update(nodes).where(*mine).values(ready=False, reason="no server acts on it")):
        note_phases(tx, hosts)


def _note(tx: Write, node: NodeFound, *, host: str, pool: int, new_uuid: Callable[[], UUID]) -> int:
    values = {
        "address": node.address,
        "ready": node.ready,
        "reason": node.reason,
        "millicores": round(node.cores * 1000),
        "memory": node.memory,
        "disk": node.disk,
        "seen_at": tx.now,
        "architecture": node.architecture,
    }
    known = tx.lock(select(nodes.c.id).where(nodes.c.host == host, nodes.c.name == node.name))
    if known is not None:
        tx.run(update(nodes).where(nodes.c.id == known.id).values(values))
        return int(known.id)
    id = tx.ids.next()
    of = of_pools.get(tx, pool)
    identity = {"id": id, "uuid": new_uuid(), "pool_id": pool, "host": host, "name": node.name}
    place = {
        "site_uuid": sites.get(tx).uuid,
        "pool_uuid": of.uuid,
        "audience": of_pools.audience_of(of.project),
        "name_folded": fold(node.name),
    }
    tx.run(insert(nodes).values(**identity, **place, **values, held_millicores=0, held_memory=0, created_at=tx.now))
    return id


def _note_devices(tx: Write, machine: int, found: Iterable[AcceleratorFound]) -> None:
    """Write down which devices the machine has; those that slices have stay theirs."""
    sliced = select(nodes.c.id).where(nodes.c.parent_id == machine, nodes.c.listed).order_by(nodes.c.id)
    family = [machine, *(id for (id,) in tx.all(sliced.with_for_update()))]
    tx.run(update(devices).where(devices.c.node_id.in_(family)).values(present=False))
    for device in found:
        key = (devices.c.node_id.in_(family), devices.c.kind == device.kind, devices.c.number == device.index)
        values = {"model": device.model, "memory": device.memory, "declared": device.declared, "present": True}
        if not tx.run(update(devices).where(*key).values(values)):
            identity = {"id": tx.ids.next(), "node_id": machine, "kind": device.kind, "number": device.index}
            tx.run(insert(devices).values(**identity, **values))


def _fits(node: Node, need: Need) -> bool:
    return (
        node.ready
        and not node.cordoned
        and node.millicores - node.held_millicores >= need.millicores
        and node.memory - node.held_memory >= need.memory
    )


def _take_devices(tx: Write, node: int, *, holder: int, need: Need) -> tuple[int, ...] | None:
    """Hold as many devices as are needed; None when the node, which is locked, has too few unheld."""
    if need.kind == CPU:
        return ()
    unheld = (
        select(devices)
        .where(devices.c.node_id == node, devices.c.kind == need.kind, devices.c.present, devices.c.holder.is_(None))
        .order_by(devices.c.number)
        .limit(need.count)
    )
    taken: list[Device] = [device_of(row) for row in tx.all(unheld)]
    if len(taken) < need.count:
        return None
    tx.run(update(devices).where(devices.c.id.in_([device.id for device in taken])).values(holder=holder))
    return tuple(device.index for device in taken)


def _book(tx: Write, holder: int, node: int, *, need: Need) -> None:
    row = {"holder": holder, "node_id": node, "kind": need.kind, "units": need.count}
    tx.run(insert(reservations).values(**row, millicores=need.millicores, memory=need.memory))
    changed = {
        "held_millicores": nodes.c.held_millicores + need.millicores,
        "held_memory": nodes.c.held_memory + need.memory,
    }
    tx.run(update(nodes).where(nodes.c.id == node).values(changed))


def _units(node: Node, flavor: Flavor, devices: Mapping[tuple[int, str], int], *, held: bool) -> int:
    """Units of the flavor that fit on a node: in all, or beside what is held."""
    if not node.ready or (held and node.cordoned):
        return 0
    millicores = node.millicores - (node.held_millicores if held else node.sliced_millicores)
    memory = node.memory - (node.held_memory if held else node.sliced_memory)
    fitting = min(millicores // flavor.millicores, memory // flavor.memory)
    if flavor.kind != CPU:
        fitting = min(fitting, devices.get((node.id, flavor.kind), 0))
    return max(fitting, 0)
