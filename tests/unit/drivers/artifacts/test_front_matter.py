"""The small part of YAML that model cards are read in."""

from __future__ import annotations

import pytest

from trivium.drivers.artifacts.front_matter import parse


def _values(text: str) -> dict[str, tuple[str, ...]]:
    return parse(f"---\n{text}\n---\n# Title\n".encode(), "README.md")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a: b", ("b",)),
        ("a:   b c  ", ("b c",)),
        ("a: b # a comment", ("b",)),
        ("a: b#c", ("b#c",)),
        ("a: 'it''s # no comment' # but this is", ("it's # no comment",)),
        ('a: "say \\"no\\": b"', ('say "no": b',)),
        ("a: [b, 'c, d', \"e\"] # list", ("b", "c, d", "e")),
        ("a:\n- b\n- c", ("b", "c")),
        ("a:\n  - b\n  - 'c'", ("b", "c")),
        ("a: 1.0", ("1.0",)),
        ("a: 中文", ("中文",)),
        ("a:\r\n- b\r", ("b",)),
    ],
)
def test_scalars_and_lists_are_read(text: str, values: tuple[str, ...]) -> None:
    assert _values(text) == {"a": values}


@pytest.mark.parametrize(
    "text", ["a:", "a: ~", "a: null", "a: []", "a: |\n  text", "a: &anchor b", "a: *alias", "a: !tag b", "a: {b: c}"]
)
def test_what_is_empty_or_of_another_kind_is_passed_over(text: str) -> None:
    assert _values(text) == {}


def test_what_is_nested_is_passed_over_and_the_next_key_is_read() -> None:
    text = "model-index:\n- name: x\n  results:\n  - task:\n      type: y\nlicense: mit"
    assert _values(text) == {"license": ("mit",)}


@pytest.mark.parametrize("text", ["", "# Title\n", "text\n---\na: b\n---\n", "---\nonly a rule\n", "----\na: b\n---\n"])
def test_a_page_without_front_matter_says_nothing(text: str) -> None:
    assert parse(text.encode(), "README.md") == {}


def test_a_byte_order_mark_is_no_matter() -> None:
    assert parse("\ufeff---\na: b\n---\n".encode(), "README.md") == {"a": ("b",)}
