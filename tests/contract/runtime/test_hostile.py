"""What a notebook's user leaves on disk for the keeper to fall over; every other notebook goes on."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.runtime.world import IS_ROOT, UID, World
from trivium.resources.notebooks import RuntimeUnavailable
from trivium.resources.notebooks.ports import Ending, Environment, Mount, Phase

NAME = "0123456789abcdef0123456789abcdef"
NO_TEXT = os.fsdecode(b"\xff")
AREA = "/shown-while-running"
AS_ROOT = pytest.mark.skipif(not IS_ROOT, reason="needs to be root")
DEEP = "import os\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\n"


def names_in(place: Path) -> list[str]:
    """What is in a directory of this machine."""
    return [path.name for path in place.iterdir()]


def close(place: Path) -> Path:
    """A directory that everybody may write to, in one that only root gets into."""
    inner = place / "inner"
    inner.mkdir()
    inner.chmod(0o777)
    place.chmod(0o700)
    return inner


def may_unshare() -> bool:
    """Whether users may make user namespaces."""
    command = ["setpriv", f"--reuid={UID}", "--clear-groups", "unshare", "-Urm", "true"]
    return subprocess.run(command, check=False).returncode == 0


async def test_directories_without_end_in_a_notebooks_room_do_not_end_the_keeper(world: World) -> None:
    other, spec = await world.started(), await world.started()
    keeper = await world.keeper()
    deep = f'cd "$JUPYTER_RUNTIME_DIR" && python -c "{DEEP}"'
    await world.runtime.execute(spec.key, deep, timeout=timedelta(seconds=20))
    assert (await world.ended(spec.key)).ending is Ending.NO_SPACE
    await world.runtime.forget(spec.key)
    await world.runtime.remove(spec.key.launch)
    assert not (world.run / f"{spec.key.launch}-1").exists()
    assert await world.keeper() == keeper
    assert await world.phase(other.key) is Phase.RUNNING


async def test_a_file_whose_name_is_no_text_may_stand_in_a_reason(world: World) -> None:
    other = await world.started()
    saved = world.data / "saved" / NAME
    kernel = saved / "share/jupyter/kernels" / NO_TEXT
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps({"argv": [str(saved / "bin/python")]}))
    for path in (saved.parent, saved):
        path.chmod(0o755)
    spec = world.spec()
    venv = world.data / "layers" / str(spec.key.launch) / "venv"
    kernels = venv / "share/jupyter/kernels"
    kernels.mkdir(parents=True)
    (kernels / NO_TEXT).write_text("no directory")
    for path in (venv.parent, *(kernels.parents[number] for number in range(3)), kernels):
        os.chown(path, UID or os.geteuid(), UID or os.getegid())
    over = Environment(path=world.image, layers=(saved,), command=spec.environment.command)
    await world.runtime.launch(world.spec(key=spec.key, environment=over))
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.FAILED_TO_START
    assert "?" in ended.detail
    assert await world.phase(other.key) is Phase.RUNNING


@AS_ROOT
async def test_an_etc_of_the_users_own_is_not_read_before_the_notebook_runs(world: World) -> None:
    first = await world.started()
    await world.shell(
        first.key,
        f"mkdir etc; echo 'passwd: files' > etc/nsswitch.conf; echo 'forged:x:{UID}:{UID}::/:/bin/sh' > etc/passwd",
    )
    await world.stopped(first.key)
    spec = await world.started(world.spec(mounts=(Mount(source="etc", target="/etc"),)))
    assert await world.shell(spec.key, "cat /etc/passwd; echo $USER") == f"forged:x:{UID}:{UID}::/:/bin/sh\nuser7"
    done = await world.runtime.execute(spec.key, "id -un; echo $LOGNAME", timeout=timedelta(seconds=9))
    assert done.output.split() == ["forged", "user7"]


@AS_ROOT
@pytest.mark.parametrize(
    "target", ["to-proc", "to-dev/new", "to-root/etc", "to-root/run", "to-root/a-new-top", "away/x"]
)
async def test_a_link_of_the_users_own_leads_to_no_place_to_mount_at(world: World, target: str) -> None:
    first = await world.started()
    links = "ln -s /proc to-proc; ln -s /dev to-dev; ln -s / to-root; ln -s nothing away"
    await world.shell(first.key, f"mkdir sets; {links}")
    spec = world.spec(mounts=(Mount(source="sets", target=f"{world.data}/homes/7/{target}", writable=True),))
    await world.runtime.launch(spec)
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.FAILED_TO_START
    assert "is a link" in ended.detail
    assert "a-new-top" not in names_in(Path("/"))


@AS_ROOT
async def test_root_makes_nothing_in_a_directory_that_is_the_users(world: World) -> None:
    """Another notebook of the user could have put another directory there meanwhile."""
    first = await world.started()
    await world.shell(first.key, "mkdir sets closed; ln -s /etc closed/link; chmod 500 closed")
    spec = world.spec(mounts=(Mount(source="sets", target=f"{world.data}/homes/7/closed/new", writable=True),))
    await world.runtime.launch(spec)
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.FAILED_TO_START
    assert "can make no directory there" in ended.detail
    assert await world.shell(first.key, "ls closed") == "link"


@AS_ROOT
async def test_a_directory_that_everybody_may_write_to_stays_out_of_reach_in_one_that_is_closed(
    world: World, elsewhere: Path
) -> None:
    inner = close(elsewhere)
    first = await world.started()
    await world.shell(first.key, "mkdir sets; touch sets/file")
    spec = await world.started(world.spec(mounts=(Mount(source="sets", target=f"{inner}/new"),)))
    assert await world.shell(spec.key, f"ls {inner}/new") == "file"
    assert names_in(inner) == []


@pytest.fixture
def elsewhere() -> Generator[Path]:
    """A directory of root's that notebooks see."""
    with tempfile.TemporaryDirectory(dir="/opt", prefix="trivium-test-") as place:
        Path(place).chmod(0o755)
        yield Path(place)


@AS_ROOT
async def test_nothing_is_shown_in_a_namespace_that_the_notebook_made(world: World, elsewhere: Path) -> None:
    """There it mounts what it likes, a `/proc` of its own among it; root would follow."""
    if not may_unshare():
        pytest.skip("no user namespaces for users on this machine")
    first = await world.started()
    mounts = f"1 0 0:1 / / rw - ext4 x rw\\n2 1 0:2 / {AREA} rw - tmpfs t rw\\n"
    await world.shell(
        first.key, f"mkdir -p sets fake/self/ns; printf '{mounts}' > fake/self/mountinfo; touch fake/self/ns/mnt"
    )
    leave = f"mount --bind {elsewhere} {AREA} && mount --bind $HOME/fake /proc && exec python -m tinyserver $0"
    spec = await world.started(world.spec("unshare", "-Urm", "sh", "-c", leave, "{port}", attach_at=AREA))
    for change in (
        world.runtime.attach(spec.key, Mount("sets", f"{AREA}/new")),
        world.runtime.detach(spec.key, f"{AREA}/old"),
    ):
        with suppress(RuntimeUnavailable):
            assert await change is not None
    assert names_in(elsewhere) == []
