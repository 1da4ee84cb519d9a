"""Conditions that samples are sought by are read as they are written, or refused by the name of what is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from trivium.base.caller import SYSTEM
from trivium.base.errors import Invalid
from trivium.dialects.modelarts.datasets.conditions import Seeking
from trivium.resources.datasets import Buckets
from trivium.resources.datasets.ports import LabelType
from trivium.resources.samples import Range, Sought, SoughtLabel, SoughtLabels, SoughtProperties

NOW: Final = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
READ: Final = Seeking(Buckets(["/data"], has=lambda path: path == "/data/pets"))
CAT: Final = {"name": "cat", "type": 0}
DOG: Final = {"name": "dog"}
MANY: Final = {"labels": [{"name": str(number)} for number in range(16)], "op": "OR"}


def read(given: Any) -> tuple[Sought, ...]:
    return READ.of_text(given if isinstance(given, str) else json.dumps(given), SYSTEM, NOW)


@pytest.mark.parametrize(
    ("given", "sought"),
    [
        ("", ()),
        ([], ()),
        ({}, (Sought(),)),
        ([{"labeler": "", "kvp": None}], (Sought(),)),
        ([{"hard": "0"}, {"hard": 1}], (Sought(hard=False), Sought(hard=True))),
        ([{"score": "0.25 - 1", "coefficient": "0-0"}], (Sought(score=Range(0.25, 1), coefficient=Range(0, 0)),)),
        ([{"sample_name": "a.png"}], (Sought(name="a.png"),)),
        ([{"sample_dir": "obs://pets/a//b/"}], (Sought(folder="/data/pets/a/b"),)),
        ([{"sample_dir": "/pets/"}], (Sought(folder="/data/pets"),)),
        (
            [{"label_list": {"labels": [CAT]}}],
            (Sought(labels=SoughtLabels((SoughtLabel("cat", LabelType.IMAGE_CLASSIFICATION),))),),
        ),
        (
            [{"label_list": {"labels": [DOG, DOG], "op": "or"}}],
            (Sought(labels=SoughtLabels((SoughtLabel("dog"), SoughtLabel("dog")), every=False)),),
        ),
        (
            [{"metadata": {"props": {"a": ["b"], "c": None}, "op": "AND"}}],
            (Sought(properties=SoughtProperties({"a": ("b",), "c": None})),),
        ),
    ],
)
def test_what_is_asked_is_what_is_sought(given: Any, sought: tuple[Sought, ...]) -> None:
    assert read(given) == sought


@pytest.mark.parametrize(
    ("said", "first", "days"),
    [
        ("day", datetime(2026, 2, 28, tzinfo=UTC), 2),
        ("MONTH", datetime(2026, 1, 30, tzinfo=UTC), 31),
        ("20240228-20240301", datetime(2024, 2, 28, tzinfo=UTC), 3),
        ("20240101-20240131", datetime(2024, 1, 1, tzinfo=UTC), 31),
    ],
)
def test_times_are_whole_days(said: str, first: datetime, days: int) -> None:
    assert read([{"sample_time": said}]) == (Sought(since=first, before=first + timedelta(days=days)),)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        *((text, "search_conditions") for text in ("x", "[", "[" * 100_000)),
        *(([one], "search_conditions[0]") for one in (3, "x", None, [])),
        *(
            ([{}, {name: "1"}], f"search_conditions[1].{name}")
            for name in (
                *("frame_in_video", "import_origin", "kvp", "labeler", "parent_sample_id"),
                *("slice_thickness", "study_date", "time_in_video", "misspelt"),
            )
        ),
        *(
            ([{"sample_time": said}], "search_conditions[0].sample_time")
            for said in (
                *("week", "20190915-20190901", "20190901-20191101", "20190231-20190301"),
                *("20190901-2019091501", "99991231-99991231", "00000101-00000102"),
            )
        ),
        *(
            ([{name: said}], f"search_conditions[0].{name}")
            for name in ("score", "coefficient")
            for said in ("0.5", "0.5-0.1", "0-2", "-1-1", "a-b", "0-nan", {})
        ),
        *(([{"hard": said}], "search_conditions[0].hard") for said in ("2", "yes", {}, True)),
        *(
            ([{"sample_dir": said}], "search_conditions[0].sample_dir")
            for said in ("/pets", "pets/", "/x/", "/pets/../")
        ),
        *(([{"label_list": said}], "search_conditions[0].label_list.labels") for said in ({}, {"labels": []})),
        ([{"label_list": {"labels": [{"name": "a"}] * 17, "op": "OR"}}], "search_conditions[0].label_list.labels"),
        *(
            ([{"label_list": {"labels": [CAT, DOG], "op": op}}], "search_conditions[0].label_list.op")
            for op in (None, "", "XOR")
        ),
        ([{"label_list": {"labels": [CAT], "not": True}}], "search_conditions[0].label_list.not"),
        *(
            ([{"label_list": {"labels": [CAT | wrong]}}], f"search_conditions[0].label_list.labels[0].{name}")
            for wrong, name in (
                ({"name": ""}, "name"),
                ({"type": 7}, "type"),
                ({"property": {"a": ["b"]}}, "property"),
                ({"colour": "red"}, "colour"),
            )
        ),
        ([{"metadata": {"properties": {"a": ["b"]}}}], "search_conditions[0].metadata.properties"),
        *(([{"metadata": said}], "search_conditions[0].metadata.props") for said in ({}, {"props": {}})),
        *(
            ([{"metadata": {"props": {name: ["b"]}}}], "search_conditions[0].metadata.props")
            for name in ("", 'a"b', "\\")
        ),
        *(
            ([{"metadata": {"props": {"a": said}}}], "search_conditions[0].metadata.props.a")
            for said in ("b", [], [1], ["b"] * 17)
        ),
        ([{"metadata": {"props": {"a": ["b"], "c": None}}}], "search_conditions[0].metadata.op"),
        ([{}] * 17, "search_conditions"),
        ([{"label_list": MANY}] * 4, "search_conditions"),
        ([{"sample_name": "a\0"}], "search_conditions[0].sample_name"),
    ],
)
def test_what_cannot_be_sought_is_refused_by_its_name(given: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(given)
    assert refused.value.field == field
