"""The tags room's errors."""

from __future__ import annotations

from trivium.base.errors import OverQuota


class TooManyTags(OverQuota):
    """A thing has at most 20 tags."""

    code = "tag.too_many"
