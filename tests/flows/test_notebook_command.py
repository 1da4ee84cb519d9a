"""An operator looks after the notebooks of a user who does not get in any more, with a server and without."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.crash.ledger import Book
from tests.crash.scnet import User
from tests.crash.server import Site
from tests.waiting import until


class House:
    """A site with a user, and its operator's shell."""

    def __init__(self, site: Site) -> None:
        self.site = site
        (key,) = site.furnish(("alice",))
        site.start()
        self.user = User(key, site.url)
        assert self.user.log_in().ok

    def running(self) -> str:
        """The id of a notebook that runs."""
        place = {"clusterId": self.user.key.site_id, "imagePath": self.site.small, "imageName": "small"}
        answer = self.user.platform("create", **place, acceleratorType="dcu", acceleratorNumber=1)
        assert answer.ok, answer
        id = str(answer.data["notebookId"])
        until(lambda: self.status(id) == "running", within=45, what="a notebook that runs")
        return id

    def listed(self) -> dict[str, dict[str, Any]]:
        """What the operator sees, by id."""
        return {one["id"]: one for one in self.site.type("notebook", "list", "--user", "alice")}

    def status(self, id: str) -> str:
        return self.listed()[id]["status"]

    def fails(self, *words: str) -> str:
        """What a command says that fails."""
        command = [str(self.site.trivium), *words, *self.site.places]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.site.environment)
        assert done.returncode != 0
        return done.stderr

    def is_deleted(self) -> bool:
        command = [str(self.site.trivium), "user", "delete", "alice", *self.site.places]
        return subprocess.run(command, capture_output=True, check=False, env=self.site.environment).returncode == 0

    def told(self) -> list[str]:
        """What the operator's commands left in the events, oldest first."""
        book = Book(self.site.database)
        found = [event for one in book.read().events.values() for event in one if event.source == "cli"]
        book.close()
        assert {event.user_name for event in found} == {"admin"}
        assert len({event.project_id for event in found}) == 1  # alice's, as of her own
        return [event.action for event in sorted(found, key=lambda event: event.id)]


@pytest.fixture
def house() -> Iterator[House]:
    site = Site()
    with closing(site):
        made = House(site)
        yield made
        made.user.close()


def test_the_notebooks_of_a_disabled_user_are_released_by_the_operator(house: House) -> None:
    site = house.site
    stopped, other = house.running(), house.running()
    site.type("user", "disable", "alice")
    assert not house.user.get("detail", notebookId=stopped).ok
    uuid = house.listed()[stopped]["uuid"]
    (asked,) = site.type("notebook", "stop", uuid)
    assert (asked["id"], asked["status"]) == (stopped, "stopping")
    until(lambda: house.status(stopped) == "stopped", what="a stopped notebook")
    assert house.status(other) == "running"
    assert "trivium notebook release --user alice" in house.fails("user", "delete", "alice")
    site.kill()  # what is asked for meanwhile is done by the next server
    assert {one["status"] for one in site.type("notebook", "release", "--user", "alice")} == {"deleting"}
    assert {one["status"] for one in site.type("notebook", "release", stopped, other)} == {"deleting"}
    assert "2 notebooks" in house.fails("user", "delete", "alice")
    site.start()
    until(house.is_deleted, what="a user without notebooks")
    assert site.type("notebook", "list") == []
    assert house.told() == ["notebook.stop", "notebook.release", "notebook.release"]


def test_what_cannot_be_meant_is_refused(house: House) -> None:
    id = house.running()
    assert "no notebook 17" in house.fails("notebook", "stop", "17")
    assert "no notebook" in house.fails("notebook", "release", id, "17")
    assert house.status(id) == "running"
    assert "either their ids, or --user" in house.fails("notebook", "stop")
    assert "either their ids, or --user" in house.fails("notebook", "release", id, "--user", "alice")
    assert "bob" in house.fails("notebook", "list", "--user", "bob")
