"""A list that is answered from what was kept is, byte for byte, the list that would be made anew."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from tests.builders import CAPABLE, HOST, Place, cards, place
from trivium.base.caller import SYSTEM, Caller
from trivium.base.clock import ManualClock
from trivium.base.query import Offset, Query
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings
from trivium.dialects.modelarts.auth import TOKEN_MARK
from trivium.dialects.operation import Core, Dialect, Request
from trivium.dialects.scnet import ScnetDialect, ScnetSettings
from trivium.dialects.scnet.auth import Tokens
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources import nodes, notebooks, projects, users
from trivium.resources.nodes import NoCapacity
from trivium.resources.notebooks import (
    LeaseAsked,
    Notebook,
    NotebookSpec,
    NotReleasable,
    NotRunning,
    NotStartable,
    NotStoppable,
)
from trivium.resources.notebooks.outcomes import note_alive, note_failed, note_stopped
from trivium.resources.notebooks.ports import Address, Ending, Exit, LaunchKey, Observation, Phase
from trivium.resources.tags import Tag
from trivium.resources.users import SessionKind
from trivium.server.remote.runtimes import HostRuntimes
from trivium.store import Flavour, Store, Write

QUERIES: Final = {
    "scnet": (b"", b"page=1&size=3", b"page=2&size=3", b"notebookStatus=Terminated", b"notebookName=a"),
    "modelarts": (
        b"",
        b"limit=3",
        b"limit=3&offset=3",
        b"status=STOPPED",
        b"name=a",
        b"sort_key=update_at,name",
        b"tags=env%7Cprod",
        b"status=DELETED",
        b"status=DELETING",
    ),
}
OPERATIONS: Final = {"scnet": "QueryNotebooks", "modelarts": "ListNotebooks"}
LIFETIME: Final = timedelta(days=900)
STEPS: Final = 30

BY_HAND: Final = (
    "UPDATE notebooks SET pool_name = pool_name || 'x'",
    "UPDATE notebooks SET image_version = image_version || 'y', image_path = image_path || 'z'",
    "UPDATE notebooks SET image_size = image_size + 1 WHERE id = (SELECT max(id) FROM notebooks)",
    "UPDATE devices SET present = NOT present WHERE number = 0",
    "DELETE FROM devices WHERE number = 3 AND holder IS NULL",
    "UPDATE flavors SET memory = memory + 1073741824",
    "UPDATE nodes SET ready = NOT ready",
    "DELETE FROM notebooks WHERE id = (SELECT min(id) FROM notebooks)",
    "DELETE FROM workspaces",
)
"""What no service does: whoever mends a database by hand is believed, too."""


class Lists:
    """A site with a dialect that answers as long as the test runs, and another process's way into the database."""

    def __init__(self, here: Place, url: str, folder: Path, *, tongue: str = "scnet") -> None:
        self.here = here
        self._tongue = tongue
        self.other = Store.open(url, here.clock, "test")
        self._url = url
        self._runtime = ProcessRuntime(ProcessSettings(data=folder / "data", run=folder / "run"), here.clock)
        here.node(cores=16, cards=cards("dcu", 4))
        self.image = here.image()
        self.alice = here.user("alice")
        self._warm = self._dialect(here.store)
        region = str(here.site.id)
        session = here.store.write_now(
            users.open_session, self.alice, SessionKind.SCNET, lifetime=LIFETIME, region=region
        )
        self.session = session.id
        self._headers = {"token": Tokens(here.keyring, LIFETIME).issue(self.alice, session)}
        self._parameters: dict[str, str] = {}
        if tongue == "modelarts":
            token = f"{TOKEN_MARK}of-alice"
            here.store.write_now(users.open_session, self.alice, SessionKind.MODELARTS, lifetime=LIFETIME, token=token)
            self._headers = {"x-auth-token": token}
            project = here.store.read_now(projects.get, self.alice.project)
            self._parameters = {"project_id": project.uuid.hex}

    def _dialect(self, store: Store) -> Dialect:
        everywhere = HostRuntimes(store, self._runtime, host=HOST)
        core = Core(
            store=store,
            keyring=self.here.keyring,
            clock=self.here.clock,
            site=self.here.site,
            runtime=everywhere,
            places=everywhere,
        )
        if self._tongue == "modelarts":
            return ModelArtsDialect(core, ModelArtsSettings())
        return ScnetDialect(core, ScnetSettings())

    async def are_as_made_anew(self) -> None:
        """Hold what is answered against a dialect that knows nothing yet, on a connection that knows nothing."""
        keeps = self.here.store.flavour is Flavour.SQLITE
        fresh = Store.open(self._url, self.here.clock, "test") if keeps else self.other
        try:
            unknowing = self._dialect(fresh)
            for query in QUERIES[self._tongue]:
                kept = await self.asked(query)
                assert kept == await self.asked(query, unknowing) == await self.asked(query)
                assert b'"total":' in kept
        finally:
            if keeps:
                fresh.close()

    async def asked(self, query: bytes = b"", dialect: Dialect | None = None) -> bytes:
        """The answer."""
        dialect = dialect or self._warm
        operation = next(one for one in dialect.operations if one.name == OPERATIONS[self._tongue])
        request = Request(
            method="GET",
            path=operation.path,
            raw_path=operation.path.encode(),
            query=query,
            headers=self._headers,
            body=b"",
            id="0" * 32,
            peer="",
            scheme="http",
            server=None,
            parameters=self._parameters,
        )
        return (await dialect.answer(operation, request)).body


