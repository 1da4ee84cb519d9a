"""The marks room's errors."""

from __future__ import annotations

from trivium.base.errors import NotFound, OverQuota


class NoSuchMark(NotFound):
    """There is no such tag on anything that the caller may see."""

    code = "mark.not_found"


class TooManyMarks(OverQuota):
    """A thing has as many tags as it may have."""

    code = "mark.too_many"
