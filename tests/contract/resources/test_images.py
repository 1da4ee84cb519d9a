"""Images: named, found, seen by whom they are for, saved, and still what was added."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from tests.builders import HOST, Place, environment_found
from trivium.base.caller import Caller
from trivium.base.errors import Forbidden, Invalid
from trivium.base.query import Condition, Op, Query
from trivium.base.reasons import Reason
from trivium.resources import images
from trivium.resources.images import Image, ImageExists, ImageScope, ImageStatus, NoSuchImage, Visibility


def _add(here: Place, caller: Caller, version: str, accelerator: str = "cpu") -> Image:
    return here.store.write_now(
        images.add,
        caller,
        here.site,
        version=version,
        accelerator=accelerator,
        environment=Path("/opt/env"),
        found=environment_found(),
    )


def _save(here: Place, caller: Caller, of: Image, name: str = "My Notebook 一") -> Image:
    return here.store.write_now(images.start_save, caller, here.site, of=of, notebook=1, notebook_name=name, host=HOST)


def test_an_image_has_a_path_in_registry_form(here: Place) -> None:
    image = _add(here, here.admin, "jupyterlab-pytorch:2.5.1", "dcu")
    assert image.path == "registry.test/dcu/admin/base/jupyterlab-pytorch:2.5.1"
    assert image.version == "jupyterlab-pytorch:2.5.1"
    assert image.visibility is Visibility.PUBLIC
    assert here.store.read_now(images.by_path, here.user("bob"), image.path) == image


@pytest.mark.parametrize("version", ["", "noname", ":tag", "name:", "Name:1", "a b:1", "a:b c", "a/b:1", "名:1"])
def test_a_senseless_name_is_refused(here: Place, version: str) -> None:
    with pytest.raises(Invalid) as refused:
        _add(here, here.admin, version)
    assert refused.value.field == "version"


def test_only_administrators_add_and_no_path_stands_twice(here: Place) -> None:
    with pytest.raises(Forbidden):
        _add(here, here.user("bob"), "a:1")
    first = _add(here, here.admin, "a:1")
    with pytest.raises(ImageExists):
        _add(here, here.admin, "a:1")
    here.store.write_now(images.remove, here.admin, first)
    with pytest.raises(NoSuchImage):
        here.store.read_now(images.get, here.admin, first.id)
    assert _add(here, here.admin, "a:1").id != first.id


def test_a_saved_image_is_its_projects_own_and_usable_once_it_is_saved(here: Place) -> None:
    base = _add(here, here.admin, "base:1")
    alice, bob = here.user("alice"), here.user("bob")
    saving = _save(here, alice, base)
    assert saving.status is ImageStatus.SAVING
    assert saving.version.startswith("my-notebook:")
    assert saving.visibility is Visibility.PRIVATE
    here.store.write_now(images.finish_save, saving.uuid, layer=Path("/saved/x"), size=10, digest="sha256:x")
    saved = here.store.read_now(images.get, alice, saving.id)
    assert saved.status is ImageStatus.ACTIVE
    assert saved.layers == (Path("/saved/x"),)
    assert saved.size == base.size + 10
    with pytest.raises(NoSuchImage):
        here.store.read_now(images.get, bob, saving.id)
    here.store.write_now(images.finish_save, saving.uuid, reason=Reason(code="image.save_failed"))
    assert here.store.read_now(images.get, alice, saving.id) == saved


def test_a_save_that_failed_says_why(here: Place) -> None:
    alice = here.user("alice")
    saving = _save(here, alice, _add(here, here.admin, "base:1"))
    reason = Reason(code="image.save_failed", details={"detail": "no space"})
    here.store.write_now(images.finish_save, saving.uuid, reason=reason)
    failed = here.store.read_now(images.get, alice, saving.id)
    assert failed.status is ImageStatus.FAILED
    assert failed.reason == reason


def test_a_save_of_what_was_saved_lies_on_both_layers(here: Place) -> None:
    alice = here.user("alice")
    image = _add(here, here.admin, "base:1")
    for layer in ("/saved/a", "/saved/b"):
        saving = _save(here, alice, image)
        here.store.write_now(images.finish_save, saving.uuid, layer=Path(layer), size=1, digest="sha256:y")
        image = here.store.read_now(images.get, alice, saving.id)
    assert image.layers == (Path("/saved/a"), Path("/saved/b"))


def test_lists_are_of_what_one_may_see(here: Place) -> None:
    base = _add(here, here.admin, "base:1", "dcu")
    _add(here, here.admin, "other:1")
    alice = here.user("alice")
    _save(here, alice, base)
    seen = here.store.search_now(images.list_images, alice, Query())
    assert seen.total == 3
    bob = here.user("bob")
    for caller, scope, total in (
        (alice, ImageScope.PUBLIC, 2),
        (alice, ImageScope.PROJECT, 1),
        (bob, ImageScope.VISIBLE, 2),
        (bob, ImageScope.PUBLIC, 2),
        (bob, ImageScope.PROJECT, 0),
    ):
        found = here.store.search_now(images.list_images, caller, Query(), scope=scope)
        assert (len(found.rows), found.total) == (total, total)
    cards = Condition(field="accelerator", op=Op.EQ, value="dcu")
    assert here.store.search_now(images.list_images, here.user("carl"), Query(where=(cards,))).total == 1


def test_an_upgraded_environment_is_taken_as_it_is_by_all_that_lies_on_it(here: Place) -> None:
    base = _add(here, here.admin, "base:1")
    alice = here.user("alice")
    saved = _save(here, alice, base)
    now_there = environment_found()
    here.store.write_now(images.adopt, base, now_there)
    assert here.store.read_now(images.get, alice, base.id).digest == now_there.digest
    after = here.store.read_now(images.get, alice, saved.id)
    assert after.environment_digest == now_there.digest
    assert after.digest == saved.digest


def test_nothing_is_finished_for_a_save_that_nobody_started(here: Place) -> None:
    here.store.write_now(images.finish_save, uuid4(), layer=Path("/x"))
    assert here.store.read_now(images.everywhere) == []
