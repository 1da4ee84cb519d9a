"""What goes wrong on a machine ends in a state that is clear, and for a reason that its user is told."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.builders import START
from tests.crash import machine
from tests.crash.ledger import Book
from tests.crash.scnet import Answer, User, Visitor
from tests.crash.server import Site
from tests.crash.small_disk import IS_ROOT, fill, small_disk
from tests.waiting import until
from tests.worlds import World, world
from trivium.base.clock import ManualClock
from trivium.base.query import Offset, Query
from trivium.drivers.runtimes.process.keeper.system import processes
from trivium.resources import notebooks
from trivium.resources.notebooks import Status

HOG = "'x' * (1 << 33)"  # eight times the memory that one card comes with
LISTENS_LATE = "while [ ! -e $HOME/go ]; do sleep 0.05; done; exec python -I -S {program} {{port}}"


class House:
    """A site with one user."""

    def __init__(self, site: Site) -> None:
        self.site = site
        (key,) = site.furnish(("alice",))
        self.small = site.small
        site.start()
        self.user = User(key, site.url)
        assert self.user.log_in().ok
        self.book = Book(site.database)
        self.visitor = Visitor()

    def ask(self, image: str | None = None, **more: Any) -> Answer:
        """Ask for a notebook with one card."""
        body = {"imagePath": image or self.small, "imageName": "small", "acceleratorType": "dcu"}
        return self.user.platform("create", clusterId=self.user.key.site_id, acceleratorNumber=1, **body, **more)

    def create(self, image: str | None = None, **more: Any) -> str:
        """The id of a new notebook."""
        answer = self.ask(image, **more)
        assert answer.ok, answer
        return answer.data["notebookId"]

    def comes_to(self, notebook: str, status: str) -> dict[str, Any]:
        """The notebook's record once it has that status."""

        def found() -> dict[str, Any] | None:
            answer = self.user.get("detail", notebookId=notebook)
            return answer.data if answer.ok and answer.data["notebookStatus"] == status else None

        record = until(found, within=45, what=f"{notebook} that is {status}")
        assert record is not None
        return record

    def running(self) -> str:
        """A notebook that runs."""
        notebook = self.create()
        self.comes_to(notebook, "Running")
        return notebook

    def main(self, notebook: str) -> processes.Identity:
        """The process behind a notebook's link."""
        link = self.user.get("url", notebookId=notebook)
        found = self.visitor.main_of(link.data["url"])
        assert found is not None, link
        return processes.Identity(*found)

    def fails(self, notebook: str, code: str) -> str:
        """The sentence with which a notebook has failed, which its record, its event and its operation agree upon."""
        record = self.comes_to(notebook, "Failed")
        ledger = self.book.read()
        row, event = ledger.notebooks[int(notebook)], ledger.events[int(notebook)][-1]
        assert json.loads(row.reason)["code"] == code
        assert json.loads(event.after or "{}") == {"status": "failed", "reason": code}
        assert all(one.finished_at is not None for one in ledger.operations[int(notebook)])
        assert int(notebook) not in ledger.reservations
        assert record["message"] == record["errorMessage"]
        assert record["containerId"] is None
        return record["errorMessage"]

    def clear(self) -> None:
        """Release whatever is there, and wait until nothing of it is left."""

        def is_clear() -> bool:
            for record in self.user.everything():
                self.user.post("actions/release", id=record["id"])
            found = machine.look(self.site.data)
            return not (self.book.read().here or found.launches or found.rooms or found.cgroups)

        until(is_clear, within=60, what="the end of all notebooks")

    def close(self) -> None:
        """End all of it."""
        self.user.close()
        self.book.close()
        self.visitor.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[House]:
    site = Site()
    try:
        made = House(site)
        yield made
        made.close()
    finally:
        site.close()


@pytest.fixture
def house(shared: House) -> Iterator[House]:
    yield shared
    shared.clear()


def test_a_notebook_killed_by_hand_has_failed_and_can_be_started_again(house: House) -> None:
    notebook = house.running()
    assert processes.send(house.main(notebook), signal.SIGKILL)
    assert "9" in house.fails(notebook, "notebook.ended.killed")
    assert house.user.platform("start", notebookId=notebook).ok
    assert house.comes_to(notebook, "Running")["errorMessage"] is None


def test_an_image_whose_environment_vanished_is_the_reason(house: House) -> None:
    other = house.site.top / "other"
    shutil.copytree(house.site.python, other, symlinks=True)
    image = house.site.image("vanishing:1", "python", "-I", "-S", f"{other}/program.py", "{socket}", path=other)
    notebook = house.create(image)
    house.comes_to(notebook, "Running")
    assert house.user.post("actions/stop", notebookId=notebook).ok
    house.comes_to(notebook, "Terminated")
    other.rename(other.with_name("away"))
    assert house.user.platform("start", notebookId=notebook).ok
    assert str(other) in house.fails(notebook, "notebook.ended.environment_gone")
    assert house.ask(image).code == "10010"
    other.with_name("away").rename(other)
    assert house.user.platform("start", notebookId=notebook).ok
    house.comes_to(notebook, "Running")


