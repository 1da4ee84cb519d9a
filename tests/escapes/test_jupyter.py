"""Tries upon JupyterLab: its kernels' sockets, and the warm process that it was forked of."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from tests.contract.runtime.test_jupyter import ask, run_cell
from tests.contract.runtime.world import IS_ROOT, UID, World
from tests.escapes.outside import connect, descriptors, may, read
from tests.waiting import until_async
from trivium.resources.notebooks.ports import Address, Environment, LaunchSpec

pytestmark = [pytest.mark.jupyter, pytest.mark.skipif(not IS_ROOT, reason="needs to be root, for a uid per user")]
HERE = Environment(path=Path(sys.prefix))
BOB = 61235
NAME = "0123456789abcdef0123456789abcdef"
POISON = 'import os; os.system("id -u >> {mark}")'
CONNECTION = "import ipykernel; print(open(ipykernel.get_connection_file()).read())"


@pytest_asyncio.fixture
async def jupyters() -> AsyncIterator[World]:
    """A runtime that keeps warm parents."""
    pytest.importorskip("jupyterlab")
    world = World(HERE.path)
    yield world
    await world.close()


async def test_neither_kernels_nor_warm_parents_are_a_way_to_others(jupyters: World) -> None:
    alice = await jupyters.started(_jupyter(jupyters))
    await _try_the_kernel(jupyters, alice)
    mark = await jupyters.shell(alice.key, "echo ~/mark")
    place = await jupyters.shell(alice.key, "python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))'")
    poison = POISON.format(mark=mark)
    await jupyters.shell(alice.key, f"cd {place}; echo '{poison}' | tee poison.pth > sitecustomize.py")
    await jupyters.shell(alice.key, f"python -c pass; test -s {mark}; rm {mark}")  # it works
    await jupyters.stopped(alice.key)
    saved = await jupyters.runtime.save(alice.key, NAME)

    warm = await until_async(lambda: _warm(jupyters), within=90, what="a warm parent")
    bob = await jupyters.started(_jupyter(jupyters, user=8, uid=BOB))
    assert "forkserver" in " ".join(jupyters.minder(bob.key).cmdline())  # a fork of the warm parent
    await _look_at_fork(jupyters, bob)
    poisoned = Environment(path=HERE.path, layers=(saved.path,))
    again = await jupyters.started(_jupyter(jupyters, environment=poisoned))
    await jupyters.shell(again.key, "python -c pass")
    assert set(read(mark).split()) == {str(UID)}  # whoever else had run it would have said so
    for pid in await _warm(jupyters) or ():
        assert str(saved.path) not in read(f"/proc/{pid}/maps")
    assert await _warm(jupyters) == warm
    fresh = await jupyters.started(_jupyter(jupyters, user=8, uid=BOB))
    said = await _cell(jupyters, fresh, "import sys; print('poison' in str(sys.modules), *sys.path)")
    assert said.startswith("False")
    assert NAME not in said


async def _try_the_kernel(world: World, spec: LaunchSpec) -> None:
    """Nothing of a notebook's server and kernels listens where others could connect, and their sockets are closed."""
    told: dict[str, Any] = json.loads(await _cell(world, spec, CONNECTION))
    assert told["transport"] == "ipc"
    main = world.main(spec.key)
    family = [main, *main.children(recursive=True)]
    assert len(family) > 1
    for port in _listeners(
        family
    ):  # a kernel's for its forks: what they print comes with a secret, and nothing goes out
        assert _kind(port) == b"PULL"
    sockets = [Path(f"{told['ip']}-{told[name]}") for name in ("shell_port", "iopub_port", "control_port")]
    for place in sockets:
        assert place.is_socket()
        assert not may(BOB, lambda place=place: connect(place))
        knock = f"import socket; socket.socket(socket.AF_UNIX).connect({str(place)!r})"
        await world.shell(spec.key, f'python -c "{knock}"')  # its own user can
    listening = "import socket; s = socket.create_server(('127.0.0.1', 0)); print('listens')"
    assert await _cell(world, spec, listening) == "listens\n"
    kernels = [main, *main.children(recursive=True)]
    assert [port for port in _listeners(kernels) if _kind(port) != b"PULL"]  # it would have been seen


def _forks_of(main: psutil.Process) -> Iterator[int]:
    """What it has forked and runs its program still; others, such as the npm that Jupyter asks, open what they like."""
    for child in main.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if child.exe() == main.exe():
                yield child.pid


async def _look_at_fork(world: World, spec: LaunchSpec) -> None:
    """What was forked of a process of root's has nothing of it left."""
    main = world.main(spec.key)
    for pid in (main.pid, *_forks_of(main)):
        status = dict(line.split(":\t", 1) for line in read(f"/proc/{pid}/status").splitlines())
        assert status["Uid"].split() == [str(BOB)] * 4
        assert status["Gid"].split() == [str(BOB)] * 4
        assert status["Groups"].strip() == ""
        assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb", "CapInh")} == {"0" * 16}
        assert status["NoNewPrivs"] == "1"
        assert "PYTEST" not in read(f"/proc/{pid}/environ")
        for link in descriptors(pid):
            own = ("/dev/null", "/dev/pts/", "/dev/ptmx", "socket:", "pipe:", "anon_inode:", str(world.data))
            assert link.startswith((*own, str(HERE.path))) or "jupyter" in link, link
            assert "/keeper" not in link
    said = await _cell(
        world, spec, "import os; print(*{os.stat(f'/proc/{p}').st_uid for p in os.listdir('/proc') if p.isdigit()})"
    )
    assert said.split() == [str(BOB)]


def _jupyter(world: World, **changes: Any) -> LaunchSpec:
    told = {"environment": HERE, "memory": 2 << 30, **changes}
    return world.spec(**told)


async def _address(world: World, spec: LaunchSpec) -> Address:
    address = (await world.runtime.observe([spec.key]))[spec.key].address
    assert address is not None
    return address


async def _cell(world: World, spec: LaunchSpec, code: str) -> str:
    """What a cell prints in a kernel of its own."""
    address = await _address(world, spec)
    body = {"name": "python3"}
    status, kernel = await asyncio.to_thread(ask, address, "POST", "/nb/1/api/kernels", token="s3cret", body=body)
    assert status == 201
    return await run_cell(address, kernel["id"], code)


async def _warm(world: World) -> list[int] | None:
    return (await world.runtime._keeper.ask("hello"))["warm"] or None


def _listeners(family: list[psutil.Process]) -> list[int]:
    """Every TCP port that one of these processes listens on."""
    found = [one for process in family for one in process.net_connections("tcp")]
    return [one.laddr.port for one in found if one.status == psutil.CONN_LISTEN]


def _kind(port: int) -> bytes:
    """What a ZeroMQ socket says that it is to whoever connects; empty for one that says nothing."""
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
    ready = b"\x05READY\x0bSocket-Type\0\0\0\x04PUSH"
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(greeting + b"\x04" + bytes([len(ready)]) + ready)
        said = b""
        try:
            while b"Socket-Type" not in said and (part := connection.recv(4096)):
                said += part
        except TimeoutError:
            return b""
    return said.partition(b"Socket-Type\0\0\0\x04")[2][:4]
