"""Models of the catalogue: what is asked for is there, versions are kept right, imports fill in what nobody said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from tests import catalogue
from tests.builders import HOST, Place, held, held_for_good
from trivium.base.caller import Caller
from trivium.base.errors import Forbidden, Invalid, Missing, TriviumError
from trivium.base.query import Condition, Op, Order, Query
from trivium.base.reasons import Reason
from trivium.resources import events, hosts, marks, models, operations, services, stores
from trivium.resources.hosts import NotHolding
from trivium.resources.marks import NewMarks
from trivium.resources.models import (
    Facts,
    FileDone,
    MemoryFigures,
    Model,
    ModelChange,
    ModelImporting,
    ModelInUse,
    ModelStatus,
    NewModel,
    NoSuchModel,
    Progress,
    TensorTotal,
    reading,
)
from trivium.resources.operations import OperationStatus
from trivium.resources.owning import Deletion, UuidTaken
from trivium.store import Write

FACTS = Facts(
    size=16_060_522_496,
    files=9,
    checksum="ab" * 32,
    weights=(TensorTotal(dtype="BF16", parameters=8_030_261_248, size=16_060_522_496),),
    architecture="LlamaForCausalLM",
    pipeline_tag="text-generation",
    framework_version="Transformers 4.51.0",
    vendor="Meta",
    version="3.1",
)
REFUSED = Reason(code="model.artifact.truncated", details={"file": "a.safetensors"})
FIGURES = MemoryFigures(minimum=1 << 34, recommended=1 << 35, cards=(1, 2))


def change(here: Place, caller: Caller, model: Model, **to: Any) -> Model:
    return here.store.write_now(models.change, caller, model.uuid, to=ModelChange(**to))


def delete(here: Place, caller: Caller, model: Model, mode: Deletion = Deletion.PERMISSIVE) -> None:
    here.store.write_now(models.delete, caller, model.uuid, users=services.MODEL_USERS, mode=mode)


def get(here: Place, caller: Caller, model: Model) -> Model:
    return here.store.read_now(models.get, caller, model.uuid)


def begun(here: Place, caller: Caller, model: Model) -> tuple[models.Import, int]:
    """An import of a model, with the operation that waits for it."""

    def begin(tx: Write) -> tuple[models.Import, int]:
        operation = operations.start(tx, caller, "model.create", target=model.id)
        return models.begin_import(tx, caller, model.uuid, host=HOST, operation=operation.id), operation.id

    return here.store.write_now(begin)


def test_a_model_is_what_was_asked_for(here: Place) -> None:
    alice = here.user("alice")
    place = catalogue.store(here, alice)
    wanted, pattern = uuid4(), uuid4()
    new = NewModel(
        name="Llama 3",
        install_path="llama-3-8b",
        store=place.uuid,
        uuid=wanted,
        recommended_gpu_num=(1, 2, 4),
        version="v1.5",
        size=7,
    )
    tags = NewMarks(user=("team-a", "team-a"), system=("ns::k::v",), patterns=(pattern,))
    made = here.store.write_now(models.create, alice, new, tags=tags)
    assert (made.uuid, made.name, made.project, made.public) == (wanted, "Llama 3", alice.project, False)
    assert (made.path, made.install_path) == ("/srv/models/llama-3-8b", "llama-3-8b")
    assert (made.recommended_gpu_num, made.size, made.version_semver) == ((1, 2, 4), 7, "1.5.0")
    assert (made.is_latest, made.type, made.status) == (True, "custom", "ready")
    assert made.said == {"recommended_gpu_num", "size", "version"}
    assert made.extra_gpu_memory == 2 << 30
    assert get(here, alice, made) == made
    told = here.store.read_now(events.latest, "model", target=made.id)
    assert [(event.action, event.user) for event in told] == [("model.create", alice.user)]
    for field, value, number in (
        ("user_tags.tag", "TEAM-A", 1),
        ("system_tags.tag", "ns::k::v", 1),
        ("user_tags.pattern_uuid", pattern, 1),
        ("system_tags.tag", "team-a", 0),
        ("name", "llama 3", 1),
        ("recommended_gpu_num", "2", 1),
        ("sample_size", 1000, 1),
        ("store.name", "CENTRAL", 1),
    ):
        asked = Query(where=(Condition(field=field, op=Op.EQ, value=value),))
        assert here.store.read_now(models.LISTING.count, alice, asked) == number


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 256),
        ("name", "a\0"),
        ("name", "ﷺ" * 200),  # one of them is 18 letters when it is compared
        ("install_path", "../x"),
        ("install_path", "/etc/passwd"),
        ("description", "x" * 2049),
        ("model_id", "x" * 256),
        ("gpu_constraint", "x" * 513),
        ("recommended_gpu_num", (0,)),
        ("recommended_gpu_num", tuple(range(1000, 1100))),
        ("size", -1),
        ("size", 1 << 63),
        ("version", "1" * 256),
        ("vendor", "x" * 256),
    ],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_its_field(here: Place, field: str, value: Any) -> None:
    place = catalogue.store(here, here.admin)
    with pytest.raises(Invalid) as caught:
        catalogue.model(here, here.admin, place, **{field: value})
    assert caught.value.field == field
    assert here.store.read_now(models.LISTING.count, here.admin, Query()) == 0


@pytest.mark.parametrize("field", ["install_path", "description", "parameters", "name", "vendor"])
def test_a_changed_text_has_at_most_255_characters(here: Place, field: str) -> None:
    made = catalogue.model(here, here.admin, catalogue.store(here, here.admin))
    with pytest.raises(Invalid) as caught:
        change(here, here.admin, made, **{field: "x" * 256})
    assert caught.value.field == field
    with pytest.raises(Missing):
        change(here, here.admin, made, model_id=" ")
    assert get(here, here.admin, made) == made


def test_a_path_may_name_either_host_of_its_store_and_no_other(here: Place) -> None:
    place = catalogue.store(here, here.admin, url="nfs.example:/srv/models/x", management_ip="10.0.0.5")
    for host in ("nfs.example", "10.0.0.5"):
        made = catalogue.model(here, here.admin, place, install_path=f"{host}:/srv/models/x/m")
        assert made.path == "/srv/models/x/m"
    with pytest.raises(Invalid, match="model center"):
        catalogue.model(here, here.admin, place, install_path="10.0.0.6:/srv/models/x/m")


def test_a_uuid_that_is_taken_is_refused(here: Place) -> None:
    place = catalogue.store(here, here.admin)
    made = catalogue.model(here, here.admin, place)
    with pytest.raises(UuidTaken):
        catalogue.model(here, here.admin, place, "other", uuid=made.uuid)


def test_versions_of_a_name_share_an_id_and_have_one_latest(here: Place) -> None:
    alice = here.user("alice")
    place = catalogue.store(here, alice)
    first = catalogue.model(here, alice, place, version="1.10.0")
    second = catalogue.model(here, alice, place, version="1.9.0")
    other = catalogue.model(here, alice, place, "other")
    assert (second.model_id, second.is_latest) == (first.model_id, False)
    assert other.model_id != first.model_id
    release = catalogue.model(here, alice, place, version="2.0.0-rc.1", model_id="llama")
    assert {get(here, alice, one).model_id for one in (first, second, release)} == {"llama"}
    assert latest(here, alice, first, second, release) == [release]
    delete(here, alice, release)
    assert latest(here, alice, first, second) == [first]
    moved = change(here, alice, first, name="other")
    assert (moved.model_id, moved.is_latest) == (other.model_id, True)
    assert latest(here, alice, second) == [second]
    assert latest(here, alice, moved, other) == [moved]
    elsewhere = catalogue.store(here, alice, "second", url="/srv/models/b")
    back = change(here, alice, moved, store=elsewhere.uuid)
    assert (back.path, back.store) == ("/srv/models/b/qwen", elsewhere.uuid)
    assert latest(here, alice, back) == [back]
    assert latest(here, alice, other) == [other]


def latest(here: Place, caller: Caller, *among: Model) -> list[Model]:
    there = [get(here, caller, one) for one in among]
    found = [one.uuid for one in there if one.is_latest]
    return [one for one in among if one.uuid in found]


def test_versions_that_are_added_at_once_have_one_id_and_one_latest(here: Place) -> None:
    place = catalogue.store(here, here.admin)

    def add(number: int) -> Model:
        return catalogue.model(here, here.admin, place, version=f"1.{number}")

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(add, range(8)))
    assert latest(here, here.admin, *made) == [made[7]]
    assert len({get(here, here.admin, one).model_id for one in made}) == 1


def test_what_is_no_semantic_version_comes_before_all_and_the_last_made_counts(here: Place) -> None:
    place = catalogue.store(here, here.admin)
    made = [catalogue.model(here, here.admin, place, version=version) for version in (None, "nightly", "final")]
    assert latest(here, here.admin, *made) == [made[2]]
    first = catalogue.model(here, here.admin, place, version="0.1")
    assert latest(here, here.admin, *made, first) == [first]


def test_a_version_that_is_being_read_or_was_refused_is_the_latest_only_where_there_is_no_other(here: Place) -> None:
    alice = here.user("alice")
    place = catalogue.store(here, alice)
    newer = catalogue.model(here, alice, place, version="2.0.0")
    going, _ = begun(here, alice, newer)
    assert latest(here, alice, newer) == [newer]
    entry = catalogue.model(here, alice, place, version="1.0.0")  # whose files nobody was to read
    assert latest(here, alice, newer, entry) == [entry]
    here.store.write_now(models.finish_import, going.id, facts=FACTS, figures=FIGURES)
    assert latest(here, alice, newer, entry) == [newer]
    again, _ = begun(here, alice, newer)  # what was read before is there meanwhile
    assert latest(here, alice, newer, entry) == [newer]
    here.store.write_now(models.refuse_import, again.id, REFUSED)
    assert latest(here, alice, newer, entry) == [newer]
    broken = catalogue.model(here, alice, place, version="3.0.0")
    failing = here.store.write_now(models.begin_import, alice, broken.uuid, host=HOST)
    here.store.write_now(models.refuse_import, failing.id, REFUSED)
    assert get(here, alice, broken).status is ModelStatus.FAILED
    assert latest(here, alice, newer, entry, broken) == [newer]
    for gone in (newer, entry):
        delete(here, alice, gone)
    assert latest(here, alice, broken) == [broken]


def test_files_fill_in_what_nobody_said(here: Place) -> None:
    alice = here.user("alice")
    place = catalogue.store(here, alice)
    made = catalogue.model(here, alice, place, vendor="Mine", recommended_gpu_num=(8,))
    going, operation = begun(here, alice, made)
    assert get(here, alice, made).status is ModelStatus.IMPORTING
    assert (going.path, going.host, going.model_uuid) == (made.path, HOST, made.uuid)
    done = here.store.write_now(models.finish_import, going.id, facts=FACTS, figures=FIGURES)
    assert done is not None
    assert done == get(here, alice, made)
    assert (done.status, done.size, done.artifact_size) == ("ready", FACTS.size, FACTS.size)
    assert (done.vendor, done.version, done.version_semver) == ("Mine", "3.1", "3.1.0")
    assert (done.recommended_gpu_num, done.min_gpu_memory) == ((8,), 1 << 34)
    assert (done.architecture, done.checksum) == ("LlamaForCausalLM", FACTS.checksum)
    assert done.parameters == "8030261248 (BF16)"
    assert here.store.read_now(operations.get, alice, operation).status is OperationStatus.SUCCEEDED
    assert here.store.read_now(stores.get, alice, place.uuid).capacity.models == FACTS.size
    assert here.store.read_now(reading.due, HOST, most=100) == []
    assert here.store.write_now(models.finish_import, going.id, facts=FACTS, figures=FIGURES) is None
    assert here.store.read_now(stores.get, alice, place.uuid).capacity.models == FACTS.size

    named = change(here, alice, done, parameters="8B")
    again, _ = begun(here, alice, named)
    smaller = here.store.write_now(
        models.finish_import, again.id, facts=Facts(size=5, files=1, checksum="cd" * 32), figures=None
    )
    assert smaller is not None
    assert (smaller.parameters, smaller.vendor, smaller.architecture, smaller.size) == ("8B", "Mine", None, 5)
    assert here.store.read_now(stores.get, alice, place.uuid).capacity.models == 5
    delete(here, alice, smaller)
    assert here.store.read_now(stores.get, alice, place.uuid).capacity.models == 0


def test_texts_from_files_are_cut_to_what_is_kept(here: Place) -> None:
    made = catalogue.model(here, here.admin, catalogue.store(here, here.admin))
    going, _ = begun(here, here.admin, made)
    wild = Facts(size=1, files=1, checksum="ab" * 32, vendor="ﷺ" * 5000, architecture="a\n\0b" * 200, version="9" * 999)
    done = here.store.write_now(models.finish_import, going.id, facts=wild, figures=None)
    assert done is not None
    assert done.vendor is not None
    assert set(done.vendor) == {"ﷺ"}
    assert done.architecture is not None
    assert set(done.architecture) == {"a", "b"}
    assert (done.version, done.version_semver) == ("9" * 255, None)


def test_a_model_whose_files_are_refused_is_gone_and_its_operation_says_why(here: Place) -> None:
    alice = here.user("alice")
    made = catalogue.model(here, alice, catalogue.store(here, alice))
    here.store.write_now(marks.create, alice, models.thing_of(made), "team")
    going, operation = begun(here, alice, made)
    reason = Reason(code="model.artifact.truncated", details={"file": "a.safetensors"})
    here.store.write_now(models.refuse_import, going.id, reason)
    here.store.write_now(models.refuse_import, going.id, reason)
    with pytest.raises(NoSuchModel):
        get(here, alice, made)
    found = here.store.read_now(operations.get, alice, operation)
    assert (found.status, found.failure) == (OperationStatus.FAILED, reason)
    assert here.store.read_now(marks.LISTING.count, here.admin, Query()) == 0
    told = here.store.read_now(events.latest, "model", target=made.id)
    assert [event.action for event in told] == ["model.refused", "model.import", "model.create"]


def test_a_model_that_was_read_before_stays_when_its_files_are_refused(here: Place) -> None:
    made = catalogue.model(here, here.admin, catalogue.store(here, here.admin))
    first, _ = begun(here, here.admin, made)
    done = here.store.write_now(models.finish_import, first.id, facts=FACTS, figures=FIGURES)
    second, _ = begun(here, here.admin, made)
    here.store.write_now(models.refuse_import, second.id, Reason(code="model.artifact.absent"))
    assert get(here, here.admin, made) == done


def test_what_waits_for_several_models_ends_with_the_last_or_as_soon_as_one_is_refused(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    place = catalogue.store(here, here.admin)
    made = [catalogue.model(here, here.admin, place, name) for name in ("a", "b")]

    def again(tx: Write) -> int:
        operation = operations.start(tx, here.admin, "zstack.GenerateModelMetadata")
        assert models.read_again(tx, here.admin, place.uuid, operation=operation.id) == len(made)
        return operation.id

    def status(operation: int) -> OperationStatus:
        return here.store.read_now(operations.get, here.admin, operation).status

    operation = here.store.write_now(again)
    first, second = here.store.read_now(reading.due, HOST, most=9)
    here.store.write_now(models.finish_import, first, facts=FACTS, figures=FIGURES)
    assert status(operation) is not OperationStatus.SUCCEEDED
    here.store.write_now(models.finish_import, second, facts=FACTS, figures=FIGURES)
    assert status(operation) is OperationStatus.SUCCEEDED
    operation = here.store.write_now(again)
    first, second = here.store.read_now(reading.due, HOST, most=9)
    here.store.write_now(models.refuse_import, first, REFUSED)
    assert here.store.read_now(operations.get, here.admin, operation).failure == REFUSED
    here.store.write_now(models.finish_import, second, facts=FACTS, figures=FIGURES)
    assert status(operation) is OperationStatus.FAILED
    assert [get(here, here.admin, one).status for one in made] == [ModelStatus.READY] * 2


def test_an_entry_whose_files_are_asked_for_later_and_refused_stays(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    place = catalogue.store(here, here.admin)
    entry = catalogue.model(here, here.admin, place)
    operation = here.store.write_now(operations.start, here.admin, "zstack.GenerateModelMetadata").id
    here.store.write_now(models.read_again, here.admin, place.uuid, operation=operation)
    (going,) = here.store.read_now(reading.due, HOST, most=9)
    here.store.write_now(models.refuse_import, going, REFUSED)
    assert here.store.read_now(operations.get, here.admin, operation).failure == REFUSED
    left = get(here, here.admin, entry)
    assert (left.status, left.reason) == (ModelStatus.FAILED, REFUSED)


def test_an_import_goes_on_from_what_was_noted(here: Place) -> None:
    alice = here.user("alice")
    made = catalogue.model(here, alice, catalogue.store(here, alice))
    going, operation = begun(here, alice, made)
    done = FileDone(path=b"a\xff", size=3, modified=1, inode=2, digest=b"\0" * 32)
    noted = Progress(bytes_done=3, bytes_total=12, files_total=2, done=(done,))
    assert here.store.write_now(models.note_progress, going.id, noted)
    assert here.store.read_now(reading.due, HOST, most=100) == [going.id]
    taken = here.store.read_now(reading.take, going.id)
    assert taken is not None
    assert taken.progress == noted
    assert here.store.read_now(reading.due, "another", most=100) == []
    assert here.store.read_now(operations.get, alice, operation).progress == 25
    assert [here.store.write_now(models.note_fault, going.id) for _ in range(2)] == [1, 2]
    with pytest.raises(ModelImporting):
        begun(here, alice, made)
    with pytest.raises(ModelImporting):
        change(here, alice, made, install_path="elsewhere")
    assert change(here, alice, made, description="x").status is ModelStatus.IMPORTING
    delete(here, alice, made)
    assert not here.store.write_now(models.note_progress, going.id, noted)
    assert here.store.write_now(models.note_fault, going.id) == 0
    assert here.store.write_now(models.finish_import, going.id, facts=FACTS, figures=None) is None
    assert here.store.read_now(operations.get, alice, operation).failure == Reason(code="model.deleted")


def test_who_lost_the_host_notes_nothing(here: Place) -> None:
    made = catalogue.model(here, here.admin, catalogue.store(here, here.admin))
    going, _ = begun(here, here.admin, made)
    old = here.store.write_now(held, HOST)
    here.store.write_now(held, HOST)
    with pytest.raises(NotHolding):
        here.store.write_now(hosts.held, old, models.finish_import, going.id, facts=FACTS, figures=None)
    assert get(here, here.admin, made).status is ModelStatus.IMPORTING


def test_a_bound_model_is_deleted_with_its_bindings_only_where_that_is_asked_for(here: Place) -> None:
    alice = here.user("alice")
    place = catalogue.store(here, alice)
    made, its = catalogue.model(here, alice, place), catalogue.service(here, alice, place)
    here.store.write_now(services.bind, alice, made.uuid, service=its.uuid)
    with pytest.raises(ModelInUse):
        delete(here, alice, made)
    delete(here, alice, made, Deletion.ENFORCING)
    assert here.store.read_now(services.REF_LISTING.count, here.admin, Query()) == 0


def test_each_of_several_that_are_deleted_has_its_own_outcome(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    place = catalogue.store(here, here.admin, public=True)
    mine = catalogue.model(here, alice, place)
    hidden = catalogue.model(here, bob, place)
    shown = catalogue.model(here, bob, place, "public", public=True)
    wanted = [mine.uuid, hidden.uuid, shown.uuid, uuid4(), mine.uuid]
    outcomes = here.store.write_now(models.delete_many, alice, wanted, users=services.MODEL_USERS)
    failures: list[type[TriviumError] | None] = [one.failure and type(one.failure) for one in outcomes]
    assert [one.uuid for one in outcomes] == wanted[:4]
    assert failures == [None, NoSuchModel, Forbidden, NoSuchModel]
    with pytest.raises(Invalid):
        here.store.write_now(models.delete_many, alice, [], users=services.MODEL_USERS)


def test_a_list_has_the_order_that_is_asked_for_with_nulls_first(here: Place) -> None:
    place = catalogue.store(here, here.admin)
    for name, size in (("a", 3), ("b", None), ("c", 1)):
        catalogue.model(here, here.admin, place, name, size=size)
    up = Query(order=(Order(field="size"), Order(field="id")))
    down = Query(order=(Order(field="size", descending=True), Order(field="id", descending=True)))
    for caller in (here.admin, here.user("alice")):
        found = [here.store.read_now(models.LISTING.page, caller, asked) for asked in (up, down)]
        names = [[one.name for one in page.rows] for page in found]
        assert names == ([["b", "c", "a"], ["a", "c", "b"]] if caller.is_admin else [[], []])


def test_the_database_itself_allows_one_default_only(here: Place) -> None:
    place = catalogue.store(here, here.admin)
    made = catalogue.model(here, here.admin, place)
    mine = [catalogue.service(here, here.admin, place, name) for name in ("a", "b")]
    both = [one.uuid for one in mine]
    bound = here.store.write_now(services.bind_all, here.admin, made.uuid, services=both, default=both[1])
    assert [(one.service, one.is_default) for one in bound] == [(both[0], False), (both[1], True)]

    def break_it(tx: Write) -> None:
        tx.run(update(services.refs).where(services.refs.c.model_uuid == made.uuid).values(is_default=True))

    with pytest.raises(Exception, match=r"(?i)unique"):
        here.store.write_now(break_it)
    assert (
        len(here.store.read_now(lambda tx: tx.all(select(services.refs.c.id).where(services.refs.c.is_default)))) == 1
    )
