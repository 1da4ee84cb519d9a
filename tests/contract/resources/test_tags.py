"""Tags of any kind of thing."""

from __future__ import annotations

import pytest

from tests.builders import Place
from trivium.base.errors import Invalid
from trivium.resources import tags
from trivium.resources.tags import Tag, TooManyTags
from trivium.store import Write

KIND = "thing"


def given(here: Place, thing: int, *told: Tag, kind: str = KIND) -> list[Tag]:
    return list(here.store.write_now(tags.put, kind, thing, project=here.admin.project, given=told))


def test_a_key_has_one_value_and_the_last_one_counts(here: Place) -> None:
    assert given(here, 1, Tag("env", "prod"), Tag("a", "1")) == [Tag("a", "1"), Tag("env", "prod")]
    assert given(here, 1, Tag("env", "测试"), Tag("env", "last")) == [Tag("a", "1"), Tag("env", "last")]
    assert here.store.read_now(tags.of, KIND, 1) == [Tag("a", "1"), Tag("env", "last")]


def test_kinds_do_not_meet(here: Place) -> None:
    given(here, 1, Tag("env", "prod"))
    given(here, 1, Tag("other", "x"), kind="pool")
    assert here.store.read_now(tags.of, "pool", 1) == [Tag("other", "x")]
    assert here.store.search_now(tags.by_key, "pool", project=here.admin.project) == {"other": ["x"]}


def test_a_thing_has_at_most_twenty(here: Place) -> None:
    twenty = [Tag(f"key-{number}", "v") for number in range(20)]
    given(here, 1, *twenty)
    given(here, 1, Tag("key-3", "another"))
    with pytest.raises(TooManyTags):
        given(here, 1, Tag("one more"))
    with pytest.raises(TooManyTags):
        given(here, 2, *twenty, Tag("one more"))
    assert here.store.read_now(tags.of, KIND, 2) == []


@pytest.mark.parametrize(
    ("tag", "field"),
    [
        (Tag("", "v"), "key"),
        (Tag(" k", "v"), "key"),
        (Tag("k" * 129, "v"), "key"),
        (Tag("k\n", "v"), "key"),
        (Tag("k", "v" * 256), "value"),
        (Tag("k", "v\0"), "value"),
    ],
)
def test_senseless_keys_and_values_are_refused(here: Place, tag: Tag, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        given(here, 1, tag)
    assert caught.value.field == field


def test_tags_are_taken_by_key_and_what_is_not_there_is_no_fault(here: Place) -> None:
    given(here, 1, Tag("a", "1"), Tag("b", ""), Tag("c"))
    assert here.store.write_now(tags.remove, KIND, 1, keys=["a", "none", "a"]) == 1
    assert here.store.write_now(tags.remove, KIND, 1, keys=[]) == 0
    assert here.store.read_now(tags.of, KIND, 1) == [Tag("b"), Tag("c")]
    here.store.write_now(tags.remove_all, KIND, 1)
    assert here.store.read_now(tags.of, KIND, 1) == []


def test_many_things_are_looked_at_together(here: Place) -> None:
    given(here, 1, Tag("b", "2"), Tag("a", "1"))
    given(here, 3, Tag("a", "3"))
    assert here.store.read_now(tags.of_many, KIND, [1, 2, 3]) == {
        1: [Tag("a", "1"), Tag("b", "2")],
        2: [],
        3: [Tag("a", "3")],
    }
    assert here.store.read_now(tags.of_many, KIND, []) == {}


def test_a_projects_tags_are_told_once_each(here: Place) -> None:
    for thing, value in enumerate(("x", "y", "x")):
        given(here, thing, Tag("env", value), Tag("same", "s"))
    other = here.user("bob").project

    def others(tx: Write) -> None:
        tags.put(tx, KIND, 9, project=other, given=[Tag("secret", "s")])

    here.store.write_now(others)
    assert here.store.search_now(tags.by_key, KIND, project=here.admin.project) == {"env": ["x", "y"], "same": ["s"]}
