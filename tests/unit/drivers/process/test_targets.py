"""What is done with a user's rights."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

UID, GROUP = 61000, 61001
PROGRAM = """
import os, sys
from trivium.drivers.runtimes.process.keeper.startup.targets import acting_as
os.setgroups([int(sys.argv[2])])
with acting_as(int(sys.argv[1])):
    assert os.getgroups() == [] and os.getegid() == int(sys.argv[1])
    try:
        os.mkdir(sys.argv[3] + "/made")
    except PermissionError:
        print("refused")
assert os.getgroups() == [int(sys.argv[2])] and os.geteuid() == os.getegid() == 0
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")
def test_the_groups_of_root_are_none_of_the_users(tmp_path: Path) -> None:
    of_group = Path("/tmp") / f"{tmp_path.name}-{os.getpid()}"  # which the user gets to
    of_group.mkdir()
    try:
        os.chown(of_group, 0, GROUP)
        of_group.chmod(0o770)
        words = [sys.executable, "-c", PROGRAM, str(UID), str(GROUP), str(of_group)]
        assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "refused\n"
        assert not list(of_group.iterdir())
    finally:
        of_group.rmdir()
