"""Checks of texts and documents that callers give, each error named by its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from trivium.base import json
from trivium.base.errors import Invalid, Missing
from trivium.base.text import fold

LONGEST_DOCUMENT: Final = 65_536
"""Characters of JSON."""

LARGEST_KEY: Final = 2048
"""Bytes of a folded text that an index has: PostgreSQL's take no more than a third of a page."""

INDEXED: Final = 512
"""A text that may have more characters is in no index."""


def checked_text(field: str, value: str | None, most: int, *, needed: bool = False) -> str | None:
    """The text. `Missing` for a needed one that is blank, `Invalid` for one that is too long or cannot be kept."""
    if value is None or not value.strip():
        if needed:
            raise Missing(field)
        if value is None:
            return None
    if len(value) > most:
        message = f"has {len(value)} characters, and may have {most}"
        raise Invalid(field, message, most=most)
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise Invalid(field, "must be text without NUL and halves of characters")
    if most <= INDEXED and len(fold(value).encode()) > LARGEST_KEY:
        message = f"is longer than {LARGEST_KEY} bytes when it is compared"
        raise Invalid(field, message)
    return value


def checked_document(field: str, given: Mapping[str, Any] | Sequence[Any] | None) -> str | None:
    """A document of the caller's as JSON; None for none. `Invalid` when it is too long, or cannot be kept."""
    if given is None:
        return None
    try:
        made = msgspec.json.encode(given, order="sorted").decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(field, "must be a plain JSON document") from error
    if len(made) > LONGEST_DOCUMENT or "\\u0000" in made:
        message = f"must be a JSON document of at most {LONGEST_DOCUMENT} characters without NUL"
        raise Invalid(field, message)
    return made


def document_of(kept: str | None) -> Mapping[str, Any]:
    """The document again; empty where there was none."""
    return {} if kept is None else json.decode_as(kept, dict[str, Any])
