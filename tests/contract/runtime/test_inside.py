"""What a notebook is on the inside: its user, its home, what it sees and what is hidden from it."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.runtime.world import IS_ROOT, UID, World, alive, gone
from tests.waiting import until
from trivium.resources.notebooks import RuntimeUnavailable
from trivium.resources.notebooks.ports import Ending, Mount, Phase

as_root = pytest.mark.skipif(not IS_ROOT, reason="needs to be root")


async def test_a_notebook_has_a_home_and_an_environment_of_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIVIUM_ADMIN_PASSWORD", "not-for-notebooks")
    spec = await world.started()
    home = f"{world.data}/homes/7"
    assert await world.shell(spec.key, "echo $HOME; pwd; umask") == f"{home}\n{home}\n0077"
    environment = await world.shell(spec.key, "env")
    assert "not-for-notebooks" not in environment
    assert "PYTEST" not in environment
    command = "import os; print(sorted(os.listdir('/proc/self/fd')))"
    assert await world.shell(spec.key, f'python -c "{command}"') == "['0', '1', '2', '3']"  # 3 reads the directory
    assert await world.shell(spec.key, "grep NoNewPrivs /proc/self/status") == "NoNewPrivs:\t1"


async def test_notebooks_of_one_user_share_a_home_unless_it_is_not_mounted(world: World) -> None:
    first, second = await world.started(), await world.started()
    third = await world.started(world.spec(mount_home=False))
    await world.shell(first.key, "echo shared > note")
    assert await world.shell(second.key, "cat note") == "shared"
    assert await world.shell(third.key, "ls") == ""
    assert await world.shell(third.key, "echo $HOME") == f"{world.data}/layers/{third.key.launch}/home"


@as_root
async def test_a_notebook_runs_as_its_user_and_sees_nothing_of_others(world: World) -> None:
    first = await world.started()
    other = await world.started(world.spec(user=8, uid=61235))
    await world.shell(first.key, "echo private > note")
    assert await world.shell(first.key, "id -u; id -G") == f"{UID}\n{UID}"
    assert await world.shell(other.key, "id -u") == "61235"
    assert await world.shell(other.key, f"ls {world.data} {world.data}/homes") == (
        f"{world.data}:\nhomes\nlayers\n\n{world.data}/homes:\n8"
    )
    for hidden in (f"{world.data}/homes/7/note", f"{world.data}/keeper", "/root/.bashrc"):
        assert (await world.runtime.execute(other.key, f"cat {hidden}", timeout=timedelta(seconds=9))).code != 0
    assert (await world.runtime.execute(other.key, f"cd {world.run}/1-1/own", timeout=timedelta(seconds=9))).code != 0


@as_root
async def test_the_image_cannot_be_changed_from_inside(world: World, image: Path) -> None:
    spec = await world.started(world.spec(uid=0))
    done = await world.runtime.execute(spec.key, f"touch {image}/changed", timeout=timedelta(seconds=9))
    assert done.code != 0
    assert "Read-only" in done.output


@as_root
async def test_mounts_are_where_they_were_asked_for_and_read_only_is_read_only(world: World) -> None:
    home = world.data / "homes/7"
    home.mkdir(parents=True)
    (home / "sets/a").mkdir(parents=True)
    (home / "sets/a/file").write_text("content")
    for path in (home, home / "sets", home / "sets/a", home / "sets/a/file"):
        os.chown(path, UID or 0, UID or 0)
    home.parent.chmod(0o711)
    mounts = (
        Mount(source="sets", target="/mnt/new/place"),
        Mount(source="sets/a", target="/root/private_data", writable=True),
        Mount(source="sets/a", target="/a-new-top", writable=True),
        Mount(source="sets", target=f"{home}/shown/here"),
        Mount(source="sets/a", target="/opt"),
    )
    spec = await world.started(world.spec(mounts=mounts))
    for place in ("/mnt/new/place/a", "/root/private_data", "/a-new-top", f"{home}/shown/here/a", "/opt"):
        assert await world.shell(spec.key, f"cat {place}/file") == "content"
    await world.shell(spec.key, "touch /root/private_data/x /a-new-top/y")
    for place in ("/mnt/new/place", f"{home}/shown/here", "/opt"):
        done = await world.runtime.execute(spec.key, f"touch {place}/z", timeout=timedelta(seconds=9))
        assert done.code != 0
        assert "Read-only" in done.output
    assert sorted(path.name for path in (home / "sets/a").iterdir()) == ["file", "x", "y"]
    assert not [path for path in ("/a-new-top", "/mnt/new", "/root/private_data") if _exists(path)]
    assert await world.shell(
        spec.key, "ls /proc/self/exe /usr/bin/env && touch /tmp/trivium-test && rm /tmp/trivium-test"
    )


@as_root
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("../8", "/mnt/x"),
        ("escape", "/mnt/x"),
        ("missing", "/mnt/x"),
        ("sets", "/proc/x"),
        ("sets", "/"),
        ("sets", "/mnt/../etc"),
    ],
)
async def test_a_mount_that_leaves_the_home_or_hides_the_system_ends_the_start(
    world: World, source: str, target: str
) -> None:
    home = world.data / "homes/7"
    (home / "sets").mkdir(parents=True)
    (home / "escape").symlink_to("/etc")
    home.parent.chmod(0o711)
    os.chown(home, UID or 0, UID or 0)
    spec = world.spec(mounts=(Mount(source=source, target=target, writable=True),))
    await world.runtime.launch(spec)
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.FAILED_TO_START
    assert source in ended.detail or target in ended.detail


@as_root
async def test_without_its_users_home_a_notebook_still_has_the_mounts_that_come_from_it(world: World) -> None:
    first = await world.started()
    await world.shell(first.key, "mkdir sets; echo content > sets/file; echo private > note")
    mounts = (Mount(source="sets", target="/data/sets"),)
    second = await world.started(world.spec(mount_home=False, mounts=mounts))
    assert await world.shell(second.key, "cat /data/sets/file; ls") == "content"
    hidden = await world.runtime.execute(second.key, f"cat {world.data}/homes/7/note", timeout=timedelta(seconds=9))
    assert hidden.code != 0


@pytest.mark.skipif(IS_ROOT, reason="root has mount namespaces")
async def test_without_namespaces_a_writable_mount_in_the_home_is_a_link(world: World) -> None:
    home = world.data / "homes/7"
    (home / "sets").mkdir(parents=True)
    (home / "sets/file").write_text("content")
    spec = await world.started(world.spec(mounts=(Mount(source="sets", target=f"{home}/x/y", writable=True),)))
    assert await world.shell(spec.key, "cat x/y/file") == "content"
    refused = world.spec(mounts=(Mount(source="sets", target=f"{home}/z"),))
    await world.runtime.launch(refused)
    assert (await world.ended(refused.key)).ending is Ending.FAILED_TO_START


async def test_a_command_runs_inside_and_dies_with_the_notebook(any_world: World) -> None:
    spec = await any_world.started()
    done = await any_world.runtime.execute(
        spec.key, "echo said; echo complained >&2; (sleep 300 & echo $! > pid); exit 5", timeout=timedelta(seconds=9)
    )
    assert (done.code, done.output) == (5, "said\ncomplained\n")
    pid = int((any_world.data / "homes/7/pid").read_text())
    assert alive(pid)
    await any_world.stopped(spec.key)
    assert not alive(pid)


async def test_a_command_that_takes_longer_goes_on_in_the_background(any_world: World) -> None:
    spec = await any_world.started()
    done = await any_world.runtime.execute(
        spec.key, "echo begun; echo $$ > pid; exec sleep 300", timeout=timedelta(seconds=0.5)
    )
    assert (done.code, done.output) == (None, "begun\n")
    pid = int((any_world.data / "homes/7/pid").read_text())
    await any_world.kill_keeper()
    assert await any_world.phase(spec.key) is Phase.RUNNING
    assert alive(pid)
    await any_world.stopped(spec.key)
    until(gone(pid))


async def test_what_a_command_says_is_cut_at_64_kib(world: World) -> None:
    spec = await world.started()
    done = await world.runtime.execute(spec.key, "yes | head -c 300000; echo; exit 0", timeout=timedelta(seconds=20))
    assert done.code == 0
    assert len(done.output) == 64 * 1024


async def test_commands_run_only_in_a_notebook_that_runs(world: World) -> None:
    spec = await world.started()
    await world.stopped(spec.key)
    with pytest.raises(RuntimeUnavailable):
        await world.runtime.execute(spec.key, "true", timeout=timedelta(seconds=1))


async def test_only_a_notebooks_own_listeners_are_found(world: World) -> None:
    first, second = await world.started(), await world.started()
    port = await world.port(first.key)
    found = await world.runtime.listener(first.key, port)
    assert found is not None
    assert (found.host, found.port) == ("127.0.0.1", port)
    assert await world.runtime.listener(second.key, port) is None
    with socket.create_server(("127.0.0.1", 0)) as ours:
        assert await world.runtime.listener(first.key, ours.getsockname()[1]) is None
    code = "import socket; s=socket.create_server((str(), 0)); print(s.getsockname()[1], flush=True); input()"
    script = f'python -c "{code}"'
    done = await world.runtime.execute(first.key, f"sleep 300 | {script}", timeout=timedelta(seconds=2))
    other = int(done.output)
    assert (await world.runtime.listener(first.key, other)) is not None
    assert await world.runtime.listener(second.key, other) is None


async def test_a_socket_that_a_notebook_put_in_place_of_its_own_is_not_followed(world: World) -> None:
    victim = world.root / "victim.sock"
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(victim))
        theirs.listen()
        spec = world.spec("sh", "-c", f"ln -s {victim} {{socket}}; sleep 600")
        await world.runtime.launch(spec)
        own = world.run / f"{spec.key.launch}-1/own/s"
        until(own.is_symlink)
        assert await world.phase(spec.key) is Phase.STARTING
        theirs.settimeout(1)
        with pytest.raises(TimeoutError):
            theirs.accept()


def _exists(path: str) -> bool:
    return Path(path).exists()
