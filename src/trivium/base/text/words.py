"""What is said to people: one entry for each code, in Chinese and English."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import msgspec


class Language(StrEnum):
    """The languages of the catalogue."""

    EN = "en"
    ZH = "zh"


class _Blank(dict[str, Any]):
    """Details for a sentence; one that is not there shows as its name."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def say(code: str, language: Language, /, **details: object) -> str:
    """The sentence for `code` with its details filled in; the code itself when the catalogue lacks it."""
    sentence = _catalogue().get(code, {}).get(language)
    return code if sentence is None else sentence.format_map(_Blank(details))


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    raw = resources.files("trivium.base.text").joinpath("catalogue.toml").read_bytes()
    return msgspec.toml.decode(raw, type=dict[str, dict[str, str]])
