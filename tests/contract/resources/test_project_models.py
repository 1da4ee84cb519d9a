"""Models that a project has once under their name and version: where they lie, what they are of, and their lists."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from tests import catalogue
from tests.builders import HOST, START, Place, held_for_good
from tests.catalogue import ROOT
from tests.contract.resources.test_catalogue_plans import plan, uuid_of
from tests.upgrading import add, at_revision, upgraded
from tests.waiting import until_async
from trivium.base.caller import Caller
from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.base.reasons import Reason
from trivium.drivers.artifacts import ArtifactReader
from trivium.resources import images, models, owning, workspaces
from trivium.resources.images import ImageNotReady, NoSuchImage
from trivium.resources.models import (
    NOWHERE,
    ImportWorker,
    Model,
    ModelChange,
    ModelExists,
    ModelIsImage,
    ModelKind,
    ModelStatus,
    NewModel,
    NoSuchModel,
    version_of,
)
from trivium.resources.models.table import imports
from trivium.resources.stores import NotInStores
from trivium.resources.workspaces import NoSuchWorkspace, WorkspaceInUse
from trivium.store import Flavour, Write
from trivium.store.database import engine_for

ROWS = 6000


def new(name: str = "digits", version: str = "1.0.0", **more: Any) -> NewModel:
    told = {"install_path": f"{ROOT}/{name}", "store": NOWHERE, "kind": ModelKind.PYTORCH, **more}
    return NewModel(name=name, version=version, **told)


def registered(here: Place, caller: Caller, *args: str, **more: Any) -> Model:
    return here.store.write_now(models.register, caller, new(*args, **more))


def import_of(here: Place, model: Model) -> int:
    waiting = here.store.read_now(lambda tx: tx.all(imports.select().where(imports.c.model_id == model.id)))
    return waiting[-1].id


# ---- making ------------------------------------------------------------------------------------------------------


def test_a_model_lies_in_the_innermost_store_which_its_maker_must_see(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    alice, bob = here.user("alice"), here.user("bob")
    outer = catalogue.store(here, here.admin, public=True)
    inner = catalogue.store(here, alice, "inner", url=f"{ROOT}/inner")
    mine = registered(here, alice, install_path=f"file://{ROOT}/inner/digits")
    assert (mine.store, mine.path, mine.owner) == (inner.uuid, f"{ROOT}/inner/digits", alice.user)
    assert (mine.status, mine.kind, mine.workspace) == (ModelStatus.IMPORTING, ModelKind.PYTORCH, 0)
    assert registered(here, bob, install_path=f"{ROOT}/outer").store == outer.uuid
    for hidden in (f"{ROOT}/inner/digits", f"{ROOT}/inner"):
        with pytest.raises(NotInStores):
            registered(here, bob, "other", install_path=hidden)
    for elsewhere in (ROOT, "/srv/other/digits", "digits", f"host:{ROOT}/digits"):
        with pytest.raises(NotInStores):
            registered(here, alice, "other", install_path=elsewhere)


def test_a_project_has_a_name_and_version_once_however_it_is_written(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    alice, bob = here.user("alice"), here.user("bob")
    center = catalogue.store(here, here.admin, public=True)
    registered(here, alice)
    for version in ("1.0.0", "v1", "1.0"):
        with pytest.raises(ModelExists):
            registered(here, alice, version=version)
    assert registered(here, alice, version="1.0.1").is_latest
    assert registered(here, bob).is_latest
    catalogue.model(here, alice, center, "llama", version="v2")
    with pytest.raises(ModelExists):
        registered(here, alice, "llama", "2.0.0")


def test_of_several_who_make_the_same_at_once_one_does(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    alice = here.user("alice")
    catalogue.store(here, here.admin, public=True)
    catalogue.store(here, alice, "mine", url=f"{ROOT}/mine")

    def make(place: str) -> bool:
        try:
            registered(here, alice, install_path=place)
        except ModelExists:
            return False
        return True

    with ThreadPoolExecutor(4) as several:
        made = list(several.map(make, [f"{ROOT}/digits", f"{ROOT}/mine/digits"] * 2))
    assert made.count(True) == 1


def test_what_a_caller_says_is_kept_and_files_change_none_of_it(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    alice = here.user("alice")
    catalogue.store(here, alice)
    room = here.store.write_now(workspaces.create, alice, name="research")
    settings = {"runtime": "python3.11", "apis": [{"url": "/"}]}
    made = registered(here, alice, kind=ModelKind.CUSTOM, workspace=room.id, settings=settings)
    facts = models.Facts(size=5, files=1, checksum="0" * 64, formats=("safetensors",), version="9")
    here.store.write_now(models.finish_import, import_of(here, made), facts=facts, figures=None)
    after = here.store.read_now(models.find, alice, made.uuid)
    assert (after.kind, after.version, after.workspace, after.settings) == ("custom", "1.0.0", room.id, settings)
    with pytest.raises(WorkspaceInUse):
        here.store.write_now(workspaces.delete, alice, room.id, holdings=(models.ModelHoldings(),))
    with pytest.raises(NoSuchWorkspace):
        registered(here, here.user("bob"), workspace=room.id)


def test_what_nobody_said_a_model_is_made_with_its_files_say(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    alice = here.user("alice")
    center = catalogue.store(here, alice)
    for formats, kind in ((("pytorch",), "pytorch"), (("gguf", "safetensors"), "pytorch"), (("onnx",), "custom")):
        made = catalogue.model(here, alice, center, "-".join(formats))
        going = here.store.write_now(models.begin_import, alice, made.uuid, host=HOST)
        facts = models.Facts(size=5, files=1, checksum="0" * 64, formats=formats)
        after = here.store.write_now(models.finish_import, going.id, facts=facts, figures=None)
        assert after is not None
        assert after.kind == kind


def test_files_that_nobody_waits_for_and_that_are_refused_leave_a_model_that_failed(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    alice = here.user("alice")
    center = catalogue.store(here, alice)
    made = registered(here, alice)
    reason = Reason(code="model.artifact.absent", details={"file": "digits"})
    for _ in range(2):
        here.store.write_now(models.refuse_import, import_of(here, made), reason)
    failed = here.store.read_now(models.find, alice, made.uuid)
    assert (failed.status, failed.reason) == (ModelStatus.FAILED, reason)
    assert here.store.write_now(models.read_again, alice, center.uuid) == 1
    again = here.store.read_now(models.find, alice, made.uuid)
    assert (again.status, again.reason) == (ModelStatus.IMPORTING, None)
    facts = models.Facts(size=5, files=1, checksum="0" * 64)
    here.store.write_now(models.finish_import, import_of(here, made), facts=facts, figures=None)
    assert here.store.read_now(models.find, alice, made.uuid).status is ModelStatus.READY


# ---- images ------------------------------------------------------------------------------------------------------


async def test_a_model_of_an_image_is_looked_at_and_lies_in_no_store(here: Place, tmp_path: Path) -> None:
    tenure = here.store.write_now(held_for_good, HOST)
    alice = here.user("alice")
    image = here.image()
    made = registered(here, alice, kind=ModelKind.IMAGE, install_path=image.path)
    lost = registered(here, alice, "lost", kind=ModelKind.IMAGE, install_path=here.image("other:1").path)
    assert (made.store, made.path, made.status) == (NOWHERE, image.path, ModelStatus.IMPORTING)
    here.store.write_now(images.remove, here.admin, here.store.read_now(images.by_path, alice, lost.path))
    worker = ImportWorker(here.store, ArtifactReader([tmp_path]), tenure)
    running = asyncio.create_task(worker.run())
    try:

        async def are_settled() -> bool:
            found = [here.store.read_now(models.find, alice, one.uuid) for one in (made, lost)]
            return all(one.status is not ModelStatus.IMPORTING for one in found)

        await until_async(are_settled, what="the end of both")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    after, gone = (here.store.read_now(models.find, alice, one.uuid) for one in (made, lost))
    assert (after.status, after.size, after.artifact_size) == (ModelStatus.READY, image.size, image.size)
    assert (gone.status, gone.reason) == (ModelStatus.FAILED, Reason(code="model.image_gone"))
    for change in (ModelChange(install_path="elsewhere"), ModelChange(store=catalogue.store(here, alice).uuid)):
        with pytest.raises(ModelIsImage):
            here.store.write_now(models.change, alice, made.uuid, to=change)
    assert here.store.write_now(models.change, alice, made.uuid, to=ModelChange(name="served")).name == "served"
    here.store.write_now(models.delete, alice, made.uuid, users=())
    with pytest.raises(NoSuchModel):
        here.store.read_now(models.find, alice, made.uuid)


def test_an_image_must_be_there_and_be_ready(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    alice = here.user("alice")
    with pytest.raises(NoSuchImage):
        registered(here, alice, kind=ModelKind.IMAGE, install_path="nobody/has:it")
    saving = here.store.write_now(
        images.start_save, alice, here.site, of=here.image(), notebook=1, notebook_name="nb", host=HOST
    )
    with pytest.raises(ImageNotReady):
        registered(here, alice, kind=ModelKind.IMAGE, install_path=saving.path)


# ---- lists -------------------------------------------------------------------------------------------------------


def test_a_list_is_of_one_project_also_for_administrators(here: Place) -> None:
    here.store.write_now(held_for_good, HOST)
    alice, bob = here.user("alice"), here.user("bob")
    center = catalogue.store(here, here.admin, public=True)
    mine = registered(here, alice)
    public = catalogue.model(here, bob, center, "public", public=True)
    hidden = catalogue.model(here, bob, center, "hidden")
    for caller, seen in ((alice, [mine.id]), (bob, [hidden.id, public.id]), (here.admin, [])):
        assert [one.id for one in here.store.read_now(models.list_own, caller, Query()).rows] == seen
    assert here.store.read_now(models.find, alice, public.uuid) == public
    for caller in (alice, here.admin):
        with pytest.raises(NoSuchModel):
            here.store.read_now(models.find, caller, hidden.uuid)
    assert list(here.store.read_now(models.versions_of, mine)) == [mine.uuid]


@pytest.fixture(scope="module")
def world(there: Place) -> tuple[Place, Caller]:
    """A site with many models, a fifth of them of one project, so that no plan goes through them without need."""
    alice, bob = there.user("alice"), there.user("bob")

    def fill(tx: Write) -> None:
        rows = [row_of(number, (bob if number % 5 else alice).project) for number in range(1, ROWS + 1)]
        tx.connection.execute(insert(models.models), [owning.folded_values(models.models, row) for row in rows])
        if tx.flavour is Flavour.POSTGRESQL:
            tx.connection.execute(text("ANALYZE"))

    there.store.write_now(fill)
    return there, alice


def row_of(number: int, project: int) -> dict[str, Any]:
    read = version_of(f"{number % 97}.{number % 89}.{number}")
    assert read is not None
    return {
        "id": number,
        "uuid": uuid_of(number),
        "project_id": project,
        "audience": project,
        "store_uuid": uuid_of(1),
        "name": f"Model-{number % 500}",
        "description": f"Of {number}",
        "install_path": "x",
        "path": "/x",
        "model_id": f"M{number}",
        "size": None if number % 50 == 0 else number,
        "version": read.semver,
        "version_semver": read.semver,
        "version_key": read.key,
        "kind": ("pytorch", "image", "custom", "pytorch")[number // 5 % 4],
        "status": "ready",
        "type": "custom",
        "is_latest": True,
        "extra_gpu_memory": 0,
        "said": "[]",
        "created_at": START + timedelta(minutes=number),
        "changed_at": START,
    }


ORDERS = (("id",), ("version", "id"), ("size", "id"))
NARROWED: tuple[tuple[Condition, ...], ...] = (
    (),
    (Condition(field="kind", op=Op.NE, value="image"), Condition(field="status", op=Op.EQ, value="ready")),
    (Condition(field="name", op=Op.CONTAINS, value="MODEL-1"),),
    (Condition(field="name", op=Op.EQ, value="Model-20"),),
    (Condition(field="version", op=Op.EQ, value="000000000000000020.000000000000000020.000000000000000020~"),),
)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order[0])
def test_no_list_goes_through_the_table_and_none_is_sorted(
    world: tuple[Place, Caller], order: tuple[str, ...], *, descending: bool
) -> None:
    here, alice = world
    steps = tuple(Order(field=name, descending=descending) for name in order)
    for where in NARROWED:
        asked = Query(where=where, order=steps, page=Offset(limit=20))
        lines = plan(here, models.list_own, alice, asked)
        assert [line for line in lines if "SCAN models" in line or "Seq Scan" in line] == []
        if not any(one.op is Op.EQ and one.field in ("name", "version") for one in where):
            assert [line for line in lines if "TEMP B-TREE" in line or "Sort" in line] == [], where
        found = here.store.read_now(models.list_own, alice, asked)
        assert found.total
        keys = [key_of(order[0], one) for one in found.rows]
        assert keys == sorted(keys, reverse=descending)


def key_of(field: str, model: Model) -> Any:
    if field == "id":
        return model.id
    if field == "size":
        return -1 if model.size is None else model.size
    read = version_of(model.version)
    return "" if read is None else read.key


# ---- what was there before ---------------------------------------------------------------------------------------


def test_models_of_before_know_who_made_them_and_what_with(empty_database_url: str) -> None:
    engine = engine_for(empty_database_url)
    with at_revision(engine, "0017", loose=("models", "events")) as connection:
        for number, formats in enumerate((["safetensors"], ["gguf", "pytorch"], ["onnx"], None), 1):
            facts = None if formats is None else json.dumps({"size": 1, "formats": formats})
            add(connection, "models", id=number, facts=facts)
        made, changed = {"kind": "model", "action": "model.create"}, {"kind": "model", "action": "model.change"}
        add(connection, "events", id=1, user_id=7, target_id=1, **made)
        add(connection, "events", id=2, user_id=8, target_id=1, **changed)
        add(connection, "events", id=3, user_id=0, target_id=2, **made)
        upgraded(connection, "0018")
        found = connection.execute(text("SELECT kind, owner_id, workspace, settings FROM models ORDER BY id")).all()
    engine.dispose()
    assert [tuple(row) for row in found] == [
        ("pytorch", 7, 0, None),
        ("pytorch", None, 0, None),
        ("custom", None, 0, None),
        ("custom", None, 0, None),
    ]
