"""A page of nodes that is answered from what was kept is, byte for byte, the page that would be made anew."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from sqlalchemy import text

from tests.builders import HOST, Place, cards, place
from tests.shares import allow, make, nodes_of, part, placed
from trivium.base.clock import ManualClock
from trivium.base.units import GIB
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings
from trivium.dialects.modelarts.auth import TOKEN_MARK
from trivium.dialects.operation import Core, Request
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources import networks, nodes, projects, shares, users
from trivium.resources.networks import NewNetwork
from trivium.resources.nodes import NoCapacity, NodeInUse, NodeLocked, NoSuchNode
from trivium.resources.notebooks import Notebook
from trivium.resources.users import SessionKind
from trivium.server.remote.runtimes import HostRuntimes
from trivium.store import Flavour, Store, Write

LIFETIME: Final = timedelta(days=900)
STEPS: Final = 20
QUERIES: Final = ("", "limit=2", "limit=3")
BY_HAND: Final = (
    "UPDATE node_pools SET name = name || 'x' WHERE flavor = 'cpu.1u'",
    "UPDATE devices SET present = NOT present WHERE number = 0",
    "UPDATE nodes SET ready = NOT ready",
    "UPDATE nodes SET private_address = '192.0.2.7' WHERE id = (SELECT max(id) FROM nodes)",
    "UPDATE nodes SET held_memory = held_memory + 1048576 WHERE parent_id IS NOT NULL",
    "UPDATE pools SET network_id = NULL",
    "DELETE FROM node_pools WHERE flavor = 'dcu.1'",
)
"""What no service does: whoever mends a database by hand is believed, too."""


class Nodes:
    """A pool of two node pools, a dialect that answers as long as the test runs, and another process's store."""

    def __init__(self, here: Place, url: str, folder: Path) -> None:
        self.here = here
        self.other = Store.open(url, here.clock, "test")
        self._url = url
        self._runtime = ProcessRuntime(ProcessSettings(data=folder / "data", run=folder / "run"), here.clock)
        here.node(cores=32, memory=256 * GIB, cards=cards("dcu", 4))
        self.image = here.image()
        self.alice = allow(here, here.user("alice"))
        net = here.store.write_now(networks.create, self.alice, NewNetwork(title="net", cidr="192.168.0.0/24"))
        self.pool = make(here, self.alice, part("cpu.1u", 4), part("dcu.1", 3), network=net.name)
        token = f"{TOKEN_MARK}of-alice"
        here.store.write_now(users.open_session, self.alice, SessionKind.MODELARTS, lifetime=LIFETIME, token=token)
        self._headers = {"x-auth-token": token}
        project = here.store.read_now(projects.get, self.alice.project).uuid.hex
        self._parameters = {"project_id": project, "pool_name": self.pool.name}
        self._warm = self._dialect(here.store)

    def _dialect(self, store: Store) -> ModelArtsDialect:
        everywhere = HostRuntimes(store, self._runtime, host=HOST)
        core = Core(
            store=store,
            keyring=self.here.keyring,
            clock=self.here.clock,
            site=self.here.site,
            runtime=everywhere,
            places=everywhere,
        )
        return ModelArtsDialect(core, ModelArtsSettings())

    async def are_as_made_anew(self) -> None:
        """Hold what is answered against a dialect that knows nothing yet, on a connection that knows nothing."""
        keeps = self.here.store.flavour is Flavour.SQLITE
        fresh = Store.open(self._url, self.here.clock, "test") if keeps else self.other
        try:
            for query in QUERIES:
                unknowing = self._dialect(fresh)
                kept = await self.walked(self._warm, query)
                assert kept == await self.walked(unknowing, query) == await self.walked(self._warm, query)
            own = await self.asked(self._warm, "", node_pool="cpu.1u-default")
            assert own == await self.asked(self._dialect(fresh), "", node_pool="cpu.1u-default")
        finally:
            if keeps:
                fresh.close()

    async def walked(self, dialect: ModelArtsDialect, query: str) -> list[bytes]:
        """Every page."""
        pages = [await self.asked(dialect, query)]
        while (there := self._following(pages[-1])) is not None:
            pages.append(await self.asked(dialect, f"{query}&continue={quote(there)}"))
        return pages

    async def asked(self, dialect: ModelArtsDialect, query: str, *, node_pool: str | None = None) -> bytes:
        """The answer."""
        name = "ListPoolNodes" if node_pool is None else "ListNodePoolNodes"
        operation = next(one for one in dialect.operations if one.name == name)
        request = Request(
            method="GET",
            path=operation.path,
            raw_path=operation.path.encode(),
            query=query.encode(),
            headers=self._headers,
            body=b"",
            id="0" * 32,
            peer="",
            scheme="http",
            server=None,
            parameters=self._parameters | ({} if node_pool is None else {"nodepool_name": node_pool}),
        )
        return (await dialect.answer(operation, request)).body

    async def told(self) -> list[Any]:
        """The nodes."""
        return json.loads(await self.asked(self._warm, ""))["items"]

    @staticmethod
    def _following(body: bytes) -> str | None:
        return json.loads(body)["metadata"].get("continue")


