"""The keeper obeys the newest holder that it has heard of, also after it was started anew."""

from __future__ import annotations

from pathlib import Path

from trivium.drivers.runtimes.process.client import ACTING as ASKED
from trivium.drivers.runtimes.process.keeper.epochs import ACTING, Epochs


def test_who_was_passed_over_is_refused(tmp_path: Path) -> None:
    epochs = Epochs(str(tmp_path / "epoch"))
    assert epochs.admits("launch", 3)
    assert epochs.admits("stop", 4)
    assert not epochs.admits("launch", 3)
    assert epochs.admits("launch", 4)


def test_whoever_only_looks_needs_no_right(tmp_path: Path) -> None:
    epochs = Epochs(str(tmp_path / "epoch"))
    assert epochs.admits("adopt", 2)
    assert epochs.admits("observe", 0)
    assert epochs.admits("execute", 0)


def test_the_next_keeper_knows_the_newest_too(tmp_path: Path) -> None:
    assert Epochs(str(tmp_path / "epoch")).admits("forget", 7)
    assert not Epochs(str(tmp_path / "epoch")).admits("forget", 6)


def test_both_sides_agree_on_what_is_an_act() -> None:
    assert ASKED == ACTING
