"""The worker over the real runtime: notebooks come to what was asked, and what becomes of them is written down."""

from __future__ import annotations

import shutil
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import psutil
import pytest_asyncio
from sqlalchemy import update

from tests.builders import HOST
from tests.waiting import until_async
from tests.worlds import ENDING, SERVING, Person, World, world
from trivium.base.clock import ManualClock
from trivium.base.query import Query
from trivium.resources import events, hosts, images, nodes, notebooks, operations
from trivium.resources.images import ImageStatus
from trivium.resources.images.table import images as images_table
from trivium.resources.notebooks import Notebook, Status
from trivium.resources.notebooks.ports import LaunchKey, Phase

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    """A site on each kind of database."""
    async with world(url=database_url) as made:
        yield made
        await made.resume()
        for person in made.people:
            await made.release_all(person)


async def _running(here: World) -> tuple[Person, Notebook]:
    person = here.user()
    image = await here.image("tiny:1")
    return person, await here.notebook(person, image, Status.RUNNING, kind="dcu", count=2)


def _processes(here: World) -> list[psutil.Process]:
    """The servers of this site's notebooks."""
    mine = str(here.python)
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "http.server" in (process.info["cmdline"] or []) and mine in str(process.info["environ"])
    ]


async def test_what_was_asked_comes_about_and_is_written_down(here: World) -> None:
    person, notebook = await _running(here)
    store = here.core.store
    assert notebook.started_at is not None
    assert notebook.workload is not None
    assert store.read_now(operations.get, person.caller, notebook.operation).is_finished
    assert store.read_now(nodes.held_by, notebook.id) is not None
    await store.write(notebooks.stop, person.caller, notebook.id)
    stopped = await here.comes_to(person, notebook.id, Status.STOPPED)
    assert store.read_now(nodes.held_by, notebook.id) is None
    assert stopped.workload is None
    assert store.read_now(operations.get, person.caller, stopped.operation).is_finished
    told = [event.action for event in store.read_now(events.latest, "notebook", target=notebook.id)]
    assert told == ["notebook.stopped", "notebook.stop", "notebook.running", "notebook.create"]


async def test_a_new_worker_adopts_what_runs(here: World) -> None:
    person, notebook = await _running(here)
    await here.pause()
    await here.resume()
    await here.notebook(person, await here.image("tiny:2"), Status.RUNNING)  # the new worker has looked by then
    again = here.core.store.read_now(notebooks.get, person.caller, notebook.id)
    assert again == notebook


async def test_a_stop_that_was_asked_while_no_worker_was_there_comes_about(here: World) -> None:
    person, notebook = await _running(here)
    await here.pause()
    await here.core.store.write(notebooks.stop, person.caller, notebook.id)
    await here.resume()
    await here.comes_to(person, notebook.id, Status.STOPPED)


async def test_a_notebook_that_ends_by_itself_has_failed_and_holds_nothing(here: World) -> None:
    person = here.user()
    failed = await here.notebook(person, await here.image("ending:1", command=ENDING), Status.FAILED, kind="dcu")
    assert failed.reason is not None
    assert failed.reason.code == "notebook.ended.exited"
    assert failed.reason.details["code"] == "3"
    store = here.core.store
    assert store.read_now(nodes.held_by, failed.id) is None
    operation = store.read_now(operations.get, person.caller, failed.operation)
    assert operation.failure == failed.reason


async def test_a_notebook_killed_by_hand_has_failed_with_the_signal_and_starts_again(here: World) -> None:
    person, notebook = await _running(here)
    (process,) = _processes(here)
    process.send_signal(signal.SIGKILL)
    failed = await here.comes_to(person, notebook.id, Status.FAILED)
    assert failed.reason is not None
    assert failed.reason.code == "notebook.ended.killed"
    assert failed.reason.details["signal"] == "9"
    await here.core.store.write(notebooks.start, person.caller, notebook.id)
    again = await here.comes_to(person, notebook.id, Status.RUNNING)
    assert again.generation == 2
    assert again.reason is None


async def test_an_environment_that_vanished_is_the_reason_of_a_failure(here: World) -> None:
    person, notebook = await _running(here)
    await here.core.store.write(notebooks.stop, person.caller, notebook.id)
    await here.comes_to(person, notebook.id, Status.STOPPED)
    shutil.rmtree(here.python)
    await here.core.store.write(notebooks.start, person.caller, notebook.id)
    failed = await here.comes_to(person, notebook.id, Status.FAILED)
    assert failed.reason is not None
    assert failed.reason.code == "notebook.ended.environment_gone"


async def test_what_the_machine_lost_is_started_again_as_it_was_asked_to_run(here: World) -> None:
    person, notebook = await _running(here)
    await here.pause()
    await here.lose_everything()
    await here.resume()

    async def runs_again() -> Notebook | None:
        now = await here.core.store.read(notebooks.get, person.caller, notebook.id)
        return now if now.status is Status.RUNNING and now.generation == 2 else None

    again = await until_async(runs_again, what="the second start")
    assert again is not None
    assert again.workload != notebook.workload
    assert here.core.store.read_now(nodes.held_by, notebook.id) is not None


