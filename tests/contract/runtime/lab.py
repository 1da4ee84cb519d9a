"""A small image whose JupyterLab is a program that tells what process it is, and the warm parent of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psutil

from tests.contract.runtime.world import World, make_image, site
from tests.waiting import until_async
from trivium.resources.notebooks.ports import Environment, LaunchSpec

LAB = """
import asyncio, json, multiprocessing.process, os, random, resource, signal, socketserver, sys
import tinyserver, whose
HOME_AT_IMPORT = os.path.expanduser("~/.jupyter")
PREFIX_AT_IMPORT = [sys.prefix + "/etc"]
class Settings:
    folder = os.path.join(os.path.expanduser("~"), "settings")
def facts():
    descriptors = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            descriptors[int(name)] = os.readlink("/proc/self/fd/" + name)
        except OSError:
            pass
    return {
        "environment": dict(os.environ), "argv": sys.argv, "path": sys.path,
        "orig_argv": getattr(sys, "orig_argv", None),
        "prefix": sys.prefix, "exec_prefix": sys.exec_prefix, "executable": sys.executable, "cwd": os.getcwd(),
        "uids": os.getresuid(), "gids": os.getresgid(), "groups": os.getgroups(), "umask": os.umask(0o077),
        "leads": os.getsid(0) == os.getpid(), "main": sys.modules["__main__"].__name__, "owner": whose.OWNER,
        "limits": [resource.getrlimit(one) for one in (resource.RLIMIT_NPROC, resource.RLIMIT_CORE)],
        "signals": {one: str(signal.getsignal(one)).partition(" at ")[0] for one in range(1, 32)},
        "flags": list(sys.flags),
        "blocked": [int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        "ours": sorted(name for name in sys.modules if name.startswith("trivium")), "descriptors": descriptors,
        "computed": [HOME_AT_IMPORT, PREFIX_AT_IMPORT, Settings.folder], "threads": len(os.listdir("/proc/self/task")),
        "status": [line for line in open("/proc/self/status") if line.startswith(("NoNewPrivs", "Cap"))],
        "cgroup": open("/proc/self/cgroup").read(), "score": open("/proc/self/oom_score_adj").read(),
        "random": random.random(), "key": bytes(multiprocessing.process.current_process().authkey).hex(),
    }
class Handler(tinyserver.Handler):
    def body(self):
        return json.dumps(facts())
def main():
    where = next(word.partition("=")[2] for word in sys.argv if word.startswith("--ServerApp.sock="))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    class OnSocket(socketserver.UnixStreamServer):
        pass
    OnSocket(where, Handler).serve_forever()
"""


def make_lab(directory: Path, python: str = sys.executable) -> Path:
    """An environment of the operator's with that JupyterLab."""
    make_image(directory, python)
    package = site(directory) / "jupyterlab"
    package.mkdir(mode=0o755)
    (package / "__init__.py").write_text("")
    (package / "labapp.py").write_text(LAB)
    (package / "__main__.py").write_text("import sys\nfrom jupyterlab.labapp import main\nsys.exit(main())\n")
    for path in package.iterdir():
        path.chmod(0o644)
    return directory


def launch(world: World, **changes: Any) -> LaunchSpec:
    return world.spec(**{"environment": Environment(path=world.image), "memory": 1 << 29, **changes})


async def parent(world: World, *, other_than: int = 0) -> psutil.Process:
    """The image's parent, once it can be forked."""

    async def look() -> list[int]:
        pids: list[int] = (await world.runtime._keeper.ask("hello"))["warm"]
        return [pid for pid in pids if pid != other_than]

    return psutil.Process((await until_async(look, within=60, what="a warm parent"))[0])


class LabWorld(World):
    """One whose launches are forked of a warm parent, unless they have a command."""

    async def started(self, spec: LaunchSpec | None = None) -> LaunchSpec:
        """A launch that runs, once there is a parent."""
        if spec is not None:
            return await super().started(spec)
        await self.warmed()
        return await super().started(launch(self))

    async def warmed(self) -> None:
        """Have a parent."""
        spec = await super().started(launch(self))
        await parent(self)
        await self.runtime.remove(spec.key.launch)
