"""Which grams of a pattern are asked."""

from __future__ import annotations

import pytest

from trivium.store.grams.choosing import chosen, grams, phrase_cost
from trivium.store.query import patterns


def test_a_run_has_the_longest_grams_there_are() -> None:
    assert [gram.text for gram in grams(("abcde", "测试", "x"))] == ["abc", "bcd", "cde", "测试", "x"]


@pytest.mark.parametrize(
    ("pattern", "runs", "is_substring"),
    [
        ("%abc%", ("abc",), True),
        ("abc", ("abc",), False),
        ("%abc", ("abc",), False),
        ("abc%", ("abc",), False),
        ("%a_c%", ("a", "c"), False),
        ("%a%c%", ("a", "c"), False),
        ("%\\%\\_\\\\%", ("%_\\",), True),
        ("%a\\%", ("a%",), False),
        ("%%", (), False),
        ("%%a%", ("a",), False),
        ("", (), False),
    ],
)
def test_the_plain_runs_of_a_pattern_are_what_a_text_must_hold(
    pattern: str, runs: tuple[str, ...], is_substring: bool
) -> None:
    assert patterns.runs(pattern) == runs
    assert patterns.is_substring(pattern) == is_substring


def test_every_term_is_one_substring_once_it_is_a_pattern() -> None:
    for term in ("a", "50%", "a_b", "\\", "％＿", "%%", "_"):
        pattern = patterns.containing(term)
        assert patterns.is_substring(pattern), term
        assert patterns.runs(pattern) == (term.replace("％＿", "%_"),)


def shares(**known: float) -> dict[str, float]:
    return known


def test_the_rarest_gram_is_asked_first_and_common_ones_are_not() -> None:
    common = shares(tra=0.3, rai=0.3, ain=0.3)
    found = grams(("train-77",))
    taken, cost = chosen(found, lambda gram: common.get(gram, 0.001), 0.0)
    assert taken[0].text in {"in-", "n-7", "-77"}
    assert not {gram.text for gram in taken} & set(common)
    assert cost < 0.01


def test_grams_that_share_characters_are_not_taken_for_independent() -> None:
    taken, _ = chosen(grams(("abcdef",)), lambda _: 0.01, 0.0)
    assert [gram.text for gram in taken] == ["abc", "def"]


def test_a_common_term_is_counted_by_its_phrase_and_a_rare_one_by_its_rarest_gram() -> None:
    found = grams(("diffusion",))
    _, cost = chosen(found, lambda _: 0.2, 0.2)
    assert phrase_cost(found, lambda _: 0.2) < cost
    rare = {"dif": 0.0001}
    _, cost = chosen(found, lambda gram: rare.get(gram, 0.2), 0.0)
    assert cost < phrase_cost(found, lambda gram: rare.get(gram, 0.2))


def test_no_more_grams_are_asked_than_leave_fewer_rows() -> None:
    taken, _ = chosen(grams(("diffusion",)), lambda _: 0.02, 0.02)
    assert len(taken) == 1
