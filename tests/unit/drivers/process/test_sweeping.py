"""What launches leave behind, removed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.drivers.process.test_folders import fill
from trivium.drivers.runtimes.process.keeper.system import beside

SWEEPS = """
import os, sys
from trivium.drivers.runtimes.process.keeper.system import sweeping
if sys.argv[2:]:
    sweeping.resume(sys.argv[1])
else:
    sweeping.sweep_sockets(sys.argv[1] + "/1-1")
print(os.path.exists(sys.argv[1] + "/1-1"))
try:
    print(os.wait()[1])
except ChildProcessError:
    print("no child")
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """What a launch has beside its socket."""
    place = tmp_path / "1-1" / "own"
    place.mkdir(parents=True)
    (place / "s").touch()
    (tmp_path / "2-1").mkdir()
    return place


def swept(above: Path, *words: str) -> list[str]:
    """Whether it is still there, and what came of the process that removed it; nothing of it is left then."""
    command = [sys.executable, "-c", SWEEPS, str(above), *words]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    assert [one.name for one in above.iterdir()] == ["2-1"]
    return said


def test_the_little_that_lies_beside_a_socket_is_removed_at_once(tmp_path: Path, own: Path) -> None:
    assert own.exists()
    assert swept(tmp_path) == ["False", "no child"]
    assert swept(tmp_path) == ["False", "no child"]


def test_very_much_is_out_of_sight_at_once_and_removed_beside(tmp_path: Path, own: Path) -> None:
    for number in range(beside.THINGS):
        (own / str(number)).touch()
    assert swept(tmp_path) == ["False", "0"]


def test_so_is_what_lies_deep(tmp_path: Path, own: Path) -> None:
    fill(own / "deep")
    assert swept(tmp_path) == ["False", "0"]


def test_what_an_earlier_keeper_was_removing_is_removed(tmp_path: Path, own: Path) -> None:
    own.parent.rename(tmp_path / ".gone-1-1-abcd")
    assert swept(tmp_path, "resumes") == ["False", "0"]
