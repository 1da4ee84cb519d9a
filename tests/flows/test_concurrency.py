"""Two users, fifty calls at once: nothing is given out twice, nothing is lost, and nobody sees what is another's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.crash import invariants, machine
from tests.crash.invariants import Scene
from tests.crash.ledger import Book
from tests.crash.model import Model
from tests.crash.scnet import Answer, User, Visitor
from tests.crash.server import CARDS, Site
from tests.waiting import until

AT_ONCE = 50
NOT_FOUND = "10004"
Calls = Sequence[Callable[[], Answer]]


class Crowd:
    """A site whose users all call at once."""

    def __init__(self, site: Site) -> None:
        self.site = site
        keys = site.furnish(("alice", "bob"))
        self.image = site.small
        site.start()
        self.book = Book(site.database)
        self.users = [User(key, site.url) for key in keys]
        for user in self.users:
            assert user.log_in().ok

    def at_once(self, calls: Calls) -> list[Answer]:
        """What each call is answered when all are made at the same moment."""
        barrier = Barrier(len(calls))

        def make(call: Callable[[], Answer]) -> Answer:
            barrier.wait()
            return call()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(make, calls))

    def create(self, user: User) -> Answer:
        """Ask for a notebook with one card."""
        return user.platform(
            "create",
            clusterId=user.key.site_id,
            imagePath=self.image,
            imageName="small",
            acceleratorType="dcu",
            acceleratorNumber=1,
        )

    def comes_to(self, status: str, count: int) -> None:
        """Wait until so many notebooks have that status."""

        def is_so() -> bool:
            return sum(row.status == status for row in self.book.read().notebooks.values()) == count

        until(is_so, within=60, what=f"{count} notebooks that are {status}")

    def wrongs(self) -> list[str]:
        """What is wrong with the site, whatever was called."""
        scene = Scene(
            model=Model(),
            ledger=self.book.read(),
            machine=machine.look(self.site.data),
            book=self.book,
            users={user.key.user: user for user in self.users},
            visitor=Visitor(),
        )
        checks = (
            invariants.nothing_is_held_twice,
            invariants.free_numbers_are_true,
            invariants.operations_are_over,
            invariants.every_change_is_an_event,
            invariants.the_database_is_sound,
        )
        try:
            return [wrong for check in checks for wrong in check(scene)]
        finally:
            scene.visitor.close()

    def close(self) -> None:
        """End it all."""
        for user in self.users:
            user.close()
        self.book.close()


@pytest.fixture
def crowd(database_url: str) -> Iterator[Crowd]:
    site = Site(None if database_url.startswith("sqlite") else database_url)
    try:
        made = Crowd(site)
        yield made
        made.close()
    finally:
        site.close()


def test_fifty_calls_at_once_give_nothing_out_twice_and_lose_nothing(crowd: Crowd) -> None:
    answers = crowd.at_once([lambda user=user: crowd.create(user) for user in crowd.users * (AT_ONCE // 2)])
    assert Counter(answer.code for answer in answers) == {"0": CARDS, "716865": AT_ONCE - CARDS}
    crowd.comes_to("running", CARDS)
    assert crowd.wrongs() == []
    mine = [[answer.data["notebookId"] for answer in answers[first::2] if answer.ok] for first in (0, 1)]
    assert_nobody_sees_anothers(crowd, mine)
    assert_no_name_is_lost(crowd, mine)
    assert_one_of_many_is_heard(crowd, mine)


def assert_nobody_sees_anothers(crowd: Crowd, mine: list[list[str]]) -> None:
    for user, own, others in zip(crowd.users, mine, reversed(mine), strict=True):
        assert Counter(record["id"] for record in user.everything()) == Counter(own)
        for other in others:
            calls: Calls = (
                lambda user=user, other=other: user.get("detail", notebookId=other),
                lambda user=user, other=other: user.get("url", notebookId=other),
                lambda user=user, other=other: user.get("customize-service/url", notebookId=other),
                lambda user=user, other=other: user.platform("start", notebookId=other),
                lambda user=user, other=other: user.post("actions/stop", notebookId=other),
                lambda user=user, other=other: user.post("actions/stop", notebookId=other, saveEnv="true"),
                lambda user=user, other=other: user.post("actions/release", id=other),
                lambda user=user, other=other: user.post("name", id=other, notebookName="mine"),
                lambda user=user, other=other: user.post(
                    "customize-service/actions/start", id=other, customizePort="18080", command="true"
                ),
            )
            assert [answer.code for answer in crowd.at_once(calls)] == [NOT_FOUND] * len(calls)
    assert {row.status for row in crowd.book.read().notebooks.values()} == {"running"}


def assert_no_name_is_lost(crowd: Crowd, mine: list[list[str]]) -> None:
    """Each of fifty renames at once follows the one before: none overwrites what it has not seen."""
    owner = 0 if mine[0] else 1
    user, notebook = crowd.users[owner], mine[owner][0]
    names = [f"name-{number}" for number in range(AT_ONCE)]
    answers = crowd.at_once([lambda name=name: user.post("name", id=notebook, notebookName=name) for name in names])
    assert {answer.code for answer in answers} == {"0"}
    ledger = crowd.book.read()
    told = [
        (json.loads(event.before)["name"], json.loads(event.after)["name"])
        for event in ledger.events[int(notebook)]
        if event.action == "notebook.rename"
    ]
    assert Counter(after for _, after in told) == Counter(names)
    assert [before for before, _ in told[1:]] == [after for _, after in told[:-1]]
    assert ledger.notebooks[int(notebook)].name == told[-1][1]


def assert_one_of_many_is_heard(crowd: Crowd, mine: list[list[str]]) -> None:
    """Of many who ask for the same move at once, one makes it; what is freed and taken again adds up."""
    owned = [(user, id) for user, ids in zip(crowd.users, mine, strict=True) for id in ids]
    many = (owned * AT_ONCE)[:AT_ONCE]
    stopped = crowd.at_once(
        [lambda user=user, one=one: user.post("actions/stop", notebookId=one) for user, one in many]
    )
    assert Counter(answer.code for answer in stopped) == {"0": CARDS, "716867": AT_ONCE - CARDS}
    crowd.comes_to("stopped", CARDS)
    assert crowd.wrongs() == []
    started = crowd.at_once([lambda user=user, one=one: user.platform("start", notebookId=one) for user, one in many])
    assert Counter(answer.code for answer in started) == {"0": CARDS, "716868": AT_ONCE - CARDS}
    crowd.comes_to("running", CARDS)
    assert crowd.wrongs() == []
    released = crowd.at_once([lambda user=user, one=one: user.post("actions/release", id=one) for user, one in many])
    assert Counter(answer.code for answer in released) == {"0": CARDS, NOT_FOUND: AT_ONCE - CARDS}
    crowd.comes_to("deleted", CARDS)
    assert crowd.wrongs() == []
