"""What ModelArts' clients say of notebooks, and what is understood of it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from trivium.base.errors import Invalid, Missing
from trivium.base.query import Op, Order
from trivium.base.units import GIB
from trivium.dialects.modelarts.errors import (
    BadDescription,
    BadNotebookName,
    BadTags,
    BadVolume,
    LeaseOutOfBounds,
    NotHere,
    NotOneOf,
    NotSortable,
    UnknownFlavor,
)
from trivium.dialects.modelarts.notebooks import tagging
from trivium.dialects.modelarts.notebooks.leases import Durations
from trivium.dialects.modelarts.notebooks.shapes import CreateBody, ListQuery, UpdateBody, VolumeBody
from trivium.dialects.modelarts.notebooks.translation import change_of, may_grow, sought, spec_of
from trivium.dialects.modelarts.settings import ModelArtsSettings
from trivium.resources.notebooks import Feature, LeaseAsked, LeaseKind, NotebookScope, Volume, VolumeKind
from trivium.resources.tags import Tag

DURATIONS = Durations(ModelArtsSettings())
HOUR = timedelta(hours=1)


def where(asked: ListQuery, workspace: int | None = None) -> dict[str, tuple[Op, object]]:
    return {one.field: (one.op, one.value) for one in sought(asked, workspace).query.where}


@pytest.mark.parametrize(
    ("duration", "kind", "asked"),
    [
        (None, None, LeaseAsked(duration=HOUR)),
        (-1, None, LeaseAsked(duration=None)),
        (-1, "IDLE", LeaseAsked(duration=None)),
        (3_600_000, "timing", LeaseAsked(duration=HOUR)),
        (259_200_000, "IDLE", LeaseAsked(duration=timedelta(days=3), kind=LeaseKind.IDLE)),
    ],
)
def test_a_duration_is_a_lease(duration: int | None, kind: str | None, asked: LeaseAsked) -> None:
    assert DURATIONS.asked(duration, kind) == asked


@pytest.mark.parametrize("duration", [0, -2, 3_599_999, 259_200_001, 1 << 62])
def test_a_duration_has_bounds(duration: int) -> None:
    with pytest.raises(LeaseOutOfBounds):
        DURATIONS.asked(duration, None)


def test_bounds_of_durations_are_the_operators_and_the_default_stays_in_them() -> None:
    short = Durations(ModelArtsSettings(shortest_lease=timedelta(seconds=1), longest_lease=timedelta(minutes=5)))
    assert short.asked(1000, None).duration == timedelta(seconds=1)
    assert short.asked(None, None).duration == timedelta(minutes=5)
    with pytest.raises(NotOneOf):
        short.asked(1000, "SOMETIMES")


def test_tags_are_read_from_pairs_with_commas_between() -> None:
    assert tagging.read(None) == tagging.read(" ") == ()
    assert tagging.read("a|b, c|,a|b") == (Tag("a", "b"), Tag("c", ""))
    for text in ("a", "|b", "a|b,", "a|b,c"):
        with pytest.raises(BadTags):
            tagging.read(text)


def test_a_list_is_of_what_is_billed_unless_codelab_is_asked_for() -> None:
    assert where(ListQuery())["feature"] == (Op.EQ, "ordinary")
    assert where(ListQuery(feature="default"))["feature"] == (Op.EQ, "free")


def test_deleted_notebooks_are_listed_where_their_status_is_asked_for() -> None:
    assert sought(ListQuery(), None).scope is NotebookScope.LISTED
    assert sought(ListQuery(status="running"), None).scope is NotebookScope.LISTED
    for status in ("DELETING", "deleted"):
        assert sought(ListQuery(status=status), None).scope is NotebookScope.DELETED


def test_filters_are_conditions() -> None:
    found = where(ListQuery(ip="192.0.2.1", description="x", username="al", pool_id="p"), 7)
    assert found["workspace"] == (Op.EQ, 7)
    assert found["address"] == (Op.EQ, "192.0.2.1")
    assert found["description"] == (Op.CONTAINS, "x")
    assert found["owner_name"] == (Op.CONTAINS, "al")
    assert found["pool"] == (Op.EQ, "p")


@pytest.mark.parametrize(
    "key", ["create_at", "description", "feature", "flavor", "id", "ip", "name", "status", "update_at", "user_id"]
)
def test_a_list_can_be_sorted_by_what_is_one_value(key: str) -> None:
    order = sought(ListQuery(sort_key=key, sort_dir="ASC"), None).query.order
    assert order
    assert all(isinstance(one, Order) and not one.descending for one in order)


@pytest.mark.parametrize("key", ["token", "url", "image", "tags", "lease", "colour"])
def test_a_list_cannot_be_sorted_by_anything_else(key: str) -> None:
    with pytest.raises(NotSortable):
        sought(ListQuery(sort_key=key), None)


@pytest.mark.parametrize(
    ("asked", "grows"),
    [
        (ListQuery(), False),
        (ListQuery(offset=100_000), False),
        (ListQuery(status="RUNNING"), False),
        (ListQuery(feature="DEFAULT"), False),
        (ListQuery(workspace_id="00000000000000000000000000000007"), False),
        (ListQuery(workspace_id="0"), True),
        (ListQuery(tags="a|b"), True),
        (ListQuery(name="a"), True),
        (ListQuery(sort_key="name"), True),
    ],
)
def test_what_costs_more_in_a_larger_table_is_a_search(asked: ListQuery, grows: bool) -> None:
    assert may_grow(asked) is grows


def created(**changed: object) -> CreateBody:
    told = {"name": "nb", "image_id": "x", "volume": VolumeBody(category="EVS"), "flavor": "modelarts.vm.cpu.2u"}
    return CreateBody(**(told | changed))  # pyright: ignore[reportArgumentType]  # of several types


def test_what_a_notebook_is_to_be_is_understood() -> None:
    body = created(feature="DEFAULT", description="what for", volume=VolumeBody(category="EFS"))
    spec = spec_of(body, image_path="p", workspace=7, lease=LeaseAsked(duration=HOUR))
    assert (spec.kind, spec.count, spec.feature, spec.workspace) == ("cpu", 2, Feature.FREE, 7)
    assert (spec.description, spec.attach_at) == ("what for", "/data")
    assert spec.volume == Volume(kind=VolumeKind.FILE, capacity=50 * GIB)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": "a b"}, BadNotebookName),
        ({"description": "<b>"}, BadDescription),
        ({"description": "d" * 513}, BadDescription),
        ({"flavor": None}, Missing),
        ({"flavor": "large"}, UnknownFlavor),
        ({"feature": "FREE"}, NotOneOf),
        ({"volume": VolumeBody(category="OBS", ownership="DEDICATED", uri="obs://a")}, NotHere),
        ({"volume": VolumeBody(category="EVS", capacity=4)}, BadVolume),
        ({"data_volumes": (VolumeBody(category="OBS", mount_path="/a"),)}, Invalid),
    ],
)
def test_what_no_notebook_can_be_is_refused(changed: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        spec_of(created(**changed), image_path="p", workspace=0, lease=LeaseAsked(duration=None))


def test_what_is_not_told_is_not_changed() -> None:
    nothing = change_of(UpdateBody(), image_path=None)
    assert {name: value for name, value in msgspec.structs.asdict(nothing).items() if value is not None} == {}
    some = change_of(UpdateBody(flavor="modelarts.vm.dcu.4u", storage_new_size=20, name="n"), image_path="p")
    assert (some.kind, some.count, some.volume_capacity, some.image_path) == ("dcu", 4, 20 * GIB, "p")
