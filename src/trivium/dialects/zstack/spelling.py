"""How ZStack writes shapes, times and identifiers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from trivium.dialects.operation import Wire
from trivium.dialects.zstack.times import HALF_A_DAY, MONTHS

TIMES: Final = 4096  # that are remembered as written: of a row that was never changed both are the same


class Shape(Wire, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A shape of ZStack's: its names are ours in camelCase, and what is null is not there.

    Give a field a default only where the default is nothing: one that has its default is left out.
    """


@lru_cache(TIMES)
def time_text(at: datetime, utc_offset: timedelta) -> str:
    """`Nov 4, 2025 6:20:07 PM`, by the server's clock."""
    local = at.astimezone(timezone(utc_offset))
    hour = local.hour % HALF_A_DAY or HALF_A_DAY
    half = "AM" if local.hour < HALF_A_DAY else "PM"
    month = MONTHS[local.month - 1].capitalize()
    return f"{month} {local.day}, {local.year} {hour}:{local.minute:02}:{local.second:02} {half}"
