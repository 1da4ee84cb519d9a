"""Environments on disk: looked at, compiled, refused, and known again."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from pathlib import Path

import psutil
import pytest

from tests.contract.runtime.world import World, site
from trivium.drivers.runtimes.process import environments
from trivium.resources.images import EnvironmentRefused

COMMAND = ("python", "-m", "tinyserver")


@pytest.fixture
def copy(image: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(image, tmp_path / "copy", symlinks=True))


async def test_an_environment_is_read_whole_and_its_bytecode_compiled(world: World, copy: Path) -> None:
    found = await world.runtime.inspect(copy, command=COMMAND)
    assert found.python == ".".join(str(part) for part in sys.version_info[:3])
    assert (found.jupyterlab, found.ipykernel) == (None, None)
    assert found.size > 0
    assert found.digest.startswith("sha256:")
    assert len(found.fingerprint) == 64
    assert list((site(copy) / "__pycache__").glob("tinyserver.*.pyc"))
    assert await world.runtime.digest(copy) == found.digest
    assert await world.runtime.fingerprint(copy) == found.fingerprint


async def test_bytecode_is_no_part_of_what_an_environment_is(world: World, copy: Path) -> None:
    before = await world.runtime.inspect(copy, command=COMMAND)
    shutil.rmtree(site(copy) / "__pycache__")
    (site(copy) / "stray.pyc").write_bytes(b"x")
    assert await world.runtime.digest(copy) == before.digest
    assert await world.runtime.fingerprint(copy) == before.fingerprint


async def test_a_change_of_content_mode_or_link_is_another_digest(world: World, copy: Path) -> None:
    module = site(copy) / "whose.py"
    seen = {await world.runtime.digest(copy)}
    module.write_text("OWNER = 'IMAGE'\n")
    seen.add(await world.runtime.digest(copy))
    module.chmod(0o755)
    seen.add(await world.runtime.digest(copy))
    (site(copy) / "link").symlink_to("whose.py")
    seen.add(await world.runtime.digest(copy))
    (site(copy) / "link").unlink()
    (site(copy) / "link").symlink_to("elsewhere.py")
    seen.add(await world.runtime.digest(copy))
    assert len(seen) == 5


async def test_a_touched_file_changes_the_fingerprint_and_not_the_digest(world: World, copy: Path) -> None:
    before = await world.runtime.fingerprint(copy), await world.runtime.digest(copy)
    os.utime(site(copy) / "whose.py", (1, 1))
    after = await world.runtime.fingerprint(copy), await world.runtime.digest(copy)
    assert after[0] != before[0]
    assert after[1] == before[1]


async def test_an_environment_that_is_not_there_has_neither(world: World) -> None:
    nowhere = Path("/nowhere/at/all")
    assert await world.runtime.fingerprint(nowhere) is None
    assert await world.runtime.digest(nowhere) is None
    with pytest.raises(EnvironmentRefused, match="no directory"):
        await world.runtime.inspect(nowhere)
    with pytest.raises(EnvironmentRefused, match="absolute"):
        await world.runtime.inspect(Path("relative"))


async def test_an_environment_without_a_notebook_server_is_refused(world: World, copy: Path, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentRefused, match="jupyterlab and ipykernel must be installed"):
        await world.runtime.inspect(copy)
    with pytest.raises(EnvironmentRefused, match="no bin/python"):
        await world.runtime.inspect(tmp_path)
    with pytest.raises(EnvironmentRefused, match="no-such-program"):
        await world.runtime.inspect(copy, command=("no-such-program",))


@pytest.mark.parametrize("text", ["#!/bin/sh\necho '{}'\n", "#!/bin/sh\necho broken >&2; exit 1\n", "no program"])
async def test_an_interpreter_that_does_not_say_what_it_is_is_refused(world: World, tmp_path: Path, text: str) -> None:
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.write_text(text)
    python.chmod(0o755)
    with pytest.raises(EnvironmentRefused, match="does not"):
        await world.runtime.inspect(tmp_path)


async def test_an_old_python_is_refused(world: World, tmp_path: Path) -> None:
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.write_text(
        '#!/bin/sh\necho \'{"python": [3, 8, 1], "jupyterlab": "4.0", "ipykernel": "6.0", "packages": []}\'\n'
    )
    python.chmod(0o755)
    with pytest.raises(EnvironmentRefused, match=r"Python 3\.8 is too old"):
        await world.runtime.inspect(tmp_path)


async def test_the_machine_is_the_one_node(world: World) -> None:
    (node,) = await world.runtime.nodes()
    assert node.ready
    assert node.cores > 0
    assert node.memory > 1 << 20
    assert node.disk > 1 << 20
    addresses = {one.address for many in psutil.net_if_addrs().values() for one in many if one.family == socket.AF_INET}
    assert node.address == world.runtime.address()
    assert node.address in addresses
    assert not node.address.startswith("127.") or all(one.startswith("127.") for one in addresses)
    assert node.memory <= psutil.virtual_memory().total


async def test_what_the_host_can_do_is_found_out_once(world: World) -> None:
    looking = world.runtime.look_around()
    assert await world.runtime.capabilities() is await looking
    assert world.runtime.look_around() is looking


async def test_accelerators_and_capacity_can_be_declared(image: Path) -> None:
    world = World(image, accelerators="dcu:2,gpu:1", cores=12.0, memory=1 << 40)
    (node,) = await world.runtime.nodes()
    assert [(one.kind, one.index, one.declared) for one in node.accelerators] == [
        ("dcu", 0, True),
        ("dcu", 1, True),
        ("gpu", 0, True),
    ]
    assert (node.cores, node.memory) == (12.0, 1 << 40)
    await world.close()


async def test_a_declaration_that_cannot_be_read_makes_the_node_unready_and_says_why(image: Path) -> None:
    world = World(image, accelerators="tpu:2")
    (node,) = await world.runtime.nodes()
    assert not node.ready
    assert "tpu" in node.reason
    await world.close()


async def test_every_change_is_seen_by_a_runtime_that_knows_the_fingerprint(world: World, copy: Path) -> None:
    known = [await world.runtime.fingerprint(copy)]
    assert await world.runtime.fingerprint(copy) == known[0]
    package = site(copy) / "new"
    beside = copy.with_name("beside")

    def swap() -> None:
        shutil.copytree(copy, beside, symlinks=True)
        (beside / "other").write_text("")
        shutil.rmtree(copy)
        beside.rename(copy)

    for change in (
        lambda: (site(copy) / "whose.py").write_text("OWNER = 'changed in place'"),
        package.mkdir,
        (package / "inner").mkdir,
        lambda: (package / "inner" / "late.py").write_text("1"),
        lambda: os.utime(site(copy) / "whose.py", (1, 1)),
        lambda: (site(copy) / "whose.py").rename(site(copy) / "who.py"),
        swap,
        lambda: shutil.rmtree(copy),
    ):
        await asyncio.to_thread(change)
        seen = await world.runtime.fingerprint(copy)
        assert seen == await asyncio.to_thread(environments.fingerprint, copy)
        known.append(seen)
    assert known[-1] is None
    assert len(set(known)) == len(known) - 2  # empty directories are nothing that is read
