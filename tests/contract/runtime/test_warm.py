"""Warm parents: a notebook that is forked is what one that is started is, and whatever is off is started plainly.

The image is a small one, whose JupyterLab is a program that tells what process it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from msgspec import structs

from tests.contract.runtime.lab import launch, make_lab, parent
from tests.contract.runtime.world import IS_ROOT, OVER, World, alive, gone, site
from tests.waiting import until
from trivium.resources.notebooks.ports import Environment, LaunchSpec, Mount, Phase

SAME = "a word that both have"
OWN = {"TRIVIUM_LAUNCH", "TRIVIUM_NOTEBOOK"}
VERSIONS = ("", "3.9", "3.10", "3.12", "3.13")  # of images' interpreters; empty: the tests' own


@pytest.fixture
def lab(image: Path, tmp_path: Path) -> Iterator[Path]:
    """An environment of the operator's with a JupyterLab that tells what process it is."""
    directory = make_lab(image.parent / f"lab-{tmp_path.name}")
    yield directory
    shutil.rmtree(directory)


@pytest_asyncio.fixture
async def warm(lab: Path) -> AsyncIterator[World]:
    """A runtime whose image has a parent that was not used yet."""
    world = World(lab)
    await world.stopped((await world.started(launch(world))).key)
    await parent(world)
    yield world
    await world.close()


async def is_forked(world: World, spec: LaunchSpec) -> bool:
    """Whether a launch was forked: who minds it is then no child of the keeper's."""
    return world.minder(spec.key).ppid() != (await world.keeper()).pid


async def facts(world: World, spec: LaunchSpec) -> dict[str, Any]:
    """What a launch's process says of itself."""
    address = (await world.runtime.observe([spec.key]))[spec.key].address
    assert address is not None

    def ask() -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(address.socket))
            connection.sendall(b"GET /facts HTTP/1.0\r\n\r\n")
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return json.loads(answer.read())

    return await asyncio.to_thread(ask)


def told(found: dict[str, Any], spec: LaunchSpec, data: Path) -> dict[str, Any]:
    """The same facts for every launch: what is one launch's own is left out or has one name."""
    left = {name: value for name, value in found.items() if name not in {"random", "key", "descriptors"}}
    left["environment"] = {name: value for name, value in left["environment"].items() if name not in OWN}
    text = json.dumps(left)
    for word in (f"{data}/layers/{spec.key.launch}/", f"/{spec.key.launch}-{spec.key.generation}"):
        text = text.replace(word, SAME)
    return json.loads(text)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_notebook_that_is_forked_is_what_one_that_is_started_is(
    image: Path, tmp_path: Path, version: str
) -> None:
    lab = make_lab(image.parent / f"lab-{tmp_path.name}", _interpreter(version))
    world = World(lab)
    plain = await world.started(launch(world))
    await parent(world)
    forked = await world.started(launch(world))
    assert [await is_forked(world, one) for one in (plain, forked)] == [False, True]
    first, second = await facts(world, plain), await facts(world, forked)
    assert told(second, forked, world.data) == told(first, plain, world.data)
    assert second["environment"]["JUPYTER_TOKEN"] == "s3cret"
    assert {int(name) for name in second["descriptors"]} <= {int(name) for name in first["descriptors"]}
    assert world.main(forked.key).cmdline()[1:3] == world.main(plain.key).cmdline()[1:3] == ["-m", "jupyterlab"]
    minded = [world.minder(one.key) for one in (plain, forked)]
    assert [await world.stopped(one.key) for one in (plain, forked)][1].code == 0
    for one in minded:
        await asyncio.to_thread(until, gone(one.pid))
    await world.close()
    shutil.rmtree(lab)


@pytest.mark.skipif(not IS_ROOT, reason="only root mounts")
async def test_a_launch_that_shows_something_in_its_image_is_started(warm: World) -> None:
    (warm.data / "homes/7/own").mkdir(parents=True, exist_ok=True)
    below, beside = f"{site(warm.image)}/own", "/somewhere/own"
    showing = [launch(warm, mounts=(Mount(source="own", target=target),)) for target in (below, beside)]
    assert [await is_forked(warm, await warm.started(one)) for one in showing] == [False, True]


async def test_a_parent_and_what_others_see_of_its_forks_hold_no_secret(warm: World) -> None:
    spec = await warm.started(launch(warm))
    assert await is_forked(warm, spec)
    for process in (await parent(warm), warm.minder(spec.key), warm.main(spec.key)):
        shown = await asyncio.to_thread(_shown, process.pid)
        assert b"PATH=" in shown
        assert b"s3cret" not in shown
    assert b"s3cret" not in await asyncio.to_thread(_memory, (await parent(warm)).pid)


async def test_two_forks_share_neither_descriptors_nor_random_numbers_nor_keys(warm: World) -> None:
    one = await warm.started(launch(warm))
    other = await warm.started(launch(warm, user=8, uid=61235 if IS_ROOT else None))
    assert await is_forked(warm, one)
    assert await is_forked(warm, other)
    mine, theirs = await facts(warm, one), await facts(warm, other)
    assert mine["random"] != theirs["random"]
    assert mine["key"] != theirs["key"]
    shared = set(mine["descriptors"].values()) & set(theirs["descriptors"].values())
    assert {link for link in shared if not link.startswith("/dev/null")} <= {f"/proc/{one}/fd" for one in "self"}


