"""Datasets as a project has them: once under a name, in a store by their place, in a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests import catalogue
from tests.builders import HOST, Place, held_for_good, place
from trivium.base.caller import Caller
from trivium.base.query import Condition, Op, Query
from trivium.resources import datasets, transfers, workspaces
from trivium.resources.datasets import Dataset, DatasetChange, DatasetExists, NewDataset
from trivium.resources.models import NOWHERE
from trivium.resources.stores import NotInStores
from trivium.resources.transfers import NewImport, Way
from trivium.resources.workspaces import Audience, WorkspaceInUse


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def alice(here: Place) -> Caller:
    return here.user("alice")


def registered(here: Place, caller: Caller, name: str, *, at: str = "pets/cats", **more: Any) -> Dataset:
    new = NewDataset(name=name, url=f"obs://{at}", store=NOWHERE, **more)
    return here.store.write_now(datasets.register, caller, new, path=f"{catalogue.ROOT}/{at}")


def test_a_dataset_is_in_the_innermost_store_that_has_its_place(here: Place, alice: Caller) -> None:
    outer = catalogue.store(here, alice)
    inner = catalogue.store(here, alice, "inner", url=f"{catalogue.ROOT}/pets")
    assert registered(here, alice, "cats").store == inner.uuid
    assert registered(here, alice, "birds", at="birds/all").store == outer.uuid
    with pytest.raises(NotInStores):
        here.store.write_now(
            datasets.register, alice, NewDataset(name="x", url="obs://x", store=NOWHERE), path="/elsewhere/x"
        )


def test_a_project_has_a_name_once_whether_new_or_changed(here: Place, alice: Caller) -> None:
    catalogue.store(here, alice, public=True)
    bob = here.user("bob")
    catalogue.store(here, bob, "bobs", url=f"{catalogue.ROOT}/bob")
    cats, dogs = registered(here, alice, "cats"), registered(here, alice, "dogs")
    registered(here, bob, "cats", at="bob/cats")
    with pytest.raises(DatasetExists):
        registered(here, alice, "cats")
    with pytest.raises(DatasetExists):
        changed(here, alice, dogs.uuid, name="cats")
    assert changed(here, alice, cats.uuid, name="cats", description="again").description == "again"
    assert changed(here, alice, cats.uuid, name="lions").name == "lions"
    assert changed(here, alice, dogs.uuid, name="cats").name == "cats"


def test_a_list_of_a_project_s_own_has_nothing_of_others(here: Place, alice: Caller) -> None:
    bob = here.user("bob")
    center = catalogue.store(here, bob, public=True)
    catalogue.dataset(here, bob, center, public=True)
    cats = registered(here, alice, "cats")
    asked = Query(where=(Condition(field="name", op=Op.CONTAINS, value="CAT"),))
    found = here.store.read_now(datasets.list_own, alice, asked)
    assert ([one.uuid for one in found.rows], found.total) == ([cats.uuid], 1)
    assert here.store.read_now(datasets.list_own, alice, Query()).total == 1


def test_a_workspace_with_datasets_stays(here: Place, alice: Caller) -> None:
    catalogue.store(here, alice)
    room, other = (
        here.store.write_now(workspaces.create, alice, name=name, audience=Audience.PUBLIC)
        for name in ("room", "other")
    )
    cats = registered(here, alice, "cats", workspace=room.id)
    holdings = (datasets.DatasetHoldings(),)
    with pytest.raises(WorkspaceInUse):
        here.store.write_now(workspaces.delete, alice, room.id, holdings=holdings)
    here.store.write_now(workspaces.delete, alice, other.id, holdings=holdings)
    here.store.write_now(datasets.delete, alice, cats.uuid, users=())
    here.store.write_now(workspaces.delete, alice, room.id, holdings=holdings)


def test_what_goes_on_is_told_of_several_datasets(here: Place, alice: Caller) -> None:
    here.store.write_now(held_for_good, HOST)
    catalogue.store(here, alice)
    some = [registered(here, alice, name) for name in ("a", "b", "c")]
    new = NewImport(path="/srv/models/pets", way=Way.MANIFEST)
    begun = [here.store.write_now(transfers.begin_import, alice, one.uuid, new=new) for one in some[:2]]
    here.store.write_now(transfers.stop_import, alice, some[0].uuid, uuid=begun[0].uuid)
    found = here.store.read_now(transfers.running_of, some)
    assert {id: [one.uuid for one in going] for id, going in found.items()} == {some[1].id: [begun[1].uuid]}
    assert [list(here.store.read_now(transfers.running, one)) == [] for one in some] == [True, False, True]
    assert here.store.read_now(transfers.running_of, []) == {}


def changed(here: Place, caller: Caller, uuid: UUID, **to: Any) -> Dataset:
    return here.store.write_now(datasets.change_own, caller, uuid, to=DatasetChange(**to))