def test_a_port_that_another_took_is_the_reason(house: House) -> None:
    program = house.site.python / "program.py"
    image = house.site.image("late:1", "sh", "-c", f"'{LISTENS_LATE.format(program=program)}'")
    notebook = house.create(image)

    def port() -> int | None:
        words = [one.words for one in machine.look(house.site.data).processes.values() if one.notebook == int(notebook)]
        found = [word for line in words for word in line if "program.py" in word]
        return int(found[0].rpartition(" ")[2]) if found else None

    taken = until(port, what="the port that the notebook is given")
    assert taken is not None
    with socket.create_server(("127.0.0.1", taken)):
        (home,) = (house.site.data / "homes").iterdir()
        (home / "go").touch()
        assert str(taken) in house.fails(notebook, "notebook.ended.port_taken")
    assert house.user.platform("start", notebookId=notebook).ok
    house.comes_to(notebook, "Running")


def test_more_memory_than_it_may_use_is_the_reason(house: House) -> None:
    image = house.site.image("hog:1", "python", "-c", f'"{HOG}"')
    told = house.fails(house.create(image), "notebook.ended.out_of_memory")
    assert "1024 MiB" in told


def test_a_keeper_killed_alone_takes_nothing_with_it(house: House) -> None:
    notebook, stopped = house.running(), house.running()
    main = house.main(notebook)
    keeper = machine.look(house.site.data).keeper
    assert keeper is not None
    assert processes.send(keeper.identity, signal.SIGKILL)
    assert house.user.post("actions/stop", notebookId=stopped).ok
    house.comes_to(stopped, "Terminated")
    house.running()
    assert house.main(notebook) == main
    assert house.comes_to(notebook, "Running")


def test_after_a_reboot_everything_is_as_it_was_asked_to_be(house: House) -> None:
    running, stopped = house.running(), house.running()
    assert house.user.post("actions/stop", notebookId=stopped).ok
    house.comes_to(stopped, "Terminated")
    main = house.main(running)
    house.site.kill()
    everybody = list(machine.look(house.site.data).processes.values())
    for number in (signal.SIGSTOP, signal.SIGKILL):  # all at once, as a machine takes them: nobody sees another end
        for one in everybody:
            processes.send(one.identity, number)
    house.site.start()

    def is_another() -> bool:
        link = house.user.get("url", notebookId=running)
        return (
            link.ok and link.data["status"] == "active" and house.visitor.main_of(link.data["url"]) not in {None, main}
        )

    until(is_another, within=45, what="the next start of the notebook")
    assert house.comes_to(running, "Running")["errorMessage"] is None
    assert house.comes_to(stopped, "Terminated")["errorMessage"] is None
    told = [event.action for event in house.book.read().events[int(running)]]
    assert told == ["notebook.create", "notebook.running", "notebook.starting", "notebook.running"]


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="needs to be root, to mount a small file system")
@pytest.mark.parametrize("elsewhere", [False, True], ids=["database on it", "database elsewhere"])
def test_a_full_disk_is_told_and_passes(*, elsewhere: bool, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'trivium.db'}" if elsewhere else None
    site = Site(database, TRIVIUM_RUNTIME__DISK_RESERVE="0")
    with small_disk(site.data, "24m"), closing(site):
        house = House(site)
        running = house.running()
        main = house.main(running)
        filler = site.data / "filler"
        fill(filler)
        house.fails(house.ask().data["notebookId"], "notebook.ended.no_space")
        assert house.user.get("detail", notebookId=running).data["notebookStatus"] == "Running"
        assert house.main(running) == main
        assert house.user.post("actions/stop", notebookId=running).ok  # the database keeps room for it
        house.comes_to(running, "Terminated")
        filler.unlink()
        house.running()
        house.clear()
        house.close()


@pytest_asyncio.fixture
async def timed(database_url: str) -> AsyncIterator[World]:
    """A site with a clock that is set by hand, on each kind of database."""
    async with world(ManualClock(START), url=database_url, max_running=timedelta(hours=2)) as made:
        yield made
        for person in made.people:
            await made.release_all(person)


async def test_a_clock_that_jumps_back_an_hour_changes_nothing(timed: World) -> None:
    clock = timed.core.clock
    assert isinstance(clock, ManualClock)
    person, image = timed.user(), await timed.image("tiny:1")
    first = await timed.notebook(person, image, Status.RUNNING)
    clock.move(timedelta(hours=-1))
    second = await timed.notebook(person, image, Status.RUNNING)
    assert second.id > first.id
    page = timed.core.store.read_now(notebooks.list_notebooks, person.caller, Query(page=Offset(limit=10)))
    assert [notebook.id for notebook in page.rows] == [second.id, first.id]
    assert await timed.comes_to(person, first.id, Status.RUNNING) == first
    await timed.core.store.write(notebooks.stop, person.caller, first.id)
    stopped = await timed.comes_to(person, first.id, Status.STOPPED)
    assert stopped.reason is None
    clock.move(timedelta(hours=2))  # as long as the second may run, by the clock as it was set
    await asyncio.sleep(0)
    await timed.comes_to(person, second.id, Status.STOPPED)
