"""Tries to reach what belongs to somebody else: files, processes, sockets, limits."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil
import pytest

from tests.escapes.outside import connect, may
from tests.escapes.world import ADMIN, Inside, Stage
from trivium.drivers.runtimes.process.keeper.system.cgroups import directory_of
from trivium.drivers.runtimes.process.settings import run_directory

SECRET = "bobs-own-words"


@pytest.fixture(scope="module")
def home(bob: Inside) -> str:
    """Bob's home, in which, as in all places for files, there is something that only Bob should read."""
    for place in ("~", "/tmp", "/var/tmp", "/dev/shm"):
        bob.says(f"umask 0; echo {SECRET} > {place}/note; chmod 666 {place}/note")
    return bob.says("echo ~")


def test_files_of_another_user_are_not_there(alice: Inside, bob: Inside, home: str) -> None:
    pid = bob.says("echo $PPID")
    places = [f"{home}/note", "/tmp/note", "/var/tmp/note", "/dev/shm/note"]
    assert bob.says(f"cat {' '.join(places)}").split() == [SECRET] * 4
    roundabout = [f"/proc/{pid}/root{place}" for place in places] + [f"/proc/{pid}/cwd/note", f"{home}/../*/note"]
    for place in (*places, *roundabout):
        done = alice.run(f"cat {place}")
        assert done.code != 0, place
        assert SECRET not in done.said
    found = alice.run("find / -xdev -name note -newer /etc/hostname -exec cat {} + 2>/dev/null; ls -A /tmp /dev/shm")
    assert SECRET not in found.said
    assert "note" not in alice.says("ls -A /tmp /var/tmp /dev/shm")


def test_a_name_in_anothers_temporary_files_cannot_be_taken_first(alice: Inside, bob: Inside) -> None:
    alice.says("ln -s ~/caught /tmp/trap; echo forged > /tmp/settings")
    assert bob.run("cat /tmp/settings").code != 0
    bob.says("echo words > /tmp/trap")
    assert alice.run("cat ~/caught").code != 0
    assert bob.says("cat /tmp/trap") == "words"  # it was a file, and Bob's own


@pytest.mark.parametrize(
    "name", ["trivium.db", "root.key", "server.lock", "keeper/keeper.log", "keeper/lock", "logs", "saved"]
)
def test_the_data_directory_is_hidden(stage: Stage, alice: Inside, name: str) -> None:
    place = stage.data / name
    if name != "saved":
        assert place.exists()
    done = alice.run(f"cat {place} || ls {place}")
    assert done.code != 0
    assert "No such file" in done.err
    # A process of that uid that sees the host as it is has no right to it either.
    if place.exists():
        assert not may(alice.uid, place.read_bytes if place.is_file() else lambda: list(place.iterdir()))


def test_notes_of_the_keeper_with_tokens_in_them_are_hidden(stage: Stage, alice: Inside, bob: Inside) -> None:
    token = bob.says("echo $TRIVIUM_TOKEN")
    notes = list((stage.data / "keeper" / f"{bob.id}-1").iterdir())
    assert any(token in note.read_text("utf-8", "replace") for note in notes)
    for note in notes:
        assert alice.run(f"cat {note}").code != 0
        assert not may(alice.uid, note.read_bytes)


def test_other_users_processes_do_not_show_and_cannot_be_touched(stage: Stage, alice: Inside, bob: Inside) -> None:
    owners = alice.says("stat -c %u /proc/[0-9]* 2>/dev/null | sort -u")
    assert owners == str(alice.uid)
    assert int(alice.says("ps -e -o pid= | wc -l")) >= 2
    assert stage.site.process is not None
    for pid in (int(bob.says("echo $PPID")), stage.site.process.pid, 1):
        for name in ("environ", "cmdline", "maps", "mem", "fd", "root", "cwd"):
            assert alice.run(f"ls /proc/{pid}/{name}").code != 0
        done = alice.python(f"import os\nos.kill({pid}, 0)")
        assert "PermissionError" in done.err
        done = alice.python(f"import ctypes, os\nprint(ctypes.CDLL(None).ptrace(16, {pid}, None, None))")
        assert done.out.strip() == "-1"
    children = "sleep 60 & ls /proc/$!/fd && kill $!"
    assert alice.run(children).code == 0  # with one's own it works


