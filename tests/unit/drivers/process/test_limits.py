"""What a launch has beside its socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.crash.small_disk import IS_ROOT, small_disk
from tests.unit.drivers.process.test_folders import fill
from tests.waiting import until
from trivium.drivers.runtimes.process.keeper.launches import limits
from trivium.drivers.runtimes.process.keeper.startup.targets import acting_as
from trivium.drivers.runtimes.process.keeper.system import beside, mounts, processes
from trivium.drivers.runtimes.process.keeper.system.folders import WALK, remove_tree

ALWAYS = 0.5  # there is never more than all
MIB = 1 << 20
SIZE = 40_000  # bytes of an extended attribute
NOBODY = 65534
NONE = beside.Taken(0, 0)
HOLDERS, HELD = 8, 15_000

as_root = pytest.mark.skipif(not IS_ROOT, reason="needs to be root")


@pytest.fixture
def own() -> Iterator[Path]:
    """A directory on the disk, which anybody may cross."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        Path(place).chmod(0o755)
        yield Path(place)
        for one in Path(place).iterdir():
            if one.is_dir():
                remove_tree(str(one))


@pytest.fixture
def memory() -> Iterator[Path]:
    """A directory in memory."""
    with tempfile.TemporaryDirectory() as place, small_disk(Path(place) / "own", "64m,nr_inodes=65536"):
        yield Path(place) / "own"


