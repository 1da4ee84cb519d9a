"""Models between ModelArts' words and the core's: versions, places, statuses, and models of other clients."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.builders import START
from trivium.base.caller import Caller, Role
from trivium.base.errors import Invalid, Missing
from trivium.base.query import Condition, Offset, Op, Order
from trivium.base.reasons import Reason
from trivium.dialects.modelarts import errors
from trivium.dialects.modelarts.codes import told_of
from trivium.dialects.modelarts.errors import BadLocation, Exclusive, NotHere
from trivium.dialects.modelarts.models import checking
from trivium.dialects.modelarts.models.events import event_shape
from trivium.dialects.modelarts.models.shapes import CreateModelBody, ModelsQuery
from trivium.dialects.modelarts.models.translation import Around, model_item, model_shape, models_query, new_model
from trivium.resources.datasets import Buckets
from trivium.resources.events import Event
from trivium.resources.images import NoSuchImage
from trivium.resources.models import NOWHERE, Model, ModelExists, ModelInUse, ModelKind, ModelStatus, NoSuchModel
from trivium.resources.models import ModelType as Source
from trivium.resources.stores import NotInStores

PATH = "/v1/0123/models"
AROUND = Around(project=UUID(int=1), domain=UUID(int=2), owners={7: UUID(int=3)}, workspaces={9: UUID(int=4)})


def body(**more: Any) -> CreateModelBody:
    told: dict[str, Any] = {
        "model_name": "m",
        "model_version": "1.0.0",
        "model_type": "PyTorch",
        "source_location": "/srv/m",
    }
    return CreateModelBody(**told | more)


def model(**more: Any) -> Model:
    told: dict[str, Any] = dict.fromkeys(Model.__struct_fields__)
    told |= {
        "uuid": UUID(int=5),
        "name": "m",
        "path": "/srv/m",
        "kind": ModelKind.CUSTOM,
        "type": Source.CUSTOM,
        "status": ModelStatus.READY,
        "settings": {},
        "workspace": 0,
        "created_at": START,
    }
    return Model(**told | more)


@pytest.mark.parametrize(
    ("given", "read"), [("1.0.0", "1.0.0"), ("0:0:1", "0.0.1"), (" 99.10.1 ", "99.10.1"), ("", None), (None, None)]
)
def test_a_version_has_three_numbers_with_dots_or_colons(given: str | None, read: str | None) -> None:
    assert checking.version(given) == read


@pytest.mark.parametrize(
    "given", ["01.01.01", "1.0", "1.0.0.0", "1.0:0", "100.0.0", "-1.0.0", "1.0.0-rc1", "１.0.0", "x"]
)
def test_anything_else_is_no_version(given: str) -> None:
    with pytest.raises(Invalid) as raised:
        checking.version(given)
    assert raised.value.field == "model_version"


@pytest.mark.parametrize("place", ["obs://b/m", "OBS://b/m", "s3://b/m", "https://b.obs.example.org/m"])
def test_what_lies_in_a_bucket_that_is_here_is_found_and_else_refused(place: str) -> None:
    caller = Caller(user=1, user_name="alice", project=2, role=Role.MEMBER)
    there = Buckets(["/srv"], has=lambda path: path == "/srv/b")
    assert checking.location(caller, place, buckets=there) == "/srv/b/m"
    for nowhere, buckets in ((place, Buckets(["/srv"], has=lambda _path: False)), ("http://h/m", there)):
        with pytest.raises(BadLocation):
            checking.location(caller, nowhere, buckets=buckets)
    assert checking.location(caller, "/srv/m", buckets=there) == "/srv/m"


def test_a_body_becomes_a_new_model_that_keeps_what_else_was_said() -> None:
    made = new_model(
        body(model_version="1:2:3", model_type="mindspore", runtime="python3.11", install_type=("edge",)), 9
    )
    assert (made.version, made.kind, made.install_path, made.store) == ("1.2.3", ModelKind.MINDSPORE, "/srv/m", NOWHERE)
    kept = {"model_type": "mindspore", "source_location": "/srv/m", "runtime": "python3.11", "install_type": ("edge",)}
    assert (made.workspace, made.settings) == (9, kept)
    image = new_model(body(model_type="Image", source_location="registry/a/b:1"), 0)
    assert (image.kind, image.install_path) == (ModelKind.IMAGE, "registry/a/b:1")
    with pytest.raises(Missing):
        new_model(body(model_type=" "), 0)
    with pytest.raises(NotHere):
        new_model(body(model_type="template", source_location=None), 0)


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (ModelStatus.IMPORTING, ModelKind.PYTORCH, "publishing"),
        (ModelStatus.READY, ModelKind.CUSTOM, "published"),
        (ModelStatus.FAILED, ModelKind.CUSTOM, "failed"),
        (ModelStatus.IMPORTING, ModelKind.IMAGE, "building"),
        (ModelStatus.READY, ModelKind.IMAGE, "published"),
        (ModelStatus.FAILED, ModelKind.IMAGE, "building_failed"),
    ],
)
def test_each_status_has_its_word(status: ModelStatus, kind: ModelKind, word: str) -> None:
    assert model_item(model(status=status, kind=kind), AROUND).model_status == word


@pytest.mark.parametrize(
    ("version", "semver", "shown"),
    [
        ("v1.2", "1.2.0", "1.2.0"),
        ("Instruct 7", None, "Instruct 7"),
        (None, None, None),
        ("2-rc1", "2.0.0-rc1", "2.0.0-rc1"),
    ],
)
def test_versions_of_other_clients_are_shown(version: str | None, semver: str | None, shown: str | None) -> None:
    sent = msgspec.to_builtins(model_item(model(version=version, version_semver=semver), AROUND))
    assert sent.get("model_version") == shown


def test_what_is_not_known_is_left_out_and_why_it_failed_is_told() -> None:
    sent = msgspec.to_builtins(model_shape(model(), AROUND))
    assert not {"owner", "model_size", "subscription_id", "source_copy", "extra", "apis", "config"} & sent.keys()
    assert (sent["specification"], sent["description"], sent["model_type"]) == ({}, "", "Custom")
    failed = model(status=ModelStatus.FAILED, reason=Reason(code="model.image_gone"), owner=7, workspace=9)
    sent = msgspec.to_builtins(model_item(failed, AROUND))
    assert (sent["owner"], sent["workspace_id"]) == (UUID(int=3).hex, UUID(int=4).hex)
    assert sent["extra"] == "The image of the model is not there any more, or is not ready to be used."


def test_a_query_asks_for_pages_and_has_one_kind() -> None:
    asked = models_query(ModelsQuery(offset=3, limit=7, sort_by="model_version", order="ASC"), 9)
    assert asked.page == Offset(limit=7, offset=21)
    assert asked.order == (Order(field="version"), Order(field="id"))
    assert asked.where == (Condition(field="workspace", op=Op.EQ, value=9),)
    assert models_query(ModelsQuery(), None).order == (Order(field="id", descending=True),)
    with pytest.raises(Exclusive):
        models_query(ModelsQuery(model_type="Image", not_model_type="Image"), None)


@pytest.mark.parametrize(
    ("error", "path", "status", "code"),
    [
        (Missing("model_name"), PATH, 400, "ModelArts.3036"),
        (Missing("name"), "/v1/0123/modelsx", 400, "ModelArts.6335"),
        (Invalid("description"), f"{PATH}/x", 400, "ModelArts.3037"),
        (errors.NotSortable("sort_by", key="x"), PATH, 400, "ModelArts.3037"),
        (errors.UnknownWorkspace("workspace_id"), PATH, 400, "ModelArts.0102"),
        (Exclusive("model_type", other="not_model_type"), PATH, 400, "ModelArts.0107"),
        (errors.BadConfig("initial_config"), PATH, 400, "ModelArts.3015"),
        (BadLocation("source_location"), PATH, 400, "ModelArts.3017"),
        (NotInStores("install_path", path="/x"), PATH, 400, "ModelArts.3017"),
        (NoSuchImage(), PATH, 400, "ModelArts.3017"),
        (NoSuchImage(), "/v1/0123/images/x", 400, "ModelArts.6797"),
        (NoSuchModel(), PATH, 404, "ModelArts.3001"),
        (ModelExists(name="m", version="1.0.0"), PATH, 409, "ModelArts.3002"),
        (ModelInUse(name="m"), "", 409, "ModelArts.3009"),
    ],
)
def test_errors_of_models_have_their_codes(error: Any, path: str, status: int, code: str) -> None:
    told = told_of(error, path)
    assert (told.status, told.code) == (status, code)


@pytest.mark.parametrize(
    ("action", "before", "after", "kind", "said"),
    [
        ("model.bind", None, {"service": UUID(int=6).hex}, "normal", f"was bound to the service {UUID(int=6)}."),
        ("model.unbind", {"service": UUID(int=6).hex}, None, "normal", f"to the service {UUID(int=6)} no more."),
        ("model.default", None, {"service": None}, "normal", "another default service"),
        ("model.refused", {"reason": "model.image_gone", "details": {}}, None, "abnormal", "image"),
        ("model.refused", {"reason": "model.image_gone"}, None, "abnormal", "not published (model.image_gone)"),
        ("model.some_day", None, None, "normal", "model.some_day"),
    ],
)
def test_what_happened_to_a_model_is_a_sentence(action: str, before: Any, after: Any, kind: str, said: str) -> None:
    kept = (None if told is None else msgspec.json.encode(told).decode() for told in (before, after))
    told: dict[str, Any] = dict.fromkeys(Event.__struct_fields__)
    event = Event(**told | {"at": START, "action": action, "before": next(kept), "after": next(kept)})
    shown = event_shape(model(), event)
    assert (shown.event_type, said in shown.event_info) == (kind, True), shown
