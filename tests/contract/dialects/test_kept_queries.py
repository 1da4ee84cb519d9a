"""An answer to a query of ZStack's that is given again is the one that would be found anew, and nobody else's."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import pytest

from tests import catalogue
from tests.builders import Place, cards, place
from tests.desks import Client
from tests.waiting import until_async
from trivium.base.caller import Caller
from trivium.base.clock import ManualClock
from trivium.dialects.operation import View
from trivium.resources import marks, models, services, users
from trivium.resources.models import ModelChange
from trivium.resources.owning import Deletion
from trivium.store import Store

QUERIES: Final = ("", "limit=2&sort=-createDate", "q=name~=a%25&replyWithCount=true", "count=true", "fields=uuid,name")
STEPS: Final = 8
ALL: Final = "/zstack/v1/ai/models"


class Searches:
    """How often a store was searched: every other read is bounded."""

    def __init__(self, store: Store) -> None:
        self._number = 0
        store.on_wait = self._waited

    def _waited(self, use: str, _seconds: float) -> None:
        self._number += use == "search"

    def since(self) -> int:
        """How many there were since this was asked last."""
        found, self._number = self._number, 0
        return found


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def other(here: Place, database_url: str) -> Iterator[Store]:
    """Another process's way into the database."""
    store = Store.open(database_url, here.clock, "test")
    yield store
    store.close()


@pytest.fixture
def searches(here: Place) -> Searches:
    return Searches(here.store)


@pytest.fixture
def alice(here: Place) -> Client:
    return Client(here, here.user("alice"))


async def names(client: Client, query: str = "") -> list[str]:
    told = await client.ask("GET", f"{ALL}?{query}")
    assert told.status == 200, told
    return [model["name"] for model in told.body["inventories"]]


async def test_who_asks_again_is_not_searched_for_again(here: Place, alice: Client, searches: Searches) -> None:
    catalogue.model(here, alice.caller, catalogue.store(here, alice.caller))

    async def is_given_again(query: str, expected: list[str]) -> bool:
        found = await names(alice, query)
        assert found == expected
        return searches.since() == 0

    for query, expected in (("", ["qwen"]), ("q=name=other", [])):
        assert not await is_given_again(query, expected)
        # On PostgreSQL whoever commits anything in the whole cluster ends what is kept: other tests do.
        await until_async(partial(is_given_again, query, expected), what="an answer without a search")


async def test_whoever_commits_ends_what_is_kept(here: Place, alice: Client, other: Store, searches: Searches) -> None:
    there = catalogue.store(here, alice.caller)
    made = catalogue.model(here, alice.caller, there)
    assert await names(alice) == await names(alice) == ["qwen"]
    other.write_now(models.change, alice.caller, made.uuid, to=ModelChange(name="renamed"))
    searches.since()
    assert (await names(alice), searches.since()) == (["renamed"], 1)


async def test_a_change_amid_a_search_is_found_by_whoever_asks_next(
    here: Place, alice: Client, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = catalogue.model(here, alice.caller, catalogue.store(here, alice.caller))
    search = Store.search

    async def disturbed(self: Store, use: Callable[..., object]) -> object:
        found = await search(self, use)
        other.write_now(models.change, alice.caller, made.uuid, to=ModelChange(name="renamed"))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Store, "search", disturbed)
        assert await names(alice) == ["qwen"]
    assert await names(alice) == ["renamed"]


async def test_what_is_kept_of_one_is_not_given_to_another(here: Place, alice: Client) -> None:
    catalogue.model(here, alice.caller, catalogue.store(here, alice.caller))
    bob, admin = Client(here, here.user("bob")), Client(here, here.admin)
    for client, seen in ((alice, ["qwen"]), (bob, []), (admin, ["qwen"])) * 2:
        assert await names(client) == seen


