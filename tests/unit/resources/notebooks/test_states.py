"""The word that is shown follows from what was asked and what was found."""

from __future__ import annotations

import pytest

from trivium.resources.notebooks.states import RELEASABLE, STARTABLE, STOPPABLE, is_settled, shown
from trivium.resources.notebooks.types import Found, Status, Wanted


@pytest.mark.parametrize(
    ("wanted", "found", "first", "word"),
    [
        (Wanted.RUNNING, Found.NOTHING, True, Status.CREATING),
        (Wanted.RUNNING, Found.STARTING, True, Status.CREATING),
        (Wanted.RUNNING, Found.NOTHING, False, Status.STARTING),
        (Wanted.RUNNING, Found.STOPPED, False, Status.STARTING),
        (Wanted.RUNNING, Found.RUNNING, False, Status.RUNNING),
        (Wanted.RUNNING, Found.FAILED, True, Status.FAILED),
        (Wanted.STOPPED, Found.RUNNING, False, Status.STOPPING),
        (Wanted.STOPPED, Found.NOTHING, False, Status.STOPPING),
        (Wanted.STOPPED, Found.STOPPED, False, Status.STOPPED),
        (Wanted.STOPPED, Found.FAILED, False, Status.FAILED),
        (Wanted.DELETED, Found.RUNNING, False, Status.DELETING),
        (Wanted.DELETED, Found.FAILED, False, Status.DELETING),
        (Wanted.DELETED, Found.GONE, False, Status.DELETED),
    ],
)
def test_each_pair_has_its_word(wanted: Wanted, found: Found, first: bool, word: Status) -> None:
    assert shown(wanted, found, first=first, saving=False) is word


def test_a_running_notebook_of_which_an_image_is_made_is_saving() -> None:
    assert shown(Wanted.RUNNING, Found.RUNNING, first=False, saving=True) is Status.SAVING
    assert shown(Wanted.STOPPED, Found.RUNNING, first=False, saving=True) is Status.STOPPING


@pytest.mark.parametrize("wanted", Wanted)
@pytest.mark.parametrize("found", Found)
def test_what_is_settled_is_shown_with_a_word_for_rest(wanted: Wanted, found: Found) -> None:
    word = shown(wanted, found, first=False, saving=False)
    at_rest = {Status.STOPPED, Status.FAILED, Status.DELETED}
    assert is_settled(wanted, found) == (word in at_rest)


def test_nobody_starts_what_runs_or_stops_what_rests() -> None:
    assert STARTABLE.isdisjoint(STOPPABLE)
    assert STARTABLE < RELEASABLE
    assert Status.CREATING not in STARTABLE | STOPPABLE | RELEASABLE
