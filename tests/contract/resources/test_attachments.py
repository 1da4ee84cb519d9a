"""Directories of the home that are shown to a notebook while it runs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.waiting import until_async
from tests.worlds import Person, World, world
from trivium.resources import events, notebooks
from trivium.resources.notebooks import (
    Attachment,
    AttachmentStatus,
    BadMount,
    NoSuchAttachment,
    NoSuchNotebook,
    NotAttachable,
    Notebook,
    NotRunning,
    Status,
    TargetTaken,
    TooManyMounts,
)
from trivium.resources.notebooks.ports import LaunchKey, Mount

AREA = "/attached"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    """A site on each kind of database."""
    async with world(url=database_url) as made:
        yield made
        for person in made.people:
            await made.release_all(person)


async def running(here: World) -> tuple[Person, Notebook]:
    """A notebook with a directory in its home, to which things can be shown."""
    person = here.user()
    made = await here.notebook(person, await here.image("tiny:1"), Status.RUNNING, attach_at=AREA)
    assert await shell(here, made, "mkdir -p sets/a && echo content > sets/a/file") == ""
    return person, made


async def shell(here: World, notebook: Notebook, command: str) -> str:
    key = LaunchKey(launch=notebook.id, generation=notebook.generation)
    return (await here.runtime.execute(key, command, timeout=timedelta(seconds=9))).output.strip()


async def attached(
    here: World, person: Person, notebook: Notebook, source: str = "sets/a", name: str = "a"
) -> Attachment:
    mount = Mount(source=source, target=f"{AREA}/{name}")
    return await here.core.store.write(notebooks.attach, person.caller, notebook.id, mount=mount)


async def comes_to(here: World, person: Person, one: Attachment, status: AttachmentStatus) -> Attachment:
    async def found() -> Attachment | None:
        now = await here.core.store.read(notebooks.attachment_of, person.caller, one.notebook, attachment=one.uuid)
        return now if now.status is status else None

    there = await until_async(found, what=f"a mount that is {status}")
    assert there is not None
    return there


async def is_gone(here: World, person: Person, one: Attachment) -> None:
    async def gone() -> bool:
        return not await here.core.store.read(notebooks.attachments_of, person.caller, one.notebook)

    await until_async(gone, what="the end of a mount")


@as_root
async def test_a_directory_is_shown_while_the_notebook_runs_and_taken_away_again(here: World) -> None:
    person, made = await running(here)
    store = here.core.store
    asked = await attached(here, person, made)
    assert (asked.status, asked.mount.source) == (AttachmentStatus.MOUNTING, "sets/a")
    mounted = await comes_to(here, person, asked, AttachmentStatus.MOUNTED)
    assert store.read_now(notebooks.attachments_of, person.caller, made.id) == [mounted]
    assert await shell(here, made, f"cat {AREA}/a/file") == "content"
    taken = await store.write(notebooks.detach, person.caller, made.id, attachment=asked.uuid)
    assert taken.status is AttachmentStatus.UNMOUNTING
    await is_gone(here, person, asked)
    assert await shell(here, made, f"ls {AREA}") == ""
    with pytest.raises(NoSuchAttachment):
        store.write_now(notebooks.detach, person.caller, made.id, attachment=asked.uuid)
    told = [event.action for event in store.read_now(events.latest, "notebook", target=made.id)]
    assert told[:2] == ["notebook.detach", "notebook.attach"]
    await comes_to(here, person, await attached(here, person, made), AttachmentStatus.MOUNTED)


@as_root
async def test_what_cannot_be_shown_has_failed_with_the_reason_and_the_notebook_runs_on(here: World) -> None:
    person, made = await running(here)
    failed = await comes_to(here, person, await attached(here, person, made, "sets/none"), AttachmentStatus.FAILED)
    assert failed.reason is not None
    assert failed.reason.code == "notebook.mount_failed"
    await comes_to(here, person, await attached(here, person, made), AttachmentStatus.MOUNTED)
    gone = here.core.store.write_now(notebooks.detach, person.caller, made.id, attachment=failed.uuid)
    assert gone.status is AttachmentStatus.UNMOUNTED
    assert here.core.store.read_now(notebooks.get, person.caller, made.id).status is Status.RUNNING


@as_root
async def test_what_was_asked_while_no_worker_was_there_comes_about(here: World) -> None:
    person, made = await running(here)
    await here.pause()
    asked = await attached(here, person, made)
    await here.resume()
    await comes_to(here, person, asked, AttachmentStatus.MOUNTED)
    await here.pause()
    await here.core.store.write(notebooks.detach, person.caller, made.id, attachment=asked.uuid)
    await here.resume()
    await is_gone(here, person, asked)


@as_root
async def test_what_is_shown_ends_with_the_notebooks_run(here: World) -> None:
    person, made = await running(here)
    store = here.core.store
    await comes_to(here, person, await attached(here, person, made), AttachmentStatus.MOUNTED)
    await store.write(notebooks.stop, person.caller, made.id)
    await here.comes_to(person, made.id, Status.STOPPED)
    assert store.read_now(notebooks.attachments_of, person.caller, made.id) == []
    with pytest.raises(NotRunning):
        await attached(here, person, made)
    await store.write(notebooks.start, person.caller, made.id)
    again = await here.comes_to(person, made.id, Status.RUNNING)
    assert await shell(here, again, f"ls {AREA}") == ""
    await comes_to(here, person, await attached(here, person, again), AttachmentStatus.MOUNTED)


@as_root
async def test_what_makes_no_sense_is_refused(here: World) -> None:
    person, made = await running(here)
    store = here.core.store
    await here.pause()
    await attached(here, person, made)
    with pytest.raises(TargetTaken):
        await attached(here, person, made, "sets")
    for source, target in (("../b", f"{AREA}/b"), ("sets", "/etc/b"), ("sets", f"{AREA}/b/c"), ("sets", AREA)):
        with pytest.raises(BadMount):
            store.write_now(notebooks.attach, person.caller, made.id, mount=Mount(source, target))
    with pytest.raises(BadMount):
        await attached(here, person, made, name="a\rb")
    for number in range(15):
        await attached(here, person, made, name=f"n{number}")
    with pytest.raises(TooManyMounts):
        await attached(here, person, made, name="more")
    other = here.user()
    for ask in (
        lambda tx: notebooks.attach(tx, other.caller, made.id, mount=Mount("sets", f"{AREA}/x")),
        lambda tx: notebooks.detach(tx, other.caller, made.id, attachment=uuid4()),
        lambda tx: notebooks.attachments_of(tx, other.caller, made.id),
        lambda tx: notebooks.attachment_of(tx, other.caller, made.id, attachment=uuid4()),
    ):
        with pytest.raises(NoSuchNotebook):
            store.write_now(ask)


async def test_a_notebook_that_was_not_made_for_it_says_so(here: World) -> None:
    person, image = here.user(), await here.image("tiny:1")
    plain = await here.notebook(person, image, Status.RUNNING)
    with pytest.raises(NotAttachable):
        await attached(here, person, plain)
    homeless = await here.notebook(person, image, Status.CREATING, attach_at=AREA, mount_home=False)
    assert homeless.attach_at is None
    for area in ("/data/below", "/home", "/usr", "data", "/"):
        with pytest.raises(BadMount):
            await here.notebook(person, image, Status.CREATING, attach_at=area)
