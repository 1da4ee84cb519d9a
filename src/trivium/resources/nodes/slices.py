"""Slices: parts of machines that are nodes of their own, cut from what is free and given back whole."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, case, func, insert, select, true, update

from trivium.base.caller import SYSTEM
from trivium.base.text import fold
from trivium.base.values import Value
from trivium.resources import events, networks, pools, sites
from trivium.resources.nodes.card_stock import follow_devices
from trivium.resources.nodes.errors import NodeInUse, NoRoom
from trivium.resources.nodes.table import devices, node_of, nodes, reservations
from trivium.resources.nodes.types import Node, SliceSize
from trivium.resources.pools import CPU, NOBODY, Pool, PoolPhase, audience_of
from trivium.store import Read, Write

T = TypeVar("T")
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
SUFFIX: Final = 5
AT_ONCE: Final = 500  # ids in one statement
SHRUNK: Final = "its machine has less than was given to it"


class Cut(Value, frozen=True):
    """What is cut: for which node pool of which pool, and how the slices are."""

    pool: Pool
    node_pool: int
    flavor: str
    size: SliceSize


def carve(tx: Write, cut: Cut, count: int, *, new_uuid: Callable[[], UUID]) -> Sequence[int]:
    """So many new slices for a node pool, taken from what is free on the machines; their ids.

    Raises `NoRoom` when the machines have not as much free, and `NetworkFull`: then the transaction must end.
    """
    made: list[int] = []
    machine = (nodes.c.parent_id.is_(None), nodes.c.listed, nodes.c.ready, ~nodes.c.cordoned)
    for row in tx.all(select(nodes).where(*machine).order_by(nodes.c.id).with_for_update()):
        made += _carve_of(tx, node_of(row), cut, count=count - len(made), new_uuid=new_uuid)
        if len(made) == count:
            break
    if len(made) < count:
        raise NoRoom(count=count, flavor=cut.flavor)
    if made and cut.pool.network is not None:
        given = networks.give(tx, cut.pool.network, holders=made)
        of_slice = update(nodes).where(nodes.c.id == bindparam("slice"))
        tx.run(
            of_slice.values(private_address=bindparam("given")),
            [{"slice": id, "given": address} for id, address in zip(made, given, strict=True)],
        )
    return made


def give_back(tx: Write, slices: Sequence[Node]) -> None:
    """Give slices back to their machines, with their devices. `NodeInUse` when anything is placed on one of them."""
    ids = sorted(node.id for node in slices)
    for some in _batches(sorted({node.parent for node in slices if node.parent is not None} | set(ids))):
        # Machines first, for their ids are less: always in the order of ids, so that nobody deadlocks.
        tx.all(select(nodes.c.id).where(nodes.c.id.in_(some)).order_by(nodes.c.id).with_for_update())
    for some in _batches(ids):
        busy = select(nodes.c.name).join(reservations, reservations.c.node_id == nodes.c.id)
        row = tx.first(busy.where(nodes.c.id.in_(some)).limit(1))
        if row is not None:
            raise NodeInUse(name=row.name)
    for node in slices:
        tx.run(update(devices).where(devices.c.node_id == node.id).values(node_id=node.parent))
    follow_devices(tx, {node.parent for node in slices if node.parent is not None and node.cards})
    for parent, mine in _by_parent(slices).items():
        less = {"millicores": -sum(node.millicores for node in mine), "memory": -sum(node.memory for node in mine)}
        _change_machine(tx, parent, **less)
    for some in _batches(ids):
        gone = {"listed": False, "audience": NOBODY, "ready": False, "reason": "it was given back"}
        tx.run(update(nodes).where(nodes.c.id.in_(some)).values(**gone, deleted_at=tx.now))
        networks.take_back(tx, some)


def follow(tx: Write, machines: Sequence[Node]) -> None:
    """Bring slices to what their machines have: one is ready as long as its machine is, and still has as much.

    What is held comes first; where not all slices fit any more, the newest give out nothing more.
    """
    for machine in machines:
        if not machine.sliced_millicores and not machine.sliced_memory:
            continue
        mine = select(nodes).where(nodes.c.parent_id == machine.id, nodes.c.listed).order_by(nodes.c.id)
        slices = [node_of(row) for row in tx.all(mine.with_for_update())]
        troubles = _troubles(machine, slices, _cards_of(tx, machine.id))
        for node in slices:
            reason = machine.reason if not machine.ready else troubles.get(node.id, "")
            ready = machine.ready and node.id not in troubles
            now = {"ready": ready, "reason": reason, "address": machine.address, "disk": machine.disk}
            if (node.ready, node.reason, node.address, node.disk) != tuple(now.values()):
                tx.run(update(nodes).where(nodes.c.id == node.id).values(**now, seen_at=tx.now))


def note_phases(tx: Write, hosts: Collection[str]) -> None:
    """Say of each pool that has nodes on these hosts whether all of its nodes are ready."""
    on_them = select(nodes.c.pool_id).where(nodes.c.host.in_(sorted(hosts)), nodes.c.listed)
    for pool in sorted({pool for (pool,) in tx.all(on_them.distinct())}):
        note_phase(tx, pool)


def note_phase(tx: Write, pool: int) -> None:
    """Say of a pool whether all of its nodes are ready."""
    unready = select(nodes.c.name).where(nodes.c.pool_id == pool, nodes.c.listed, ~nodes.c.ready).limit(1)
    phase = PoolPhase.RUNNING if tx.first(unready) is None else PoolPhase.ABNORMAL
    before = pools.get(tx, pool)
    if pools.note_phase(tx, pool, phase):
        events.record(
            tx,
            SYSTEM,
            f"pool.{phase.value}",
            target=pool,
            project=before.project or 0,
            before={"phase": before.phase.value},
            after={"phase": phase.value},
        )


def _carve_of(tx: Write, machine: Node, cut: Cut, *, count: int, new_uuid: Callable[[], UUID]) -> Sequence[int]:
    """As many of the slices as the machine, which is locked, has room for."""
    size = cut.size
    free = [(machine.millicores - machine.held_millicores) // size.millicores]
    free.append((machine.memory - machine.held_memory) // size.memory)
    cards: list[int] = []
    if size.kind != CPU:
        mine = (devices.c.node_id == machine.id, devices.c.kind == size.kind, devices.c.model == size.model)
        unheld = select(devices.c.id).where(*mine, devices.c.present, devices.c.holder.is_(None))
        cards = [id for (id,) in tx.all(unheld.order_by(devices.c.number))]
        free.append(len(cards) // size.cards)
    fitting = max(0, min(count, *free))
    if not fitting:
        return []
    rows = _rows(tx, machine, cut, uuids=[new_uuid() for _ in range(fitting)])
    tx.run(insert(nodes), rows)
    made = [row["id"] for row in rows]
    for number, id in enumerate(made):
        for device in cards[number * size.cards : (number + 1) * size.cards]:
            tx.run(update(devices).where(devices.c.id == device).values(node_id=id))
    if cards:
        follow_devices(tx, [machine.id])
    _change_machine(tx, machine.id, millicores=size.millicores * fitting, memory=size.memory * fitting)
    return made


def _rows(tx: Write, machine: Node, cut: Cut, *, uuids: Sequence[UUID]) -> list[dict[str, Any]]:
    """New slices, one for each UUID."""
    names = _names(tx, cut.pool, machine.host, uuids=uuids)
    same: dict[str, Any] = {
        "pool_id": cut.pool.id,
        "host": machine.host,
        "address": machine.address,
        "ready": True,
        "reason": "",
        "millicores": cut.size.millicores,
        "memory": cut.size.memory,
        "disk": machine.disk,
        "held_millicores": 0,
        "held_memory": 0,
        "seen_at": machine.seen_at,
        "parent_id": machine.id,
        "node_pool_id": cut.node_pool,
        "flavor": cut.flavor,
        "kind": cut.size.kind,
        "cards": cut.size.cards,
        "created_at": tx.now,
        "site_uuid": sites.get(tx).uuid,
        "pool_uuid": cut.pool.uuid,
        "audience": audience_of(cut.pool.project),
        "architecture": machine.architecture,
    }
    return [
        {**same, "id": tx.ids.next(), "uuid": uuid, "name": name, "name_folded": fold(name)}
        for uuid, name in zip(uuids, names, strict=True)
    ]


def _names(tx: Read, pool: Pool, host: str, *, uuids: Sequence[UUID]) -> Sequence[str]:
    """A short name for each, that no other node of the host has or had."""
    wanted = sorted(_name(pool, uuid.int) for uuid in uuids)
    taken = {name for some in _batches(wanted) for name in _had(tx, host, some)}
    names: list[str] = []
    for uuid in uuids:
        numbers = itertools.count(uuid.int)
        name = _name(pool, next(numbers))
        while name in taken:
            name = _name(pool, next(numbers))
            taken.update(_had(tx, host, [name]))
        taken.add(name)
        names.append(name)
    return names


def _name(pool: Pool, number: int) -> str:
    return f"{pool.node_prefix}-{_suffix(number)}"


def _had(tx: Read, host: str, names: Sequence[str]) -> Sequence[str]:
    """Those of the names that nodes of the host have or had."""
    there = select(nodes.c.name).where(nodes.c.host == host, nodes.c.name.in_(names))
    return [name for (name,) in tx.all(there)]


def _suffix(number: int) -> str:
    letters: list[str] = []
    for _ in range(SUFFIX):
        number, digit = divmod(number, len(LETTERS))
        letters.append(LETTERS[digit])
    return "".join(letters)


def _change_machine(tx: Write, machine: int, *, millicores: int, memory: int) -> None:
    changed = {
        "held_millicores": nodes.c.held_millicores + millicores,
        "held_memory": nodes.c.held_memory + memory,
        "sliced_millicores": nodes.c.sliced_millicores + millicores,
        "sliced_memory": nodes.c.sliced_memory + memory,
    }
    tx.run(update(nodes).where(nodes.c.id == machine).values(changed))


def _cards_of(tx: Read, machine: int) -> Mapping[int, int]:
    """How many accelerators that are there each slice of the machine has."""
    mine = (nodes.c.parent_id == machine, nodes.c.listed)
    counted = select(devices.c.node_id, func.sum(case((devices.c.present == true(), 1), else_=0)).label("number"))
    joined = counted.join(nodes, nodes.c.id == devices.c.node_id).where(*mine).group_by(devices.c.node_id)
    return {row.node_id: int(row.number) for row in tx.all(joined)}


def _troubles(machine: Node, slices: Sequence[Node], cards: Mapping[int, int]) -> Mapping[int, str]:
    """Why slices cannot give out what they have, by their ids; those that can are not among them."""
    found: dict[int, str] = {}
    # What notebooks hold, directly or in slices, is in use whatever the machine has.
    millicores = machine.millicores - (machine.held_millicores - machine.sliced_millicores)
    memory = machine.memory - (machine.held_memory - machine.sliced_memory)
    millicores -= sum(node.held_millicores for node in slices)
    memory -= sum(node.held_memory for node in slices)
    for node in slices:
        more, wider = node.millicores - node.held_millicores, node.memory - node.held_memory
        there = cards.get(node.id, 0)
        if more > millicores or wider > memory:
            found[node.id] = SHRUNK
        elif there < node.cards:
            found[node.id] = f"{node.cards - there} of its {node.cards} accelerators are not there any more"
        else:
            millicores, memory = millicores - more, memory - wider
    return found


def _by_parent(slices: Sequence[Node]) -> Mapping[int, Sequence[Node]]:
    found: dict[int, list[Node]] = {}
    for node in slices:
        if node.parent is not None:
            found.setdefault(node.parent, []).append(node)
    return found


def _batches(ids: Sequence[T]) -> Sequence[Sequence[T]]:
    return [ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE)]