@pytest.fixture
def pages(database_url: str, tmp_path: Path) -> Iterator[Nodes]:
    with place(database_url) as here:
        made = Nodes(here, database_url, tmp_path)
        yield made
        made.other.close()


class Changes:
    """Everything that may happen to what a page of nodes shows, chosen by chance."""

    def __init__(self, pages: Nodes, seed: int) -> None:
        self._pages = pages
        self._chance = random.Random(seed)
        self._placed: list[Notebook] = []
        self._kinds: Mapping[str, Callable[[], None]] = {
            "placed": self._place,
            "freed": self._free,
            "locked": self._lock,
            "drained": self._drain,
            "resized": self._resize,
            "by hand": self._by_hand,
            "stock": self._stock,
            "time": self._time,
        }

    def one(self) -> str:
        """Make one change; which it was."""
        kind = self._chance.choice(list(self._kinds))
        with suppress(NoCapacity, NodeInUse, NodeLocked, NoSuchNode, shares.NoSuchNodePool):
            self._kinds[kind]()
        return kind

    def _store(self) -> Store:
        return self._chance.choice((self._pages.here.store, self._pages.other))

    def _some(self) -> str:
        found = nodes_of(self._pages.here, self._pages.alice, self._pages.pool)
        return self._chance.choice(found).node.name

    def _place(self) -> None:
        here, kind = self._pages.here, self._chance.choice(("cpu", "dcu"))
        self._placed.append(placed(here, self._pages.alice, self._pages.image, self._pages.pool, kind))

    def _free(self) -> None:
        if self._placed:
            self._store().write_now(nodes.free, self._placed.pop().id)

    def _lock(self) -> None:
        change = self._chance.choice((shares.lock_nodes, shares.unlock_nodes))
        self._store().write_now(change, self._pages.alice, self._pages.pool.name, node=self._some(), actions=("reset",))

    def _drain(self) -> None:
        change = self._chance.choice((shares.drain, shares.resume))
        self._store().write_now(change, self._pages.alice, self._pages.pool.name, node=self._some())

    def _resize(self) -> None:
        count, name = self._chance.randrange(1, 6), self._pages.pool.name
        self._store().write_now(shares.resize, self._pages.alice, name, node_pool_name="cpu.1u-default", count=count)

    def _by_hand(self) -> None:
        statement = text(self._chance.choice(BY_HAND))

        def change(tx: Write) -> None:
            tx.run(statement)

        self._store().write_now(change)

    def _stock(self) -> None:
        self._pages.here.node(cores=32, memory=256 * GIB, cards=cards("dcu", self._chance.randrange(2, 5)))

    def _time(self) -> None:
        clock = self._pages.here.clock
        assert isinstance(clock, ManualClock)
        clock.move(timedelta(seconds=self._chance.choice((1, 59, 61, 3600, -600))))


@pytest.mark.parametrize("seed", [1, 2])
async def test_kept_pages_are_as_pages_made_anew_whatever_is_changed_by_whom(pages: Nodes, seed: int) -> None:
    changes = Changes(pages, seed)
    await pages.are_as_made_anew()
    for number in range(STEPS):
        kind = changes.one()
        try:
            await pages.are_as_made_anew()
        except AssertionError as error:
            error.add_note(f"change {number} of seed {seed}: {kind}")
            raise


async def test_what_is_free_is_told_at_once(pages: Nodes) -> None:
    before = await pages.told()
    placed(pages.here, pages.alice, pages.image, pages.pool, "dcu")
    after = await pages.told()
    ((old, new),) = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [one["status"]["availableResources"]["hygon.com/dcu"] for one in (old, new)] == ["1", "0"]
    assert old["status"]["resources"] == new["status"]["resources"]
