"""Stopping means every descendant, whatever it did to get away; with cgroups and without."""

from __future__ import annotations

import signal
from datetime import timedelta

import psutil
import pytest

from tests.contract.runtime.world import World, alive, gone
from tests.waiting import until, until_async
from trivium.resources.notebooks.ports import Ending, LaunchSpec, Phase

DAEMON = (
    "import os, signal, sys, time\n"
    "if os.fork(): os._exit(0)\n"
    "os.setsid()\n"
    "if os.fork(): os._exit(0)\n"
    "for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)\n"
    "os.closerange(0, 64)\n"
    "os.environ.clear()\n"
    "open('pid', 'w').write(str(os.getpid()))\n"
    "time.sleep(600)\n"
)


async def left_behind(world: World, spec: LaunchSpec, words: str) -> int:
    """What a command leaves running that writes its pid down."""
    await world.shell(spec.key, words)
    note = world.data / "homes/7/pid"
    return int(until(lambda: note.exists() and note.read_text()))


async def test_a_daemon_in_a_session_of_its_own_does_not_outlive_its_notebook(any_world: World) -> None:
    spec = await any_world.started()
    pid = await left_behind(any_world, spec, f'python -c "{DAEMON}"; env -i setsid sleep 600 >/dev/null 2>&1 &')
    assert alive(pid)
    ended = await any_world.stopped(spec.key, grace=0.5)
    assert ended.ending is Ending.STOPPED
    assert not alive(pid)


HEADLESS = (
    "import ctypes, os, threading, time\n"
    "threading.Thread(target=time.sleep, args=(600,)).start()\n"
    "open('pid', 'w').write(str(os.getpid()))\n"
    "ctypes.CDLL(None).syscall(60 if os.uname().machine == 'x86_64' else 93, 0)\n"
)


async def test_a_process_whose_first_thread_has_ended_does_not_outlive_its_notebook(any_world: World) -> None:
    """It looks like a zombie, and goes on."""
    spec = await any_world.started()
    pid = await left_behind(any_world, spec, f'setsid python -c "{HEADLESS}" >/dev/null 2>&1 &')
    process = psutil.Process(pid)
    until(lambda: process.status() == psutil.STATUS_ZOMBIE)
    assert process.num_threads() > 1
    ended = await any_world.stopped(spec.key, grace=20)
    assert ended.ending is Ending.STOPPED
    assert not process.is_running()


async def test_a_process_that_is_stopped_is_ended_too(any_world: World) -> None:
    spec = await any_world.started()
    pid = int(await any_world.shell(spec.key, "sleep 600 >/dev/null 2>&1 & kill -STOP $!; echo $!"))
    any_world.main(spec.key).suspend()
    ended = await any_world.stopped(spec.key, grace=5)
    assert ended.ending is Ending.STOPPED
    assert ended.signal == signal.SIGTERM
    assert not alive(pid)


async def test_one_that_does_not_listen_is_killed_when_its_grace_is_over(any_world: World) -> None:
    spec = await any_world.started(any_world.spec("python", "-m", "tinyserver", "{port}", "stubborn"))
    await any_world.runtime.stop(spec.key, timedelta(seconds=60))
    assert await any_world.phase(spec.key) is Phase.STOPPING
    ended = await any_world.stopped(spec.key, grace=0.2)  # a second asking can only make it sooner
    assert (ended.ending, ended.signal) == (Ending.STOPPED, signal.SIGKILL)


async def test_a_start_that_is_under_way_can_be_stopped(any_world: World) -> None:
    for _ in range(4):
        spec = any_world.spec("sh", "-c", "sleep 600 # {port}")
        await any_world.runtime.launch(spec)
        ended = await any_world.stopped(spec.key, grace=0.1)
        assert ended.ending is Ending.STOPPED


async def test_a_storm_of_processes_is_ended(any_world: World) -> None:
    storm = "import os\nwhile True:\n try:\n  os.fork()\n except OSError: pass"
    spec = await any_world.started(any_world.spec(processes=60))
    await any_world.runtime.execute(spec.key, f"python -c '{storm}'", timeout=timedelta(seconds=0.2))
    await any_world.runtime.stop(spec.key, timedelta(0))
    ended = await any_world.ended(spec.key)
    assert ended.ending in {Ending.STOPPED, Ending.TOO_MANY_PROCESSES}


async def test_a_second_stop_of_an_ended_launch_changes_nothing(world: World) -> None:
    spec = await world.started()
    before = await world.stopped(spec.key)
    assert await world.stopped(spec.key) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_notebook_outlives_its_server_and_is_stopped_by_the_next(world: World, number: signal.Signals) -> None:
    spec = await world.started()
    await world.runtime.close()
    world.runtime = world.server()
    assert await world.runtime.adopt() == [spec.key]
    assert await world.phase(spec.key) is Phase.RUNNING
    pid = world.main(spec.key).pid
    world.main(spec.key).send_signal(number)
    await world.ended(spec.key)
    await until_async(lambda: _value(gone(pid)()))


async def _value(value: bool) -> bool:
    return value
