"""Everything that can go wrong has its words, in both languages."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from trivium.base.errors import KINDS, Internal
from trivium.base.text import Language, say

SOURCE = Path(__file__).resolve().parents[3] / "src" / "trivium"
CATALOGUE = tomllib.loads((SOURCE / "base" / "text" / "catalogue.toml").read_text("utf-8"))


def _codes() -> Iterator[str]:
    """The code of every error class in the source."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield from _code_of(node)


def _code_of(node: ast.ClassDef) -> Iterator[str]:
    for line in node.body:
        if isinstance(line, ast.Assign | ast.AnnAssign) and isinstance(line.value, ast.Constant):
            targets = line.targets if isinstance(line, ast.Assign) else [line.target]
            if isinstance(line.value.value, str) and any(ast.unparse(target) == "code" for target in targets):
                yield line.value.value


def test_every_error_class_is_said_in_both_languages() -> None:
    codes = set(_codes())
    assert len(codes) > len(KINDS)
    assert sorted(codes - set(CATALOGUE)) == []


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_an_entry_has_both_languages_with_the_same_details(code: str) -> None:
    entry = CATALOGUE[code]
    assert set(entry) == {language.value for language in Language}
    details = {
        language: {name for _, name, _, _ in Formatter().parse(text) if name} for language, text in entry.items()
    }
    assert details["en"] == details["zh"]
    assert all(text.strip() == text and text for text in entry.values())


def test_details_are_filled_in_and_missing_ones_keep_their_names() -> None:
    assert say("user.name_taken", Language.EN, name="alice").startswith("There is a user alice already")
    assert "{name}" in say("user.name_taken", Language.EN)
    assert say("no.such.code", Language.ZH) == "no.such.code"
    assert Internal.code in CATALOGUE
