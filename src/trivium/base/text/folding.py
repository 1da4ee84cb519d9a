"""Folding: what makes two spellings the same in a search."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """The text without differences of case, width and composition; what searches compare."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
