"""Tries to fill what others need too: the disk, the machine's memory for sockets, the log."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.runtime.test_layers import BEGIN, GROW, TRIES
from tests.contract.runtime.world import IS_ROOT, World, make_image
from tests.crash.small_disk import small_disk
from tests.escapes.world import Inside, Stage, staged
from tests.waiting import until, until_async
from trivium.drivers.runtimes.process.keeper.system import beside
from trivium.resources.notebooks.ports import Ending, Phase

MIB = 1 << 20
SMALL = 40  # MiB
RESERVE = 8
HELD = 14
INODES = 16384  # on the file system of sockets: so many KiB of extended attributes fit there
FILL = "dd if=/dev/zero of=$HOME/filler bs=64k"


@pytest.fixture(scope="module")
def small() -> Iterator[Stage]:
    """A site whose data directory is a small file system, of which some is kept in reserve."""
    with staged(disk=SMALL, people=("alice",), TRIVIUM_RUNTIME__DISK_RESERVE=f"{RESERVE}MiB") as made:
        yield made


@pytest.fixture(scope="module")
def filling(small: Stage) -> Inside:
    """The notebook that will fill the disk."""
    until(lambda: (small.data / "trivium.db").stat().st_size > 4 * MIB, what="room in the database")
    return small.started("alice")


@pytest.fixture
def full(small: Stage, filling: Inside) -> Iterator[Inside]:
    """The same, when it has filled the disk; for the next test there is room again."""
    if filling.row["notebookStatus"] == "Terminated":
        filling.start()
    done = filling.run(FILL)
    assert "No space left on device" in done.err
    assert os.statvfs(small.data).f_bavail == 0
    yield filling
    _make_room(small)
    if filling.row["notebookStatus"] == "Running":
        filling.stop()


def test_on_a_full_disk_people_log_in_and_notebooks_stop(small: Stage, full: Inside) -> None:
    assert full.user.log_in().ok
    full.stop()
    assert os.statvfs(small.data).f_bavail * 4096 < RESERVE * MIB
    for _ in range(20):
        assert full.user.get("list", page=1, size=5).ok


def test_a_file_that_grows_while_it_is_saved_leaves_the_reserve_alone(small: Stage, filling: Inside) -> None:
    status = "active"
    for _ in range(TRIES):  # until it is fast enough
        if filling.row["notebookStatus"] == "Terminated":
            filling.start()
        filling.says(f"cat > ~/grow.py <<'END'\n{GROW}\nEND")
        filling.says(BEGIN.format(8))
        assert _free(small) > (RESERVE + 10) * MIB
        with looked_at(small) as free:
            filling.stop(saves=True)
        assert min(free) >= (RESERVE - 1) * MIB  # the database writes meanwhile, too
        *_, status = (one["status"] for one in small.site.type("image", "list") if one["visibility"] == "private")
        if status == "failed":
            break
    assert status == "failed"
    assert _free(small) > (RESERVE + 10) * MIB  # nothing of it stays


def test_below_the_reserve_nothing_is_started(small: Stage, full: Inside) -> None:
    full.stop()
    refused = small.asked("alice")
    until(lambda: refused.row["notebookStatus"] == "Failed", what="a refusal")
    assert "reserve" in str(refused.row)
    _make_room(small)
    refused.start().stop()


@pytest.mark.usefixtures("full")
def test_a_full_disk_leaves_the_database_sound(small: Stage) -> None:
    said = small.site.type("user", "list")
    assert "alice" in {one["name"] for one in said}
    check = _sqlite(small.data / "trivium.db", "PRAGMA integrity_check")
    assert check == "ok"


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A runtime with a tiny image."""
    if not IS_ROOT:
        pytest.skip("needs to be root")
    del tmp_path
    world = World(Path())
    world.image = make_image(world.root / "image")
    yield world
    await world.close()


async def test_what_lies_beside_a_socket_is_bounded(world: World) -> None:
    """That directory is in memory, and everybody's: who puts too much there is ended, and it is free again."""
    spec = await world.started()
    other = await world.started()
    room = world.run / f"{spec.key.launch}-1" / "own"
    await world.shell(spec.key, f"head -c {beside.ROOM // 2} /dev/zero > {room}/some")
    await world.runtime.execute(
        spec.key, f"head -c {4 * beside.ROOM} /dev/zero > {room}/much", timeout=timedelta(seconds=5)
    )
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.NO_SPACE
    assert "runtime directory" in ended.detail
    assert not room.exists()
    await world.shell(other.key, "true")


DEEP = f"""
import os, sys
os.chdir(sys.argv[1])
for _ in range(20):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
open("much", "wb").write(bytes({4 * beside.ROOM}))
"""


