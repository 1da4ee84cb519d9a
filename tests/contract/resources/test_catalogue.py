"""Stores, services, datasets, groups and marks: their lives, and what each of their limits is called."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from tests import catalogue
from tests.builders import Place
from trivium.base.caller import Caller
from trivium.base.errors import Conflict, Forbidden, Invalid, NotFound
from trivium.base.query import Condition, Op, Query
from trivium.resources import datasets, events, marks, models, owning, services, stores, transfers
from trivium.resources.datasets import DatasetChange
from trivium.resources.marks import MarkType, NewMarks, NoSuchMark, TooManyMarks
from trivium.resources.owning import Deletion
from trivium.resources.services import Architecture, GroupChange, NewImage, ServiceChange
from trivium.resources.stores import ModelStoreChange, NewModelStore, NoSuchModelStore
from trivium.store import Write

ROOTS = (catalogue.ROOT,)


def delete_store(here: Place, caller: Caller, uuid: UUID) -> None:
    here.store.write_now(stores.delete, caller, uuid, users=services.STORE_USERS)


def change_store(here: Place, caller: Caller, uuid: UUID, **to: Any) -> stores.ModelStore:
    asked = ModelStoreChange(**to)
    return here.store.write_now(
        stores.change, caller, uuid, to=asked, roots=ROOTS, users=services.STORE_USERS, reachable=False
    )


def group(here: Place, caller: Caller, **more: Any) -> UUID:
    """A group of instances, which nothing makes yet."""
    uuid = uuid4()

    def make(tx: Write) -> None:
        row = {"id": tx.ids.next(), "uuid": uuid, "project_id": caller.project, "audience": caller.project}
        row |= {"name": "chat", "status": "running", "created_at": tx.now, "changed_at": tx.now, **more}
        tx.run(insert(services.groups).values(owning.folded_values(services.groups, row)))

    here.store.write_now(make)
    return uuid


def below(here: Place, table: Any, caller: Caller, **more: Any) -> UUID:
    """A row of something that groups have."""
    uuid = uuid4()

    def make(tx: Write) -> None:
        row = {"id": tx.ids.next(), "uuid": uuid, "project_id": caller.project, "audience": caller.project}
        row |= {"created_at": tx.now, "changed_at": tx.now, **more}
        tx.run(insert(table).values(owning.folded_values(table, row)))

    here.store.write_now(make)
    return uuid


def test_a_store_lives(here: Place) -> None:
    alice = here.user("alice")
    made = catalogue.store(here, alice, url="10.0.0.5:/srv/models/a", management_ip="10.0.0.5", management_port=5000)
    assert (made.host, made.path, made.state) == ("10.0.0.5", "/srv/models/a", "connected")
    assert here.store.write_now(stores.note_state, made.uuid, reachable=False)
    assert not here.store.write_now(stores.note_state, made.uuid, reachable=False)
    assert here.store.read_now(stores.get, alice, made.uuid).state == "disconnected"
    changed = change_store(here, alice, made.uuid, name="other", url="/srv/models/b")
    assert (changed.name, changed.host, changed.path, changed.management_port) == ("other", None, "/srv/models/b", 5000)
    catalogue.model(here, alice, changed)
    with pytest.raises(Conflict):
        change_store(here, alice, made.uuid, url="/srv/models/c")
    assert change_store(here, alice, made.uuid, url="file:///srv/models/b", description="x").description == "x"
    with pytest.raises(Conflict):
        delete_store(here, alice, made.uuid)
    told = here.store.read_now(events.latest, "model_store", target=made.id)
    assert [event.action for event in told] == ["model_store.change", "model_store.change", "model_store.create"]


@pytest.mark.parametrize("kind", ["model", "dataset", "service"])
def test_a_store_with_something_in_it_is_not_deleted(here: Place, kind: str) -> None:
    alice = here.user("alice")
    place = catalogue.store(here, alice)
    getattr(catalogue, kind)(here, alice, place)
    with pytest.raises(Conflict):
        delete_store(here, alice, place.uuid)


def test_an_empty_store_is_deleted_with_its_tags(here: Place) -> None:
    alice = here.user("alice")
    place = catalogue.store(here, alice)
    here.store.write_now(marks.create, alice, stores.thing_of(place), "x")
    delete_store(here, alice, place.uuid)
    assert here.store.read_now(marks.LISTING.count, here.admin, Query()) == 0
    with pytest.raises(NoSuchModelStore):
        delete_store(here, alice, place.uuid)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 256),
        ("url", "/etc"),
        ("url", ""),
        ("description", "x" * 2049),
        ("management_port", 0),
        ("management_port", 65_536),
        ("management_ip", "x" * 256),
    ],
)
def test_what_makes_no_sense_of_a_store_is_refused_by_its_name(here: Place, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        catalogue.store(here, here.admin, **{field: value})
    assert caught.value.field == field


def test_each_root_gets_one_store_for_everybody(here: Place) -> None:
    made = [here.store.write_now(stores.ensure, here.admin, "/srv/models", reachable=True) for _ in range(2)]
    assert [one and (one.name, one.public, one.path) for one in made] == [("models", True, "/srv/models"), None]
    assert made[0] is not None
    assert here.store.read_now(stores.get, here.user("alice"), made[0].uuid) == made[0]


def test_a_service_lives(here: Place) -> None:
    alice = here.user("alice")
    place = catalogue.store(here, alice)
    images = (
        NewImage(architecture=Architecture.X86_64, docker_image="vllm:1", gpu_vendor="NVIDIA"),
        NewImage(architecture=Architecture.AARCH64, vm_image=uuid4()),
    )
    made = catalogue.service(here, alice, place, images=images, size=7, vendor_specs={"NVIDIA": ["a"]})
    assert (made.architectures, made.vendor_specs) == (("x86_64", "aarch64"), {"NVIDIA": ["a"]})
    assert (made.type, made.source, made.system) == ("endpoint", "other", False)
    column = services.images.c.service_uuid
    found = here.store.read_now(services.IMAGE_LISTING.by, alice, column, values=[made.uuid])
    assert [one.docker_image for one in found[made.uuid]] == ["vllm:1", None]
    assert here.store.read_now(stores.get, alice, place.uuid).capacity.services == 7
    to = ServiceChange(framework="vLLM", settings={"servicePorts": [80]}, images=images[:1])
    changed = here.store.write_now(services.change, alice, made.uuid, to=to)
    assert (changed.framework, changed.settings, changed.yaml) == ("vLLM", {"servicePorts": [80]}, made.yaml)
    more = ServiceChange(settings={"serviceLivez": "/ok"})
    changed = here.store.write_now(services.change, alice, made.uuid, to=more)
    assert changed.settings == {"servicePorts": [80], "serviceLivez": "/ok"}
    for field, value in (("images.docker_image", "VLLM:1"), ("architectures", "aarch64"), ("store.name", "central")):
        asked = Query(where=(Condition(field=field, op=Op.EQ, value=value),))
        assert here.store.read_now(services.SERVICE_LISTING.count, alice, asked) == 1
    here.store.write_now(services.delete, alice, made.uuid)
    assert here.store.read_now(services.IMAGE_LISTING.count, here.admin, Query()) == 0
    assert here.store.read_now(stores.get, alice, place.uuid).capacity.services == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("yaml", ""),
        ("yaml", "x" * 65_537),
        ("install_path", ""),
        ("start_command", ""),
        ("request_cpu", -1),
        ("request_cpu", 1 << 31),
        ("request_memory", 1 << 63),
        ("framework", "x" * 256),
        ("vendor_specs", {"a": "\0"}),
        ("vendor_specs", {"a": "x" * 70_000}),
        ("architectures", ("a,b",)),
        ("images", (NewImage(architecture=Architecture.X86_64),)),
    ],
)
def test_what_makes_no_sense_of_a_service_is_refused_by_its_name(here: Place, field: str, value: Any) -> None:
    place = catalogue.store(here, here.admin)
    with pytest.raises(Invalid) as caught:
        catalogue.service(here, here.admin, place, **{field: value})
    assert caught.value.field == field


def test_models_are_bound_and_let_go(here: Place) -> None:
    alice = here.user("alice")
    place = catalogue.store(here, alice)
    model, first, second = (
        catalogue.model(here, alice, place).uuid,
        catalogue.service(here, alice, place, "a").uuid,
        catalogue.service(here, alice, place, "b").uuid,
    )
    bound = here.store.write_now(services.bind, alice, model, service=first)
    assert here.store.write_now(services.bind, alice, model, service=first) == bound
    with pytest.raises(NotFound):
        here.store.write_now(services.set_default, alice, model, service=second)
    here.store.write_now(services.bind_all, alice, model, services=[], default=second)
    here.store.write_now(services.set_default, alice, model, service=first)
    column = services.refs.c.model_uuid
    found = here.store.read_now(services.REF_LISTING.by, alice, column, values=[model])
    assert [(one.service, one.is_default) for one in found[model]] == [(first, True), (second, False)]
    here.store.write_now(services.set_default, alice, model, service=None)
    with pytest.raises(Conflict):
        here.store.write_now(services.delete, alice, first)
    here.store.write_now(services.delete, alice, first, mode=Deletion.ENFORCING)
    for _ in range(2):
        here.store.write_now(services.unbind, alice, model, service=second)
    assert here.store.read_now(services.REF_LISTING.count, here.admin, Query()) == 0


def test_what_the_owner_of_a_model_does_not_see_keeps_nobody_from_deleting_it(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    place = catalogue.store(here, here.admin, public=True)
    model = catalogue.model(here, alice, place, public=True)
    hidden, mine = catalogue.service(here, bob, place), catalogue.service(here, alice, place)
    for caller, service in ((bob, hidden), (alice, mine)):
        here.store.write_now(services.bind, caller, model.uuid, service=service.uuid)
    for caller in (alice, here.admin):
        with pytest.raises(Conflict):
            here.store.write_now(models.delete, caller, model.uuid, users=services.MODEL_USERS)
    here.store.write_now(services.unbind, alice, model.uuid, service=mine.uuid)
    here.store.write_now(models.delete, alice, model.uuid, users=services.MODEL_USERS)
    told = here.store.read_now(events.latest, "model", target=model.id)
    assert [(one.action, one.project) for one in told[:2]] == [
        ("model.delete", alice.project),
        ("model.unbind", bob.project),
    ]
    assert (told[1].user, hidden.uuid.hex in str(told[1].before)) == (alice.user, True)
    here.store.write_now(services.delete, bob, hidden.uuid)
    assert here.store.read_now(services.REF_LISTING.count, here.admin, Query()) == 0


def test_what_the_owner_of_a_service_does_not_see_keeps_nobody_from_deleting_it(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    place = catalogue.store(here, here.admin, public=True)
    model, service = catalogue.model(here, bob, place), catalogue.service(here, alice, place, public=True)
    here.store.write_now(services.bind, bob, model.uuid, service=service.uuid)
    here.store.write_now(services.delete, alice, service.uuid)
    (told,) = here.store.read_now(events.latest, "model", target=model.id, limit=1)
    assert (told.action, told.user, told.project) == ("model.unbind", alice.user, bob.project)
    here.store.write_now(models.delete, bob, model.uuid, users=services.MODEL_USERS)


def test_what_is_bound_to_ones_own_may_be_unbound_unseen(here: Place) -> None:
    alice, bob, carol = here.user("alice"), here.user("bob"), here.user("carol")
    place = catalogue.store(here, here.admin, public=True)
    model, hidden = catalogue.model(here, alice, place, public=True), catalogue.service(here, bob, place)
    with pytest.raises(NotFound):  # as for one that is not there
        here.store.write_now(services.unbind, alice, model.uuid, service=hidden.uuid)
    here.store.write_now(services.bind, bob, model.uuid, service=hidden.uuid)
    with pytest.raises(NotFound):
        here.store.write_now(services.unbind, carol, model.uuid, service=hidden.uuid)
    here.store.write_now(services.unbind, alice, model.uuid, service=hidden.uuid)
    (told,) = here.store.read_now(events.latest, "model", target=model.id, limit=1)
    assert (told.action, told.user, told.project) == ("model.unbind", alice.user, bob.project)
    assert here.store.read_now(services.REF_LISTING.count, here.admin, Query()) == 0


def test_a_binding_is_seen_by_who_sees_both(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    place = catalogue.store(here, here.admin, public=True)
    model = catalogue.model(here, here.admin, place, public=True)
    hers = catalogue.service(here, alice, place)
    everybodys = catalogue.service(here, here.admin, place, public=True)
    here.store.write_now(services.bind, alice, model.uuid, service=hers.uuid)
    here.store.write_now(services.bind, here.admin, model.uuid, service=everybodys.uuid)
    with pytest.raises(Forbidden):
        here.store.write_now(services.bind, bob, model.uuid, service=everybodys.uuid)
    with pytest.raises(Forbidden):
        here.store.write_now(services.set_default, alice, model.uuid, service=hers.uuid)
    column = services.refs.c.model_uuid
    for caller, number in ((alice, 2), (bob, 1), (here.admin, 2)):
        assert (
            len(here.store.read_now(services.REF_LISTING.by, caller, column, values=[model.uuid])[model.uuid]) == number
        )


def test_a_dataset_lives(here: Place) -> None:
    alice = here.user("alice")
    made = catalogue.dataset(here, alice, catalogue.store(here, alice))
    for to in (
        DatasetChange(name="other", usages=("FineTune", "App"), data_type="Text"),
        DatasetChange(usages=("ModelEval",)),
    ):
        here.store.write_now(datasets.change, alice, made.uuid, to=to)
    found = here.store.read_now(marks.LISTING.page, alice, Query())
    tags = sorted(one.tag for one in found.rows if one.type is MarkType.SYSTEM)
    assert tags == ["dataType::Text", "usageScenarios::ModelEval"]
    for field, to in (("usages", DatasetChange(usages=("x",))), ("data_type", DatasetChange(data_type="x"))):
        with pytest.raises(Invalid) as caught:
            here.store.write_now(datasets.change, alice, made.uuid, to=to)
        assert caught.value.field == field
    holder = group(here, alice)
    below(here, services.dataset_refs, alice, group_uuid=holder, dataset_uuid=made.uuid)
    with pytest.raises(Conflict):
        here.store.write_now(datasets.delete, alice, made.uuid, users=transfers.DATASET_USERS)
    asked = Query(where=(Condition(field="datasets.name", op=Op.EQ, value="OTHER"),))
    assert here.store.read_now(services.GROUP_LISTING.count, alice, asked) == 1
    enforcing = Deletion.ENFORCING
    here.store.write_now(datasets.delete, alice, made.uuid, users=transfers.DATASET_USERS, mode=enforcing)
    assert here.store.read_now(services.DATASET_REF_LISTING.count, here.admin, Query()) == 0
    assert here.store.read_now(marks.LISTING.count, here.admin, Query()) == 0


def test_a_group_is_changed_and_deleted_with_what_it_has(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    place = catalogue.store(here, alice)
    model, service = catalogue.model(here, alice, place), catalogue.service(here, alice, place)
    uuid = group(here, alice, model_uuid=model.uuid, service_uuid=service.uuid, support_metrics="cpu,gpu")
    below(here, services.instances, alice, group_uuid=uuid, status="running", url="http://10.0.0.9")
    for column, value in (("instances.url", "HTTP://10.0.0.9"), ("model.name", "qwen"), ("service.name", "vllm")):
        asked = Query(where=(Condition(field=column, op=Op.EQ, value=value),))
        assert here.store.read_now(services.GROUP_LISTING.count, alice, asked) == 1
    to = GroupChange(name="renamed", settings={"serviceBootupTime": 5})
    changed = here.store.write_now(services.change_group, alice, uuid, to=to)
    assert (changed.name, changed.settings) == ("renamed", {"serviceBootupTime": 5})
    assert changed.support_metrics == ("cpu", "gpu")
    with pytest.raises(NotFound):
        here.store.write_now(services.delete_group, bob, uuid)
    for mode in Deletion:
        with pytest.raises(Conflict):
            here.store.write_now(models.delete, alice, model.uuid, users=services.MODEL_USERS, mode=mode)
        with pytest.raises(Conflict):
            here.store.write_now(services.delete, alice, service.uuid, mode=mode)
    assert [one.failure for one in here.store.write_now(services.delete_groups, alice, [uuid])] == [None]
    assert here.store.read_now(services.INSTANCE_LISTING.count, here.admin, Query()) == 0


def test_marks_are_put_on_once_and_taken_off_by_who_may_change_the_thing(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    place = catalogue.store(here, here.admin, public=True)
    mine = catalogue.model(here, alice, place, public=True)
    thing = here.store.read_now(models.markable, alice, mine.uuid)
    with pytest.raises(Forbidden):
        here.store.read_now(models.markable, bob, mine.uuid)
    made = here.store.write_now(marks.create, alice, thing, "Team")
    assert here.store.write_now(marks.create, alice, thing, "Team") == made
    assert here.store.read_now(marks.get, bob, made.uuid) == made
    with pytest.raises(Forbidden):
        here.store.write_now(marks.delete, bob, made.uuid)
    for tag in ("", "x" * 513):
        with pytest.raises(Invalid) as caught:
            here.store.write_now(marks.create, alice, thing, tag)
        assert caught.value.field == "tag"
    here.store.write_now(marks.delete, alice, made.uuid)
    with pytest.raises(NoSuchMark):
        here.store.write_now(marks.delete, alice, made.uuid)


def test_a_thing_has_at_most_100_tags(here: Place) -> None:
    made = catalogue.model(here, here.admin, catalogue.store(here, here.admin))
    full = NewMarks(user=tuple(map(str, range(100))))
    here.store.write_now(marks.put, here.admin, models.thing_of(made), new=full)
    with pytest.raises(TooManyMarks):
        here.store.write_now(marks.create, here.admin, models.thing_of(made), "one more")


def test_a_new_store_of_an_unknown_place_waits_to_be_looked_at(here: Place) -> None:
    new = NewModelStore(name="x", url=catalogue.ROOT)
    assert here.store.write_now(stores.create, here.admin, new, roots=ROOTS).state == "connecting"
