"""Limits, held by the kernel or watched: who crosses one is ended, and is told which."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import urllib.request
from datetime import timedelta

import pytest

from tests.contract.runtime.world import MIB, World, alive
from tests.waiting import until_async
from trivium.resources.notebooks import RuntimeUnavailable
from trivium.resources.notebooks.ports import Devices, Ending, Enforcement, Phase

EAT = "python -c 'kept = []\nwhile True: kept.append(b\"x\" * (8 << 20))'"


async def test_a_notebook_that_eats_more_than_its_memory_ends_and_hears_why(any_world: World) -> None:
    spec = await any_world.started(any_world.spec(memory=96 * MIB))
    port = await any_world.port(spec.key)
    await asyncio.to_thread(_ask, port, "/eat")
    ended = await any_world.ended(spec.key)
    assert ended.ending is Ending.OUT_OF_MEMORY
    assert "96 MiB" in ended.detail


async def test_a_child_that_eats_too_much_ends_the_notebook_for_the_same_reason(any_world: World) -> None:
    spec = await any_world.started(any_world.spec(memory=96 * MIB))
    main = any_world.main(spec.key)
    with contextlib.suppress(RuntimeUnavailable):  # the command ends with the notebook that it is in
        await any_world.runtime.execute(spec.key, EAT, timeout=_seconds(20))
    ended = await any_world.ended(spec.key)
    assert ended.ending is Ending.OUT_OF_MEMORY
    assert "96 MiB" in ended.detail
    assert not alive(main.pid)


async def test_more_processes_than_allowed_are_not_to_be_had(world: World) -> None:
    if (await world.runtime.capabilities()).processes is not Enforcement.ENFORCED:
        pytest.skip("no cgroups on this host")
    spec = await world.started(world.spec(processes=24))
    done = await world.runtime.execute(
        spec.key, "for i in $(seq 60); do sleep 300 & done 2>&1; wait -n", timeout=_seconds(5)
    )
    assert done.code != 0
    assert await world.phase(spec.key) is Phase.RUNNING
    assert len(world.main(spec.key).children()) < 24


async def test_where_processes_are_only_watched_too_many_end_the_notebook(watched: World) -> None:
    spec = await watched.started(watched.spec(processes=24))
    await watched.runtime.execute(
        spec.key, "for i in $(seq 60); do setsid sleep 300 & done >/dev/null 2>&1", timeout=_seconds(5)
    )
    ended = await watched.ended(spec.key)
    assert ended.ending is Ending.TOO_MANY_PROCESSES
    assert "24" in ended.detail


async def test_without_cgroups_a_notebook_keeps_to_as_many_processors_as_it_may_use(watched: World) -> None:
    spec = await watched.started(watched.spec(cores=1.0))
    assert len(watched.main(spec.key).cpu_affinity() or []) == 1


async def test_the_kernel_holds_what_capabilities_promise(world: World) -> None:
    capabilities = await world.runtime.capabilities()
    spec = await world.started(world.spec(cores=0.5))
    mine = "\n".join(path.read_text() for place in world.cgroups() for path in place.glob("cpu.*_us"))
    if capabilities.cpu is Enforcement.ENFORCED and mine:
        assert "50000" in mine.split()
    assert (capabilities.memory is Enforcement.ENFORCED) == bool(world.cgroups())
    assert alive(world.main(spec.key).pid)


async def test_watched_limits_are_not_called_enforced(watched: World) -> None:
    capabilities = await watched.runtime.capabilities()
    assert {capabilities.cpu, capabilities.memory, capabilities.processes} == {Enforcement.WATCHED}
    assert capabilities.disk is Enforcement.DECLARED
    assert any("watched" in sentence for sentence in capabilities.remedies)


async def test_only_the_accelerators_that_were_assigned_are_to_be_seen(world: World) -> None:
    specs = [
        world.spec(devices=Devices(kind="dcu", indexes=(1, 3))),
        world.spec(devices=Devices(kind="npu", indexes=(0,))),
        world.spec(),
    ]
    shown: list[dict[str, str]] = []
    for spec in specs:
        await world.started(spec)
        text = await world.shell(spec.key, "env | grep VISIBLE_DEVICES")
        shown.append(dict(line.split("=") for line in text.splitlines()))
    assert shown[0]["HIP_VISIBLE_DEVICES"] == "1,3"
    assert shown[0]["CUDA_VISIBLE_DEVICES"] == shown[0]["ASCEND_RT_VISIBLE_DEVICES"] == ""
    assert shown[1]["ASCEND_RT_VISIBLE_DEVICES"] == "0"
    assert set(shown[2].values()) == {""}
    assert {"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ASCEND_RT_VISIBLE_DEVICES"} <= set(shown[2])


async def test_a_watched_notebook_is_watched_on_by_the_next_keeper(watched: World) -> None:
    spec = await watched.started(watched.spec(memory=96 * MIB))
    await watched.kill_keeper()
    assert await watched.phase(spec.key) is Phase.RUNNING
    await asyncio.to_thread(_ask, await watched.port(spec.key), "/eat")
    assert (await watched.ended(spec.key)).ending is Ending.OUT_OF_MEMORY


async def test_nothing_is_left_of_a_cgroup_when_its_launch_has_ended(world: World) -> None:
    spec = await world.started()
    await world.stopped(spec.key)
    await until_async(lambda: _nothing(world))
    assert not list(world.run.glob("1-1"))


async def _nothing(world: World) -> bool:
    return not world.cgroups()


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def _ask(port: int, path: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30).read()
