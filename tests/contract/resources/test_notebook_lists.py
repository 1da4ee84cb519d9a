"""Lists of notebooks: what may be asked of them, and the deleted ones that are remembered for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import Place
from trivium.base.caller import Caller, Role
from trivium.base.clock import ManualClock
from trivium.base.query import After, Condition, Listed, Offset, Op, Order, Query, Scalar
from trivium.resources import notebooks, workspaces
from trivium.resources.notebooks import Feature, NoSuchNotebook, Notebook, NotebookScope, Status, outcomes
from trivium.resources.notebooks.table import COUNTED
from trivium.resources.tags import Tag
from trivium.store import Write
from trivium.store.counters import fold

DAY = timedelta(days=1)


@pytest.fixture
def alice(here: Place) -> Caller:
    """A user, on a machine with room."""
    here.node(cores=64)
    return here.user("Alice")


def found(
    here: Place,
    caller: Caller,
    *where: Condition,
    scope: NotebookScope = NotebookScope.LISTED,
    tagged: tuple[Tag, ...] = (),
    **told: Any,
) -> list[str]:
    """The names that the list has; its total and its stamps are held against them."""
    asked = Query(where=where, **{"page": Offset(limit=100), **told})
    listed: Listed[Notebook] = here.store.search_now(
        notebooks.list_notebooks, caller, asked, scope=scope, tagged=tagged
    )
    stamps = here.store.search_now(notebooks.list_stamps, caller, asked, scope=scope, tagged=tagged)
    assert [stamp.id for stamp in stamps.rows] == [row.id for row in listed.rows]
    assert listed.total == stamps.total == len(listed.rows)
    cut = Query(where=where, **{**told, "page": Offset(limit=1)})
    one = here.store.search_now(notebooks.list_notebooks, caller, cut, scope=scope, tagged=tagged)
    assert one.total == listed.total  # by counting, and not by the length of the page
    there = here.store.read_now(notebooks.by_ids, caller, [row.id for row in listed.rows], scope=scope)
    assert [there[row.id] for row in listed.rows] == list(listed.rows)
    return [row.name for row in listed.rows]


def equal(field: str, value: Scalar) -> Condition:
    return Condition(field=field, op=Op.EQ, value=value)


def holds(field: str, value: str) -> Condition:
    return Condition(field=field, op=Op.CONTAINS, value=value)


def gone(here: Place, caller: Caller, notebook: Notebook) -> None:
    """Release it, and have nothing left of it."""

    def end(tx: Write) -> None:
        outcomes.note_fault(tx, notebooks.get(tx, caller, notebook.id))
        outcomes.note_gone(tx, notebooks.release(tx, caller, notebook.id))

    here.store.write_now(end)


def test_each_filter_finds_what_it_says(here: Place, alice: Caller) -> None:
    room = here.store.write_now(workspaces.create, alice, name="research")
    image, other = here.image(), here.image("other:2")
    here.notebook(alice, image, "plain", description="Erste Übung")
    here.notebook(alice, other, "elsewhere", workspace=room.id, count=2)
    made = here.notebook(alice, image, "free", feature=Feature.FREE)
    here.notebook(here.user("bob"), image, "bob's", workspace=0)
    for where, names in (
        ([equal("feature", "free")], ["free"]),
        ([equal("feature", "ordinary")], ["elsewhere", "plain"]),
        ([equal("workspace", room.id)], ["elsewhere"]),
        ([equal("workspace", 0)], ["free", "plain"]),
        ([equal("workspace", 12345)], []),
        ([equal("workspace", room.id), equal("feature", "free")], []),
        ([equal("owner.id", alice.user)], ["free", "elsewhere", "plain"]),
        ([equal("owner.id", 1)], []),
        ([holds("owner_name", "aLiC")], ["free", "elsewhere", "plain"]),
        ([holds("pool", made.pool_name[:12].upper())], ["free", "elsewhere", "plain"]),
        ([equal("image.uuid", other.uuid)], ["elsewhere"]),
        ([holds("image_path", "OTHER:2")], ["elsewhere"]),
        ([holds("description", "üBU")], ["plain"]),
        ([equal("kind", "cpu"), equal("units", 2)], ["elsewhere"]),
        ([equal("units", 1)], ["free", "plain"]),
        ([equal("address", "192.0.2.1"), holds("name", "e")], ["free", "elsewhere"]),
        ([equal("uuid", made.uuid)], ["free"]),
        ([Condition(field="status", op=Op.IN, value=("creating", "running"))], ["free", "elsewhere", "plain"]),
        ([Condition(field="status", op=Op.IN, value=("running", "failed"))], []),
    ):
        assert found(here, alice, *where) == names, where


def test_lists_sort_by_what_they_show(here: Place, alice: Caller) -> None:
    image = here.image()
    for name in ("b", "a", "c"):
        here.notebook(alice, image, name, count=3 if name == "a" else 1)
    for field, names in (
        ("name", ["a", "b", "c"]),
        ("created_at", ["c", "a", "b"]),
        ("changed_at", ["c", "a", "b"]),
        ("id", ["b", "a", "c"]),
        ("units", ["c", "b", "a"]),
        ("status", ["c", "a", "b"]),
    ):
        assert found(here, alice, order=(Order(field=field),)) == names, field
    assert found(here, alice, order=(Order("units", descending=True), Order("name"))) == ["a", "b", "c"]


def test_lists_by_tags_have_what_has_all_of_them(here: Place, alice: Caller) -> None:
    image = here.image()
    both, one, other = (here.notebook(alice, image, name) for name in ("both", "one", "other"))
    for notebook, given in (
        (both, [Tag("env", "prod"), Tag("team", "a")]),
        (one, [Tag("env", "prod")]),
        (other, [Tag("env", "test"), Tag("team", "a")]),
    ):
        here.store.write_now(notebooks.put_tags, alice, notebook.id, given=given)
    prod, team = Tag("env", "prod"), Tag("team", "a")
    assert found(here, alice, tagged=(prod,)) == ["one", "both"]
    assert found(here, alice, tagged=(prod, team)) == ["both"]
    assert found(here, alice, tagged=(Tag("env", "a"),)) == []
    assert found(here, alice, holds("name", "o"), equal("feature", "ordinary"), tagged=(team,)) == ["other", "both"]
    statuses = Condition(field="status", op=Op.IN, value=("creating", "running"))
    assert found(here, alice, statuses, tagged=(team,)) == ["other", "both"]
    assert found(here, here.user("bob"), tagged=(prod,)) == []


def test_what_was_deleted_is_remembered_and_listed_where_it_is_asked_for(here: Place, alice: Caller) -> None:
    image = here.image()
    first, second, third = (here.notebook(alice, image, name) for name in ("first", "second", "third"))
    gone(here, alice, second)
    here.store.write_now(outcomes.note_fault, third)
    here.store.write_now(notebooks.release, alice, third.id)
    assert found(here, alice) == ["first"]
    assert found(here, alice, scope=NotebookScope.DELETED) == ["third", "second"]
    assert found(here, alice, equal("status", "deleted"), scope=NotebookScope.DELETED) == ["second"]
    assert found(here, alice, scope=NotebookScope.EVERY) == ["third", "second", "first"]
    some = Condition(field="status", op=Op.IN, value=("deleted", "creating"))
    assert found(here, alice, some, scope=NotebookScope.EVERY) == ["second", "first"]
    assert found(here, alice, holds("name", "ST"), scope=NotebookScope.EVERY) == ["first"]
    assert found(here, here.user("bob"), scope=NotebookScope.EVERY) == []
    with pytest.raises(NoSuchNotebook):
        here.store.read_now(notebooks.get, alice, second.id)
    with pytest.raises(NoSuchNotebook):
        here.store.read_now(notebooks.by_uuid, alice, second.uuid)
    assert here.store.read_now(notebooks.by_uuid, alice, first.uuid) == first


def test_what_was_deleted_long_ago_is_forgotten_with_all_that_was_counted_of_it(here: Place, alice: Caller) -> None:
    image, clock = here.image(), here.clock
    assert isinstance(clock, ManualClock)
    old, new, standing = (here.notebook(alice, image, name) for name in ("old", "new", "standing"))
    gone(here, alice, old)
    clock.move(DAY)
    gone(here, alice, new)
    assert not here.store.write_now(notebooks.purge, clock.now() - 2 * DAY)
    assert found(here, alice, scope=NotebookScope.DELETED) == ["new", "old"]
    assert not here.store.write_now(notebooks.purge, clock.now() - DAY / 2)
    assert found(here, alice, scope=NotebookScope.EVERY) == ["standing", "new"]
    here.store.write_now(fold, COUNTED)
    assert found(here, alice, scope=NotebookScope.EVERY) == ["standing", "new"]
    assert here.store.search_now(notebooks.by_status) == {Status.CREATING: 1}
    assert here.store.read_now(notebooks.get, alice, standing.id) == standing


def test_every_notebook_is_on_one_page_of_a_walk(here: Place, alice: Caller) -> None:
    image = here.image()
    made = [here.notebook(alice, image, f"n{number}") for number in range(9)]
    for notebook in made[::3]:
        gone(here, alice, notebook)
    walked: list[str] = []
    page: Offset | After = Offset(limit=2)
    while True:
        asked = Query(page=page, total=False)
        listed = here.store.search_now(notebooks.list_notebooks, alice, asked, scope=NotebookScope.EVERY)
        walked += [row.name for row in listed.rows]
        if listed.next is None:
            break
        page = After(limit=2, key=listed.next)
    assert walked == [f"n{number}" for number in reversed(range(9))]


def test_an_administrator_lists_all_projects_notebooks_also_the_deleted_ones(here: Place, alice: Caller) -> None:
    image, bob, root = here.image(), here.user("bob"), here.user("root", Role.ADMIN)
    here.notebook(alice, image, "hers")
    gone(here, bob, here.notebook(bob, image, "his"))

    def listed(caller: Caller, *where: Condition, scope: NotebookScope = NotebookScope.LISTED) -> list[str]:
        stamps = here.store.search_now(notebooks.list_all_stamps, caller, Query(where=where), scope=scope)
        ids = [stamp.id for stamp in stamps.rows]
        there = here.store.read_now(notebooks.all_by_ids, caller, ids, scope=scope)
        return [there[id].name for id in ids]

    assert listed(root) == ["hers"]
    assert listed(root, equal("status", "deleted"), scope=NotebookScope.DELETED) == ["his"]
    assert listed(alice) == ["hers"]
    assert listed(bob) == listed(alice, equal("status", "deleted"), scope=NotebookScope.DELETED) == []
    assert listed(bob, equal("status", "deleted"), scope=NotebookScope.DELETED) == ["his"]


def test_tags_that_are_asked_for_are_those_of_ones_own_project_whoever_asks(here: Place, alice: Caller) -> None:
    root, image = here.user("root", Role.ADMIN), here.image()
    for caller in (alice, root):
        made = here.notebook(caller, image, "of " + caller.user_name.lower())
        here.store.write_now(notebooks.put_tags, caller, made.id, given=[Tag("env", "prod")])
    found = here.store.search_now(notebooks.list_all_stamps, root, Query(), tagged=(Tag("env", "prod"),))
    there = here.store.read_now(notebooks.all_by_ids, root, [stamp.id for stamp in found.rows])
    assert [one.name for one in there.values()] == ["of root"]
