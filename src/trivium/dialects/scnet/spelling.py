"""How SCNet writes times, sizes and numbers, and how what its clients write is read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, TypeAlias

from trivium.base.clock import MICROSECOND
from trivium.base.errors import Invalid, Missing
from trivium.base.ids import decimal_id
from trivium.base.query import Offset
from trivium.base.units import GIB, MIB
from trivium.dialects.operation import Wire
from trivium.dialects.scnet.errors import NotFlag, NotId, OutOfRange

LOCAL: Final = timezone(timedelta(hours=8))
"""The zone of every time that SCNet writes; it does not write the zone itself."""

ACCELERATORS: Final = ("cpu", "gpu", "dcu", "npu", "mlu")
"""The types of accelerators, in the case that SCNet's lists have them in."""

MOST_ROWS: Final = 1000
DEFAULT_ROWS: Final = 20
LAST: Final = 10**18 - 1
"""The largest number of a page, and the largest offset: 18 digits, as far as numbers are read."""

FURTHEST: Final = 1 << 62
"""No table has as many rows; a page beyond it is empty, and databases can still count so far."""

MINUTE: Final = timedelta(minutes=1)

WHOLE: Final = re.compile(r"[0-9]{1,18}")

Number: TypeAlias = "str | None"
"""A number as clients send it, as text or bare: a bare one is read as its text."""

Flag: TypeAlias = "bool | str | None"
"""A truth value as clients send it: `true`, or the text "true"."""


class Shape(Wire, frozen=True, kw_only=True, rename="camel"):
    """A shape of SCNet's: its names are ours in camelCase.

    Fields of requests are all optional, for absent, null and empty are one to SCNet: 10003 where it is required.
    """


def time_text(at: datetime) -> str:
    """`yyyy-MM-dd HH:mm:ss` in UTC+8."""
    return at.astimezone(LOCAL).isoformat(" ", "seconds")[:19]


def countdown(until: datetime | None, now: datetime) -> str | None:
    """How long is left, as `28天20小时17分钟`; None where nothing is counted down."""
    if until is None:
        return None
    minutes = max(int((until - now).total_seconds()), 0) // 60
    return f"{minutes // 1440}天{minutes // 60 % 24}小时{minutes % 60}分钟"


def countdown_until(until: datetime | None, now: datetime) -> datetime | None:
    """From when on the countdown reads otherwise than now; None when it never does."""
    if until is None or until - now < MINUTE:
        return None
    return until - (until - now) // MINUTE * MINUTE + MICROSECOND


def duration(length: timedelta | None) -> str | None:
    """`HH:MM:SS` with as many hours as it takes."""
    if length is None:
        return None
    seconds = int(length.total_seconds())
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def cores(millicores: int) -> str:
    """A number of cores without needless zeros: `24`, `0.5`."""
    return f"{millicores / 1000:g}"


def memory(size: int) -> str:
    """`110GB`, of 2^30 bytes each as SCNet counts them; below one, `512MB`."""
    if size < GIB:
        return f"{size // MIB}MB"
    return f"{round(size / GIB, 1):g}GB"


def milliseconds(at: datetime) -> str:
    """Milliseconds since 1970, as text."""
    return str((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))


def required(value: str | None, field: str) -> str:
    """The text; `Missing` when it is absent or empty."""
    if value is None or not value.strip():
        raise Missing(field)
    return value


def whole(value: Number, field: str, *, least: int, most: int) -> int | None:
    """The number, or None when it is absent or empty; `OutOfRange` for anything that is no whole number in between."""
    if value is None or value == "":  # zero is no absence
        return None
    text = str(value)
    if not WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise OutOfRange(field, least=least, most=most)
    return int(text)


def required_whole(value: Number, field: str, *, least: int, most: int) -> int:
    """The same for a number that must be there: `Missing` when it is not."""
    number = whole(value, field, least=least, most=most)
    if number is None:
        raise Missing(field)
    return number


def flag(value: Flag, field: str, *, default: bool) -> bool:
    """The truth value; `default` when it is absent or empty."""
    if isinstance(value, bool):
        return value
    word = (value or "").strip().lower()
    if not word:
        return default
    if word not in ("true", "false"):
        raise NotFlag(field)
    return word == "true"


def row_id(value: Number, field: str) -> int:
    """The id that a client names: 19 digits as text, accepted as a number too. `Missing`, or `NotId`."""
    text = "" if value is None else str(value).strip()
    if not text:
        raise Missing(field)
    found = decimal_id(text)
    if found is None:
        raise NotId(field)
    return found


def numbered_page(page: Number, size: Number) -> Offset:
    """The page of that number, from 1 on, with so many rows."""
    limit = whole(size, "size", least=1, most=MOST_ROWS) or DEFAULT_ROWS
    number = whole(page, "page", least=1, most=LAST) or 1
    return Offset(limit=limit, offset=min((number - 1) * limit, FURTHEST))


def page_from(start: Number, limit: Number) -> Offset:
    """So many rows from an offset on, which begins at 0."""
    offset = whole(start, "start", least=0, most=LAST) or 0
    return Offset(limit=whole(limit, "limit", least=1, most=MOST_ROWS) or DEFAULT_ROWS, offset=offset)


def one_of(value: str | None, field: str, words: tuple[str, ...]) -> str | None:
    """The word in the case that `words` has it in, whatever the case it came in; None when it is absent or empty."""
    if value is None or not value.strip():
        return None
    for word in words:
        if word.lower() == value.strip().lower():
            return word
    raise Invalid(field)