@pytest.fixture
def lists(database_url: str, tmp_path: Path) -> Iterator[Lists]:
    with place(database_url) as here:
        made = Lists(here, database_url, tmp_path)
        yield made
        made.other.close()


@pytest.fixture(params=["scnet", "modelarts"])
def lists_of_each(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lists]:
    """The same in each dialect."""
    with place(database_url) as here:
        made = Lists(here, database_url, tmp_path, tongue=request.param)
        yield made
        made.other.close()


class Changes:
    """Everything that may happen to what a list shows, chosen by chance."""

    def __init__(self, lists: Lists, seed: int) -> None:
        self._lists = lists
        self._chance = random.Random(seed)
        self._kinds: Mapping[str, Callable[[], None]] = {
            "made": self._make,
            "lived": self._live,
            "asked": self._ask,
            "renamed": self._rename,
            "tagged": self._tag,
            "leased": self._lease,
            "by hand": self._by_hand,
            "stock": self._stock,
            "time": self._time,
            "limits": self._limits,
        }

    def one(self) -> str:
        """Make one change; which it was."""
        kind = self._chance.choice(list(self._kinds))
        with suppress(NoCapacity, NotRunning, NotStartable, NotStoppable, NotReleasable):
            self._kinds[kind]()
        return kind

    def _store(self) -> Store:
        return self._chance.choice((self._lists.here.store, self._lists.other))

    def _some(self) -> Notebook | None:
        store, alice = self._lists.here.store, self._lists.alice
        there = store.read_now(notebooks.list_notebooks, alice, Query(page=Offset(limit=100))).rows
        return self._chance.choice(there) if there else None

    def _make(self) -> None:
        kind = self._chance.choice(("cpu", "dcu"))
        spec = NotebookSpec(name="a", image_path=self._lists.image.path, kind=kind, count=1)
        site, alice = self._lists.here.site, self._lists.alice
        self._store().write_now(notebooks.create, alice, site, spec=spec, hosts={HOST: CAPABLE})

    def _live(self) -> None:
        notebook = self._some()
        if notebook is None:
            return
        key = LaunchKey(launch=notebook.id, generation=notebook.generation)
        runs = Observation(key=key, phase=Phase.RUNNING, address=Address(port=1), workload=f"{notebook.id:064x}")
        died = Observation(key=key, phase=Phase.ENDED, exit=Exit(ending=Ending.OUT_OF_MEMORY, signal=9, detail="8 GiB"))
        what = self._chance.choice(("runs", "fails", "stops"))
        if what == "runs":
            self._store().write_now(note_alive, notebook, runs)
        elif what == "fails":
            self._store().write_now(note_failed, notebook, died)
        else:
            self._store().write_now(note_stopped, notebook)

    def _ask(self) -> None:
        notebook = self._some()
        if notebook is None:
            return
        if self._chance.random() < 0.5:
            self._store().write_now(notebooks.stop, self._lists.alice, notebook.id)
        elif self._chance.random() < 0.5:
            self._store().write_now(notebooks.release, self._lists.alice, notebook.id)
        else:
            self._store().write_now(nodes.free, notebook.id)

    def _rename(self) -> None:
        notebook = self._some()
        if notebook is not None:
            name = self._chance.choice(("a", "b", "实验"))
            self._store().write_now(notebooks.rename, self._lists.alice, notebook.id, name=name)

    def _tag(self) -> None:
        notebook = self._some()
        if notebook is not None and self._chance.random() < 0.7:
            given = [Tag(key="env", value=self._chance.choice(("prod", "test")))]
            self._store().write_now(notebooks.put_tags, self._lists.alice, notebook.id, given=given)
        elif notebook is not None:
            self._store().write_now(notebooks.remove_tags, self._lists.alice, notebook.id, keys=["env"])

    def _lease(self) -> None:
        notebook = self._some()
        if notebook is not None:
            lease = LeaseAsked(duration=timedelta(hours=self._chance.randrange(1, 70)))
            self._store().write_now(notebooks.renew, self._lists.alice, notebook.id, lease=lease)

    def _by_hand(self) -> None:
        statement = text(self._chance.choice(BY_HAND))

        def change(tx: Write) -> None:
            tx.run(statement)

        self._store().write_now(change)

    def _stock(self) -> None:
        self._lists.here.node(cores=self._chance.randrange(2, 17), cards=cards("dcu", self._chance.randrange(5)))

    def _time(self) -> None:
        clock = self._lists.here.clock
        assert isinstance(clock, ManualClock)
        clock.move(timedelta(seconds=self._chance.choice((1, 59, 61, 3600, -600))))

    def _limits(self) -> None:
        self._store().write_now(
            lambda tx: tx.run(text("UPDATE notebooks SET release_at = :at WHERE stopped_at IS NOT NULL"), self._at())
        )

    def _at(self) -> dict[str, int]:
        moment = self._lists.here.clock.now() + timedelta(minutes=self._chance.randrange(5000))
        return {"at": int(moment.timestamp() * 1_000_000)}


