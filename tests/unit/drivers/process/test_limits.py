"""What a launch has beside its socket."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.crash.small_disk import IS_ROOT, small_disk
from trivium.drivers.runtimes.process.keeper.launches import limits
from trivium.drivers.runtimes.process.keeper.system import mounts

ALWAYS = 0.5  # there is never more than all


def test_a_file_system_in_memory_is_told_from_others(tmp_path: Path) -> None:
    assert not mounts.is_memory("/proc/self")
    if not IS_ROOT:
        pytest.skip("needs to be root")
    memory = tmp_path / "memory"
    with small_disk(memory, "1m"):
        assert mounts.is_memory(str(memory))
        assert mounts.is_memory(str(memory / "own"))


@pytest.mark.skipif(mounts.is_memory(os.path.realpath("/var/tmp")), reason="/var/tmp is in memory")
def test_on_a_disk_that_gets_short_nothing_but_what_lies_beside_the_socket_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "SHORT", ALWAYS)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place, tempfile.TemporaryFile(dir="/var/tmp") as held:
        held.write(bytes(limits.ROOM + 1))
        held.flush()
        assert limits.overfull(place, [os.getpid()]) is None
        (Path(place) / "much").write_bytes(bytes(limits.ROOM + 1))
        assert limits.overfull(place, [os.getpid()]) == limits.TOO_MUCH
