"""Whether what is found of a host's machines is what is written down: only then taking stock may wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from tests.builders import HOST, Place, cards, node_found, place
from trivium.base.units import GIB
from trivium.resources import nodes
from trivium.resources.nodes.ports import NodeFound
from trivium.server.host.inventory import take_stock

FOUND = node_found(8, 64 * GIB, cards("gpu", 2))
OTHERS: tuple[dict[str, Any], ...] = (
    {"name": "node-2"},
    {"address": "192.0.2.2"},
    {"ready": False},
    {"reason": "it is hot"},
    {"cores": 7.5},
    {"memory": 32 * GIB},
    {"disk": GIB},
    {"architecture": "aarch64"},
    {"accelerators": ()},
    {"accelerators": cards("gpu", 1)},
    {"accelerators": cards("gpu", 3)},
    {"accelerators": cards("npu", 2)},
    {"accelerators": tuple(structs.replace(card, memory=GIB) for card in FOUND.accelerators)},
    {"accelerators": tuple(structs.replace(card, model="H200") for card in FOUND.accelerators)},
    {"accelerators": tuple(structs.replace(card, declared=False) for card in FOUND.accelerators)},
)
"""What may be otherwise."""


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


def is_noted(here: Place, *found: NodeFound, host: str = HOST) -> bool:
    return here.store.read_now(nodes.is_noted, found, host=host)


def test_what_was_written_down_stands_and_what_was_not_does_not(here: Place) -> None:
    assert not is_noted(here, FOUND)
    here.store.write_now(take_stock, (FOUND,), host=HOST)
    assert is_noted(here, FOUND)
    assert not is_noted(here, FOUND, host="another")


def test_a_machine_that_is_another_in_anything_does_not_stand(here: Place) -> None:
    for other in OTHERS:
        here.store.write_now(take_stock, (FOUND,), host=HOST)
        changed = structs.replace(FOUND, **other)
        assert not is_noted(here, changed), other
        here.store.write_now(take_stock, (changed,), host=HOST)
        if other.keys() != {"name"}:  # the first one is still known, as gone
            assert is_noted(here, changed) is changed.ready, other


def test_more_machines_or_fewer_do_not_stand(here: Place) -> None:
    second = structs.replace(FOUND, name="node-2", accelerators=())
    here.store.write_now(take_stock, (FOUND, second), host=HOST)
    assert is_noted(here, FOUND, second)
    assert is_noted(here, second, FOUND)
    assert not is_noted(here, FOUND)
    assert not is_noted(here, FOUND, second, structs.replace(FOUND, name="node-3"))


def test_a_machine_that_nobody_acted_on_does_not_stand(here: Place) -> None:
    here.store.write_now(take_stock, (FOUND,), host=HOST)
    here.store.write_now(nodes.note_away, (HOST,))
    assert not is_noted(here, FOUND)
