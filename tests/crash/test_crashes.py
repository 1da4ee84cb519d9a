"""Kill the server again and again at random moments: what was acknowledged stands, and all comes to what was asked."""

from __future__ import annotations

import pytest

from tests.crash.drive import Drive
from tests.crash.server import Site


@pytest.mark.crash
@pytest.mark.timeout(0)  # every wait in it has a deadline of its own
def test_whatever_the_moment_of_a_kill_the_site_comes_back_whole(
    database_url: str, kills: int, crash_seed: int
) -> None:
    site = Site(None if database_url.startswith("sqlite") else database_url)
    drive = Drive(site, crash_seed)
    try:
        said = drive.run(kills)
    finally:
        drive.close()
    print(f"{database_url.partition(':')[0]}: {said}")
    assert drive.kills >= kills
