"""The same suite where the server is not root: run again as an ordinary user, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.runtime.world import IS_ROOT
from trivium.drivers.runtimes.process.keeper.startup import namespaces
from trivium.drivers.runtimes.process.keeper.system import linux

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NOBODY = 65533
CHOSEN = (
    "(test_a_launch_runs or without_namespaces or in_a_session_of_its_own or next_keeper_has_it or only_watched"
    " or with_keeper_and_minder or dies_with_the_notebook or saved_layer_gives or own_listeners or read_whole"
    " or dies_alone) and not cgroups"
)


def become_nobody() -> Callable[[], None]:
    """What makes a child an ordinary user who can still reach the tests' interpreter."""
    uncrossed = [Path(os.path.realpath(sys.executable)).parents[1], Path(sys.prefix), ROOT]
    resolved = [(namespaces.resolve(str(path)), False) for path in uncrossed]

    def become() -> None:
        linux.unshare_mounts()
        os.umask(0o022)
        namespaces._cover(resolved, {}, NOBODY)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)

    return become


@pytest.mark.root
@pytest.mark.timeout(400)
@pytest.mark.skipif(not IS_ROOT, reason="the whole suite runs as an ordinary user already")
def test_an_ordinary_user_has_notebooks_too() -> None:
    with tempfile.TemporaryDirectory(prefix="tru-", dir="/tmp") as directory:
        os.chown(directory, NOBODY, NOBODY)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=",
             "--import-mode=importlib", "--basetemp", f"{directory}/t", "-k", CHOSEN, str(HERE)],
            cwd=ROOT, preexec_fn=become_nobody(), capture_output=True, text=True, check=False,
            env={"PATH": os.environ["PATH"], "HOME": directory, "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
