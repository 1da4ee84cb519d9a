"""Kernels of a real JupyterLab that was forked of a warm parent: what is forked behaves as what is started."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from tests.contract.runtime.test_jupyter import ask, run_cell
from tests.contract.runtime.world import World, gone, site
from tests.waiting import until, until_async
from trivium.resources.notebooks.ports import Address, Environment, LaunchSpec, Phase

pytestmark = [
    pytest.mark.jupyter,
    pytest.mark.asyncio(loop_scope="module"),
]
HERE = Environment(path=Path(sys.prefix))
SPECS = {
    "plain": {"env": {"LC_STARTED": "1"}},  # which counts only when a program starts, so that a fork will not do
    "other": {"argv": ["/bin/sh", "-c", 'exec "$0" "$@"', "python"]},
}
FACTS = """
import gc, json, locale, multiprocessing, os, resource, signal, stat, subprocess, sys, tempfile, threading, time
import warnings
descriptors = {name for name in os.listdir("/proc/self/fd") if int(name) <= 2}
print(json.dumps({
    "environment": {name: value for name, value in os.environ.items()},
    "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "prefix": sys.prefix,
    "executable": sys.executable, "cwd": os.getcwd(), "umask": os.umask(0o022), "flags": list(sys.flags),
    "uids": os.getresuid(), "gids": os.getresgid(), "groups": os.getgroups(), "leads": os.getsid(0) == os.getpid(),
    "exe": os.readlink("/proc/self/exe"),
    "limits": [resource.getrlimit(one) for one in range(10)],
    "signals": {one: str(signal.getsignal(one)).partition(" at ")[0] for one in range(1, 32)},
    "blocked": [int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "cgroup": open("/proc/self/cgroup").read(), "score": open("/proc/self/oom_score_adj").read(),
    "status": [line for line in open("/proc/self/status") if line.startswith(("NoNewPrivs", "Cap", "Sig"))],
    "started as": open("/proc/self/cmdline").read().split("\\0"),
    "started in": dict(word.split("=", 1) for word in open("/proc/self/environ").read().split("\\0")[:-1]),
    "inherited": sorted(subprocess.run(["env", "-0"], capture_output=True, text=True).stdout.split("\\0")),
    "input": [stat.S_IFMT(os.fstat(0).st_mode), os.read(0, 1).decode()], "warnings": sorted(map(str, warnings.filters)),
    "main": __name__, "threads": sorted(one.name for one in threading.enumerate()), "frozen": gc.isenabled(),
    "thresholds": gc.get_threshold(), "descriptors": sorted(descriptors),
    "ours": sorted(name for name in sys.modules if "trivium" in name or name.startswith("jupyterlab")),
    "directories": [multiprocessing.process.ORIGINAL_DIR, tempfile.gettempdir()], "nice": os.nice(0),
    "encodings": [locale.getpreferredencoding(), sys.getfilesystemencoding()], "zone": time.tzname,
    "user": get_ipython().kernel.session.username, "interactive": hasattr(sys, "ps1"),
    "parent": get_ipython().kernel.parent.parent_handle == os.getppid(),
}))
"""
OWN = ("JPY_PARENT_PID", "LC_STARTED", "JPY_SESSION_NAME")
SPAWN = """
import multiprocessing, pathlib, os
pathlib.Path("beside.py").write_text("import os\\ndef who(_):\\n    return os.getpid()\\n")
import beside
for way in ("spawn", "fork", "forkserver"):
    with multiprocessing.get_context(way).Pool(1) as pool:
        print(way, pool.map(beside.who, [0])[0] != os.getpid())
"""
SLEEP = """
import pathlib, time
pathlib.Path("begun").touch()
while True:
    time.sleep(0.01)
"""


class Kernel:
    """A kernel of a notebook."""

    def __init__(self, notebook: Notebook, id: str) -> None:
        self.id = id
        self._notebook = notebook

    async def run(self, code: str, *, typed: str | None = None) -> str:
        """What a cell prints, to which `typed` is answered when it asks."""
        return await run_cell(self._notebook.address, self.id, code, typed=typed)

    async def ask(self, method: str, what: str = "", ok: int = 200) -> None:
        """Do with it what Jupyter's interface has."""
        assert (await self._notebook.ask(method, f"/{self.id}{what}"))[0] == ok

    async def process(self) -> psutil.Process:
        """Its process, as it says itself."""
        return psutil.Process(int(await self.run("import os; print(os.getpid())")))


class Notebook:
    """A notebook that was forked of the image's fork server."""

    def __init__(self, world: World, spec: LaunchSpec, address: Address) -> None:
        self.world = world
        self.spec = spec
        self.address = address
        self.server = world.main(spec.key)
        self.home = world.data / "homes/7"

    @property
    def fork_server(self) -> psutil.Process:
        """What its kernels are forked of."""
        alive = [one for one in self.server.children() if one.status() != psutil.STATUS_ZOMBIE]
        found = [one for one in alive if "kernel fork server" in " ".join(one.cmdline())]
        assert len(found) == 1
        return found[0]

    async def ask(self, method: str, path: str = "", body: Any = None) -> tuple[int, Any]:
        return await asyncio.to_thread(ask, self.address, method, f"/nb/1/api/kernels{path}", token="s3cret", body=body)

    @asynccontextmanager
    async def kernel(self, name: str = "python3", path: str = "") -> AsyncIterator[Kernel]:
        """A kernel for as long as it is needed."""
        status, made = await self.ask("POST", body={"name": name, "path": path})
        assert status == 201, made
        kernel = Kernel(self, made["id"])
        try:
            yield kernel
        finally:
            if self.server.is_running():
                await self.ask("DELETE", f"/{kernel.id}")


Maker = Callable[[], Awaitable[Notebook]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def make() -> AsyncIterator[Maker]:
    """Makes notebooks, all forked of one parent."""
    pytest.importorskip("jupyterlab")
    world = World(HERE.path)
    first = _spec(world)
    await world.runtime.launch(first)
    await world.settled(first.key, {Phase.STARTING, Phase.RUNNING})
    await world.runtime.stop(first.key, timedelta(0))

    async def is_warm() -> bool:
        return bool((await world.runtime._keeper.ask("hello"))["warm"])

    await until_async(is_warm, within=90, what="a warm parent")

    async def made() -> Notebook:
        spec = await world.started(_spec(world))
        assert "forkserver" in " ".join(world.minder(spec.key).cmdline())
        address = (await world.runtime.observe([spec.key]))[spec.key].address
        assert address is not None
        return Notebook(world, spec, address)

    yield made
    await world.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def notebook(make: Maker) -> Notebook:
    """The one that most tests share."""
    made = await make()
    python = str(made.world.data / "layers" / str(made.spec.key.launch) / "venv/bin/python")
    for name, changes in SPECS.items():
        kernel = {"argv": [python], "display_name": name, "language": "python", **changes}
        kernel["argv"] += ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
        place = f"~/.local/share/jupyter/kernels/{name}"
        await made.world.shell(
            made.spec.key, f"mkdir -p {place} && cat > {place}/kernel.json <<'END'\n{json.dumps(kernel)}\nEND"
        )
    return made


async def test_a_kernel_that_is_forked_is_what_one_that_is_started_is(notebook: Notebook) -> None:
    (notebook.home / "below").mkdir()
    async with notebook.kernel(path="below/x.ipynb") as forked, notebook.kernel("plain", "below/x.ipynb") as started:
        assert [(await one.process()).ppid() for one in (forked, started)] == [
            notebook.fork_server.pid,
            notebook.server.pid,
        ]
        first, second = [_told(json.loads(await one.run(FACTS)), one) for one in (started, forked)]
        assert second == first
        assert second["cwd"] == str(notebook.home / "below")


async def test_another_kernelspec_is_started(notebook: Notebook) -> None:
    async with notebook.kernel("other") as kernel:
        assert (await kernel.process()).ppid() == notebook.server.pid


async def test_what_a_cell_and_its_programs_say_is_seen_and_it_can_be_answered(notebook: Notebook) -> None:
    async with notebook.kernel() as kernel:
        said = await kernel.run("import subprocess\n!echo shell\nsubprocess.run(['echo', 'program']); print('cell')")
        assert sorted(said.split()) == ["cell", "program", "shell"]
        assert await kernel.run("print(input('who? ')[::-1])", typed="abc") == "cba\n"
        assert "ZeroDivisionError" in await kernel.run("1 / 0")
        assert "pip" in await kernel.run("%pip --version")
        assert (await kernel.run(SPAWN)).split("\n")[:3] == ["spawn True", "fork True", "forkserver True"]


async def test_a_kernel_is_interrupted_restarted_and_ended(notebook: Notebook) -> None:
    async with notebook.kernel() as kernel:
        former = await kernel.process()
        cell = asyncio.create_task(kernel.run(SLEEP))
        await asyncio.to_thread(until, (notebook.home / "begun").exists)
        await kernel.ask("POST", "/interrupt", ok=204)
        assert "KeyboardInterrupt" in await cell
        await kernel.run("state = 1")
        await kernel.ask("POST", "/restart")
        assert "NameError" in await kernel.run("state")
        process = await kernel.process()
        assert process.ppid() == notebook.fork_server.pid
        assert process != former
        await asyncio.to_thread(until, gone(former.pid))
    await asyncio.to_thread(until, gone(process.pid))


async def test_two_kernels_share_no_random_numbers_and_no_keys(notebook: Notebook) -> None:
    code = (
        "import multiprocessing, random, uuid; print(random.random(), bytes(multiprocessing.current_process().authkey))"
    )
    async with notebook.kernel() as one, notebook.kernel() as other:
        mine, theirs = (await one.run(code)).split(" ", 1), (await other.run(code)).split(" ", 1)
        assert mine[0] != theirs[0]
        assert mine[1] != theirs[1]


async def test_a_kernel_that_was_killed_is_started_again(notebook: Notebook) -> None:
    async with notebook.kernel() as kernel:
        former = await kernel.process()
        had = notebook.fork_server.children()
        former.kill()
        process = await _one_more(notebook.fork_server, had)
        assert await kernel.process() == process


async def test_a_package_that_the_user_installed_is_what_a_kernel_has(make: Maker) -> None:
    notebook = await make()
    packages = site(notebook.world.data / "layers" / str(notebook.spec.key.launch) / "venv")
    await notebook.world.shell(notebook.spec.key, f"mkdir {packages}/comm; echo > {packages}/comm/__init__.py")
    async with notebook.kernel() as kernel:  # it comes to nothing, as the user's choice is
        assert await asyncio.to_thread(until, lambda: _started(notebook))
        await kernel.ask("GET")


async def test_where_what_forks_kernels_was_killed_they_are_started(make: Maker) -> None:
    notebook = await make()
    async with notebook.kernel() as kernel:
        former, fork_server = await kernel.process(), notebook.fork_server
        had = notebook.server.children()
        fork_server.kill()
        await asyncio.to_thread(until, gone(former.pid))
        process = await _one_more(notebook.server, had)
        assert await kernel.process() == process


async def test_when_a_notebook_stops_its_kernels_and_what_forks_them_end(make: Maker) -> None:
    notebook = await make()
    async with notebook.kernel() as kernel:
        await kernel.run("import subprocess; subprocess.Popen(['setsid', 'sleep', '300'])")
        family = [notebook.world.minder(notebook.spec.key)]
        family += family[0].children(recursive=True)
        assert len(family) >= 5
        await notebook.world.stopped(notebook.spec.key, grace=15)
        for one in family:
            await asyncio.to_thread(until, gone(one.pid))


def _spec(world: World) -> LaunchSpec:
    return world.spec(environment=HERE, memory=1 << 30)


def _told(facts: dict[str, Any], kernel: Kernel) -> dict[str, Any]:
    """The same facts for every kernel: what is one kernel's own is left out or has one name."""
    for name in OWN:
        facts["environment"].pop(name, None)
        facts["started in"].pop(name, None)
        facts["inherited"] = [one for one in facts["inherited"] if not one.startswith(f"{name}=")]
    return json.loads(json.dumps(facts).replace(kernel.id, "its id"))


def _started(notebook: Notebook) -> bool:
    """Whether the server has started a kernel as a program."""
    return any("ipykernel_launcher" in one.cmdline() for one in notebook.server.children())


async def _one_more(parent: psutil.Process, had: list[psutil.Process]) -> psutil.Process:
    """The child that a process has besides those it had."""
    return (await asyncio.to_thread(until, lambda: [one for one in parent.children() if one not in had]))[0]
