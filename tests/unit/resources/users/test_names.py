"""What a user may be called."""

from __future__ import annotations

import pytest

from trivium.resources.users import BadUserName, names


@pytest.mark.parametrize("name", ["a", "Alice", "zhang.san", "a_b-c@d.example", "9lives", "张三", "x" * 64])
def test_a_sensible_name_is_kept_as_it_was_given(name: str) -> None:
    assert names.check(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "-a", "_a", ".a", "a b", "a/b", "a\n", "a:b", "x" * 65, "a\x00", "😀", "../a"]
)
def test_a_name_that_breaks_the_rules_is_refused(name: str) -> None:
    with pytest.raises(BadUserName) as caught:
        names.check(name)
    assert caught.value.field == "name"


def test_names_that_differ_in_case_width_or_composition_are_one() -> None:
    assert names.key("ALICE") == names.key("alice") == names.key("\uff21lice")
    assert names.key("e\u0301va") == names.key("\xe9va")
    assert names.check("e\u0301va") == "\xe9va"
