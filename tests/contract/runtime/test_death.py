"""The keeper, a minder, or both are killed at any moment: nothing is lost and nothing is left behind."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import uvloop

from tests.contract.runtime.world import OVER, World, alive, gone
from tests.waiting import until
from trivium.resources.notebooks.ports import Ending, Phase


async def test_a_notebook_outlives_its_keeper_and_the_next_keeper_has_it(each_world: World) -> None:
    spec = await each_world.started()
    main = each_world.main(spec.key)
    await each_world.kill_keeper()
    assert await each_world.phase(spec.key) is Phase.RUNNING
    assert each_world.main(spec.key) == main
    assert await each_world.runtime.adopt() == [spec.key]
    assert await each_world.shell(spec.key, "echo still here") == "still here"
    ended = await each_world.stopped(spec.key)
    assert ended.ending is Ending.STOPPED
    assert not alive(main.pid)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_connection_that_broke_a_moment_ago_is_made_anew(image: Path, run: Callable[..., None]) -> None:
    async def breaking() -> None:
        world = World(image)
        spec = await world.started()
        connection = world.runtime._keeper._writer
        assert connection is not None
        connection.transport.abort()
        await asyncio.sleep(0)  # it is closed, and nobody who waits for it has heard of it
        assert await world.phase(spec.key) is Phase.RUNNING
        await world.close()

    run(breaking())


async def test_how_a_notebook_ended_while_no_keeper_was_there_is_told_by_the_next(each_world: World) -> None:
    spec = await each_world.started()
    left = int(await each_world.shell(spec.key, "setsid sleep 600 >/dev/null 2>&1 & echo $!"))
    main = each_world.main(spec.key)
    await each_world.kill_keeper()
    main.send_signal(signal.SIGUSR1)
    until(lambda: not alive(main.pid))
    ended = await each_world.ended(spec.key)
    assert (ended.ending, ended.signal) == (Ending.EXITED, signal.SIGUSR1)
    assert not alive(left)


async def test_a_stop_goes_on_after_the_keeper_was_killed_in_the_middle(any_world: World) -> None:
    spec = await any_world.started(any_world.spec("python", "-m", "tinyserver", "{port}", "stubborn"))
    main = any_world.main(spec.key)
    await any_world.runtime.stop(spec.key, timedelta(seconds=1))
    await any_world.kill_keeper()
    assert alive(main.pid)
    ended = await any_world.ended(spec.key)
    assert ended.ending is Ending.STOPPED
    assert not alive(main.pid)


async def test_a_notebook_whose_minder_was_killed_goes_on_and_can_be_stopped(each_world: World) -> None:
    spec = await each_world.started()
    main = each_world.main(spec.key)
    each_world.minder(spec.key).send_signal(signal.SIGKILL)
    assert await each_world.phase(spec.key) is Phase.RUNNING
    assert alive(main.pid)
    ended = await each_world.stopped(spec.key)
    assert ended.ending is Ending.STOPPED
    assert ended.signal == signal.SIGTERM or ended.code == 0  # a forked one ends by itself when it is asked to
    assert not alive(main.pid)


async def test_a_command_whose_minder_was_killed_still_belongs_to_its_notebook(each_world: World) -> None:
    spec = await each_world.started()
    pid = int(await each_world.shell(spec.key, "setsid sleep 600 >/dev/null 2>&1 & echo $!"))
    minder = psutil.Process(psutil.Process(pid).ppid())
    minder.send_signal(signal.SIGKILL)
    until(lambda: not alive(minder.pid))
    await each_world.stopped(spec.key)
    assert not alive(pid)


async def test_with_keeper_and_minder_killed_nothing_of_the_notebook_is_left(each_world: World) -> None:
    spec = await each_world.started()
    left = int(await each_world.shell(spec.key, "setsid sleep 600 >/dev/null 2>&1 & echo $!"))
    main, minder = each_world.main(spec.key), each_world.minder(spec.key)
    await each_world.kill_keeper()
    minder.send_signal(signal.SIGKILL)
    until(lambda: not alive(minder.pid))
    assert await each_world.phase(spec.key) is Phase.RUNNING
    main.send_signal(signal.SIGKILL)
    until(lambda: not alive(main.pid))
    seen = await each_world.settled(spec.key, OVER)
    assert seen.phase is Phase.LOST
    assert not alive(left)


async def test_a_keeper_killed_at_any_moment_of_a_start_starts_it_once(any_world: World) -> None:
    chance = random.Random(7)
    for _ in range(5):
        spec = any_world.spec()
        await any_world.runtime.launch(spec)
        await asyncio.to_thread(_kill_after, (await any_world.keeper()).pid, chance.uniform(0, 0.15))
        seen = await any_world.settled(spec.key, {Phase.RUNNING, Phase.ABSENT, *OVER})
        assert seen.phase is Phase.RUNNING, seen
        port = await any_world.port(spec.key)
        mine = [one for one in psutil.net_connections("tcp") if one.laddr and one.laddr.port == port]
        holders = {one.pid for one in mine if one.status == psutil.CONN_LISTEN}
        assert holders == {any_world.main(spec.key).pid}
    assert len(await any_world.runtime.adopt()) == 5


async def test_a_keeper_that_is_asked_to_end_leaves_its_notebooks_running(world: World) -> None:
    spec = await world.started()
    keeper, main = await world.keeper(), world.main(spec.key)
    keeper.terminate()
    await asyncio.to_thread(keeper.wait, 10)
    assert alive(main.pid)
    assert await world.phase(spec.key) is Phase.RUNNING


async def test_a_cgroup_that_belongs_to_no_launch_is_cleared_away(world: World) -> None:
    spec = await world.started()
    for place in {path.parent for path in world.cgroups()}:
        (place / "999-1").mkdir()
    (world.run / "999-1").mkdir()
    assert await world.runtime.adopt() == [spec.key]
    assert not [path for path in world.cgroups() if path.name == "999-1"]
    assert not (world.run / "999-1").exists()


async def test_the_notes_of_another_boot_are_a_launch_that_was_lost(world: World) -> None:
    spec = await world.started()
    state = world.data / "keeper" / f"{spec.key.launch}-1" / "state"
    await world.kill_keeper()
    main, minder = world.main(spec.key), world.minder(spec.key)
    minder.send_signal(signal.SIGKILL)
    main.send_signal(signal.SIGKILL)
    until(lambda: not alive(main.pid))
    text = state.read_text()
    boot = text.split('"boot": "')[1].split('"')[0]
    state.write_text(text.replace(boot, "another-boot"))
    assert await world.phase(spec.key) is Phase.LOST


async def test_a_socket_that_somebody_removed_is_opened_anew(world: World) -> None:
    spec = await world.started()
    keeper = await world.keeper()
    (world.run / "keeper.sock").unlink()
    await world.runtime.close()
    world.runtime = world.server()
    assert await world.phase(spec.key) is Phase.RUNNING
    assert await world.keeper() == keeper


def _kill_after(pid: int, seconds: float) -> None:
    process = psutil.Process(pid)
    try:
        process.wait(seconds)  # it does not end by itself: this only waits
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(10)


async def test_a_keeper_with_nothing_to_keep_leaves_no_directory_behind(world: World) -> None:
    spec = await world.started()
    await world.stopped(spec.key)
    await world.runtime.remove(spec.key.launch)
    keeper = await world.keeper()
    await world.runtime.close()
    keeper.terminate()
    await asyncio.to_thread(until, gone(keeper.pid), what="the keeper's end")
    assert not world.run.exists()
