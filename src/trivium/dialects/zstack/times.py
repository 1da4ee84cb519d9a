"""Times as queries write them, by the server's clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from trivium.dialects.zstack.errors import BadValue

EXPECTED: Final = "a time like 2025-11-04 18:20:07, Nov 4, 2025 6:20:07 PM, or seconds or milliseconds since 1970"
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIRST: Final = datetime(1, 1, 3, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 29, tzinfo=UTC)
"""Times between these are times by every clock, and have a next second. Those beyond them are taken for these."""

HALF_A_DAY: Final = 12
LARGEST_SECONDS: Final = 99_999_999_999
"""A larger number counts milliseconds."""

_PLAIN: Final = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[ T](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_SHOWN: Final = re.compile(
    r"(?P<month>[A-Za-z]{3}) (?P<day>[0-9]{1,2}), (?P<year>[0-9]{4}),? "
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})[ \u202f](?P<half>[AaPp][Mm])"
)
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")


def read(name: str, text: str, utc_offset: timedelta) -> datetime:
    """The time, in UTC. Raises `BadValue`, about the field of that name."""
    try:
        found = _number(text) or _plain(text, utc_offset) or _shown(text, utc_offset)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise BadValue(name, value=text, expected=EXPECTED)
    return min(max(found, FIRST), LAST)


def _number(text: str) -> datetime | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    unit = timedelta(seconds=1) if abs(number) <= LARGEST_SECONDS else timedelta(milliseconds=1)
    return datetime(1970, 1, 1, tzinfo=UTC) + number * unit


def _plain(text: str, utc_offset: timedelta) -> datetime | None:
    found = _PLAIN.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(found[part]) for part in ("year", "month", "day"))
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    fraction = int((found["fraction"] or "").ljust(6, "0")[:6])
    ahead = utc_offset if found["zone"] is None else _ahead(found["zone"])
    return _utc(datetime(year, month, day, hour, minute, second, fraction, tzinfo=timezone(ahead)))


def _ahead(zone: str) -> timedelta:
    """How far a clock is ahead of UTC that is written as `Z` or `+08:00`."""
    if zone == "Z":
        return timedelta()
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
    return -ahead if zone[0] == "-" else ahead


def _utc(local: datetime) -> datetime:
    """The same time in UTC; at the very ends of what can be written it is one of the limits."""
    if local.year == LAST.year and local.month == LAST.month:
        local = min(local, LAST)
    elif local.year == FIRST.year:
        local = max(local, FIRST)
    return local.astimezone(UTC)


def _shown(text: str, utc_offset: timedelta) -> datetime | None:
    found = _SHOWN.fullmatch(text)
    if found is None or found["month"].lower() not in MONTHS or not 1 <= int(found["hour"]) <= HALF_A_DAY:
        return None
    month = MONTHS.index(found["month"].lower()) + 1
    hour = int(found["hour"]) % HALF_A_DAY + (HALF_A_DAY if found["half"].lower() == "pm" else 0)
    minute, second = int(found["minute"]), int(found["second"])
    local = datetime(int(found["year"]), month, int(found["day"]), hour, minute, second, tzinfo=timezone(utc_offset))
    return _utc(local)
