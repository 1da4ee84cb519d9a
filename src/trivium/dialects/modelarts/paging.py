"""Pages by offset, as notebooks, images and flavors have them: `current`, `data`, `pages`, `size`, `total`.

The seed's samples agree with one rule. With a limit in force `size` is the limit, `pages` how many pages of that size
there are, and `current` the number of the page that the offset is on, from 0. Without a limit there is one page, which
is number 1, of all records.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from trivium.base.query import Offset
from trivium.base.values import Value
from trivium.dialects.modelarts.spelling import Shape
from trivium.dialects.reading import OutOfBounds

T = TypeVar("T")

MOST: Final = 1000
"""Records of one page."""

FURTHEST: Final = 1 << 62
"""No table has as many rows; an offset beyond it is an empty page, and databases can still count so far."""


class Counts(Value, frozen=True):
    """The numbers of a page."""

    current: int
    pages: int
    size: int
    total: int


class PageShape(Shape, Generic[T], frozen=True, kw_only=True):
    """A page."""

    current: int
    data: list[T]
    pages: int
    size: int
    total: int


def offset_page(limit: int | None, offset: int | None, *, default: int) -> Offset:
    """The page that is asked for. `OutOfBounds`."""
    size = default if limit is None else limit
    if not 1 <= size <= MOST:
        raise OutOfBounds("limit", f"between 1 and {MOST}")
    return Offset(limit=size, offset=checked_offset(offset))


def numbered_page(limit: int | None, offset: int | None, *, default: int, most: int) -> Offset:
    """The page that is asked for where the offset counts pages. `OutOfBounds`."""
    size = default if limit is None else limit
    if not 1 <= size <= most:
        raise OutOfBounds("limit", f"between 1 and {most}")
    return Offset(limit=size, offset=min(checked_offset(offset) * size, FURTHEST))


def checked_offset(offset: int | None) -> int:
    """How many records come before the page. `OutOfBounds`."""
    start = offset or 0
    if start < 0:
        raise OutOfBounds("offset", "at least 0")
    return min(start, FURTHEST)


def counts(page: Offset, total: int) -> Counts:
    """The numbers of a page with a limit."""
    return Counts(current=page.offset // page.limit, pages=-(-total // page.limit), size=page.limit, total=total)


def whole(total: int) -> Counts:
    """The numbers of a list without a limit."""
    return Counts(current=1, pages=1 if total else 0, size=total, total=total)


def paged(numbers: Counts, data: list[T]) -> PageShape[T]:
    """The page."""
    return PageShape(current=numbers.current, data=data, pages=numbers.pages, size=numbers.size, total=numbers.total)
