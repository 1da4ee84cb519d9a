"""Whole sites for tests: a real store, the real process runtime, the worker, and a small image to make notebooks of."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil

from tests.builders import HOST, held_for_good
from tests.waiting import until_async
from trivium.base.caller import SYSTEM, Caller, Role
from trivium.base.clock import Clock, SystemClock
from trivium.base.keyring import Keyring
from trivium.base.query import Offset, Query
from trivium.base.site import Site
from trivium.base.units import GIB
from trivium.base.values import Value
from trivium.dialects.operation import Core
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources import images, notebooks, projects, sites, users
from trivium.resources.images import Image
from trivium.resources.notebooks import Notebook, NotebookSpec, NotebookWorker, Status
from trivium.resources.notebooks.ports import Environment, LaunchKey, LaunchSpec
from trivium.resources.users import FreshKey, NewUser, SessionKind
from trivium.server.host.inventory import take_stock
from trivium.server.remote.runtimes import HostRuntimes
from trivium.store import Store

SERVING = ("python", "-m", "http.server", "{port}", "--bind", "127.0.0.1")
"""What a small notebook is: a real HTTP server, in a fraction of the time that a JupyterLab takes."""

ENDING = ("python", "-c", "raise SystemExit(3)")


class Person(Value, frozen=True):
    """A user with a key pair."""

    name: str
    caller: Caller
    key: FreshKey


class World:
    """A site in a directory of its own: store, runtime, worker, and the first things in it."""

    def __init__(self, core: Core, runtime: ProcessRuntime, admin: Caller, *, python: Path, run: Path) -> None:
        self.core = core
        self.runtime = runtime
        self._run = run
        self.admin = admin
        self.python = python  # an environment that images are made of
        self._working: asyncio.Task[None] | None = None
        self._count = 0
        self.people: list[Person] = []

    # ---- people --------------------------------------------------------------------------------------------------

    def user(self, name: str = "user") -> Person:
        """A new member; the name is made unique."""
        self._count += 1
        unique = f"{name}-{self._count}"
        store = self.core.store
        made = store.write_now(users.create, self.admin, NewUser(name=unique), project_name=self.core.site.name)
        key = users.fresh_key()
        pair = store.write_now(users.create_key, self.admin, self.core.keyring, fresh=key, user=made.id)
        caller = store.read_now(users.caller_of_key, pair.id, source="test")
        self.people.append(Person(name=unique, caller=caller, key=key))
        return self.people[-1]

    def freeze(self, person: Person) -> None:
        """Stop somebody's account."""
        self.core.store.write_now(users.freeze, self.admin, person.caller.user, reason="tests")

    def session(self, person: Person, region: str | None, lifetime: timedelta = timedelta(hours=1)) -> users.Session:
        """A session of SCNet's kind."""
        return self.core.store.write_now(
            users.open_session, person.caller, SessionKind.SCNET, lifetime=lifetime, region=region
        )

    # ---- images --------------------------------------------------------------------------------------------------

    async def image(
        self,
        version: str,
        accelerator: str = "cpu",
        *,
        command: tuple[str, ...] = SERVING,
        environment: Path | None = None,
        description: str = "",
    ) -> Image:
        """A new image of the operator's."""
        place = environment or self.python
        found = await self.runtime.inspect(place, command=command)
        return await self.core.store.write(
            images.add,
            self.admin,
            self.core.site,
            version=version,
            accelerator=accelerator,
            environment=place,
            found=found,
            command=command,
            description=description,
        )

    async def saved_image(self, person: Person, of: Image) -> Image:
        """An image that somebody saved, without a notebook that it was saved from."""
        saved = await self.core.store.write(
            images.start_save, person.caller, self.core.site, of=of, notebook=1, notebook_name="saved", host=HOST
        )
        digest = f"sha256:{'0' * 64}"
        await self.core.store.write(images.finish_save, saved.uuid, layer=self.python / "layer", size=1, digest=digest)
        return await self.core.store.read(images.get, person.caller, saved.id)

    # ---- notebooks -----------------------------------------------------------------------------------------------

    async def notebook(self, person: Person, image: Image, status: Status, **asked: Any) -> Notebook:
        """A notebook of somebody's, brought to that status: creating, running, stopping, stopped or failed."""
        very = image.uuid if image.registered else None  # the one that was registered has the path, too
        spec = NotebookSpec(image_path=image.path, image=very, **{"kind": "cpu", "count": 1, **asked})
        capabilities = await self.runtime.capabilities()
        if status is Status.CREATING:
            await self.pause()
        made = await self.core.store.write(
            notebooks.create, person.caller, self.core.site, spec=spec, hosts={HOST: capabilities}
        )
        if status is Status.CREATING:
            return made
        await self.resume()
        reached = Status.FAILED if status is Status.FAILED else Status.RUNNING
        await self.comes_to(person, made.id, reached)
        if status is Status.STOPPING:
            await self.pause()
        if status in (Status.STOPPING, Status.STOPPED):
            await self.core.store.write(notebooks.stop, person.caller, made.id)
        return await self.comes_to(person, made.id, status)

    async def comes_to(self, person: Person, notebook: int, status: Status) -> Notebook:
        """The notebook once it has that status; one that fails instead says why."""
        now: Notebook | None = None

        async def found() -> bool:
            nonlocal now
            now = await self.core.store.read(notebooks.get, person.caller, notebook)
            return now.status in (status, Status.FAILED)

        try:
            await until_async(found, within=60, what=f"a notebook that is {status}")
        finally:
            assert now is not None
            assert now.status is status, f"not {status} but {now.status}: {now!r}"
        return now

    async def release_all(self, person: Person) -> None:
        """Leave nothing of somebody's, and wait until what it held is free again."""
        await self.resume()

        async def is_empty() -> bool:
            for notebook in await self._of(person):
                with suppress(notebooks.NotReleasable):
                    await self.core.store.write(notebooks.release, person.caller, notebook.id)
            held = await self.core.store.read(notebooks.NotebookHoldings().held_by, person.caller.user)
            return held is None

        await until_async(is_empty, what="the end of all notebooks")

    async def _of(self, person: Person) -> tuple[Notebook, ...]:
        found = await self.core.store.read(
            notebooks.list_notebooks, person.caller, Query(page=Offset(limit=1000), total=False)
        )
        return tuple(found.rows)

    # ---- the worker ----------------------------------------------------------------------------------------------

    async def resume(self) -> None:
        """Let the worker go on."""
        if self._working is None:
            core = self.core
            acted_on = notebooks.World(
                tenure=await core.store.write(held_for_good, HOST),
                store=core.store,
                runtime=self.runtime,
                keyring=core.keyring,
                site=core.site,
                grace=timedelta(seconds=2),
            )
            worker = NotebookWorker(acted_on)
            loop = asyncio.get_running_loop()

            def wake(_name: str) -> None:
                loop.call_soon_threadsafe(worker.wake)

            core.store.on_wake = wake
            self._working = asyncio.create_task(worker.run())

    async def pause(self) -> None:
        """Stop the worker, so that what is asked for stays asked for."""
        if self._working is not None:
            self.core.store.on_wake = None
            self._working.cancel()
            with suppress(asyncio.CancelledError):
                await self._working
            self._working = None

    # ---- the runtime ---------------------------------------------------------------------------------------------

    async def spec_like(self, notebook: Notebook, key: LaunchKey, *, command: tuple[str, ...]) -> LaunchSpec:
        """A start as a notebook's, under another key."""
        owner = await self.core.store.read(users.get, notebook.owner)
        return LaunchSpec(
            key=key,
            user=notebook.owner,
            uid=owner.posix_uid,
            environment=Environment(path=self.python, command=command),
            cores=1,
            memory=GIB,
            processes=100,
            base_url=f"/nb/{key.launch}/",
            token="0" * 64,
        )

    async def lose_everything(self) -> None:
        """End the keeper and all that it keeps at once, as a machine that loses its power does."""
        keeper = psutil.Process((await self.runtime._keeper.ask("hello"))["pid"])
        for process in (keeper, *keeper.children(recursive=True)):
            process.kill()
        await asyncio.to_thread(psutil.wait_procs, [keeper], 10)

    async def cut_off(self) -> None:
        """Put the runtime out of reach: its keeper goes on, and nobody gets to its socket."""
        await self.pause()
        await self.runtime.close()
        self._run.rename(self._run.with_name("away"))
        self._run.write_text("in the way", "ascii")

    async def connect(self) -> None:
        """Put it back where it was cut off."""
        away = self._run.with_name("away")
        if away.exists():
            self._run.unlink()
            away.rename(self._run)


