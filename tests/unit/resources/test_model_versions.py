"""Versions of models: what reads as one, and the order that semantic versions have."""

from __future__ import annotations

from itertools import pairwise

import pytest

from trivium.resources.models.versions import version_of

ORDER = (
    "0.9",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-alpha-x",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2",
    "1.10.0",
    "2",
    "10.0.0",
)
"""As the page of semantic versions has it, with more words and numbers; from the lowest to the highest."""


def test_keys_sort_as_versions_do() -> None:
    keys = [found.key for found in map(version_of, ORDER) if found is not None]
    assert len(keys) == len(ORDER)
    assert all(first < second for first, second in pairwise(keys))


@pytest.mark.parametrize(
    ("text", "semver"),
    [
        ("1", "1.0.0"),
        ("v1.5", "1.5.0"),
        (" 2.0.3 ", "2.0.3"),
        ("V1.2.3-rc.1+build.7", "1.2.3-rc.1+build.7"),
        ("007.0.1", "7.0.1"),
    ],
)
def test_a_version_is_written_in_full(text: str, semver: str) -> None:
    found = version_of(text)
    assert found is not None
    assert found.semver == semver


@pytest.mark.parametrize(
    "text", [None, "", "latest", "1.2.3.4", "1.", "1.0-", "1.0.0-a..b", "-1", "v", "1" * 19, "1,2"]
)
def test_what_is_no_version_is_none(text: str | None) -> None:
    assert version_of(text) is None


def test_what_is_built_of_a_version_does_not_count_in_the_order() -> None:
    first, second = version_of("1.0.0+a"), version_of("1.0.0+b")
    assert first is not None
    assert second is not None
    assert first.key == second.key
