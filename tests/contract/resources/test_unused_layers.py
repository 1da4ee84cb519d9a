"""Saved layers are kept as long as anybody needs them, and no longer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.builders import HOST
from tests.worlds import Person, World, world
from trivium.base.caller import Role
from trivium.resources import images, notebooks, users
from trivium.resources.images import Image, Registration
from trivium.resources.notebooks import NoSuchNotebook, Status
from trivium.store import Write


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    """A site on each kind of database."""
    async with world(url=database_url) as made:
        yield made
        await made.resume()
        for person in made.people:
            await made.release_all(person)


async def test_a_layer_goes_with_the_last_that_needs_it(here: World) -> None:
    person, store = here.user(), here.core.store
    image = await here.image("tiny:1")
    saved = await _saved(here, person, image)
    above = await _saved(here, person, saved)
    layer, higher = (_place(here, one) for one in (saved, above))
    stray = layer.with_name("0" * 32)
    stray.mkdir()
    being_saved = await store.write(_start, person, here, image)
    unfinished = layer.with_name(being_saved.uuid.hex)
    unfinished.mkdir()
    notebook = await here.notebook(person, saved, Status.STOPPED)

    await notebooks.drop_unused_layers(store, here.runtime)
    assert not stray.exists()
    assert unfinished.is_dir()

    await store.write(images.remove, person.caller, saved)
    await store.write(images.remove, person.caller, above)
    await notebooks.drop_unused_layers(store, here.runtime)
    assert not higher.exists()
    assert layer.is_dir()  # the notebook still stands on it

    await here.release_all(person)
    with pytest.raises(NoSuchNotebook):
        await store.read(notebooks.get, person.caller, notebook.id)
    await notebooks.drop_unused_layers(store, here.runtime)
    assert not layer.exists()
    assert unfinished.is_dir()


async def test_a_layer_stays_for_whoever_registered_the_image(here: World) -> None:
    owner, other, store = here.user(), here.user(), here.core.store
    saved = await _saved(here, owner, await here.image("tiny:1"))
    layer = _place(here, saved)
    await store.write(users.grant, here.admin, other.caller.user, project=owner.caller.project, role=Role.MEMBER)
    own = await store.write(images.register, other.caller, Registration(path=saved.path))

    await store.write(images.remove, owner.caller, saved)
    await notebooks.drop_unused_layers(store, here.runtime)
    assert layer.is_dir()

    notebook = await here.notebook(other, own, Status.STOPPED)
    assert notebook.image == own.id
    await store.write(images.remove, other.caller, own)
    await notebooks.drop_unused_layers(store, here.runtime)
    assert layer.is_dir()  # the notebook still stands on it

    await here.release_all(other)
    await notebooks.drop_unused_layers(store, here.runtime)
    assert not layer.exists()


async def test_a_layer_stays_when_what_was_registered_is_removed(here: World) -> None:
    owner, other, store = here.user(), here.user(), here.core.store
    saved = await _saved(here, owner, await here.image("tiny:1"))
    await store.write(users.grant, here.admin, other.caller.user, project=owner.caller.project, role=Role.MEMBER)
    own = await store.write(images.register, other.caller, Registration(path=saved.path))
    await store.write(images.remove, other.caller, own)
    await notebooks.drop_unused_layers(store, here.runtime)
    assert _place(here, saved).is_dir()


def _start(tx: Write, person: Person, here: World, of: Image) -> Image:
    return images.start_save(tx, person.caller, here.core.site, of=of, notebook=1, notebook_name="saved", host=HOST)


async def _saved(here: World, person: Person, of: Image) -> Image:
    store = here.core.store
    made = await store.write(_start, person, here, of)
    place = _place(here, made)
    place.mkdir(parents=True)
    await store.write(images.finish_save, made.uuid, layer=place, size=1, digest=f"sha256:{'0' * 64}")
    return await store.read(images.get, person.caller, made.id)


def _place(here: World, image: Image) -> Path:
    return here.runtime._data / "saved" / image.uuid.hex
