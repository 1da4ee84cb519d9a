"""Whatever is in the catalogue, members see their project's and what is public, and change their project's alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import insert

from tests import catalogue
from tests.builders import HOST, Place, held_for_good, place
from tests.rollback import rolled_back
from trivium.base.caller import Caller
from trivium.base.errors import Forbidden, NotFound
from trivium.base.query import AnyOf, Condition, Not, Offset, Op, Query, Related
from trivium.base.reasons import Reason
from trivium.resources import datasets, marks, models, owning, services, stores, transfers
from trivium.resources.models import reading
from trivium.resources.owning import EVERYBODY, Listing
from trivium.store import Write

LISTINGS: dict[str, Listing[Any]] = {
    "stores": stores.LISTING,
    "models": models.LISTING,
    "datasets": datasets.LISTING,
    "services": services.SERVICE_LISTING,
    "service_images": services.IMAGE_LISTING,
    "service_refs": services.REF_LISTING,
    "service_groups": services.GROUP_LISTING,
    "service_instances": services.INSTANCE_LISTING,
    "service_datasets": services.DATASET_REF_LISTING,
    "marks": marks.LISTING,
}
NEEDED: dict[str, dict[str, Any]] = {
    "stores": {"name": "x", "url": "/x", "path": "/x", "state": "connected"},
    "models": {
        "name": "x",
        "install_path": "x",
        "path": "/x/x",
        "model_id": "x",
        "version_key": "",
        "is_latest": True,
        "type": "custom",
        "status": "ready",
        "extra_gpu_memory": 0,
        "said": "[]",
    },
    "datasets": {"name": "x", "url": "/x", "system": False},
    "services": {
        "name": "x",
        "yaml": "x",
        "request_cpu": 1,
        "request_memory": 1,
        "type": "endpoint",
        "source": "other",
        "system": False,
        "install_path": "x",
        "start_command": "x",
        "distributed": False,
    },
    "service_images": {"architecture": "x86_64"},
    "service_refs": {"is_default": False},
    "service_groups": {"name": "x", "status": "running"},
    "service_instances": {"status": "running"},
    "service_datasets": {},
    "marks": {"type": "user", "kind": "model"},
}
KEYS = {
    "models": {"store_uuid": "stores"},
    "datasets": {"store_uuid": "stores"},
    "services": {"store_uuid": "stores"},
    "service_images": {"service_uuid": "services"},
    "service_refs": {"model_uuid": "models", "service_uuid": "services"},
    "service_groups": {"model_uuid": "models", "service_uuid": "services"},
    "service_instances": {"group_uuid": "service_groups"},
    "service_datasets": {"group_uuid": "service_groups", "dataset_uuid": "datasets"},
    "marks": {"thing_uuid": "models"},
}
OWNERS = some.sampled_from(["alice", "bob", "public"])
WORLDS = some.fixed_dictionaries(
    {name: some.lists(some.tuples(OWNERS, some.integers(0, 2), some.integers(0, 2)), max_size=3) for name in NEEDED}
)
World = dict[str, list[dict[str, Any]]]


@pytest.fixture
def people(database_url: str) -> Iterator[tuple[Place, Caller, Caller]]:
    """A site with two members, each in a project of their own."""
    with place(database_url) as here:
        yield here, here.user("alice"), here.user("bob")


def filled(tx: Write, wished: dict[str, list[tuple[str, int, int]]], projects: dict[str, int]) -> World:
    """Rows of every table, which refer to each other across projects as no service would let them."""
    world: World = {}
    for name, needed in NEEDED.items():  # what is referred to first
        table = LISTINGS[name].resource.table
        world[name] = []
        for number, (owner, *picks) in enumerate(wished[name]):
            row = {"id": tx.ids.next(), "uuid": uuid4(), **needed, "created_at": tx.now, "changed_at": tx.now}
            row["project_id"] = projects["bob" if owner == "public" else owner]
            row["audience"] = EVERYBODY if owner == "public" else projects[owner]
            for (key, target), pick in zip(KEYS.get(name, {}).items(), picks, strict=False):
                row[key] = world[target][pick]["uuid"] if pick < len(world[target]) else uuid4()
            if name == "marks":
                row["tag"] = str(number)
            if name in ("service_refs", "service_datasets") and any(
                _is_same(row, other, name) for other in world[name]
            ):
                continue
            tx.run(insert(table).values(owning.folded_values(table, row)))
            world[name].append(row)
    return world


def _is_same(row: dict[str, Any], other: dict[str, Any], name: str) -> bool:
    return all(row[key] == other[key] for key in KEYS[name])


def is_seen(row: dict[str, Any], caller: Caller) -> bool:
    return caller.is_admin or row["audience"] in (EVERYBODY, caller.project)


def related(world: World, caller: Caller, name: str, *, row: dict[str, Any], relation: str) -> bool:
    """Whether the row has a related one that the caller sees."""
    resource = LISTINGS[name].resource
    hop = resource.relations[relation]
    target = hop.target().table.name
    mine = row.get(hop.local.key)
    of_type = {"user_tags": "user", "system_tags": "system"}.get(relation)
    return mine is not None and any(
        each[hop.remote.key] == mine and is_seen(each, caller) and of_type in (None, each.get("type"))
        for each in world[target]
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wished=WORLDS)
def test_lists_and_relations_show_what_the_caller_may_see(
    people: tuple[Place, Caller, Caller], wished: dict[str, list[tuple[str, int, int]]]
) -> None:
    here, alice, bob = people

    def look(tx: Write) -> None:
        world = filled(tx, wished, {"alice": alice.project, "bob": bob.project})
        for caller in (alice, bob, here.admin):
            for name, rows in world.items():
                check(tx, caller, world, name=name, rows=rows)

    rolled_back(here.store, look)


def check(tx: Write, caller: Caller, world: World, *, name: str, rows: list[dict[str, Any]]) -> None:
    listing = LISTINGS[name]
    seen = {row["uuid"] for row in rows if is_seen(row, caller)}
    everything = Query(page=Offset(limit=100))
    assert {one.uuid for one in listing.page(tx, caller, everything).rows} == seen
    assert listing.count(tx, caller, Query()) == len(seen)
    assert {row["uuid"] for row in rows if listing.find(tx, caller, row["uuid"])} == seen
    key = listing.resource.table.c.uuid
    by = listing.by(tx, caller, key, values=[row["uuid"] for row in rows])
    assert {uuid for uuid, found in by.items() if found} == seen
    for relation, hop in listing.resource.relations.items():
        expected = {
            row["uuid"]
            for row in rows
            if row["uuid"] in seen and related(world, caller, name, row=row, relation=relation)
        }
        there = Condition(field="id", op=Op.GT, value=0)
        one_by_one = Condition(field=f"{relation}.id", op=Op.GT, value=0)
        plain = Query(where=(one_by_one,), page=Offset(limit=100))
        nested = Query(tree=Related(path=relation, part=there), page=Offset(limit=100))
        either = Query(tree=AnyOf(parts=(one_by_one,)), page=Offset(limit=100))
        found = [{one.uuid for one in listing.page(tx, caller, asked).rows} for asked in (plain, nested, either)]
        assert found == [expected] * 3, (name, relation)
        none = Query(tree=Not(part=one_by_one), page=Offset(limit=100))
        assert {one.uuid for one in listing.page(tx, caller, none).rows} == seen - expected
        target = hop.target().table.name
        uuids = tuple(row["uuid"] for row in world[target])
        if uuids and hop.local.key == "uuid":
            named = Query(where=(Condition(field=f"{relation}.uuid", op=Op.IN, value=uuids),), page=Offset(limit=100))
            assert {one.uuid for one in listing.page(tx, caller, named).rows} == expected


def test_nobody_changes_what_is_anothers(people: tuple[Place, Caller, Caller]) -> None:
    """What is private is not found, what is public is not theirs; and nothing has changed after all of it."""
    here, alice, bob = people
    for public in (False, True):
        place = catalogue.store(here, alice, public=public)
        model = catalogue.model(here, alice, place, public=public).uuid
        service = catalogue.service(here, alice, place, public=public).uuid
        dataset = catalogue.dataset(here, alice, place, public=public).uuid
        thing = here.store.read_now(models.markable, alice, model)
        mark = here.store.write_now(marks.create, alice, thing, "x").uuid
        before = state(here)
        refusal = Forbidden if public else NotFound
        for attempt in attempts(bob, store=place.uuid, model=model, service=service, dataset=dataset, mark=mark):
            with pytest.raises(refusal):
                here.store.write_now(attempt)
        assert state(here) == before


def attempts(
    caller: Caller, *, store: UUID, model: UUID, service: UUID, dataset: UUID, mark: UUID
) -> list[Callable[[Write], object]]:
    roots, users = (catalogue.ROOT,), services.STORE_USERS
    renamed: dict[str, Any] = {"name": "mine"}
    return [
        lambda tx: stores.change(tx, caller, store, to=stores.ModelStoreChange(**renamed), roots=roots, users=users),
        lambda tx: stores.delete(tx, caller, store, users=users),
        lambda tx: stores.markable(tx, caller, store),
        lambda tx: models.change(tx, caller, model, to=models.ModelChange(**renamed)),
        lambda tx: models.delete(tx, caller, model, users=services.MODEL_USERS),
        lambda tx: models.begin_import(tx, caller, model, host="h"),
        lambda tx: models.markable(tx, caller, model),
        lambda tx: services.change(tx, caller, service, to=services.ServiceChange(**renamed)),
        lambda tx: services.delete(tx, caller, service),
        lambda tx: services.markable(tx, caller, service),
        lambda tx: services.bind(tx, caller, model, service=service),
        lambda tx: services.unbind(tx, caller, model, service=service),
        lambda tx: services.set_default(tx, caller, model, service=None),
        lambda tx: datasets.change(tx, caller, dataset, to=datasets.DatasetChange(**renamed)),
        lambda tx: datasets.delete(tx, caller, dataset, users=transfers.DATASET_USERS),
        lambda tx: datasets.markable(tx, caller, dataset),
        lambda tx: marks.delete(tx, caller, mark),
    ]


def state(here: Place) -> dict[str, object]:
    """All that administrators see."""
    asked = Query(page=Offset(limit=100))
    return {name: here.store.read_now(one.page, here.admin, asked).rows for name, one in LISTINGS.items()}


def test_what_is_in_others_stores_is_read_through_none_that_has_them_inside(
    people: tuple[Place, Caller, Caller],
) -> None:
    here, alice, bob = people
    root = catalogue.store(here, here.admin, public=True)
    inner = catalogue.store(here, alice, "inner", url=f"{catalogue.ROOT}/a/inner")
    mine = catalogue.model(here, bob, root, "mine", install_path="b")
    for path in ("a/inner/llama", "a/inner", "a"):
        with pytest.raises(stores.NotInStores) as refused:
            catalogue.model(here, bob, root, install_path=path)
        assert refused.value.field == "install_path"
        with pytest.raises(stores.NotInStores):
            here.store.write_now(models.change, bob, mine.uuid, to=models.ModelChange(install_path=path))
        with pytest.raises(stores.NotInStores):
            here.store.read_now(stores.containing, bob, f"{catalogue.ROOT}/{path}")
        for caller in (alice, here.admin):
            assert catalogue.model(here, caller, root, install_path=path).path == f"{catalogue.ROOT}/{path}"
    for path in ("a/inner", "a/inner/deeper"):
        with pytest.raises(stores.NotInStores) as refused:
            catalogue.store(here, bob, "over", url=f"{catalogue.ROOT}/{path}")
        assert refused.value.field == "url"
    over = catalogue.store(here, bob, "around", url=f"{catalogue.ROOT}/a")  # which opens nothing that is inside
    with pytest.raises(stores.NotInStores):
        catalogue.model(here, bob, over, install_path="inner/llama")
    moved = stores.ModelStoreChange(url=inner.path)
    with pytest.raises(stores.NotInStores):
        here.store.write_now(stores.change, bob, over.uuid, to=moved, roots=(catalogue.ROOT,), users=())
    for path in ("ab", "a0", "a-b"):  # beside it, however near in the order of names
        assert catalogue.model(here, bob, root, install_path=path).path == f"{catalogue.ROOT}/{path}"


def test_files_that_came_to_lie_in_anothers_store_are_not_read_again(people: tuple[Place, Caller, Caller]) -> None:
    here, alice, bob = people
    here.store.write_now(held_for_good, HOST)
    root = catalogue.store(here, here.admin, public=True)
    mine = catalogue.model(here, bob, root, install_path="a/llama")
    assert here.store.write_now(models.read_again, bob, root.uuid) == 1
    (going,) = here.store.read_now(reading.due, HOST, most=9)
    here.store.write_now(models.refuse_import, going, Reason(code="model.artifact.absent"))
    private = catalogue.store(here, alice, "inner", url=f"{catalogue.ROOT}/a")
    with pytest.raises(stores.NotInStores):
        here.store.write_now(models.read_again, bob, root.uuid, only=[mine.uuid])
    here.store.write_now(stores.delete, alice, private.uuid, users=services.STORE_USERS)
    assert here.store.write_now(models.read_again, bob, root.uuid) == 1


def test_a_model_goes_into_no_store_that_its_caller_does_not_see(people: tuple[Place, Caller, Caller]) -> None:
    here, alice, bob = people
    hidden, open_ = catalogue.store(here, alice), catalogue.store(here, alice, public=True)
    for make in (catalogue.model, catalogue.dataset, catalogue.service):
        with pytest.raises(stores.NoSuchModelStore):
            make(here, bob, hidden)
        assert make(here, bob, open_).project == bob.project
    mine = catalogue.model(here, bob, open_)
    with pytest.raises(stores.NoSuchModelStore):
        here.store.write_now(models.change, bob, mine.uuid, to=models.ModelChange(store=hidden.uuid))
