"""How ModelArts writes ids, times, words and truth, and how what its clients write is read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from trivium.base.clock import EPOCH
from trivium.dialects.modelarts.errors import NotOneOf
from trivium.dialects.operation import Wire
from trivium.dialects.reading import OutOfBounds

DEFAULT_WORKSPACE: Final = "0"
MILLISECOND: Final = timedelta(milliseconds=1)
LATEST: Final = 253_402_300_799_999  # milliseconds: the last of the year 9999

Text: TypeAlias = "str | None"


class Shape(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """A shape of ModelArts': fields that have nothing to say are left out."""


def milliseconds(at: datetime) -> int:
    """Milliseconds since 1970: notebooks, images, workspaces, datasets and models."""
    return (at - EPOCH) // MILLISECOND


def instant(field: str, at: int) -> datetime:
    """The time that so many milliseconds since 1970 are. `OutOfBounds`."""
    if not 0 <= at <= LATEST:
        raise OutOfBounds(field, "milliseconds since 1970")
    return EPOCH + timedelta(milliseconds=at)


def rfc3339(at: datetime, *, digits: int = 0) -> str:
    """`2022-09-16T05:32:44Z`: pools, nodes and networks; IAM's times have six digits of a second's fraction."""
    plain = at.astimezone(UTC).replace(tzinfo=None)
    return plain.isoformat(timespec="microseconds" if digits else "seconds") + "Z"


def dashed(uuid: UUID) -> str:
    """A UUID with dashes: notebooks, images, models."""
    return str(uuid)


def bare(uuid: UUID) -> str:
    """The 32 hex digits of a UUID: users, projects, domains."""
    return uuid.hex


def one_of(value: Text, field: str, words: Collection[str]) -> str | None:
    """The word in the case that `words` has it in, whatever the case it came in; None when it is absent or empty.

    Raises `NotOneOf`.
    """
    text = (value or "").strip()
    if not text:
        return None
    for word in words:
        if word.lower() == text.lower():
            return word
    raise NotOneOf(field, words=", ".join(words))
