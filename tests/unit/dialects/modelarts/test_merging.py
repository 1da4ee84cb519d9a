"""Merge patches, as RFC 7396 has them, and what they may be sent as."""

from __future__ import annotations

from typing import Any

import pytest

from trivium.dialects.modelarts.errors import BadContentType
from trivium.dialects.modelarts.merging import Patch, merged, patched
from trivium.dialects.modelarts.pools.shapes import ChangedPool
from trivium.dialects.operation import Request

RFC = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
"""The examples of its appendix A."""


@pytest.mark.parametrize(("target", "patch", "result"), RFC)
def test_a_patch_does_what_the_rfcs_examples_say(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result


def test_merging_changes_neither_side() -> None:
    target, patch = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(target, patch) == {"a": {"b": 1, "c": 2}}
    assert (target, patch) == ({"a": {"b": 1}}, {"a": {"c": 2}})


def request(content_type: str | None) -> Request:
    return Request(
        method="PATCH",
        path="/",
        raw_path=b"/",
        query=b"",
        headers={} if content_type is None else {"content-type": content_type},
        body=b"",
        id="0" * 32,
        peer="127.0.0.1",
        scheme="http",
        server=None,
    )


@pytest.mark.parametrize(
    "kind",
    [
        "application/merge-patch+json",
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=x",
    ],
)
def test_both_types_of_patches_are_read(kind: str) -> None:
    present = {"metadata": {"annotations": {"a": "b", "c": "d"}}, "spec": {"scope": ["Notebook"]}}
    after = patched(present, Patch(metadata={"annotations": {"a": None}}), request(kind), shape=ChangedPool)
    assert (after.metadata.annotations, after.spec.scope) == ({"c": "d"}, ("Notebook",))


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/json-patch+json", "application/jsonx"])
def test_other_types_are_refused(kind: str | None) -> None:
    with pytest.raises(BadContentType):
        patched({}, Patch(), request(kind), shape=ChangedPool)