@contextmanager
def opened(place: Path) -> Generator[int]:
    descriptor = os.open(place, WALK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def unnamed(place: Path, *pids: int) -> beside.Taken:
    with opened(place) as descriptor:
        return beside.unnamed(descriptor, pids)


@contextmanager
def running(script: str, *words: str) -> Generator[int]:
    """The pid of a Python program that has printed a line, and then waits."""
    command = [sys.executable, "-Sc", f"{script}\nprint(flush=True)\ninput()", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process.pid
        process.kill()


@pytest.mark.skipif(mounts.is_memory(os.path.realpath("/var/tmp")), reason="/var/tmp is in memory")
def test_on_a_disk_that_gets_short_nothing_but_what_lies_beside_the_socket_counts(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SHORT", ALWAYS)
    watch = limits.RoomWatch()
    with tempfile.TemporaryFile(dir="/var/tmp") as held:
        held.write(bytes(beside.ROOM + 1))
        held.flush()
        for now in (0.0, 10.0):
            assert watch.look(str(own), [os.getpid()], now) is None
        (own / "much").write_bytes(bytes(beside.ROOM + 1))
        assert watch.look(str(own), [os.getpid()], 20.0) == limits.TOO_MUCH


def test_what_lies_deeper_than_a_path_may_be_long_counts(own: Path) -> None:
    here = os.open(own, WALK)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        there = os.open("d" * 250, WALK, dir_fd=here)
        os.close(here)
        here = there
    assert limits.RoomWatch().look(str(own), [], 0.0) is None
    much = os.open("much", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(much, bytes(beside.ROOM + 1))
    os.close(much)
    os.close(here)
    assert limits.RoomWatch().look(str(own), [], 0.0) == limits.TOO_MUCH


def test_nothing_is_hidden_by_how_deep_it_lies(own: Path) -> None:
    fill(own / "deep", beside.DEPTH + 1)
    assert limits.RoomWatch().look(str(own), [], 0.0) == limits.HIDDEN


@as_root
def test_nothing_is_hidden_by_closing_a_directory(own: Path) -> None:
    (own / "closed").mkdir(mode=0)
    with acting_as(NOBODY):
        found = limits.RoomWatch().look(str(own), [], 0.0)
    assert found == limits.HIDDEN


def test_very_many_small_things_are_too_much(own: Path) -> None:
    (own / "many").mkdir()
    for number in range(beside.THINGS):
        (own / "many" / str(number)).touch()
    assert limits.RoomWatch().look(str(own), [], 0.0) == limits.TOO_MUCH


def test_what_is_not_there_is_nothing(own: Path) -> None:
    assert limits.RoomWatch().look(str(own / "none"), [], 0.0) is None


@as_root
def test_extended_attributes_count(memory: Path) -> None:
    assert unnamed(memory) == NONE
    (memory / "below").mkdir()
    (memory / "below" / "file").touch()
    for number, place in enumerate((memory, memory / "below", memory / "below" / "file"), 1):
        try:
            os.setxattr(place, "user.much", bytes(SIZE))
        except OSError as error:  # a kernel before 6.6
            pytest.skip(str(error))
        assert number * SIZE < unnamed(memory).size < number * (SIZE + 100)
    for number in range(beside.ROOM // SIZE):
        os.setxattr(memory / "below", f"user.{number}", bytes(SIZE))
    assert unnamed(memory).is_too_much


@as_root
def test_more_extended_attributes_than_can_be_named_are_too_much(memory: Path) -> None:
    try:
        for number in range(300):
            os.setxattr(memory, f"user.{number:0>249}", b"")
    except OSError as error:
        pytest.skip(str(error))
    assert unnamed(memory).is_too_much


HOLDS = """
import ctypes, mmap, os, sys, threading

def made(name, size=1 << 20):
    file = os.open(name, os.O_CREAT | os.O_RDWR)
    os.write(file, bytes(size))
    os.unlink(name)
    return file

def apart():
    assert ctypes.CDLL(None).unshare(0x400) == 0  # CLONE_FILES
    made("thread")
    done.set()
    threading.Event().wait()

os.chdir(sys.argv[1])
file = made("open")
os.dup(file)
mapped = made("mapped")
memory = mmap.mmap(mapped, 1 << 20)
os.close(mapped)
done = threading.Event()
threading.Thread(target=apart, daemon=True).start()
done.wait()
os.mkdir("left")
os.chdir("left")
os.rmdir("../left")
if sys.argv[2:]:  # only the other thread goes on
    print(flush=True)
    ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)
"""


@as_root
@pytest.mark.parametrize("words", [(), ("headless",)])
def test_what_has_no_name_any_more_counts_once_however_it_is_held(memory: Path, words: tuple[str, ...]) -> None:
    """Open, mapped, open in a thread that has descriptors of its own, or as the directory that a process is in."""
    (memory / "named").write_bytes(bytes(MIB))
    with running(HOLDS, str(memory), *words) as pid, (memory / "named").open():
        if words:
            until(lambda: (seen := processes.seen(pid)) and seen.state == "Z" and seen.is_alive and seen.resident)
            assert processes.memory_of(pid) > MIB
        assert unnamed(memory, pid, pid, os.getpid()) == beside.Taken(3 * MIB, 4)
        with tempfile.TemporaryDirectory() as place, small_disk(Path(place) / "other", "1m"):
            assert unnamed(Path(place) / "other", pid) == NONE
    assert unnamed(memory, pid) == NONE


MANY = f"""
import os
held = [os.dup(0) for _ in range({HELD})]
"""
LOOKS = """
import json, os, sys, time
from trivium.drivers.runtimes.process.keeper.launches import limits
limits.SHORT = 0.5
pids, watch = [int(pid) for pid in sys.argv[2:]], limits.RoomWatch()
before = time.process_time()
said = [watch.look(sys.argv[1], pids, now) for now in (0.0, limits.WITHIN / 2, limits.WITHIN + 1)]
took = time.process_time() - before
watch.close()
os.wait()
watch = limits.RoomWatch()
said.append(watch.look(sys.argv[1], pids[:1], 0.0))
os.wait()
said.append(watch.look(sys.argv[1], pids[:1], limits.WITHIN + 1))
print(json.dumps([took, said]))
"""


@as_root
def test_very_many_descriptors_do_not_hold_up_whoever_looks(memory: Path) -> None:
    """They are looked through in a process of its own, and not for ever."""
    with ExitStack() as stack:
        pids = [stack.enter_context(running(MANY)) for _ in range(HOLDERS)]
        command = [sys.executable, "-c", LOOKS, str(memory), *map(str, pids)]
        told = subprocess.run(command, capture_output=True, check=True, text=True)
    took, said = json.loads(told.stdout)
    assert took < 0.1
    assert said == [None, None, list(limits.UNSEEN), None, None]
