"""Lists are sorted by every plain field of what they show, save those that no database has."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from msgspec import inspect

from trivium.dialects.modelarts.images import translation as images
from trivium.dialects.modelarts.images.shapes import ImageShape
from trivium.dialects.modelarts.notebooks import flavors, translation
from trivium.dialects.modelarts.notebooks.shapes import NotebookShape

PLAIN = (inspect.StrType, inspect.IntType, inspect.BoolType, inspect.FloatType)


def plain_fields(shape: type) -> frozenset[str]:
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    return frozenset(one.encode_name for one in info.fields if isinstance(one.type, PLAIN))


@pytest.mark.parametrize(
    ("shape", "keys", "apart"),
    [
        (NotebookShape, translation.SORTED_BY, {"token", "url", "fail_reason"}),
        (ImageShape, images.SORTED_BY, {"status_message"}),
        (flavors.FlavorShape, flavors.SORTED_BY, set[str]()),
    ],
    ids=["notebooks", "images", "flavors"],
)
def test_a_list_is_sorted_by_each_plain_field(shape: type, keys: Collection[str], apart: set[str]) -> None:
    assert plain_fields(shape) - set(keys) == apart
    assert set(keys) <= plain_fields(shape)