async def test_parents_end_once_a_server_comes_whose_setting_says_that_there_are_none(warm: World) -> None:
    former = await parent(warm)
    running = await warm.started(launch(warm))
    assert await is_forked(warm, running)
    await warm.server().adopt()  # as one does that was started again, and then twice a minute
    assert former.is_running()
    warm.settings = structs.replace(warm.settings, warm=timedelta(0))
    await warm.server().adopt()
    await asyncio.to_thread(until, gone(former.pid), what="no parent")
    assert await warm.phase(running.key) is Phase.RUNNING
    assert not list((warm.data / "warm").iterdir())


async def test_where_the_parent_was_killed_the_start_is_plain_and_there_is_another_parent(warm: World) -> None:
    former = await parent(warm)
    former.send_signal(signal.SIGSTOP)  # so that the keeper asks one that is about to go
    former.kill()
    spec = await warm.started(launch(warm))
    assert not await is_forked(warm, spec)
    assert (await parent(warm, other_than=former.pid)).is_running()
    assert await is_forked(warm, await warm.started(launch(warm)))


async def test_a_change_of_the_environment_is_a_plain_start_and_another_parent(warm: World) -> None:
    former = await parent(warm)
    (site(warm.image) / "whose.py").write_text("OWNER = 'the image as it is now'\n")
    spec = await warm.started(launch(warm))
    assert (await facts(warm, spec))["owner"] == "the image as it is now"
    assert not await is_forked(warm, spec)
    await parent(warm, other_than=former.pid)
    spec = await warm.started(launch(warm))
    assert (await facts(warm, spec))["owner"] == "the image as it is now"
    assert await is_forked(warm, spec)


async def test_what_a_user_installed_is_imported_though_the_parent_has_the_images(warm: World) -> None:
    spec = await warm.started(launch(warm))
    packages = site(warm.data / "layers" / str(spec.key.launch) / "venv")
    await warm.shell(spec.key, f"echo \"OWNER = 'user'\" > {packages}/whose.py")
    await warm.stopped(spec.key)
    again = await warm.started(launch(warm, key=type(spec.key)(launch=spec.key.launch, generation=2)))
    assert (await facts(warm, again))["owner"] == "user"
    saved = await warm.runtime.save(again.key, "b" * 32)
    other = await warm.started(launch(warm, environment=Environment(path=warm.image, layers=(saved.path,))))
    assert (await facts(warm, other))["owner"] == "user"
    assert (await facts(warm, await warm.started(launch(warm))))["owner"] == "image"


async def test_parents_end_with_their_keeper_whatever_its_end(warm: World) -> None:
    former = await parent(warm)
    spec = await warm.started(launch(warm))
    await warm.kill_keeper()
    await asyncio.to_thread(until, gone(former.pid))
    assert alive(warm.main(spec.key).pid)
    await warm.stopped(spec.key)


async def test_a_keeper_killed_at_any_moment_of_a_fork_starts_it_once(warm: World) -> None:
    chance = random.Random(7)
    for _ in range(3):
        await parent(warm)
        spec = launch(warm)
        await warm.runtime.launch(spec)
        keeper = await warm.keeper()
        for _ in range(chance.randrange(3000)):  # any moment
            await asyncio.sleep(0)
        keeper.kill()
        seen = await warm.settled(spec.key, {Phase.RUNNING, Phase.ABSENT, *OVER})
        assert seen.phase is Phase.RUNNING, seen
        runs = [one for one in psutil.process_iter() if f"/{spec.key.launch}-1/" in " ".join(_words(one))]
        assert [one.pid for one in runs if str(warm.run) in " ".join(_words(one))] == [warm.main(spec.key).pid]
        await warm.started(launch(warm))  # of which the next keeper has its parent


async def test_a_parent_that_nobody_uses_ends(lab: Path) -> None:
    world = World(lab, warm=timedelta(seconds=1))
    await world.started(launch(world))
    unused = await parent(world)
    await asyncio.to_thread(until, gone(unused.pid))
    await asyncio.to_thread(until, lambda: not list((world.data / "warm").iterdir()), what="no folder of a parent")
    await world.close()


async def test_no_parent_is_made_where_none_is_wanted(lab: Path) -> None:
    world = World(lab, warm=timedelta(0))
    await world.started(launch(world))
    spec = await world.started(launch(world))
    assert not await is_forked(world, spec)
    assert not (world.data / "warm").exists()
    await world.close()


@pytest.mark.root
async def test_an_image_that_somebody_else_can_write_to_is_not_warmed(lab: Path) -> None:
    (site(lab) / "jupyterlab").chmod(0o777)
    world = World(lab)
    await world.started(launch(world))
    log = world.data / "keeper" / "keeper.log"
    await asyncio.to_thread(until, lambda: "can be written by somebody else" in log.read_text(), within=60)
    spec = await world.started(launch(world))
    assert not await is_forked(world, spec)
    log.write_text("")
    await world.close()


def _interpreter(version: str) -> str:
    """An interpreter of that version; skips the test where this machine has none."""
    if not version:
        return sys.executable
    found = shutil.which(f"python{version}")
    if found is None or subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode != 0:
        installed = Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
        found = next((str(one) for one in sorted(installed)), None)
    if found is None:
        pytest.skip(f"there is no Python {version} here")
    return found


def _words(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


def _shown(pid: int) -> bytes:
    """What everybody sees who may see the process."""
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("environ", "cmdline"))


def _memory(pid: int) -> bytes:
    """Everything that a process has in memory and may write to."""
    found: list[bytes] = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(word, 16) for word in span.split("-"))
                memory.seek(start)
                found.append(memory.read(end - start))
    return b"".join(found)
