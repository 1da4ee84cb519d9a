"""A launch from its first breath to its last, over the process runtime."""

from __future__ import annotations

import asyncio
import http.client
import shutil
import signal
import socket
import subprocess
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.runtime.world import IS_ROOT, OVER, World, alive
from tests.waiting import until, until_async
from trivium.resources.notebooks import RuntimeUnavailable
from trivium.resources.notebooks.ports import Ending, Environment, LaunchKey, Phase

NOWHERE = LaunchKey(launch=404, generation=1)


def fetch(port: int, path: str = "/nb/1/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


async def test_a_launch_runs_answers_and_stops(world: World) -> None:
    spec = await world.started()
    seen = (await world.runtime.observe([spec.key, NOWHERE]))[spec.key]
    assert seen.address is not None
    assert seen.workload is not None
    assert len(seen.workload) == 64
    assert await asyncio.to_thread(fetch, seen.address.port) == "s3cret /nb/1/"
    main = world.main(spec.key).pid
    ended = await world.stopped(spec.key)
    assert ended.ending is Ending.STOPPED
    assert ended.at is not None
    assert not alive(main)
    assert "it begins" in (await world.runtime.logs(spec.key)).text


async def test_a_launch_that_nobody_knows_is_absent(world: World) -> None:
    assert await world.phase(NOWHERE) is Phase.ABSENT
    await world.runtime.stop(NOWHERE, timedelta(0))
    await world.runtime.forget(NOWHERE)
    await world.runtime.remove(NOWHERE.launch)
    assert (await world.runtime.logs(NOWHERE)).text == ""


async def test_asking_twice_to_launch_starts_it_once(world: World) -> None:
    spec = await world.started()
    main = world.main(spec.key)
    await world.runtime.launch(spec)
    assert await world.phase(spec.key) is Phase.RUNNING
    assert world.main(spec.key) == main


async def test_a_socket_is_reached_where_the_notebook_cannot_exchange_it(world: World) -> None:
    spec = await world.started(world.spec("python", "-m", "tinyserver", "{socket}"))
    address = (await world.runtime.observe([spec.key]))[spec.key].address
    assert address is not None
    assert address.socket is not None
    if IS_ROOT:
        assert address.socket.parent.stat().st_uid == 0
        assert address.socket.parent.stat().st_mode & 0o022 == 0

    def ask() -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(address.socket))
            connection.sendall(b"GET /x HTTP/1.0\r\n\r\n")
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return answer.read()

    assert await asyncio.to_thread(ask) == b"s3cret /x"


async def test_a_new_start_waits_until_the_former_has_ended(world: World) -> None:
    first = await world.started(world.spec("python", "-m", "tinyserver", "{port}", "stubborn"))
    second = world.spec(key=LaunchKey(launch=first.key.launch, generation=2))
    await world.runtime.launch(second)
    seen = (await world.runtime.observe([second.key]))[second.key]
    assert seen.phase is Phase.QUEUED
    assert seen.reason
    await world.stopped(first.key, grace=0.2)
    await world.settled(second.key, {Phase.RUNNING})
    assert set(await world.runtime.adopt()) == {first.key, second.key}


async def test_a_crash_tells_its_code_and_the_last_thing_that_was_said(world: World) -> None:
    spec = await world.started()
    with pytest.raises((http.client.HTTPException, OSError)):
        await asyncio.to_thread(fetch, await world.port(spec.key), "/exit3")
    ended = await world.ended(spec.key)
    assert (ended.ending, ended.code, ended.signal) == (Ending.EXITED, 3, None)
    assert ended.detail == "the last thing it said"


async def test_a_notebook_killed_by_hand_has_exited_by_that_signal(world: World) -> None:
    spec = await world.started()
    world.main(spec.key).send_signal(signal.SIGKILL)
    ended = await world.ended(spec.key)
    assert (ended.ending, ended.code, ended.signal) == (Ending.EXITED, None, signal.SIGKILL)


async def test_what_a_crashed_server_leaves_running_is_ended(each_world: World) -> None:
    spec = await each_world.started()
    pid = int(await each_world.shell(spec.key, "setsid sleep 300 >/dev/null 2>&1 & echo $!"))
    await until_async(lambda: _true(alive(pid)))
    each_world.main(spec.key).send_signal(signal.SIGKILL)
    await each_world.ended(spec.key)
    assert not alive(pid)


async def test_one_that_never_answers_is_ended_and_says_so(image: Path) -> None:
    world = World(image, ready_within=timedelta(seconds=3))  # in which a busy machine comes to say something
    spec = world.spec("sh", "-c", "echo thinking; sleep 600 # {port}")
    await world.runtime.launch(spec)
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.NEVER_READY
    assert "3 seconds" in ended.detail
    assert "thinking" in ended.detail
    await world.close()


async def test_a_port_that_somebody_else_holds_ends_the_start(world: World) -> None:
    hold = "import sys, time; print('port', sys.argv[1], flush=True); time.sleep(600)"
    spec = world.spec("python", "-c", hold, "{port}")
    await world.runtime.launch(spec)

    async def port() -> int:
        words = (await world.runtime.logs(spec.key)).text.split()
        return int(words[1]) if len(words) > 1 else 0

    number = await until_async(port)
    with socket.create_server(("127.0.0.1", number)):
        ended = await world.ended(spec.key)
    assert ended.ending is Ending.PORT_TAKEN
    assert str(number) in ended.detail