@asynccontextmanager
async def world(clock: Clock | None = None, url: str | None = None, **changed: Any) -> AsyncIterator[World]:
    """A site with an administrator, 64 cores and four declared DCUs; `changed` are settings of the site.

    `url` names its database; else it has one of its own.
    """
    # Notebooks run under uids of their own, which cannot pass through the directories that pytest makes.
    top = _open_directory()
    clock = clock or SystemClock()
    site = site_in(top, **changed)
    settings = ProcessSettings(
        data=top / "data", run=top / "run", accelerators="dcu:4", cores=64, memory=256 * GIB, cgroups=False
    )
    settings.data.mkdir(mode=0o711)
    runtime = ProcessRuntime(settings, clock)
    keyring = Keyring.at(top / "root.key")
    store = Store.open(url or f"sqlite:///{top / 'trivium.db'}", clock, "server")
    made: World | None = None
    try:
        everywhere = HostRuntimes(store, runtime, host=HOST)
        core = Core(store=store, keyring=keyring, clock=clock, site=site, runtime=everywhere, places=everywhere)
        store.write_now(sites.note, name=site.name)
        store.write_now(take_stock, await runtime.nodes(), host=HOST)
        python = await asyncio.to_thread(small_environment, top / "python")
        made = World(core, runtime, _administrator(store, site), python=python, run=settings.run)
        yield made
    finally:
        if made is not None:
            await made.pause()
        await runtime.close()
        store.close()
        shutil.rmtree(top, ignore_errors=True)


def site_in(top: Path, **changed: Any) -> Site:
    """A site whose homes lie in a directory."""
    told = {
        "id": 11250,
        "name": "华东一区",
        "registry": "registry.test",
        "url": "http://127.0.0.1:8800",
        "proxy_url": "http://127.0.0.1:8801",
        "homes": top / "data" / "homes",
    }
    return Site(**(told | changed))


def small_environment(path: Path) -> Path:
    """A Python environment with nothing in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(path)], check=True)
    return path


def _open_directory() -> Path:
    top = Path(tempfile.mkdtemp(prefix="tv-"))
    top.chmod(0o711)
    return top


def _administrator(store: Store, site: Site) -> Caller:
    store.write_now(projects.ensure_domain, SYSTEM)
    admin = store.write_now(users.create, SYSTEM, NewUser(name="admin", role=Role.ADMIN), project_name=site.name)
    return Caller(user=admin.id, user_name=admin.name, project=admin.project, role=admin.role, source="test")
