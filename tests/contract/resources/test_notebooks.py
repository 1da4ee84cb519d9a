"""Notebooks as callers ask for them: what is refused, what is promised, and what is written down."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.builders import CAPABLE, HOST, Place, cards, free_of
from trivium.base.caller import Caller
from trivium.base.query import Condition, Listed, Offset, Op, Query, Stamp
from trivium.base.units import GIB
from trivium.resources import events, notebooks, operations, users
from trivium.resources.images import NoSuchImage
from trivium.resources.nodes import NoCapacity
from trivium.resources.notebooks import (
    NoFlavor,
    NoSuchNotebook,
    Notebook,
    NotebookSpec,
    NotReleasable,
    NotStartable,
    NotStoppable,
    Status,
    UserNotSeparable,
)
from trivium.store import Write


@pytest.fixture
def alice(here: Place) -> Caller:
    """A user, on a machine with room."""
    here.node(cores=64, memory=512 * GIB, cards=cards("dcu", 8))
    return here.user("alice")


def test_a_new_notebook_is_being_created_and_holds_what_it_needs(here: Place, alice: Caller) -> None:
    made = here.notebook(alice, here.image(), "first", kind="dcu", count=3)
    assert made.status is Status.CREATING
    assert made.generation == 1
    assert made.resources.count == 3
    assert free_of(here, "dcu").free == 5
    assert here.store.read_now(notebooks.get, alice, made.id) == made
    operation = here.store.read_now(operations.get, alice, made.operation)
    assert operation.target == made.id
    assert [event.action for event in here.store.read_now(events.latest, "notebook")] == ["notebook.create"]


def test_without_a_name_it_is_named_after_the_time(here: Place, alice: Caller) -> None:
    made = here.notebook(alice, here.image())
    assert made.name.startswith("261121093000")
    assert len(made.name) == 16
    assert made.name.isdigit()


def test_what_does_not_fit_is_refused_whole(here: Place, alice: Caller) -> None:
    image = here.image()
    with pytest.raises(NoCapacity):
        here.notebook(alice, image, kind="dcu", count=9)
    assert here.store.search_now(notebooks.list_notebooks, alice, Query()).total == 0
    assert here.store.read_now(events.latest, "notebook") == []


def test_unknown_images_pools_and_kinds_are_refused(here: Place, alice: Caller) -> None:
    image = here.image()
    with pytest.raises(NoFlavor):
        here.notebook(alice, image, kind="npu")
    spec = NotebookSpec(image_path="registry.test/none:1", kind="cpu", count=1)
    with pytest.raises(NoSuchImage):
        here.store.write_now(notebooks.create, alice, here.site, spec=spec, hosts={HOST: CAPABLE})


def test_who_was_ended_since_they_were_let_in_gets_no_notebook(here: Place, alice: Caller) -> None:
    image = here.image()
    here.store.write_now(users.freeze, here.admin, alice.user)
    with pytest.raises(users.AccountFrozen):
        here.notebook(alice, image)
    here.store.write_now(users.disable, here.admin, alice.user)
    with pytest.raises(users.UserDisabled):
        here.notebook(alice, image)
    here.store.write_now(users.delete, here.admin, alice.user)
    with pytest.raises(users.UserGone):
        here.notebook(alice, image)
    assert free_of(here, "dcu").free == 8


def test_a_user_is_not_deleted_while_a_notebook_of_theirs_is_made(here: Place, alice: Caller) -> None:
    image, kept, made = here.image(), threading.Event(), threading.Event()

    def make(tx: Write) -> Notebook:
        users.lock_active(tx, alice.user)
        kept.set()
        made.wait(0.2)  # a deletion that did not wait would be over by then
        spec = NotebookSpec(image_path=image.path, kind="cpu", count=1)
        return notebooks.create(tx, alice, here.site, spec=spec, hosts={HOST: CAPABLE})

    def delete() -> None:
        kept.wait(5)
        holdings = (notebooks.NotebookHoldings(),)
        with pytest.raises(users.UserHolds):
            here.store.write_now(users.delete, here.admin, alice.user, holdings=holdings)
        made.set()

    with ThreadPoolExecutor(2) as threads:
        making, deleting = threads.submit(here.store.write_now, make), threads.submit(delete)
        assert making.result().owner == alice.user
        deleting.result()


def test_another_project_sees_nothing_of_it(here: Place, alice: Caller) -> None:
    made = here.notebook(alice, here.image())
    bob = here.user("bob")
    for ask in (notebooks.start, notebooks.stop, notebooks.release):
        with pytest.raises(NoSuchNotebook):
            here.store.write_now(ask, bob, made.id)
    with pytest.raises(NoSuchNotebook):
        here.store.read_now(notebooks.get, bob, made.id)
    assert here.store.search_now(notebooks.list_notebooks, bob, Query()).total == 0


def test_nothing_can_be_asked_of_a_notebook_that_is_being_created(here: Place, alice: Caller) -> None:
    made = here.notebook(alice, here.image())
    with pytest.raises(NotStartable):
        here.store.write_now(notebooks.start, alice, made.id)
    with pytest.raises(NotStoppable):
        here.store.write_now(notebooks.stop, alice, made.id)
    with pytest.raises(NotReleasable):
        here.store.write_now(notebooks.release, alice, made.id)


def test_a_rename_is_seen_and_found(here: Place, alice: Caller) -> None:
    made = here.notebook(alice, here.image(), "before")
    here.store.write_now(notebooks.rename, alice, made.id, name=" 实验 One ")
    query = Query(where=(Condition(field="name", op=Op.CONTAINS, value="验 on"),))
    found = here.store.search_now(notebooks.list_notebooks, alice, query)
    assert [notebook.name for notebook in found.rows] == ["实验 One"]


def test_a_page_knows_its_total_and_its_rows_revisions(here: Place, alice: Caller) -> None:
    image = here.image()
    made = [here.notebook(alice, image, f"n{number}", kind="dcu") for number in range(5)]
    asked = Query(page=Offset(limit=2, offset=1))

    def stamps() -> Listed[Stamp]:
        return here.store.search_now(notebooks.list_stamps, alice, asked)

    before = stamps()
    assert [stamp.id for stamp in before.rows] == [made[3].id, made[2].id]
    assert before.total == 5
    here.store.write_now(notebooks.rename, alice, made[3].id, name="other")
    after = stamps()
    assert after.rows[0].revision > before.rows[0].revision
    assert after.rows[1] == before.rows[1]
    there = here.store.read_now(notebooks.by_ids, alice, [stamp.id for stamp in after.rows])
    assert [there[stamp.id].name for stamp in after.rows] == ["other", "n2"]
    assert here.store.read_now(notebooks.by_ids, here.user("bob"), [made[0].id]) == {}


def test_without_uids_of_their_own_a_second_user_is_refused(here: Place, alice: Caller) -> None:
    image = here.image()
    here.notebook(alice, image)
    shared = CAPABLE.__class__(
        runtime="process",
        uid_per_user=False,
        mount_namespace=False,
        cpu=CAPABLE.cpu,
        memory=CAPABLE.memory,
        processes=CAPABLE.processes,
        disk=CAPABLE.disk,
        shared_uid=False,
    )
    spec = NotebookSpec(image_path=image.path, kind="cpu", count=1)
    bob = here.user("bob")
    with pytest.raises(UserNotSeparable):
        here.store.write_now(notebooks.create, bob, here.site, spec=spec, hosts={HOST: shared})
    assert here.store.write_now(notebooks.create, alice, here.site, spec=spec, hosts={HOST: shared})


def test_fifty_creations_of_two_users_hold_each_card_once(here: Place, alice: Caller) -> None:
    bob = here.user("bob")
    image = here.image()

    def one(number: int) -> Notebook | None:
        try:
            return here.notebook((alice, bob)[number % 2], image, f"n{number}", kind="dcu")
        except NoCapacity:
            return None

    with ThreadPoolExecutor(16) as pool:
        made = [notebook for notebook in pool.map(one, range(50)) if notebook is not None]
    assert len(made) == 8
    assert len({notebook.id for notebook in made}) == 8
    assert free_of(here, "dcu").free == 0
    seen = [here.store.search_now(notebooks.list_notebooks, caller, Query()) for caller in (alice, bob)]
    assert sum(page.total or 0 for page in seen) == 8
    assert all(notebook.owner == alice.user for notebook in seen[0].rows)


def test_an_administrator_lists_all_projects_notebooks_and_others_their_own(here: Place, alice: Caller) -> None:
    bob = here.user("bob")
    image = here.image()
    made = [here.notebook(user, image) for user in (alice, bob, bob)]

    def ids(caller: Caller, *where: Condition) -> list[int]:
        found = here.store.read_now(notebooks.list_all_stamps, caller, Query(where=where))
        assert found.total == len(found.rows)
        loaded = here.store.read_now(notebooks.all_by_ids, caller, [stamp.id for stamp in found.rows])
        return [loaded[stamp.id].id for stamp in found.rows]

    assert ids(here.admin) == [made[2].id, made[1].id, made[0].id]
    assert ids(alice) == [made[0].id]
    assert ids(here.admin, Condition(field="status", op=Op.EQ, value="stopped")) == []
    assert ids(here.admin, Condition(field="owner.name", op=Op.CONTAINS, value="BO")) == [made[2].id, made[1].id]
