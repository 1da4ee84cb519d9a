"""What becomes of the settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trivium.base.clock import ManualClock
from trivium.server.compose import site_of
from trivium.server.settings import Flags, load

WINTER = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hours"), [("UTC", 0), ("Europe/London", 0), ("Asia/Shanghai", 8), ("America/St_Johns", -3.5)]
)
def test_the_sites_clock_is_as_far_ahead_of_utc_as_its_zone(zone: str, hours: float, tmp_path: Path) -> None:
    settings = load(Flags(data=str(tmp_path)), {"TRIVIUM_SITE__TIMEZONE": zone}).settings
    assert site_of(settings, ManualClock(WINTER), port=1, proxy_port=2).utc_offset == timedelta(hours=hours)
