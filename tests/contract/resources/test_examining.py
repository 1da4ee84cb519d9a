"""Looking again at what an image is made of: what is gone or has changed, and what is there again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import update

from tests.worlds import Person, World, world
from trivium.base.errors import Forbidden
from trivium.base.reasons import Reason
from trivium.dialects.scnet.images import ImagesBody, any_query
from trivium.resources import images, notebooks
from trivium.resources.hosts import HostAway
from trivium.resources.images import Examined, Image, ImageNotReady, ImageScope, ImageStatus, Registration, SaveAs
from trivium.resources.images.table import images as table
from trivium.resources.notebooks import Status

AS = SaveAs(namespace="team-a", name="mine", tag="1.0")


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    """A site on each kind of database."""
    async with world(url=database_url) as made:
        yield made
        for person in made.people:
            await made.release_all(person)


@pytest.fixture
def person(here: World) -> Person:
    return here.user()


async def sync(here: World, person: Person, image: Image) -> Image:
    store = here.core.store
    image = await store.read(images.by_uuid, person.caller, image.uuid)
    found = await images.examine(store, here.core.places, person.caller, image=image)
    return await store.write(images.note_examined, person.caller, image, examined=found)


async def own_copy(here: World, person: Person) -> tuple[Image, Path]:
    """An image of the person's, whose environment nobody else has."""
    copy = here.python.with_name("copy")
    await asyncio.to_thread(shutil.copytree, here.python, copy, symlinks=True)
    image = await here.image("copy:1", environment=copy)
    return await here.core.store.write(images.register, person.caller, Registration(path=image.path)), copy


async def saved(here: World, person: Person) -> tuple[Image, Path]:
    """An image that was really saved, and its layer."""
    store = here.core.store
    notebook = await here.notebook(person, await here.image("tiny:1"), Status.RUNNING)
    made = await store.write(notebooks.save, person.caller, here.core.site, notebook=notebook.id, as_=AS)
    await here.comes_to(person, notebook.id, Status.RUNNING)
    image = await store.read(images.get, person.caller, made.id)
    return image, image.layers[0]


async def test_an_image_that_is_as_it_was_stays_as_it_is(here: World, person: Person) -> None:
    for image, _ in (await own_copy(here, person), await saved(here, person)):
        assert await sync(here, person, image) == image
        assert image.status is ImageStatus.ACTIVE


async def test_an_environment_that_changed_or_is_gone_is_told_and_found_again(here: World, person: Person) -> None:
    image, place = await own_copy(here, person)
    added = place / "bin" / "added"

    def remove() -> None:
        place.rename(place.with_name("elsewhere"))

    harms: list[tuple[Callable[[], object], Callable[[], object]]] = [
        (lambda: added.write_text("x"), added.unlink),
        (remove, lambda: place.with_name("elsewhere").rename(place)),
    ]
    for harm, mend in harms:
        await asyncio.to_thread(harm)
        broken = await sync(here, person, image)
        assert broken.reason is not None
        assert (broken.status, broken.reason.code) == (ImageStatus.BROKEN, "image.changed")
        with pytest.raises(ImageNotReady):
            await here.notebook(person, image, Status.CREATING)
        await asyncio.to_thread(mend)
        mended = await sync(here, person, image)
        assert (mended.status, mended.reason, mended.size) == (ImageStatus.ACTIVE, None, image.size)


async def test_an_upgrade_mends_what_lies_on_the_environment(here: World, person: Person) -> None:
    image, place = await own_copy(here, person)
    await asyncio.to_thread((place / "bin" / "added").write_text, "x")
    assert (await sync(here, person, image)).status is ImageStatus.BROKEN
    found = await here.runtime.inspect(place, command=image.command)
    await here.core.store.write(images.adopt, image, found)
    after = await here.core.store.read(images.get, person.caller, image.id)
    assert (after.status, after.reason, after.digest, after.size) == (
        ImageStatus.ACTIVE,
        None,
        found.digest,
        found.size,
    )


async def test_a_layer_that_changed_or_is_gone_is_told_and_found_again(here: World, person: Person) -> None:
    image, layer = await saved(here, person)
    about, away = layer / "trivium-layer.json", layer.with_name("away")
    harms: list[tuple[Callable[[], object], Callable[[], object]]] = [
        (lambda: (layer / "lib" / "added").write_text("x"), (layer / "lib" / "added").unlink),
        (lambda: about.rename(layer.with_name("about")), lambda: layer.with_name("about").rename(about)),
        (lambda: layer.rename(away), lambda: away.rename(layer)),
    ]
    for harm, mend in harms:
        await asyncio.to_thread(harm)
        broken = await sync(here, person, image)
        assert broken.reason is not None
        assert (broken.status, broken.reason.code) == (ImageStatus.BROKEN, "image.layer_lost")
        await asyncio.to_thread(mend)
        assert (await sync(here, person, image)).status is ImageStatus.ACTIVE


async def test_the_size_is_that_of_environment_and_layers(here: World, person: Person) -> None:
    image, _ = await saved(here, person)
    wrong = await here.core.store.write(
        images.note_examined, person.caller, image, examined=Examined(size=image.size + 5)
    )
    assert wrong.size == image.size + 5
    assert (await sync(here, person, image)).size == image.size


async def test_what_was_not_saved_yet_or_never_stays_so(here: World, person: Person) -> None:
    store = here.core.store
    notebook = await here.notebook(person, await here.image("tiny:1"), Status.RUNNING)
    await here.pause()
    saving = await store.write(notebooks.save, person.caller, here.core.site, notebook=notebook.id, as_=AS)
    assert await sync(here, person, saving) == saving
    await store.write(images.finish_save, saving.uuid)
    assert (await sync(here, person, saving)).status is ImageStatus.FAILED


async def test_what_another_found_or_removed_meanwhile_stands(here: World, person: Person) -> None:
    store = here.core.store
    image, _ = await own_copy(here, person)
    found, changed = Examined(size=1), Examined(reason=Reason(code="image.changed"))
    await store.write(images.note_examined, person.caller, image, examined=changed)
    assert (await store.write(images.note_examined, person.caller, image, examined=found)).status is ImageStatus.BROKEN
    await store.write(images.remove, person.caller, image)
    after = await store.write(images.note_examined, person.caller, image, examined=found)
    assert (after.status, after.size) == (ImageStatus.DELETED, image.size)


async def test_nobody_looks_at_the_operators(here: World, person: Person) -> None:
    image = await here.image("tiny:1")
    with pytest.raises(Forbidden):
        await sync(here, person, image)
    store = here.core.store
    assert await images.examine(store, here.core.places, here.admin, image=image) == Examined(size=image.size)


async def test_a_host_that_nobody_acts_on_tells_nothing(here: World, person: Person) -> None:
    image, _ = await saved(here, person)
    elsewhere = update(table).where(table.c.id == image.id).values(host="elsewhere")
    await here.core.store.write(lambda tx: tx.run(elsewhere))
    with pytest.raises(HostAway):
        await sync(here, person, image)
    assert (await here.core.store.read(images.get, person.caller, image.id)).status is ImageStatus.ACTIVE


async def test_lists_of_what_is_ready_have_no_broken_image(here: World, person: Person) -> None:
    image, place = await own_copy(here, person)
    await asyncio.to_thread((place / "bin" / "added").write_text, "x")
    await sync(here, person, image)
    found = await here.core.store.search(
        images.list_images, person.caller, any_query(ImagesBody(access="private")), scope=ImageScope.PROJECT
    )
    assert found.total == 0
