"""Tags as values."""

from __future__ import annotations

from typing import Final

from trivium.base.values import Value

MOST: Final = 20
"""Tags that one thing may have."""


class Tag(Value, frozen=True):
    """A key with its value. A thing has each key at most once."""

    key: str
    value: str = ""
