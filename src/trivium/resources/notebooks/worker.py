"""The worker that brings notebooks to what was asked, and writes down what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog
from sqlalchemy import false, select

from trivium.base.keyring import Keyring
from trivium.base.site import Site
from trivium.resources.notebooks import outcomes, steps
from trivium.resources.notebooks.errors import RuntimeUnavailable
from trivium.resources.notebooks.ports import LaunchKey, Observation, Phase, Runtime
from trivium.resources.notebooks.table import notebook_of, notebooks
from trivium.resources.notebooks.types import Found, Notebook
from trivium.store import Read, Store

AT_ONCE: Final = 16
IDLE_LOOK: Final = 1.0  # seconds between two looks at what runs
BUSY_LOOK: Final = 0.1  # while something is on its way
log = structlog.get_logger()


class NotebookWorker:
    """Looks at every notebook of this host that is not settled, in bulk, and takes the next step for each.

    `host` names the runtime: only its own notebooks are touched. `run` goes on until it is cancelled; `wake` makes it
    look at once. Steps of one notebook never overlap, and each may be repeated.
    """

    def __init__(self, store: Store, runtime: Runtime, keyring: Keyring, *, site: Site, host: str) -> None:
        self._store = store
        self._world = steps.World(store=store, runtime=runtime, keyring=keyring, site=site, host=host)
        self._runtime = runtime
        self._host = host
        self._awake = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self._swept = False
        self.looked = 0  # rounds so far; a server is ready after the first

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._awake.set()

    async def run(self) -> None:
        """Look and act until cancelled; what is under way then is left to the next start."""
        try:
            while True:
                if not self._swept:
                    self._swept = await self._sweep()
                pause = await self._round()
                self.looked += 1
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), pause)
                self._awake.clear()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def settle(self) -> None:
        """Act until nothing is left to do now: for tests and for the command line."""
        while True:
            await self._round()
            if not self._under_way:
                return
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _round(self) -> float:
        """One look at everything; how long to wait for the next."""
        try:
            await self._store.write(outcomes.expire, self._host)
            unsettled = await self._store.read(_unsettled, self._host)
            seen = await self._runtime.observe([steps.key_of(notebook) for notebook in unsettled])
        except RuntimeUnavailable as error:
            log.warning("runtime.unavailable", error=str(error))
            return IDLE_LOOK
        except Exception:  # the worker's edge: a fault of one round must not end the rounds
            log.exception("notebooks.round_failed")
            return IDLE_LOOK
        for notebook in unsettled:
            self._take(notebook, seen)
        return BUSY_LOOK if self._under_way or any(map(_is_on_its_way, unsettled)) else IDLE_LOOK

    async def _sweep(self) -> bool:
        """End what the runtime still has of starts that nobody asks for any more; whether that was possible."""
        try:
            kept = await self._runtime.adopt()
            live = await self._store.search(_live, [key.launch for key in kept])
            for key in kept:
                if key not in live:
                    log.warning("notebook.left_over", notebook=key.launch, generation=key.generation)
                    await self._runtime.forget(key)
                if key.launch not in {one.launch for one in live}:
                    await self._runtime.remove(key.launch)
        except Exception:  # the worker's edge: it is tried again in the next round
            log.exception("notebooks.sweep_failed")
            return False
        return True

    def _take(self, notebook: Notebook, seen: Mapping[LaunchKey, Observation]) -> None:
        key = steps.key_of(notebook)
        observation = seen.get(key, Observation(key=key, phase=Phase.UNKNOWN))
        if notebook.id in self._under_way or not steps.is_due(notebook, observation):
            return
        task = asyncio.create_task(self._step(notebook, observation))
        self._under_way[notebook.id] = task
        task.add_done_callback(lambda _: self._ended(notebook.id))

    def _ended(self, notebook: int) -> None:
        self._under_way.pop(notebook, None)
        self._awake.set()

    async def _step(self, notebook: Notebook, observation: Observation) -> None:
        async with self._room:
            try:
                await steps.take(self._world, notebook, observation)
            except RuntimeUnavailable as error:
                log.warning("runtime.unavailable", notebook=notebook.id, error=str(error))
                await asyncio.sleep(IDLE_LOOK)
            except Exception:  # the worker's edge: one notebook's fault must not stop the others
                log.exception("notebook.step_failed", notebook=notebook.id)
                await asyncio.sleep(IDLE_LOOK)


def _unsettled(tx: Read, host: str) -> Sequence[Notebook]:
    wanted = select(notebooks).where(notebooks.c.host == host, notebooks.c.settled == false())
    return [notebook_of(row) for row in tx.all(wanted.order_by(notebooks.c.id))]


def _live(tx: Read, ids: Sequence[int]) -> frozenset[LaunchKey]:
    """The newest start of each notebook that is not gone."""
    wanted = select(notebooks.c.id, notebooks.c.generation).where(
        notebooks.c.id.in_(ids), notebooks.c.found != Found.GONE.value
    )
    return frozenset(LaunchKey(launch=row.id, generation=row.generation) for row in tx.all(wanted))


def _is_on_its_way(notebook: Notebook) -> bool:
    return notebook.wanted != notebook.found
