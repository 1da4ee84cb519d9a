"""Which grams of a pattern are asked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trivium.store import Flavour
from trivium.store.grams import selection
from trivium.store.grams.selection import Gram, selected, spread
from trivium.store.grams.triggers import SIZES
from trivium.store.query import patterns
from trivium.store.search_cache import Sample


def grams(runs: tuple[str, ...], *more: int) -> list[Gram]:
    """Those of three characters, and of more."""
    return selection.grams(runs, (1, 2, 3, *more))


def test_a_run_has_the_longest_grams_there_are() -> None:
    assert [gram.text for gram in grams(("abcde", "测试", "x"))] == ["abc", "bcd", "cde", "测试", "x"]
    assert [gram.text for gram in grams(("abcdefg", "测试数据"), 6)] == ["abcdef", "bcdefg", "测试数", "试数据"]


def test_long_grams_are_apart_though_they_share_characters() -> None:
    found = grams(("abcdefghijkl",), 6)
    assert [gram.text for gram in spread(found)] == ["abcdef", "defghi", "ghijkl"]
    assert [gram.text for gram in selected(found, sample()).grams] == ["abcdef", "defghi"]


@pytest.mark.parametrize("length", range(4, 12))
def test_three_grams_make_up_any_term_of_four_to_eleven_characters(length: int) -> None:
    assert len(selection.grams(("abcdefghijkl"[:length],), SIZES[Flavour.SQLITE])) <= 3


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


NOW = datetime(2026, 11, 22, tzinfo=UTC)


def sample(*texts: str) -> Sample:
    """Texts of which 256 are a sample, the rest of them something else."""
    return Sample((*texts, *("something else",) * (256 - len(texts))), NOW, 10**6)


def asked(term: str, *texts: str) -> list[str]:
    return [gram.text for gram in selected(grams((term,)), sample(*texts)).grams]


def test_the_rarest_gram_is_asked_first_and_common_ones_are_not() -> None:
    found = asked("train-77", *["train-1"] * 100)
    assert found[0] in {"n-7", "-77"}
    assert not set(found) & {"tra", "rai", "ain", "in-"}


def test_grams_that_share_characters_are_not_taken_for_independent() -> None:
    assert asked("abcdef") == ["abc", "def"]


def test_no_more_grams_are_asked_than_leave_fewer_rows() -> None:
    assert len(asked("diffusion", *["a diffusion"] * 5)) == 1  # where one of its grams is, all are
    assert asked("diffusion", *["difference"] * 5, *["fusion"] * 5)[0] in {"iff", "ffu"}


def test_what_is_asked_of_a_long_term_stays_short() -> None:
    assert len(asked("abcdefghijklmnopqrstuvwxyz" * 10)) <= 4
    assert [gram.text for gram in spread(grams(("abcdefghijklmnopqrstuvwxyz",)))] == ["abc", "def", "ghi", "jkl"]


def test_a_common_term_is_counted_by_its_phrase_and_a_rare_one_by_its_rarest_gram() -> None:
    common = selected(grams(("diffusion",)), sample(*["diffusion"] * 20))
    assert common.phrase < common.cost
    unseen = selected(grams(("a-qwen-9",), 6), sample(*["a-qwen-1"] * 10, *["b-qwen-2"] * 10))
    assert unseen.phrase < unseen.cost  # the sample promises next to no candidates, and there may be many
    rare = selected(grams(("train-eval-77",)), sample(*["train-eval-1"] * 40, *["train-eval-2"] * 40))
    assert rare.cost < rare.phrase