@pytest.mark.parametrize("seed", [1, 2])
async def test_kept_lists_are_as_lists_made_anew_whatever_is_changed_by_whom(lists_of_each: Lists, seed: int) -> None:
    lists = lists_of_each
    changes = Changes(lists, seed)
    await lists.are_as_made_anew()
    for number in range(STEPS):
        kind = changes.one()
        try:
            await lists.are_as_made_anew()
        except AssertionError as error:
            error.add_note(f"change {number} of seed {seed}: {kind}")
            raise


async def test_who_is_withdrawn_by_another_process_sees_no_kept_list(lists: Lists) -> None:
    assert (await lists.asked()).startswith(b'{"code":"0"')
    lists.other.write_now(users.end_session, SYSTEM, lists.session)
    assert (await lists.asked()).startswith(b'{"code":"10008"')


async def test_another_project_is_not_shown_a_kept_list(lists: Lists) -> None:
    spec = NotebookSpec(name="a", image_path=lists.image.path, kind="cpu", count=1)
    here = lists.here
    here.store.write_now(notebooks.create, lists.alice, here.site, spec=spec, hosts={HOST: CAPABLE})
    assert b'"total":1' in await lists.asked()
    bob: Caller = here.user("bob")

    def moves(tx: Write) -> None:
        tx.run(
            text("UPDATE sessions SET user_id = :user, project_id = :project"),
            {"user": bob.user, "project": bob.project},
        )

    lists.other.write_now(moves)
    assert b'"total":0' in await lists.asked()