def test_nothing_of_the_servers_environment_or_descriptors_is_in_a_notebook(stage: Stage, alice: Inside) -> None:
    assert stage.site.process is not None
    assert ADMIN in str(psutil.Process(stage.site.process.pid).environ())
    everything = alice.says("cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; env")
    assert "TRIVIUM_NOTEBOOK" in everything
    assert ADMIN not in everything
    assert "TRIVIUM_NODE__" not in everything
    held = alice.says("readlink /proc/$PPID/fd/* | sort -u").splitlines()
    allowed = ("/dev/null", "socket:", "pipe:", "anon_inode:", f"{stage.data}/logs/{alice.id}/1.log")
    assert not [one for one in held if not one.startswith(allowed)], held
    inherited = alice.says("python -I -c 'import os; print(sorted(map(int, os.listdir(\"/proc/self/fd\"))))'")
    assert inherited == "[0, 1, 2, 3]"  # the last one reads the directory


def test_the_keepers_socket_is_hidden_and_closed(stage: Stage, alice: Inside) -> None:
    door = run_directory(stage.data) / "keeper.sock"
    knock = f"import socket\nsocket.socket(socket.AF_UNIX).connect({str(door)!r})"
    with socket.socket(socket.AF_UNIX) as ours:
        ours.connect(str(door))
    done = alice.python(knock)
    assert "FileNotFoundError" in done.err
    assert not may(alice.uid, lambda: connect(door))


def test_another_notebooks_socket_is_hidden_and_closed(stage: Stage, alice: Inside, bob: Inside) -> None:
    room = run_directory(stage.data) / f"{bob.id}-1"
    for place in (room / "s", room / "own" / "s"):
        knock = f"import socket\nsocket.socket(socket.AF_UNIX).connect({str(place)!r})"
        assert bob.python(knock).code == (0 if place.parent.name == "own" else 1)
        assert "FileNotFoundError" in alice.python(knock).err
        assert not may(alice.uid, lambda place=place: connect(place))
    assert alice.says(f"ls {room.parent}") == f"{alice.id}-1"


def test_system_v_memory_is_the_notebooks_own(alice: Inside, bob: Inside) -> None:
    bob.says("ipcmk -M 4096 -p 0666 && ipcs -m | grep -c 666")
    assert alice.says("ipcs -m | grep -c 0x || true") == "0"


def test_no_socket_of_ours_has_an_abstract_name(stage: Stage) -> None:
    assert stage.site.process is not None
    server = psutil.Process(stage.site.process.pid)
    keepers = [one for one in psutil.process_iter(["cmdline"]) if str(stage.data) in (one.info["cmdline"] or [])]
    assert len(keepers) > 1
    for process in (server, *keepers):
        for connection in process.net_connections("unix"):
            assert not str(connection.laddr).startswith(("@", "\0")), connection


def test_limits_cannot_be_lifted_from_the_inside(stage: Stage, alice: Inside, bob: Inside) -> None:
    places = [*Path("/sys/fs/cgroup").glob(f"*/{directory_of(str(stage.data))}")]
    places += [*Path("/sys/fs/cgroup").glob(directory_of(str(stage.data)))]
    if not places:
        pytest.skip("no cgroup can be written here, so that limits are watched")
    writes = "echo 0 > $one/cgroup.procs; echo -1 > $one/memory.limit_in_bytes; echo max > $one/pids.max"
    for place in places:
        own, others = place / f"{alice.id}-1", place / f"{bob.id}-1"
        assert own.is_dir()
        before = {path: path.read_text() for path in own.glob("*.max")} | {own: (own / "cgroup.procs").read_text()}
        for one in (own, others, place, place.parent):
            alice.run(f"one={one}; {writes}; echo $$ > $one/cgroup.procs; mkdir $one/free; rmdir $one/own")
            alice.run(f"one={one}; unshare -UrC bash -c '{writes}; mkdir $one/free'")
        assert {path: path.read_text() for path in before if path != own} == {
            path: text for path, text in before.items() if path != own
        }
        assert int(alice.says("echo $PPID")) in map(int, (own / "cgroup.procs").read_text().split())
        assert not (own / "free").exists()


def test_the_test_can_tell_what_may_be_done(alice: Inside) -> None:
    assert may(alice.uid, Path("/etc/hostname").read_bytes)
    assert not may(alice.uid, Path("/etc/shadow").read_bytes)
