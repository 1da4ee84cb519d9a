"""Saving an image of a notebook that runs on."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import pytest_asyncio
from sqlalchemy import update

from tests.builders import HOST
from tests.waiting import until_async
from tests.worlds import Person, World, world
from trivium.base.errors import Invalid
from trivium.resources import images, notebooks, operations, workspaces
from trivium.resources.images import Image, ImageExists, ImageStatus, SaveAs
from trivium.resources.images.table import images as images_table
from trivium.resources.notebooks import Notebook, NotReleasable, NotRunning, NotStoppable, Status
from trivium.resources.notebooks.ports import Phase
from trivium.resources.notebooks.steps import key_of

AS = SaveAs(namespace="team-a", name="mine", tag="1.0", description="what I need")


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    """A site on each kind of database."""
    async with world(url=database_url) as made:
        yield made
        for person in made.people:
            await made.release_all(person)


async def running(here: World) -> tuple[Person, Notebook]:
    person = here.user()
    return person, await here.notebook(person, await here.image("tiny:1"), Status.RUNNING)


async def save(here: World, person: Person, notebook: Notebook, as_: SaveAs = AS) -> Image:
    return await here.core.store.write(notebooks.save, person.caller, here.core.site, notebook=notebook.id, as_=as_)


def now(here: World, person: Person, image: Image) -> Image:
    return here.core.store.read_now(images.get, person.caller, image.id)


async def test_a_save_makes_an_image_as_it_was_named_and_the_notebook_runs_on(here: World) -> None:
    person, notebook = await running(here)
    store = here.core.store
    room = await store.write(workspaces.create, person.caller, name="research")
    await here.pause()
    saving = await save(here, person, notebook, SaveAs(namespace="team-a", name="mine", tag="1.0", workspace=room.id))
    assert saving.path == f"{here.core.site.registry}/team-a/mine:1.0"
    assert (saving.status, saving.namespace, saving.workspace) == (ImageStatus.SAVING, "team-a", room.id)
    during = store.read_now(notebooks.get, person.caller, notebook.id)
    assert during.status is Status.SAVING
    for ask, refused in ((notebooks.stop, NotStoppable), (notebooks.release, NotReleasable)):
        with pytest.raises(refused):
            store.write_now(ask, person.caller, notebook.id)
    with pytest.raises(NotRunning):
        await save(here, person, notebook, SaveAs(namespace="team-a", name="mine", tag="2"))
    await here.resume()
    after = await here.comes_to(person, notebook.id, Status.RUNNING)
    assert (after.generation, after.workload, after.reason) == (1, notebook.workload, None)
    assert store.read_now(operations.get, person.caller, after.operation).failure is None
    assert store.read_now(operations.get, person.caller, after.operation).is_finished
    image = now(here, person, saving)
    assert image.status is ImageStatus.ACTIVE
    assert len(image.layers) == 1
    assert store.read_now(images.by_uuid, person.caller, image.uuid) == image
    made = await here.notebook(person, image, Status.RUNNING)
    assert made.image == image.id


async def test_a_name_and_tag_are_given_once_in_a_namespace(here: World) -> None:
    person, notebook = await running(here)
    await save(here, person, notebook)
    await here.comes_to(person, notebook.id, Status.RUNNING)
    with pytest.raises(ImageExists):
        await save(here, person, notebook)
    still = here.core.store.read_now(notebooks.get, person.caller, notebook.id)
    assert still.status is Status.RUNNING
    await save(here, person, notebook, SaveAs(namespace="team-a", name="mine", tag="1.1"))
    await here.comes_to(person, notebook.id, Status.RUNNING)


async def test_of_several_who_take_a_name_at_once_one_gets_it(here: World) -> None:
    person = here.user()
    image = await here.image("tiny:1")

    def one(_number: int) -> bool:
        try:
            here.core.store.write_now(
                images.start_save,
                person.caller,
                here.core.site,
                of=image,
                notebook=1,
                notebook_name="",
                host=HOST,
                as_=AS,
            )
        except ImageExists:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(one, range(8))) == 1


@pytest.mark.parametrize(
    "as_",
    [
        SaveAs(namespace="Team", name="mine", tag="1"),
        SaveAs(namespace="a/b", name="mine", tag="1"),
        SaveAs(namespace="a", name="Mine", tag="1"),
        SaveAs(namespace="a", name="mine", tag="-"),
        SaveAs(namespace="a", name="mine", tag="1", description="x" * 513),
    ],
)
async def test_a_senseless_name_is_refused(here: World, as_: SaveAs) -> None:
    person, notebook = await running(here)
    with pytest.raises(Invalid):
        await save(here, person, notebook, as_)


async def test_a_save_that_was_asked_while_no_worker_was_there_comes_about(here: World) -> None:
    person, notebook = await running(here)
    await here.pause()
    saving = await save(here, person, notebook)
    await here.resume()
    await here.comes_to(person, notebook.id, Status.RUNNING)
    assert now(here, person, saving).status is ImageStatus.ACTIVE


async def test_a_save_goes_on_after_the_machine_lost_the_notebook(here: World) -> None:
    person, notebook = await running(here)
    await here.pause()
    saving = await save(here, person, notebook)
    await here.lose_everything()
    await here.resume()

    async def runs_again() -> bool:
        again = await here.core.store.read(notebooks.get, person.caller, notebook.id)
        return again.generation == 2 and again.status is Status.RUNNING

    await until_async(runs_again, what="the second start")
    assert now(here, person, saving).status is ImageStatus.ACTIVE


async def test_a_save_that_fails_leaves_the_notebook_running_with_the_reason(here: World) -> None:
    person, notebook = await running(here)
    await here.pause()
    saving = await save(here, person, notebook)
    data = here.core.site.homes.parent
    shutil.rmtree(data / "saved", ignore_errors=True)
    (data / "saved").write_text("in the way", "ascii")
    await here.resume()
    after = await here.comes_to(person, notebook.id, Status.RUNNING)
    assert after.reason is not None
    assert after.reason.code == "image.save_failed"
    assert (after.generation, after.workload) == (1, notebook.workload)
    image = now(here, person, saving)
    assert (image.status, image.reason) == (ImageStatus.FAILED, after.reason)
    operation = here.core.store.read_now(operations.get, person.caller, after.operation)
    assert operation.failure == after.reason
    (data / "saved").unlink()


async def test_a_stop_whose_save_fails_stops_it_and_says_why_until_it_is_asked_for_something_else(here: World) -> None:
    person, notebook = await running(here)
    data = here.core.site.homes.parent
    (data / "saved").write_text("in the way", "ascii")
    store = here.core.store
    await store.write(notebooks.save_and_stop, person.caller, here.core.site, notebook=notebook.id)
    after = await here.comes_to(person, notebook.id, Status.STOPPED)
    (data / "saved").unlink()
    assert after.reason is not None
    assert (after.reason.code, after.reason.details) == ("image.save_failed", {"detail": "Not a directory"})
    assert store.read_now(operations.get, person.caller, after.operation).failure == after.reason
    await store.write(notebooks.start, person.caller, notebook.id)
    assert (await here.comes_to(person, notebook.id, Status.RUNNING)).reason is None
    await store.write(notebooks.stop, person.caller, notebook.id)
    assert (await here.comes_to(person, notebook.id, Status.STOPPED)).reason is None


async def test_a_save_whose_steps_fail_by_a_fault_of_ours_is_given_up_and_the_notebook_runs_on(here: World) -> None:
    person, notebook = await running(here)
    await here.pause()
    saving = await save(here, person, notebook)
    torn = update(images_table).where(images_table.c.id == saving.id)
    here.core.store.write_now(lambda tx: tx.run(torn.values(layers="no json")))
    await here.resume()

    async def runs() -> bool:
        return (await here.core.store.read(notebooks.get, person.caller, notebook.id)).status is Status.RUNNING

    await until_async(runs, what="the end of the save")
    after = here.core.store.read_now(notebooks.get, person.caller, notebook.id)
    assert after.reason is not None
    assert after.workload == notebook.workload
    here.core.store.write_now(lambda tx: tx.run(torn.values(layers="[]")))
    assert now(here, person, saving).status is ImageStatus.FAILED


async def test_a_notebook_that_ends_before_it_was_saved_leaves_no_image_that_is_saving_for_ever(here: World) -> None:
    person, notebook = await running(here)
    await here.pause()
    saving = await save(here, person, notebook)
    for process in psutil.process_iter(["cmdline", "environ"]):
        if "http.server" in (process.info["cmdline"] or []) and str(here.python) in str(process.info["environ"]):
            process.kill()
    await until_async(lambda: ended(here, notebook), what="the end of the notebook")
    await here.resume()
    await here.comes_to(person, notebook.id, Status.FAILED)
    image = now(here, person, saving)
    assert image.status is ImageStatus.FAILED
    assert image.reason is not None


async def ended(here: World, notebook: Notebook) -> bool:
    key = key_of(notebook)
    return (await here.runtime.observe([key]))[key].phase is Phase.ENDED
