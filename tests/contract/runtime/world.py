"""A process runtime with a tiny image: a real environment whose server is a real, small HTTP program."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil

from tests.waiting import until, until_async
from trivium.base.clock import SystemClock
from trivium.drivers.runtimes.process import ProcessRuntime, ProcessSettings
from trivium.resources.notebooks import RuntimeUnavailable
from trivium.resources.notebooks.ports import Environment, Exit, LaunchKey, LaunchSpec, Observation, Phase

MIB = 1 << 20
IS_ROOT = os.geteuid() == 0
UID = 61234 if IS_ROOT else None
OVER = {Phase.ENDED, Phase.LOST}
SERVER = '''
"""A notebook's server for tests: answers every request with what it is told to answer."""
import http.server, os, signal, socket, socketserver, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.endswith("/eat"):
            eaten = []
            while True:
                eaten.append(b"x" * (8 << 20))
        if self.path.endswith("/exit3"):
            print("the last thing it said", flush=True)
            os._exit(3)
        body = self.body().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def body(self):
        return os.environ.get("TRIVIUM_TOKEN", "") + " " + self.path
    def log_message(self, *_):
        pass
    def address_string(self):
        return "local"

class OnSocket(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

if __name__ == "__main__":
    where = sys.argv[1]
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("it begins", flush=True)
    if where.isdigit():
        http.server.ThreadingHTTPServer(("127.0.0.1", int(where)), Handler).serve_forever()
    OnSocket(where, Handler).serve_forever()
'''


def make_image(directory: Path, python: str = sys.executable) -> Path:
    """A small environment of an interpreter, with the server program in it."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(directory)], check=True)
    (site(directory) / "tinyserver.py").write_text(SERVER)
    (site(directory) / "whose.py").write_text("OWNER = 'image'\n")
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return directory


def site(prefix: Path) -> Path:
    """Where an environment's packages lie."""
    found = sorted(prefix.glob("lib/python3*/site-packages"))
    return found[0] if found else prefix / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


class World:
    """A runtime on a data directory of its own."""

    def __init__(self, image: Path, *, below: str = "/tmp", cgroups: bool = True, **settings: Any) -> None:
        self.image = image
        self.root = Path(tempfile.mkdtemp(prefix="tr-", dir=below))
        self.root.chmod(0o755)
        self.data, self.run = self.root / "d", self.root / "r"
        self.data.mkdir(mode=0o711)
        self.settings = ProcessSettings(data=self.data, run=self.run, cgroups=cgroups, **settings)
        self.runtime = self.server()
        self._servers = [self.runtime]
        self._numbers = itertools.count(1)

    def server(self) -> ProcessRuntime:
        """Another server on the same data directory, as after a restart."""
        runtime = ProcessRuntime(self.settings, SystemClock())
        if hasattr(self, "_servers"):
            self._servers.append(runtime)
        return runtime

    def spec(self, *command: str, key: LaunchKey | None = None, **changes: Any) -> LaunchSpec:
        """A launch of the tiny server on a port, or of `command`."""
        words = command or ("python", "-m", "tinyserver", "{port}")
        spec = LaunchSpec(
            key=key or LaunchKey(launch=next(self._numbers), generation=1),
            user=7,
            uid=UID,
            environment=Environment(path=self.image, command=words),
            cores=1.0,
            memory=256 * MIB,
            processes=200,
            base_url="/nb/1/",
            token="s3cret",
        )
        return msgspec.structs.replace(spec, **changes)

    async def started(self, spec: LaunchSpec | None = None) -> LaunchSpec:
        """A launch that runs."""
        spec = spec or self.spec()
        await self.runtime.launch(spec)
        seen = await self.settled(spec.key, {Phase.RUNNING, *OVER})
        assert seen.phase is Phase.RUNNING, (seen, (await self.runtime.logs(spec.key)).text)
        return spec

    async def settled(self, key: LaunchKey, phases: set[Phase]) -> Observation:
        """What is seen of a launch once it is in one of these phases."""

        async def look() -> Observation | None:
            seen = (await self.runtime.observe([key]))[key]
            return seen if seen.phase in phases else None

        found = await until_async(look, within=90, what=f"{key} in {phases}")
        assert found is not None
        return found

    async def ended(self, key: LaunchKey) -> Exit:
        """How a launch ended, once it has."""
        seen = await self.settled(key, OVER)
        assert seen.exit is not None, seen
        return seen.exit

    async def phase(self, key: LaunchKey) -> Phase:
        """Its phase now."""
        return (await self.runtime.observe([key]))[key].phase

    async def stopped(self, key: LaunchKey, grace: float = 5.0) -> Exit:
        """How it ended, after it was asked to."""
        await self.runtime.stop(key, timedelta(seconds=grace))
        return await self.ended(key)

    async def shell(self, key: LaunchKey, command: str) -> str:
        """What a command inside a notebook says."""
        done = await self.runtime.execute(key, command, timeout=timedelta(seconds=20))
        assert done.code == 0, done
        return done.output.strip()

    async def port(self, key: LaunchKey) -> int:
        """Where it listens."""
        address = (await self.runtime.observe([key]))[key].address
        assert address is not None
        return address.port

    async def keeper(self) -> psutil.Process:
        """The keeper's process."""
        return await keeper_of(self.runtime)

    async def kill_keeper(self) -> None:
        """End the keeper as a power cut would."""
        keeper = await self.keeper()
        keeper.send_signal(signal.SIGKILL)
        keeper.wait(10)

    def main(self, key: LaunchKey) -> psutil.Process:
        """A launch's main process."""
        note = (self.data / "keeper" / f"{key.launch}-{key.generation}" / "report").read_bytes()[:2048]
        return psutil.Process(msgspec.json.decode(note.strip())["main"][0])

    def minder(self, key: LaunchKey) -> psutil.Process:
        """The process that minds a launch."""
        note = (self.data / "keeper" / f"{key.launch}-{key.generation}" / "state").read_bytes()
        return psutil.Process(msgspec.json.decode(note)["minder"][0])

    async def close(self) -> None:
        """End everything and leave nothing behind."""
        complaints = self.data / "keeper" / "keeper.log"
        said = complaints.read_text() if complaints.exists() else ""
        # A test's own runtime may be one with little patience.
        patient = ProcessRuntime(ProcessSettings(data=self.data, run=self.run), SystemClock())
        self._servers.append(patient)
        try:
            for key in await patient.adopt():
                await patient.remove(key.launch)
            keeper = await keeper_of(patient)
        except RuntimeUnavailable:
            keeper = None
        for server in self._servers:
            await server.close()
        if keeper is not None:
            keeper.terminate()
            await asyncio.to_thread(keeper.wait, 10)
        await asyncio.to_thread(until, lambda: not self.being_removed(), what="nothing that is being removed")
        shutil.rmtree(self.root)
        await asyncio.to_thread(until, lambda: not self.cgroups(), what="no cgroups")
        assert not said, said

    def being_removed(self) -> list[Path]:
        """What a process of its own is removing."""
        return [one for place in (self.run, self.data / "temporary") for one in place.glob(".gone-*")]

    def cgroups(self) -> list[Path]:
        """What is left of this world's cgroups below their common directories."""
        from trivium.drivers.runtimes.process.keeper.system.cgroups import directory_of  # noqa: PLC0415 - looks inside

        found: list[Path] = []
        name = directory_of(str(self.data))
        for place in (*Path("/sys/fs/cgroup").glob(f"*/{name}"), *Path("/sys/fs/cgroup").glob(name)):
            found.extend(one for one in place.iterdir() if one.is_dir())
            with contextlib.suppress(OSError):
                place.rmdir()
        return found


async def keeper_of(runtime: ProcessRuntime) -> psutil.Process:
    """The process of the keeper that it speaks to."""
    return psutil.Process((await runtime._keeper.ask("hello"))["pid"])


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pid: int) -> Callable[[], bool]:
    """Whether a process does not run any more."""
    return lambda: not alive(pid)


Maker = Callable[..., Awaitable[World]]
