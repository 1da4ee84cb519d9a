"""Cards: whatever place an accelerator is found in, and whoever has it to give out, it is the same one."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from tests import shares
from tests.builders import HOST, Place, cards, node_found
from tests.shares import allow, part
from trivium.base.clock import ManualClock
from trivium.base.query import Offset, Order, Query
from trivium.base.units import GIB
from trivium.resources import estate, nodes
from trivium.resources import shares as shares_room
from trivium.resources.estate import CardRow
from trivium.resources.nodes import Card
from trivium.resources.nodes.ports import AcceleratorFound, CardFound
from trivium.server.host.inventory import take_stock

EVERY = Query(order=(Order(field="id"),), page=Offset(limit=100))


def found(index: int, **card: object) -> AcceleratorFound:
    """An accelerator that a driver found."""
    known = CardFound(**card)  # type: ignore[arg-type]
    return AcceleratorFound(index=index, kind="gpu", model="NVIDIA X", memory=80 * GIB, declared=False, card=known)


def stock(here: Place, *accelerators: AcceleratorFound) -> tuple[CardRow, ...]:
    """The cards after the machine was found to have these."""
    here.store.write_now(take_stock, (node_found(64, 512 * GIB, accelerators),), host=HOST)
    return rows(here)


def rows(here: Place) -> tuple[CardRow, ...]:
    return here.store.read_now(estate.list_cards, here.admin, EVERY).rows


def uuids(shown: tuple[CardRow, ...]) -> list[UUID]:
    return [row.card.uuid for row in shown]


def plain(shown: tuple[CardRow, ...]) -> list[Card]:
    return [row.card for row in shown]


def later(here: Place, span: timedelta) -> None:
    assert isinstance(here.clock, ManualClock)
    here.clock.move(span)


def test_a_card_is_what_its_driver_says_of_it(here: Place) -> None:
    told = {
        "unit": "GPU-1",
        "serial": "165",
        "pci_address": "0000:c1:00.0",
        "pci_class": 0x0302,
        "vendor": "NVIDIA",
        "vendor_id": "10de",
        "device_id": "2335",
        "subvendor_id": "10de",
        "subdevice_id": "18be",
        "power": 700,
        "driver_loaded": True,
        "health": "OK",
    }
    ((row),) = stock(here, found(0, **told))
    card = row.card
    assert {name: getattr(card, name) for name in told} == told
    assert (card.kind, card.model, card.memory, card.declared, card.present) == (
        "gpu",
        "NVIDIA X",
        80 * GIB,
        False,
        True,
    )
    assert card.uuid.version == 4
    assert card.node_uuid == shares.machine(here).uuid
    assert not row.allocated


def test_what_is_not_known_of_a_card_is_null(here: Place) -> None:
    (row,) = stock(here, AcceleratorFound(index=0, kind="dcu", model="DCU", memory=0, declared=True))
    card = row.card
    known = {"id", "uuid", "node", "node_uuid", "kind", "index", "model", "declared", "present", "created_at"}
    others = [getattr(card, name) for name in Card.__struct_fields__ if name not in {*known, "changed_at"}]
    assert others == [None] * len(others)
    assert card.declared


def test_taking_stock_again_changes_nothing(here: Place) -> None:
    before = stock(here, found(0, unit="GPU-1"), found(1, unit="GPU-2"))
    later(here, timedelta(minutes=1))
    assert stock(here, found(0, unit="GPU-1"), found(1, unit="GPU-2")) == before


def test_a_card_in_another_place_is_the_same_card(here: Place) -> None:
    first, second = uuids(stock(here, found(0, unit="GPU-1"), found(1, unit="GPU-2")))
    moved = stock(here, found(0, unit="GPU-2"), found(1, unit="GPU-1"))
    assert [(card.uuid, card.index, card.unit) for card in plain(moved)] == [(first, 1, "GPU-1"), (second, 0, "GPU-2")]


def test_a_card_that_takes_the_place_of_another_is_a_new_one(here: Place) -> None:
    (old,) = uuids(stock(here, found(0, serial="1", pci_address="0000:c1:00.0")))
    shown = plain(stock(here, found(0, serial="2", pci_address="0000:c1:00.0")))
    assert [(card.uuid == old, card.present, card.serial) for card in shown] == [(True, False, "1"), (False, True, "2")]


def test_a_driver_that_tells_more_than_before_makes_no_new_card(here: Place) -> None:
    (old,) = uuids(stock(here, found(0, pci_address="0000:c1:00.0")))
    later(here, timedelta(minutes=1))
    (card,) = plain(stock(here, found(0, pci_address="0000:c1:00.0", serial="1", unit="GPU-1")))
    assert (card.uuid, card.serial) == (old, "1")
    assert card.changed_at > card.created_at


def test_a_card_that_vanished_is_known_again_when_it_comes_back(here: Place) -> None:
    before = stock(here, found(0, unit="GPU-1"))
    assert [card.present for card in plain(stock(here))] == [False]
    (card,) = plain(stock(here, found(3, unit="GPU-1")))
    assert (card.uuid, card.present, card.index) == (before[0].card.uuid, True, 3)


def test_a_card_that_vanished_long_ago_is_forgotten(here: Place) -> None:
    stock(here, found(0, unit="GPU-1"), found(1, unit="GPU-2"))
    stock(here, found(0, unit="GPU-1"))
    later(here, timedelta(days=30))
    assert len(stock(here, found(0, unit="GPU-1"))) == 2
    later(here, timedelta(seconds=1))
    assert [card.unit for card in plain(stock(here, found(0, unit="GPU-1")))] == ["GPU-1"]


def test_the_cards_of_a_machine_that_is_not_seen_any_more_vanished(here: Place) -> None:
    stock(here, found(0, unit="GPU-1"))
    here.store.write_now(take_stock, (), host=HOST)
    assert [card.present for card in plain(rows(here))] == [False]


def test_a_card_is_allocated_while_a_notebook_has_it(here: Place) -> None:
    stock(here, found(0, unit="GPU-1"), found(1, unit="GPU-2"))
    need = nodes.Need(kind="gpu", count=1, millicores=1000, memory=GIB)
    pool = shares.machine(here).pool
    here.store.write_now(lambda tx: nodes.reserve(tx, 7, pool=pool, need=need, hosts=(HOST,)))
    assert [row.allocated for row in rows(here)] == [True, False]
    here.store.write_now(nodes.free, 7)
    assert [row.allocated for row in rows(here)] == [False, False]


def test_a_card_follows_its_slice_and_comes_back(here: Place) -> None:
    here.node(cores=8, memory=64 * GIB, cards=cards("dcu", 2))
    owner, other = allow(here, here.user("owner")), here.user("other")
    before = uuids(rows(here))
    pool = shares.make(here, owner, part("dcu.1", 1))
    (slice_,) = shares.nodes_of(here, owner, pool)
    machine = shares.machine(here).uuid
    assert [card.node_uuid for card in plain(rows(here))] == [slice_.node.uuid, machine]
    assert uuids(here.store.read_now(estate.list_cards, owner, EVERY).rows) == before
    assert uuids(here.store.read_now(estate.list_cards, other, EVERY).rows) == before[1:]
    here.node(cores=8, memory=64 * GIB, cards=cards("dcu", 2))
    assert [card.node_uuid for card in plain(rows(here))] == [slice_.node.uuid, machine]
    here.store.write_now(shares_room.delete, owner, pool.name, occupants=shares.OCCUPANTS)
    assert uuids(rows(here)) == before
    assert {card.node_uuid for card in plain(rows(here))} == {machine}
    assert uuids(here.store.read_now(estate.list_cards, other, EVERY).rows) == before