async def test_who_is_not_let_in_any_more_is_not_given_what_is_kept(here: Place, alice: Client) -> None:
    assert await names(alice) == await names(alice) == []
    clock = here.clock
    assert isinstance(clock, ManualClock)
    clock.move(timedelta(days=2))  # nobody commits: the session runs out by itself
    assert (await alice.ask("GET", ALL)).status != 200


async def test_whose_session_was_ended_is_not_given_what_is_kept(alice: Client, other: Store) -> None:
    assert await names(alice) == await names(alice) == []
    other.write_now(users.end_session_of, alice.session)
    assert (await alice.ask("GET", ALL)).status != 200


async def test_what_is_refused_is_refused_again(alice: Client, searches: Searches) -> None:
    for _ in range(2):
        refused = await alice.ask("GET", f"{ALL}?q=nothing=1")
        assert refused.body["success"] is False
        assert searches.since() == 1


@pytest.mark.parametrize("seed", range(2))
async def test_every_list_is_as_found_anew_amid_changes(
    here: Place, alice: Client, other: Store, database_url: str, seed: int
) -> None:
    here.node(cards=cards("dcu", 2))
    here.notebook(alice.caller, here.image(), name="a-notebook")
    change = _Changes(here, alice.caller, other, random.Random(seed))
    lists = [
        operation.path
        for operation in alice.dialect.operations
        if isinstance(operation.handler, View) and operation.handler.lasting
    ]
    assert len(lists) > 10
    for _ in range(STEPS):
        change.one()
        fresh = Store.open(database_url, here.clock, "test")
        try:
            unknowing = Client(
                Place(store=fresh, clock=here.clock, keyring=here.keyring, site=here.site, admin=here.admin),
                alice.caller,
            )
            for path in lists:
                for query in QUERIES:
                    kept = await alice.ask("GET", f"{path}?{query}")
                    anew = await unknowing.ask("GET", f"{path}?{query}")
                    assert kept == anew == await alice.ask("GET", f"{path}?{query}"), (path, query)
        finally:
            fresh.close()


class _Changes:
    """What may happen to what the lists show, chosen by chance, through either way into the database."""

    def __init__(self, here: Place, caller: Caller, other: Store, chance: random.Random) -> None:
        self._here, self._caller, self._other, self._chance = here, caller, other, chance
        self._store = catalogue.store(here, caller)
        self._models: list[UUID] = []
        self._number = 0

    def one(self) -> None:
        """Make one change."""
        self._number += 1
        kinds = [self._make]
        if self._models:
            kinds += [self._rename, self._bind, self._mark, self._delete, self._stock]
        self._chance.choice(kinds)()

    def _make(self) -> None:
        name = f"{self._chance.choice('ab')}-{self._number}"
        self._models.append(catalogue.model(self._here, self._caller, self._store, name).uuid)
        catalogue.dataset(self._here, self._caller, self._store, name)

    def _rename(self) -> None:
        to = ModelChange(name=f"a-{self._number}", description=f"the {self._number}th")
        self._other.write_now(models.change, self._caller, self._chance.choice(self._models), to=to)

    def _bind(self) -> None:
        made = catalogue.service(self._here, self._caller, self._store, f"a-{self._number}")
        self._other.write_now(services.bind, self._caller, self._chance.choice(self._models), service=made.uuid)

    def _mark(self) -> None:
        found = self._other.read_now(models.get, self._caller, self._chance.choice(self._models))
        new = marks.NewMarks(user=(f"a::{self._number}",), system=(), patterns=())
        self._other.write_now(marks.put, self._caller, models.thing_of(found), new=new)

    def _delete(self) -> None:
        uuid = self._models.pop(self._chance.randrange(len(self._models)))
        self._other.write_now(models.delete, self._caller, uuid, users=services.MODEL_USERS, mode=Deletion.ENFORCING)

    def _stock(self) -> None:
        self._here.node(cores=8 + self._number, cards=cards("dcu", self._number % 3))
