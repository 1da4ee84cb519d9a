"""Numbers of GPUs, in every form that ZStack's clients write them in."""

from __future__ import annotations

import pytest

from trivium.dialects.zstack.errors import BadValue
from trivium.dialects.zstack.models.asking import gpu_numbers


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, None),
        ("4", (4,)),
        ("1,2,4", (1, 2, 4)),
        ("[1,2,4]", (1, 2, 4)),
        (" [ 1, 2 ] ", (1, 2)),
        ([1, 2, 4], (1, 2, 4)),
        (["1", 2], (1, 2)),
        (8, (8,)),
        ("007", (7,)),
        ("", ()),
        ([], ()),
    ],
    ids=str,
)
def test_each_form_is_read(given: object, found: tuple[int, ...] | None) -> None:
    assert gpu_numbers(given) == found


WRONG: list[object] = [
    "0",
    "-1",
    "1,,2",
    "1;2",
    "x",
    "1.5",
    1.5,
    0,
    -2,
    True,
    [True],
    [None],
    [[1]],
    {},
    "[[1]]",
    "\u0663",
]
LONG = ["1" * 11, "4294967296", ",".join(["1"] * 129), "1," * 200_000]


@pytest.mark.parametrize("given", [*WRONG, *LONG], ids=lambda given: f"{repr(given)[:20]} of {len(repr(given))}")
def test_what_is_no_number_of_gpus_is_refused_by_the_name_of_the_field(given: object) -> None:
    with pytest.raises(BadValue) as refused:
        gpu_numbers(given)
    assert refused.value.field == "recommendedGpuNum"


@pytest.mark.parametrize(("given", "told"), [([True], "[true]"), ({"a": None}, '{"a":null}'), ("x", "x"), (1.5, "1.5")])
def test_what_was_given_is_told_as_it_was_written(given: object, told: str) -> None:
    with pytest.raises(BadValue) as refused:
        gpu_numbers(given)
    assert refused.value.details["value"] == told
