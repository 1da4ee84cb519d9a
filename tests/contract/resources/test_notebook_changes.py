"""What can be changed of a notebook and when, and the one free notebook of a user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import pytest_asyncio

from tests.builders import HOST, Place, cards, free_of
from tests.worlds import World, world
from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.units import GIB
from trivium.resources import events, images, nodes, notebooks, tags
from trivium.resources.images import Image, ImageNotReady, NoSuchImage, Registration, SaveAs
from trivium.resources.nodes import NoCapacity
from trivium.resources.notebooks import (
    BadName,
    Feature,
    FreeTaken,
    ImageElsewhere,
    NoFlavor,
    NoSuchNotebook,
    Notebook,
    NotebookChange,
    NotStopped,
    Status,
    Volume,
    VolumeKind,
    VolumeShrinks,
    outcomes,
)
from trivium.resources.tags import Tag, TooManyTags
from trivium.store import Write


@pytest.fixture
def alice(here: Place) -> Caller:
    """A user, on a machine with room."""
    here.node(cores=64, memory=512 * GIB, cards=cards("dcu", 8))
    return here.user("alice")


def stopped(here: Place, caller: Caller, **asked: Any) -> Notebook:
    """A notebook of which nothing runs."""
    made = here.notebook(caller, here.image(f"base:{here.store.write_now(lambda tx: tx.ids.next())}"), **asked)
    here.store.write_now(outcomes.note_fault, made)
    return here.store.read_now(notebooks.get, caller, made.id)


def changed(here: Place, caller: Caller, notebook: int, **to: Any) -> Notebook:
    change = NotebookChange(**to)
    return here.store.write_now(notebooks.update, caller, notebook, to=change, hosts={HOST})


# ---- the free notebook ------------------------------------------------------------------------------------------


def test_a_user_has_one_free_notebook_and_another_once_it_is_released(here: Place, alice: Caller) -> None:
    first = stopped(here, alice, feature=Feature.FREE)
    assert first.feature is Feature.FREE
    with pytest.raises(FreeTaken):
        here.notebook(alice, here.image(), feature=Feature.FREE)
    assert free_of(here, "cpu").free == free_of(here, "cpu").most
    here.notebook(here.user("bob"), here.image("base:2"), feature=Feature.FREE)
    assert here.notebook(alice, here.image("base:3")).feature is Feature.ORDINARY
    here.store.write_now(notebooks.release, alice, first.id)
    here.notebook(alice, here.image("base:4"), feature=Feature.FREE)


def test_of_several_free_notebooks_asked_for_at_once_one_is_made(here: Place, alice: Caller) -> None:
    image = here.image()

    def one(_number: int) -> bool:
        try:
            here.notebook(alice, image, feature=Feature.FREE)
        except FreeTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(one, range(8))) == 1


# ---- changes at any time ----------------------------------------------------------------------------------------


def test_name_and_description_change_while_it_is_being_created(here: Place, alice: Caller) -> None:
    made = here.notebook(alice, here.image(), "before", description=" first ")
    assert made.description == "first"
    after = changed(here, alice, made.id, name="after", description="第二")
    assert (after.name, after.description) == ("after", "第二")
    assert changed(here, alice, made.id, description="").name == "after"
    told = here.store.read_now(events.latest, "notebook", target=made.id)
    assert [event.action for event in told] == ["notebook.update", "notebook.update", "notebook.create"]


def test_what_is_refused_changes_nothing(here: Place, alice: Caller) -> None:
    made = here.notebook(alice, here.image(), "before")
    with pytest.raises(BadName):
        changed(here, alice, made.id, name=" ", description="new")
    with pytest.raises(Invalid):
        changed(here, alice, made.id, name="after", description="x" * 1025)
    with pytest.raises(NotStopped):
        changed(here, alice, made.id, name="after", start_command="true")
    with pytest.raises(NoSuchNotebook):
        changed(here, here.user("bob"), made.id, name="bob's")
    assert here.store.read_now(notebooks.get, alice, made.id) == made


def test_a_volume_only_grows(here: Place, alice: Caller) -> None:
    made = here.notebook(alice, here.image(), volume=Volume(VolumeKind.FILE, 50 * GIB))
    assert changed(here, alice, made.id, volume_capacity=60 * GIB).volume == Volume(VolumeKind.FILE, 60 * GIB)
    with pytest.raises(VolumeShrinks) as caught:
        changed(here, alice, made.id, volume_capacity=59 * GIB)
    assert caught.value.details["capacity"] == 60 * GIB
    for capacity in (0, -1, 1 << 61):
        with pytest.raises(Invalid):
            changed(here, alice, made.id, volume_capacity=capacity)


# ---- changes of what is stopped ---------------------------------------------------------------------------------


def test_a_stopped_notebook_is_resized_for_its_next_start(here: Place, alice: Caller) -> None:
    made = stopped(here, alice, kind="dcu", count=2)
    after = changed(here, alice, made.id, count=5)
    assert (after.resources.count, after.flavor) == (5, "dcu.5u")
    assert after.resources.memory == made.resources.memory // 2 * 5
    here.store.write_now(notebooks.start, alice, made.id)
    assert free_of(here, "dcu").free == 3


def test_another_kind_is_of_its_flavor(here: Place, alice: Caller) -> None:
    made = stopped(here, alice, kind="dcu", count=2)
    after = changed(here, alice, made.id, kind="cpu", count=3)
    assert (after.flavor, after.pool) == ("cpu.3u", made.pool)
    with pytest.raises(NoFlavor):
        changed(here, alice, made.id, kind="npu")


def test_a_size_that_its_node_could_never_give_is_refused_and_one_that_others_hold_is_not(
    here: Place, alice: Caller
) -> None:
    made = stopped(here, alice, kind="dcu")
    here.notebook(alice, here.image("other:1"), kind="dcu", count=6)
    with pytest.raises(NoCapacity):
        changed(here, alice, made.id, count=9)
    with pytest.raises(NoCapacity):
        changed(here, alice, made.id, kind="cpu", count=1024)
    with pytest.raises(Invalid):
        changed(here, alice, made.id, count=0)
    assert changed(here, alice, made.id, count=8).resources.count == 8
    with pytest.raises(NoCapacity):
        here.store.write_now(notebooks.start, alice, made.id)


def test_another_image_must_be_there_and_usable(here: Place, alice: Caller) -> None:
    made, image = stopped(here, alice), here.image("other:1")
    after = changed(here, alice, made.id, image_path=image.path, start_command=" true ")
    assert (after.image, after.image_path, after.start_command) == (image.id, image.path, "true")
    assert changed(here, alice, made.id, start_command="").start_command is None
    assert here.store.read_now(images.get, alice, image.id).clones == 1
    with pytest.raises(NoSuchImage):
        changed(here, alice, made.id, image_path="registry.test/none:1")
    with pytest.raises(ImageNotReady):
        changed(here, alice, made.id, image_path=saving(here, alice, image).path)
    to = NotebookChange(image_path=here.image("third:1").path)
    with pytest.raises(ImageElsewhere):
        here.store.write_now(notebooks.update, alice, made.id, to=to, hosts={"another"})


def saving(here: Place, caller: Caller, of: Image) -> Image:
    def start(tx: Write) -> Image:
        as_ = SaveAs(namespace="team", name="saving", tag="1")
        return images.start_save(tx, caller, here.site, of=of, notebook=1, notebook_name="", host=HOST, as_=as_)

    return here.store.write_now(start)


# ---- tags -------------------------------------------------------------------------------------------------------


def test_of_images_with_one_path_the_one_that_was_named_is_taken(here: Place, alice: Caller) -> None:
    notebook = stopped(here, alice)
    theirs = here.store.read_now(images.get_any, notebook.image)
    own = here.store.write_now(images.register, alice, Registration(path=theirs.path))
    assert changed(here, alice, notebook.id, image_path=own.path).image == theirs.id
    assert changed(here, alice, notebook.id, image_path=own.path, image=own.uuid).image == own.id
    assert changed(here, alice, notebook.id, image_path=own.path, image=own.uuid).image == own.id
    assert here.store.read_now(images.get, alice, own.id).clones == 1


def test_tags_of_a_notebook_are_its_projects_and_go_with_it(here: Place, alice: Caller) -> None:
    made = stopped(here, alice)
    store = here.store
    given = [Tag("env", "prod"), Tag("team", "a")]
    assert store.write_now(notebooks.put_tags, alice, made.id, given=given) == given
    assert store.read_now(notebooks.get, alice, made.id).changed_at >= made.changed_at
    assert store.read_now(notebooks.tags_of, alice, made.id) == given
    assert store.read_now(notebooks.tags_of_many, [made.id]) == {made.id: given}
    assert store.search_now(notebooks.tags_by_key, alice) == {"env": ["prod"], "team": ["a"]}
    bob = here.user("bob")
    for ask in (
        lambda tx: notebooks.put_tags(tx, bob, made.id, given=given),
        lambda tx: notebooks.remove_tags(tx, bob, made.id, keys=["env"]),
        lambda tx: notebooks.tags_of(tx, bob, made.id),
    ):
        with pytest.raises(NoSuchNotebook):
            store.write_now(ask)
    assert store.search_now(notebooks.tags_by_key, bob) == {}
    with pytest.raises(TooManyTags):
        store.write_now(notebooks.put_tags, alice, made.id, given=[Tag(f"k{number}") for number in range(19)])
    store.write_now(notebooks.remove_tags, alice, made.id, keys=["env", "none"])
    assert store.read_now(notebooks.tags_of, alice, made.id) == [Tag("team", "a")]
    store.write_now(notebooks.release, alice, made.id)
    assert store.search_now(notebooks.tags_by_key, alice) == {}
    assert store.read_now(tags.of, "notebook", made.id) == []
    told = [event.action for event in store.read_now(events.latest, "notebook", target=made.id)]
    assert told[:3] == ["notebook.release", "notebook.untag", "notebook.tag"]


# ---- with a runtime ---------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def site(database_url: str) -> AsyncIterator[World]:
    """A site on each kind of database."""
    async with world(url=database_url) as made:
        yield made
        for person in made.people:
            await made.release_all(person)


async def test_a_changed_notebook_starts_with_what_it_was_changed_to(site: World) -> None:
    person = site.user()
    made = await site.notebook(person, await site.image("tiny:1"), Status.STOPPED, kind="dcu", count=1)
    other = await site.image("tiny:2")
    to = NotebookChange(image_path=other.path, count=3)
    await site.core.store.write(notebooks.update, person.caller, made.id, to=to, hosts={HOST})
    await site.core.store.write(notebooks.start, person.caller, made.id)
    again = await site.comes_to(person, made.id, Status.RUNNING)
    assert (again.image, again.generation, again.resources.count) == (other.id, 2, 3)
    held = site.core.store.read_now(nodes.held_by, made.id)
    assert held is not None
    assert len(held.indexes) == 3