async def test_a_saved_environment_is_an_image_that_others_do_not_see(here: World) -> None:
    person, notebook = await _running(here)
    store = here.core.store
    await store.write(notebooks.save_and_stop, person.caller, here.core.site, notebook=notebook.id)
    await here.comes_to(person, notebook.id, Status.STOPPED)
    found = store.search_now(images.list_images, person.caller, Query())
    saved = next(image for image in found.rows if image.notebook == notebook.id)
    assert saved.status is ImageStatus.ACTIVE
    assert saved.digest.startswith("sha256:")
    assert len(saved.layers) == 1
    seen = store.search_now(images.list_images, here.user().caller, Query())
    assert saved.id not in {image.id for image in seen.rows}
    made = await here.notebook(person, saved, Status.RUNNING)
    assert made.image == saved.id


async def test_a_start_that_nobody_asks_for_is_ended(here: World) -> None:
    _, notebook = await _running(here)
    await here.pause()
    stray = LaunchKey(launch=notebook.id + 1, generation=1)
    await here.runtime.launch(await here.spec_like(notebook, stray, command=SERVING))

    async def phase() -> Phase:
        return (await here.runtime.observe([stray]))[stray].phase

    async def runs() -> bool:
        return await phase() is Phase.RUNNING

    async def absent() -> bool:
        return await phase() is Phase.ABSENT

    await until_async(runs, what="the stray start")
    await here.resume()
    await until_async(absent, what="the end of the stray start")
    key = LaunchKey(launch=notebook.id, generation=1)
    assert (await here.runtime.observe([key]))[key].phase is Phase.RUNNING


async def test_a_notebook_whose_steps_fail_by_a_fault_of_ours_is_given_up_and_holds_nothing(here: World) -> None:
    person = here.user()
    image = await here.image("torn:1")
    made = await here.notebook(person, image, Status.CREATING, kind="dcu")
    torn = update(images_table).where(images_table.c.id == image.id)
    here.core.store.write_now(lambda tx: tx.run(torn.values(layers="no json")))
    await here.resume()
    failed = await here.comes_to(person, made.id, Status.FAILED)
    assert failed.reason is not None
    assert failed.reason.code == "notebook.fault"
    assert here.core.store.read_now(nodes.held_by, made.id) is None


async def test_a_notebook_that_was_shut_down_from_within_is_stopped_and_has_not_failed(here: World) -> None:
    person = here.user()
    image = await here.image("leaving:1", command=("python", "-c", "pass"))
    made = await here.notebook(person, image, Status.CREATING)
    await here.resume()
    stopped = await here.comes_to(person, made.id, Status.STOPPED)
    assert stopped.reason is None
    assert here.core.store.read_now(nodes.held_by, stopped.id) is None
    assert here.core.store.read_now(operations.get, person.caller, stopped.operation).is_finished


async def test_limits_that_the_site_has_now_hold_for_what_was_made_before(here: World) -> None:
    person, notebook = await _running(here)
    store, limited = here.core.store, msgspec.structs.replace(here.core.site, max_running=HOUR, release_after=2 * HOUR)
    store.write_now(notebooks.apply_limits, HOST, limited)
    held = store.read_now(notebooks.get, person.caller, notebook.id)
    assert (held.max_running, held.release_after) == (HOUR, 2 * HOUR)
    store.write_now(notebooks.stop, person.caller, notebook.id)
    stopped = await here.comes_to(person, notebook.id, Status.STOPPED)
    assert stopped.release_at is not None
    store.write_now(notebooks.apply_limits, HOST, limited)
    assert store.read_now(notebooks.get, person.caller, notebook.id).release_at == stopped.release_at
    assert store.read_now(hosts.limits_of, HOST) is not None  # so that a start has nothing to look through
    store.write_now(notebooks.apply_limits, HOST, here.core.site)
    assert store.read_now(notebooks.get, person.caller, notebook.id).release_at is None


async def test_what_ran_long_enough_is_stopped_and_what_was_stopped_long_enough_is_released(database_url: str) -> None:
    clock = ManualClock(datetime.now(UTC))
    async with world(clock, database_url, max_running=HOUR, release_after=2 * HOUR) as here:
        person, notebook = await _running(here)
        clock.move(HOUR)
        stopped = await here.comes_to(person, notebook.id, Status.STOPPED)
        assert stopped.release_at == clock.now() + 2 * HOUR
        await here.pause()
        clock.move(2 * HOUR)  # nobody is there when its time comes
        await here.resume()

        async def released() -> bool:
            held = await here.core.store.read(notebooks.NotebookHoldings().held_by, person.caller.user)
            return held is None

        await until_async(released, what="the release")
        assert here.core.store.search_now(notebooks.list_notebooks, person.caller, Query()).total == 0
