"""What a notebook's user leaves on disk for the keeper to fall over; every other notebook goes on."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest

from tests.contract.runtime.world import IS_ROOT, UID, World
from trivium.resources.notebooks.ports import Ending, Environment, Mount, Phase

NAME = "0123456789abcdef0123456789abcdef"
NO_TEXT = os.fsdecode(b"\xff")
DEEP = "import os\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\n"


async def test_directories_without_end_in_a_notebooks_room_do_not_end_the_keeper(world: World) -> None:
    other, spec = await world.started(), await world.started()
    keeper = await world.keeper()
    await world.shell(spec.key, f'cd "$JUPYTER_RUNTIME_DIR" && python -c "{DEEP}"')
    assert (await world.stopped(spec.key)).ending is Ending.STOPPED
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


@pytest.mark.skipif(not IS_ROOT, reason="needs to be root")
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
