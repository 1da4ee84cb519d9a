"""A host that will not come back is forgotten, once nothing is on it that would be lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import click
import pytest
from sqlalchemy import select, update

from tests.builders import HOST, Place, held, place
from trivium.resources import hosts, images, notebooks, operations
from trivium.resources.hosts import HostInUse, Identity, NoSuchHost
from trivium.resources.hosts.table import hosts as hosts_table
from trivium.resources.images.table import images as images_table
from trivium.resources.nodes.table import nodes as nodes_table
from trivium.resources.notebooks import Found, NoSuchNotebook
from trivium.resources.notebooks.outcomes import note_failed
from trivium.resources.notebooks.ports import LaunchKey, Observation, Phase
from trivium.resources.notebooks.table import notebooks as notebooks_table
from trivium.server.admin.servers import forget_host, forget_lost_host
from trivium.store import Read, Write
from trivium.store.servers import servers

GONE_WRONG = Observation(key=LaunchKey(launch=0, generation=1), phase=Phase.ENDED)


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    """A site with a host on which a server acted until now."""
    with place(database_url) as made:
        made.node()
        tenure = made.store.write_now(held, HOST)
        made.store.write_now(hosts.give_up, tenure)
        yield made


def is_known(tx: Read) -> bool:
    return hosts.get(tx, HOST) is not None


def test_a_host_with_nothing_on_it_is_forgotten_and_gives_nothing_out(here: Place) -> None:
    image = here.image()
    here.store.write_now(images.note_fingerprint, image, HOST, fingerprint="f")
    assert here.store.write_now(forget_host, HOST) == HOST
    assert not here.store.read_now(is_known)
    assert here.store.read_now(images.fingerprints_of, image) == {}
    assert [row.ready for row in here.store.read_now(lambda tx: tx.all(select(nodes_table)))] == [False]
    with pytest.raises(NoSuchHost):
        here.store.write_now(forget_host, HOST)


def test_a_host_that_a_server_is_on_is_not_forgotten(here: Place) -> None:
    tenure = here.store.write_now(held, HOST)
    with pytest.raises(HostInUse):
        here.store.write_now(forget_host, HOST)
    here.store.write_now(hosts.give_up, tenure)
    here.store.write_now(here.store.announce, host=HOST, proxy_address="127.0.0.1:1")
    with pytest.raises(HostInUse):
        here.store.write_now(forget_host, HOST)
    here.store.write_now(lambda tx: tx.run(update(servers).values(lease_until=tx.now - timedelta(seconds=1))))
    assert here.store.write_now(forget_host, HOST) == HOST


def test_a_host_with_notebooks_is_not_forgotten_until_their_release_was_asked_for(here: Place) -> None:
    alice = here.user("alice")
    notebook = here.notebook(alice, here.image())
    here.store.write_now(lambda tx: note_failed(tx, notebooks.get(tx, alice, notebook.id), GONE_WRONG))
    with pytest.raises(HostInUse):
        here.store.write_now(forget_host, HOST)
    assert here.store.read_now(is_known)

    here.store.write_now(notebooks.release, alice, notebook.id)
    here.store.write_now(forget_host, HOST)
    assert here.store.read_now(_found, notebook.id) is Found.GONE


def test_a_lost_host_is_forgotten_with_what_was_on_it(here: Place) -> None:
    alice = here.user("alice")
    image = here.image()
    notebook = here.notebook(alice, image)
    here.store.write_now(lambda tx: tx.run(update(images_table).values(host=HOST)))
    here.store.write_now(forget_lost_host, here.admin, HOST)
    assert not here.store.read_now(is_known)
    assert here.store.read_now(images.everywhere) == []
    assert here.store.read_now(_found, notebook.id) is Found.GONE
    assert here.store.read_now(operations.unfinished, notebook.id) == []
    failure = here.store.read_now(operations.get, alice, notebook.operation).failure
    assert failure is not None
    assert failure.code == "notebook.lost"
    with pytest.raises(NoSuchNotebook):
        here.store.read_now(notebooks.get, alice, notebook.id)


def test_a_lost_host_that_a_server_is_on_is_not_forgotten(here: Place) -> None:
    here.store.write_now(held, HOST)
    with pytest.raises(HostInUse):
        here.store.write_now(forget_lost_host, here.admin, HOST)
    assert here.store.read_now(is_known)


def test_a_host_with_a_saved_image_is_not_forgotten_until_that_is_removed(here: Place) -> None:
    image = here.image()
    here.store.write_now(lambda tx: tx.run(update(images_table).values(host=HOST)))
    with pytest.raises(HostInUse):
        here.store.write_now(forget_host, HOST)
    here.store.write_now(images.remove, here.admin, image)
    assert here.store.write_now(forget_host, HOST) == HOST


def test_a_host_is_named_by_its_machine_where_that_is_the_only_one_there(here: Place) -> None:
    for id in ("a" * 32, "b" * 32):
        mine = Identity(id=id, name="twin", machine="boot", data="/data")
        here.store.write_now(hosts.take, mine, worker=1, since=0, epoch=1)
    here.store.write_now(_run_out)
    with pytest.raises(click.BadParameter, match=r"a{32}, b{32}"):
        here.store.write_now(forget_host, "twin")
    here.store.write_now(forget_host, "b" * 32)
    assert here.store.write_now(forget_host, "twin") == "a" * 32


def _found(tx: Read, notebook: int) -> Found:
    return Found(tx.value(select(notebooks_table.c.found).where(notebooks_table.c.id == notebook)))


def _run_out(tx: Write) -> None:
    tx.run(update(hosts_table).values(lease_until=tx.database_now() - timedelta(minutes=1)))
