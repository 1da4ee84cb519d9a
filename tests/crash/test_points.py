"""A server that dies between any two steps of a notebook's life; the steps are named, and no chance is in it."""

from __future__ import annotations

import pytest

from tests.crash.drive import Drive
from tests.crash.lives import OVER_A_FORK, Lives, deaths, sample
from tests.crash.server import Site

MUST_BE_THERE = (
    "before the commit of resources.notebooks.outcomes.note_alive",
    "after the commit of resources.notebooks.outcomes.note_saved",
    "after the commit of resources.notebooks.outcomes.note_gone",
    "before the keeper is told launch",
    "after the keeper was told stop",
    "before save",
)


@pytest.mark.crash
@pytest.mark.timeout(0)  # every wait in it has a deadline of its own
def test_whatever_the_step_of_a_death_the_site_comes_back_whole(
    database_url: str, points: int, crash_seed: int
) -> None:
    drive = Drive(Site(None if database_url.startswith("sqlite") else database_url), crash_seed)
    try:
        drive.furnish()
        lives = Lives(drive)
        steps = lives.steps()
        assert [label for label in MUST_BE_THERE if label not in steps] == []
        chosen = [OVER_A_FORK, *sample(deaths(steps), points, crash_seed)]
        for at in chosen:
            lives.live(at)
    finally:
        drive.close()
    print(f"{database_url.partition(':')[0]}: {len(chosen)} deaths at {len(steps)} steps: {dict(lives.figures)}")
    assert lives.figures["died"] > 0