async def test_an_environment_that_vanished_is_named(world: World) -> None:
    spec = world.spec(environment=Environment(path=Path("/nowhere/at/all"), command=("python",)))
    await world.runtime.launch(spec)
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.ENVIRONMENT_GONE
    assert "/nowhere/at/all" in ended.detail


async def test_an_interpreter_that_does_not_run_is_an_environment_that_is_gone(world: World, image: Path) -> None:
    broken = world.root / "broken"
    shutil.copytree(image, broken, symlinks=True)
    (broken / "bin/python").unlink()
    (broken / "bin/python").write_text("#!/bin/sh\necho this is no python >&2; exit 1\n")
    (broken / "bin/python").chmod(0o755)
    spec = world.spec(environment=Environment(path=broken, command=("python",)))
    await world.runtime.launch(spec)
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.ENVIRONMENT_GONE
    assert "this is no python" in ended.detail


async def test_a_program_that_is_not_in_the_image_is_named(world: World) -> None:
    spec = world.spec("no-such-program", "{port}")
    await world.runtime.launch(spec)
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.ENVIRONMENT_GONE
    assert "no-such-program" in ended.detail


async def test_a_launch_that_is_forgotten_leaves_its_log_and_its_layer(world: World) -> None:
    spec = await world.started()
    await world.stopped(spec.key)
    await world.runtime.forget(spec.key)
    await world.runtime.forget(spec.key)
    assert await world.phase(spec.key) is Phase.ABSENT
    assert await world.runtime.adopt() == []
    assert not list(world.run.glob("[0-9]*"))
    assert not list((world.data / "keeper").glob("[0-9]*"))
    assert not world.cgroups()
    assert (await world.runtime.logs(spec.key)).text
    assert (world.data / "layers" / str(spec.key.launch) / "venv").is_dir()


async def test_a_notebook_that_is_removed_leaves_nothing_but_its_users_home(world: World) -> None:
    spec = await world.started()
    main = world.main(spec.key).pid
    await world.runtime.remove(spec.key.launch)
    await world.runtime.remove(spec.key.launch)
    assert not alive(main)
    assert sorted(path.name for path in world.data.glob("*/[0-9]*")) == ["7"]
    assert not world.cgroups()


async def test_the_log_can_be_read_on_from_any_byte(world: World) -> None:
    spec = await world.started(world.spec(start_command="echo 你好"))
    whole = await world.runtime.logs(spec.key)
    assert "你好" in whole.text
    assert whole.next == len(whole.text.encode())
    rest = await world.runtime.logs(spec.key, whole.next)
    assert (rest.text, rest.next) == ("", whole.next)


async def test_a_start_command_runs_inside_the_notebook_and_into_its_log(world: World) -> None:
    spec = await world.started(world.spec(start_command="echo from $HOME $TRIVIUM_NOTEBOOK; touch made-by-start"))

    async def said() -> bool:
        text = (await world.runtime.logs(spec.key)).text
        return f"from {world.data}/homes/7 {spec.key.launch}" in text

    await until_async(said)
    assert (world.data / "homes/7/made-by-start").exists()


async def test_a_keeper_that_does_not_answer_leaves_everything_unknown(image: Path) -> None:
    world = World(image, answer_within=timedelta(seconds=1))
    spec = await world.started()
    keeper = await world.keeper()
    keeper.suspend()
    try:
        assert await world.phase(spec.key) is Phase.UNKNOWN
        with pytest.raises(RuntimeUnavailable):
            await world.runtime.listener(spec.key, 1)
    finally:
        keeper.resume()
    assert await world.settled(spec.key, {Phase.RUNNING})
    await world.close()


async def test_many_launches_at_once_have_ports_and_processes_of_their_own(world: World) -> None:
    specs = [world.spec(memory=1 << 30) for _ in range(6)]
    await asyncio.gather(*(world.runtime.launch(spec) for spec in specs))
    for spec in specs:
        await world.settled(spec.key, {Phase.RUNNING, *OVER})
    seen = await world.runtime.observe([spec.key for spec in specs])
    ports = {one.address.port for one in seen.values() if one.address is not None}
    assert len(ports) == len(specs)


async def test_when_the_data_directory_is_removed_everything_of_it_ends(image: Path) -> None:
    world = World(image)
    spec = await world.started()
    keeper, main = await world.keeper(), world.main(spec.key)
    await world.runtime.close()
    shutil.rmtree(world.data)
    await asyncio.to_thread(until, lambda: not keeper.is_running() and not alive(main.pid))
    assert not world.run.exists()
    assert world.cgroups() == []
    shutil.rmtree(world.root)


@pytest.mark.root
async def test_another_user_of_the_machine_is_not_answered_by_the_keeper(world: World) -> None:
    await world.keeper()
    (world.run / "keeper.sock").chmod(0o666)
    ask = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
        's.sendall(b\'{"id": 1, "op": "hello"}\\n\'); print(s.recv(99))'
    )
    command = ["/usr/bin/python3", "-c", ask, str(world.run / "keeper.sock")]
    ours = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    theirs = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, user=65534, group=65534
    )
    assert "protocol" in ours.stdout
    assert "protocol" not in theirs.stdout


async def _true(value: bool) -> bool:
    return value
