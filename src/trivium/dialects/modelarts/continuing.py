"""Places to continue a list at, as nodes and networks have them: `continue` and `remainingItemCount`.

A place is the key of the last row that was shown, so a list goes on there whatever was added or removed meanwhile: no
row comes twice, and none that stands is missed. It is signed: one that was changed, is for another list or another
project, or is too old, is refused.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import structs

from trivium.base.clock import EPOCH, instant, microseconds
from trivium.base.keyring import Keyring
from trivium.base.query import After, Offset, Scalar
from trivium.dialects.modelarts.errors import BadContinue
from trivium.dialects.modelarts.spelling import Shape
from trivium.dialects.reading import OutOfBounds
from trivium.dialects.rendered import Page

PURPOSE: Final = "modelarts.continue"
LIFETIME: Final = timedelta(hours=1)
"""How long a place is good for at least."""

STEP: Final = timedelta(minutes=10)
"""Places of one row that are made within such a span are one place, so that pages that have it are one text."""

MOST: Final = 500
LONGEST: Final = 4096
MAC: Final = 16  # bytes
REMEMBERED: Final = 1024
"""Places that are remembered as verified: a walk is often made again."""

Key: TypeAlias = "tuple[Scalar | None, ...]"

READERS: Final[dict[str, Callable[[Any], Scalar]]] = {
    "t": instant,
    "u": UUID,
    "v": lambda value: value,
}


class ListMetadata(Shape, frozen=True, kw_only=True, rename={"next": "continue", "remaining": "remainingItemCount"}):
    """What a list says of what comes after it; nothing where it is the last page."""

    next: str = ""
    remaining: int | None = None


class _Place(msgspec.Struct, frozen=True, array_like=True):
    until: int  # microseconds
    key: list[tuple[str, Any]]


class Continuations:
    """Makes places and reads them. The same on every server that has the same key file."""

    def __init__(self, keyring: Keyring) -> None:
        self._key = keyring.derive(PURPOSE)
        self._read = lru_cache(REMEMBERED)(self._verified)

    def place(self, key: Key, *, of: str, now: datetime) -> str:
        """The place after a row. `of` names the list: all that must be the same when it is continued."""
        parts = [_written(value) for value in key]
        _, until = _step(now)
        raw = msgspec.json.encode(_Place(until=microseconds(until + LIFETIME), key=parts))
        return _spelt(self._mac(raw, of) + raw)

    def page(self, given: str | None, limit: int | None, *, of: str, now: datetime) -> After | Offset:
        """The page that is asked for: from the beginning, or after a place. `OutOfBounds`, `BadContinue`."""
        size = limit or MOST
        if not 1 <= size <= MOST:
            raise OutOfBounds("limit", f"between 0 and {MOST}")
        if not given:
            return Offset(limit=size)
        return After(limit=size, key=self.key(given, of=of, now=now))

    def key(self, given: str, *, of: str, now: datetime) -> Key:
        """The key that a place stands for. `BadContinue`."""
        until, key = self._read(given, of)
        if until <= microseconds(now):
            raise BadContinue("continue")
        return key

    def metadata(self, following: Key | None, *, remaining: int, of: str, now: datetime) -> ListMetadata:
        """What is said of what comes after a page: `following` is its last row's key, None on the last page."""
        if following is None:
            return ListMetadata()
        return ListMetadata(next=self.place(following, of=of, now=now), remaining=remaining)

    def lasting(self, page: Page, given: str | None, *, of: str, goes_on: bool, now: datetime) -> Page:
        """The page as long as the place that was given is good, and the one after the page would be made again."""
        since, until = page.since, page.until
        if given:
            until = min(until, instant(self._read(given, of)[0]))
        if goes_on:
            begin, end = _step(now)
            since, until = max(since, begin), min(until, end)
        return structs.replace(page, since=since, until=until)

    def _verified(self, given: str, of: str) -> tuple[int, Key]:
        """Until when a place is good, in microseconds, and its key. `BadContinue` for one that is not ours."""
        try:
            raw = base64.b64decode(given[:LONGEST] + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadContinue("continue") from error
        mac, said = raw[:MAC], raw[MAC:]
        # The decoder reads several spellings of the same bytes; a place has one.
        if _spelt(raw) != given or not hmac.compare_digest(self._mac(said, of), mac):
            raise BadContinue("continue")
        place = msgspec.json.decode(said, type=_Place)
        key = tuple(None if value is None else READERS[kind](value) for kind, value in place.key)
        return place.until, key

    def _mac(self, raw: bytes, of: str) -> bytes:
        return hmac.digest(self._key, of.encode() + b"\0" + raw, "sha256")[:MAC]


def _spelt(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _step(now: datetime) -> tuple[datetime, datetime]:
    """The span that a moment is in."""
    begin = now - (now - EPOCH) % STEP
    return begin, begin + STEP


def _written(value: Scalar | None) -> tuple[str, Any]:
    if isinstance(value, datetime):
        return "t", microseconds(value)
    if isinstance(value, UUID):
        return "u", value.hex
    return "v", value
