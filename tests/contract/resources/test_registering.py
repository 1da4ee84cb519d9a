"""Images that a project registers: they share what they are made of, and outlive what they were registered from."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSoon
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.builders import HOST, Place, environment_found
from trivium.base.caller import Caller, Role
from trivium.base.clock import ManualClock
from trivium.base.errors import Forbidden, Invalid
from trivium.base.query import Order, Query
from trivium.resources import images, users
from trivium.resources.images import (
    GroupQuery,
    Image,
    ImageExists,
    ImageGroup,
    ImageNotReady,
    ImageOutOfReach,
    ImageScope,
    ImageStatus,
    NoSuchImage,
    NoSuchImageGroup,
    Origin,
    Purpose,
    Registration,
    Visibility,
)
from trivium.resources.tags import Tag, TooManyTags
from trivium.store import Write


def register(here: Place, caller: Caller, of: Image, **told: Any) -> Image:
    return here.store.write_now(images.register, caller, Registration(path=of.path, **told))


def saved(here: Place, caller: Caller, of: Image, layer: Path = Path("/saved/layer")) -> Image:
    asked = {"of": of, "notebook": 1, "notebook_name": "mine", "host": HOST}
    saving = here.store.write_now(images.start_save, caller, here.site, **asked)
    here.store.write_now(images.finish_save, saving.uuid, layer=layer, size=10, digest="sha256:x")
    return here.store.read_now(images.get, caller, saving.id)


def grant(here: Place, caller: Caller, project: int) -> None:
    here.store.write_now(users.grant, here.admin, caller.user, project=project, role=Role.MEMBER)


def listed(here: Place, caller: Caller, scope: ImageScope = ImageScope.VISIBLE) -> list[int]:
    found = here.store.search_now(images.list_images, caller, Query(order=(Order("id"),)), scope=scope)
    assert found.total == len(found.rows)
    return [image.id for image in found.rows]


def groups(here: Place, caller: Caller, **asked: Any) -> list[ImageGroup]:
    found = here.store.search_now(images.list_groups, caller, GroupQuery(**asked))
    assert found.total == len(found.rows)
    return list(found.rows)


def group_of(here: Place, caller: Caller, image: Image) -> ImageGroup:
    return next(group for group in groups(here, caller) if group.id == image.group)


def test_a_project_has_an_operators_image_as_its_own_with_what_it_says_of_it(here: Place) -> None:
    base, alice, bob = here.image("base:1.0", "npu"), here.user("alice"), here.user("bob")
    own = register(
        here,
        alice,
        base,
        description="ours",
        purpose=Purpose.TRAINING,
        suits=("cpu", "npu"),
        chip="a",
        tags=(Tag("k"),),
    )
    assert (own.path, own.version, own.namespace) == (base.path, base.version, base.namespace)
    assert (own.environment, own.digest, own.size, own.command) == (
        base.environment,
        base.digest,
        base.size,
        base.command,
    )
    assert (own.project, own.preset, own.registered, own.visibility) == (alice.project, False, True, Visibility.PRIVATE)
    assert (own.description, own.purpose, own.suits, own.chip) == ("ours", Purpose.TRAINING, ("cpu", "npu"), "a")
    assert (own.status, own.origin) == (ImageStatus.ACTIVE, Origin.BUILT)
    assert here.store.read_now(images.tags_of_groups, [own.group or 0])[own.group or 0] == [Tag("k")]
    assert listed(here, alice) == [base.id, own.id]
    assert listed(here, alice, ImageScope.PROJECT) == [own.id]
    assert listed(here, bob) == [base.id]
    with pytest.raises(NoSuchImage):
        here.store.read_now(images.by_uuid, bob, own.uuid)


def test_a_path_is_one_of_a_project_once(here: Place) -> None:
    base, alice, bob = here.image(), here.user("alice"), here.user("bob")
    first = register(here, alice, base)
    with pytest.raises(ImageExists):
        register(here, alice, base)
    register(here, bob, base)
    here.store.write_now(images.remove, alice, first)
    assert register(here, alice, base).id != first.id
    own = saved(here, alice, base)
    with pytest.raises(ImageExists):
        register(here, alice, own)
    with pytest.raises(ImageExists):
        register(here, here.admin, base)


def test_of_several_who_register_a_path_at_once_one_does(here: Place) -> None:
    base, alice = here.image(), here.user("alice")

    def one(_number: int) -> bool:
        try:
            register(here, alice, base)
        except ImageExists:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(one, range(8))) == 1
    assert [group.versions for group in groups(here, alice, preset=False)] == [1]


def test_what_one_may_not_use_is_out_of_reach(here: Place) -> None:
    base, alice, bob = here.image(), here.user("alice"), here.user("bob")
    theirs = saved(here, bob, base)
    for path in (theirs.path, "swr.example.com/team/nothing:1", ""):
        with pytest.raises(ImageOutOfReach):
            here.store.write_now(images.register, alice, Registration(path=path))
    grant(here, alice, bob.project)
    assert register(here, alice, theirs).layers == theirs.layers


def test_an_image_that_is_not_there_yet_is_not_registered(here: Place) -> None:
    base, alice, bob = here.image(), here.user("alice"), here.user("bob")
    asked = {"of": base, "notebook": 1, "notebook_name": "mine", "host": HOST}
    saving = here.store.write_now(images.start_save, bob, here.site, **asked)
    grant(here, alice, bob.project)
    with pytest.raises(ImageNotReady):
        register(here, alice, saving)


@pytest.mark.parametrize("told", [{"description": "x" * 513}, {"read_me": "x" * 30_001}, {"tags": (Tag(""),)}])
def test_what_is_senseless_is_refused_and_leaves_nothing(here: Place, told: dict[str, Any]) -> None:
    base, alice = here.image(), here.user("alice")
    with pytest.raises(Invalid):
        register(here, alice, base, **told)
    assert listed(here, alice) == [base.id]
    assert [group.id for group in groups(here, alice)] == [base.group]


def test_a_path_leads_to_the_image_that_has_it_and_then_to_the_projects_own(here: Place) -> None:
    base, alice, bob = here.image(), here.user("alice"), here.user("bob")
    own = register(here, alice, base)
    assert here.store.read_now(images.by_path, alice, base.path).id == base.id
    assert here.store.read_now(images.chosen, alice, path=base.path, uuid=own.uuid).id == own.id
    here.store.write_now(images.remove, here.admin, base)
    assert here.store.read_now(images.by_path, alice, base.path).id == own.id
    with pytest.raises(NoSuchImage):
        here.store.read_now(images.by_path, bob, base.path)
    again = here.image("base:1.0")
    assert again.path == own.path
    assert here.store.read_now(images.by_path, alice, base.path).id == again.id
    asked = {"of": own, "notebook": 1, "notebook_name": "mine", "host": HOST}
    here.store.write_now(images.remove, here.admin, again)
    as_ = images.SaveAs(namespace="x", name="y", tag="1")
    assert here.store.write_now(images.start_save, alice, here.site, **asked, as_=as_).environment == own.environment


def test_what_a_project_registered_is_no_path_for_what_it_saves(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    as_ = images.SaveAs(namespace="team", name="mine", tag="1")
    asked = {"of": here.image(), "notebook": 1, "notebook_name": "", "host": HOST, "as_": as_}
    theirs = here.store.write_now(images.start_save, bob, here.site, **asked)
    here.store.write_now(images.finish_save, theirs.uuid, layer=Path("/saved/layer"), size=1, digest="sha256:x")
    grant(here, alice, bob.project)
    own = register(here, alice, theirs)
    here.store.write_now(images.remove, bob, theirs)
    with pytest.raises(ImageExists):
        here.store.write_now(images.start_save, alice, here.site, **asked)
    carl = here.user("carl")
    grant(here, carl, alice.project)
    third = register(here, carl, own)  # of what is left under the path
    assert third.layers == own.layers == (Path("/saved/layer"),)


def test_a_shared_one_is_found_by_its_id_and_by_nothing_else(here: Place) -> None:
    base, alice, bob = here.image(), here.user("alice"), here.user("bob")
    own = register(here, alice, base, visibility=Visibility.SHARED)
    assert here.store.read_now(images.by_uuid, bob, own.uuid).id == own.id
    assert listed(here, bob) == [base.id]
    assert [group.id for group in groups(here, bob)] == [base.group]
    with pytest.raises(Forbidden):
        here.store.write_now(images.remove, bob, own)
    here.store.write_now(images.remove, alice, own)
    with pytest.raises(NoSuchImage):
        here.store.read_now(images.by_uuid, bob, own.uuid)


def test_nobody_removes_an_image_while_it_is_registered(here: Place) -> None:
    """A layer whose last image was removed is dropped; so a removal waits until the other image is there."""
    base, alice, bob = here.image(), here.user("alice"), here.user("bob")
    theirs = saved(here, bob, base)
    grant(here, alice, bob.project)
    with ThreadPoolExecutor(1) as threads:
        removals: list[Future[None]] = []

        def during(tx: Write) -> Image:
            made = images.register(tx, alice, Registration(path=theirs.path))
            removals.append(threads.submit(here.store.write_now, images.remove, bob, theirs))
            with pytest.raises(TooSoon):
                removals[0].result(timeout=0.3)
            return made

        own = here.store.write_now(during)
        removals[0].result()
    assert listed(here, alice, ImageScope.PROJECT) == [own.id]
    (use,) = [one for one in here.store.search_now(images.uses_of, ["layer"]) if not one.is_removed]
    assert use.image == own.id


def test_an_upgraded_environment_is_taken_by_what_was_registered_too(here: Place) -> None:
    base, alice = here.image(), here.user("alice")
    own = register(here, alice, base)
    found = environment_found()
    here.store.write_now(images.adopt, base, found)
    after = here.store.read_now(images.get, alice, own.id)
    assert (after.digest, after.environment_digest, after.fingerprint) == (
        found.digest,
        found.digest,
        found.fingerprint,
    )


def test_images_of_a_name_are_a_group_of_each_project(here: Place) -> None:
    first, second = here.image("base:1.0"), here.image("base:2.0")
    alice = here.user("alice")
    own = register(here, alice, second, description="ours", read_me="# Use it")
    mine, theirs = group_of(here, alice, own), group_of(here, alice, first)
    assert len(groups(here, alice)) == 2
    assert (mine.id, mine.name, mine.namespace, mine.versions) == (own.group, "base", "admin", 1)
    assert (mine.read_me, mine.description) == ("# Use it", "ours")
    assert (theirs.id, theirs.versions, theirs.read_me) == (first.group, 2, "")
    assert [group.id for group in groups(here, alice, preset=True)] == [first.group]
    assert [group.id for group in groups(here, alice, workspace=7)] == []
    assert second.group == first.group


def test_a_group_is_described_and_goes_with_its_last_image(here: Place) -> None:
    base, alice = here.image(), here.user("alice")
    own = register(here, alice, base, read_me="first", tags=(Tag("a"), Tag("b")))
    group = group_of(here, alice, own)
    here.store.write_now(images.update_group, alice, group.uuid, read_me=None, given=[Tag("c", "d")])
    assert group_of(here, alice, own).read_me == "first"
    before = here.store.read_now(images.get, alice, own.id).changed_at
    assert isinstance(here.clock, ManualClock)
    here.clock.move(timedelta(hours=1))
    here.store.write_now(images.update_group, alice, group.uuid, read_me="second")
    assert group_of(here, alice, own).read_me == "second"
    assert group_of(here, alice, own).changed_at == before + timedelta(hours=1)
    assert here.store.read_now(images.tags_of_groups, [group.id])[group.id] == [Tag("c", "d")]
    many = [Tag(f"k{number}") for number in range(21)]
    with pytest.raises(TooManyTags):
        here.store.write_now(images.update_group, alice, group.uuid, read_me="third", given=many)
    assert group_of(here, alice, own).read_me == "second"  # nothing of it
    here.store.write_now(images.remove, alice, own)
    with pytest.raises(NoSuchImageGroup):
        here.store.write_now(images.update_group, alice, group.uuid, read_me="")
    again = group_of(here, alice, register(here, alice, base))
    assert (again.uuid == group.uuid, again.read_me) == (False, "")
    assert here.store.read_now(images.tags_of_groups, [group.id, again.id]) == {group.id: [], again.id: []}


def test_only_its_project_and_administrators_change_a_group(here: Place) -> None:
    base, alice, bob = here.image(), here.user("alice"), here.user("bob")
    own = group_of(here, alice, register(here, alice, base))
    operators = group_of(here, alice, base)

    def describe(tx: Write, caller: Caller, group: UUID) -> None:
        images.update_group(tx, caller, group, read_me="x")

    for change in (images.remove_group, describe):
        with pytest.raises(Forbidden):
            here.store.write_now(change, alice, operators.uuid)
        with pytest.raises(NoSuchImageGroup):
            here.store.write_now(change, bob, own.uuid)
    here.store.write_now(images.update_group, here.admin, operators.uuid, read_me="x")
    assert group_of(here, alice, base).read_me == "x"


def test_a_group_is_removed_whole_or_not_at_all(here: Place) -> None:
    base, alice = here.image(), here.user("alice")
    as_ = [images.SaveAs(namespace="admin", name="base", tag=tag) for tag in ("8", "9")]
    asked = {"of": base, "notebook": 1, "notebook_name": "", "host": HOST}
    mine = [here.store.write_now(images.start_save, alice, here.site, **asked, as_=one) for one in as_]
    group = group_of(here, alice, mine[0])
    assert group.versions == 2
    here.store.write_now(images.remove_group, alice, group.uuid)
    assert listed(here, alice) == [base.id]
    with pytest.raises(NoSuchImageGroup):
        here.store.write_now(images.remove_group, alice, group.uuid)

    grant(here, alice, here.admin.project)
    member = Caller(user=alice.user, user_name="alice", project=here.admin.project, role=Role.MEMBER)
    third = here.store.write_now(images.start_save, member, here.site, **asked, as_=as_[0])
    assert third.group == base.group
    with pytest.raises(Forbidden):  # one of them is the operator's
        here.store.write_now(images.remove_group, member, group_of(here, member, third).uuid)
    assert listed(here, member) == [base.id, third.id]
