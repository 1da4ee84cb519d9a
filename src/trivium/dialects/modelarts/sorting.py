"""Orders: `sort_key`, one field or several with commas between, and `sort_dir`, one direction for all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from trivium.base.query import Order
from trivium.dialects.modelarts.errors import NotSortable
from trivium.dialects.modelarts.spelling import Text, one_of

KEYS: Final = re.compile(r"[A-Za-z0-9_,-]{1,128}")
ASCENDING: Final = "ASC"
DESCENDING: Final = "DESC"
DIRECTIONS: Final = (ASCENDING, DESCENDING)


def is_descending(direction: Text) -> bool:
    """Whether the largest comes first, as it does unless asked otherwise. `NotOneOf`."""
    return one_of(direction, "sort_dir", DIRECTIONS) != ASCENDING


def orders(keys: Text, direction: Text, fields: Mapping[str, Sequence[str]], *, default: str) -> tuple[Order, ...]:
    """The order, in the fields of a room; `fields` says which those are for each field of the wire.

    One that is the same for all rows has none of its own. Raises `NotSortable` or `NotOneOf`.
    """
    descending = is_descending(direction)
    named = [key for key in split(keys) or [default] if key]
    for key in named:
        if key not in fields:
            raise NotSortable("sort_key", key=key)
    found = tuple(Order(field=field, descending=descending) for key in named for field in fields[key])
    return found or tuple(Order(field=field, descending=descending) for field in fields[default])


def split(keys: Text) -> list[str]:
    """The fields that are named; none when it is absent or empty. `NotSortable` for what names no field."""
    text = (keys or "").strip()
    if not text:
        return []
    if not KEYS.fullmatch(text):
        raise NotSortable("sort_key", key=text[:128])
    return [part for part in text.split(",") if part]
