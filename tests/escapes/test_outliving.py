"""Tries to live on: processes, memory and files of a notebook that was stopped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.escapes.world import Inside, Stage
from tests.waiting import until

MADE = 5  # the hiding one, a shell and what it waits for, one in a namespace of its own, one that is stopped
HIDING = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
for _ in range(3):
    if os.fork():
        os._exit(0)
    os.setsid()
os.environ.clear()
os.execve(sys.executable, ["kworker/0:0"] + sys.argv[1:], {})
"""


@pytest.fixture(scope="module")
def running(stage: Stage) -> Iterator[Inside]:
    """A notebook of Alice's that did what it could to live on."""
    inside = stage.started("alice")
    yield inside
    inside.release()


@pytest.fixture(scope="module")
def left(running: Inside) -> list[psutil.Process]:
    """Processes of a notebook that was stopped since, whatever they call themselves."""
    before = _of(running.uid)
    running.says(f"echo '{HIDING}' > hiding.py; python -I hiding.py -c 'import time; time.sleep(600)' >/dev/null 2>&1")
    running.says("(setsid nohup bash -c 'trap \"\" TERM HUP; sleep 601' >/dev/null 2>&1 &)")
    running.says("(unshare -Urpf sleep 602 >/dev/null 2>&1 &)")
    running.says("sleep 603 >/dev/null 2>&1 & until grep -aq ^sleep /proc/$!/cmdline; do :; done; kill -STOP $!")
    running.says("ipcmk -M 4096; ipcmk -Q; echo kept > /tmp/kept; echo kept > /dev/shm/kept")

    def made() -> list[psutil.Process]:
        return [one for one in _of(running.uid) if one not in before]

    until(lambda: len(made()) >= MADE, what="processes that hide")
    found = made()
    running.stop()
    return found


@pytest.fixture(scope="module")
def stopped(running: Inside, left: list[psutil.Process]) -> Inside:
    """The same notebook, after its stop."""
    del left
    return running


def test_no_process_outlives_a_stop(left: list[psutil.Process]) -> None:
    assert [one for one in left if one.is_running()] == []


def test_no_memory_outlives_a_stop(stopped: Inside) -> None:
    segments = subprocess.run(["ipcs", "-m", "-q", "-s", "-c"], capture_output=True, text=True, check=True).stdout
    assert str(stopped.uid) not in segments


def test_temporary_files_do_not_outlive_a_stop(stage: Stage, stopped: Inside) -> None:
    temporary = stage.data / "temporary"
    assert temporary.is_dir()
    until(lambda: not [one for one in temporary.iterdir() if stopped.id in one.name], what="an end of temporary files")


def test_the_ticket_of_an_earlier_start_opens_nothing(stopped: Inside) -> None:
    header = {"Authorization": f"token {stopped.ticket}"}
    assert httpx.get(stopped.url, headers=header, trust_env=False).status_code == 503
    early = stopped.ticket
    stopped.start()
    assert httpx.get(stopped.url, headers={"Authorization": f"token {early}"}, trust_env=False).status_code == 401
    fresh = {"Authorization": f"token {stopped.ticket}"}
    assert httpx.get(stopped.url, headers=fresh, trust_env=False).status_code == 200
    assert stopped.run("cat /tmp/kept || cat /dev/shm/kept").code != 0
    stopped.stop()


def _of(uid: int) -> list[psutil.Process]:
    """Every process of a user."""
    found = psutil.process_iter(["uids"])
    return [one for one in found if one.info["uids"] is not None and one.info["uids"].real == uid]