async def test_what_lies_too_deep_beside_a_socket_for_a_path_counts(world: World) -> None:
    spec = await world.started()
    room = world.run / f"{spec.key.launch}-1" / "own"
    await world.runtime.execute(spec.key, f"python -c '{DEEP}' {room}", timeout=timedelta(seconds=5))
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.NO_SPACE
    assert not room.exists()


ATTRIBUTES = """
import os, sys
for number in range(400):
    name = sys.argv[1] + "/" + str(number)
    open(name, "w").close()
    os.setxattr(name, "user.much", bytes(60000))
"""


async def test_extended_attributes_beside_a_socket_count_when_room_gets_short(crowded: World) -> None:
    """They have no size, and take the room for inodes."""
    spec, other = await crowded.started(), await crowded.started()
    try:
        os.setxattr(crowded.root, "user.some", b"1")
    except OSError:
        pytest.skip("this kernel has none in memory")
    room = crowded.run / f"{spec.key.launch}-1" / "own"
    await crowded.runtime.execute(spec.key, f"python -c '{ATTRIBUTES}' {room}", timeout=timedelta(seconds=5))
    ended = await crowded.ended(spec.key)
    assert ended.ending is Ending.NO_SPACE
    await until_async(lambda: has_inodes(crowded.run, INODES // 2), what="room again")
    await crowded.shell(other.key, "true")


HOLDS = f"""
import mmap, os, sys, time
held = []
for number in range({HELD}):
    name = sys.argv[1] + "/" + str(number)
    file = os.open(name, os.O_CREAT | os.O_RDWR)
    os.write(file, bytes(1 << 20))
    held.append(mmap.mmap(file, 1 << 20) if number % 2 else file)
    if number % 2:
        os.close(file)
    os.unlink(name)
time.sleep(60)
"""


@pytest_asyncio.fixture
async def crowded() -> AsyncIterator[World]:
    """A runtime whose sockets are on a small file system, as its data is."""
    if not IS_ROOT:
        pytest.skip("needs to be root")
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as place,
        small_disk(Path(place) / "s", f"{SMALL}m,nr_inodes={INODES}"),
    ):
        world = World(Path(), below=f"{place}/s", disk_reserve=0)
        world.image = make_image(world.root / "image")
        yield world
        await world.close()


async def test_what_was_unlinked_beside_a_socket_counts_when_room_gets_short(crowded: World) -> None:
    spec, other = await crowded.started(), await crowded.started()
    room = crowded.run / f"{spec.key.launch}-1" / "own"
    holding = asyncio.create_task(
        crowded.runtime.execute(spec.key, f"python -c '{HOLDS}' {room}", timeout=timedelta(seconds=60))
    )
    await until_async(lambda: is_taken(crowded.run, HELD), what="what is held")
    assert await crowded.phase(spec.key) is Phase.RUNNING
    take(crowded.root / "filler", SMALL - HELD - 8)  # it is somebody else's
    ended = await crowded.ended(spec.key)
    assert ended.ending is Ending.NO_SPACE
    assert "runtime directory" in ended.detail
    await until_async(lambda: is_free(crowded.run, HELD), what="room again")
    await crowded.shell(other.key, "true")
    holding.cancel()


async def test_a_log_does_not_grow_for_ever(world: World) -> None:
    spec = await world.started(
        world.spec("sh", "-c", "python -m tinyserver {port} & while :; do head -c 8M /dev/zero; done")
    )
    log = world.data / "logs" / str(spec.key.launch) / "1.log"

    async def began_anew() -> bool:
        return "are dropped" in (await world.runtime.logs(spec.key)).text[:200]

    await until_async(began_anew, within=60, what="a log that began anew")
    await world.stopped(spec.key)
    assert log.stat().st_size < 4096 * MIB


def take(file: Path, mib: int) -> None:
    """Take so much room."""
    file.write_bytes(bytes(mib * MIB))


async def is_free(place: Path, mib: int) -> bool:
    """Whether so much is free."""
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize >= mib * MIB


async def has_inodes(place: Path, count: int) -> bool:
    """Whether so many are free."""
    return os.statvfs(place).f_favail >= count


async def is_taken(place: Path, mib: int) -> bool:
    """Whether so much is taken."""
    return not await is_free(place, SMALL - mib)


@contextmanager
def looked_at(stage: Stage) -> Iterator[list[int]]:
    """What was free on the disk, looked at all the while."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.001):
            seen.append(_free(stage))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield seen
    finally:
        over.set()
        watch.join()


def _free(stage: Stage) -> int:
    disk = os.statvfs(stage.data)
    return disk.f_bavail * disk.f_frsize


def _make_room(stage: Stage) -> None:
    (home,) = (stage.data / "homes").iterdir()
    (home / "filler").unlink(missing_ok=True)


def _sqlite(file: Path, question: str) -> str:
    return str(sqlite3.connect(file).execute(question).fetchone()[0])
