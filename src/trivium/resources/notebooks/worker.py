"""The worker that brings notebooks to what was asked, and writes down what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog
from sqlalchemy import false, select

from trivium.base.errors import Unavailable
from trivium.resources.notebooks import attachments, outcomes, steps
from trivium.resources.notebooks.ports import LaunchKey, Observation, Phase
from trivium.resources.notebooks.states import is_settled
from trivium.resources.notebooks.table import notebook_of, notebooks
from trivium.resources.notebooks.types import Attachment, Found, Notebook, Wanted
from trivium.store import Read

AT_ONCE: Final = 16
IDLE_LOOK: Final = 1.0  # seconds between two looks at what runs
BUSY_LOOK: Final = 0.1  # while something is on its way
MOST_FAULTS: Final = 5  # in a row, after which a notebook is given up
MOST_WAITS: Final = 30  # in a row, after which a mount has failed
SWEEP: Final = 30.0  # seconds between two looks for what nobody asks for any more
log = structlog.get_logger()


class NotebookWorker:
    """Looks at every notebook of this host that is not settled, in bulk, and takes the next step for each.

    Only notebooks of the host that the world's tenure is for are touched. `run` goes on until it is cancelled; `wake`
    makes it look at once. Steps of one notebook never overlap, and each may be repeated.
    """

    def __init__(self, world: steps.World) -> None:
        self._store = world.store
        self._world = world
        self._runtime = world.runtime
        self._host = world.tenure.host
        self._awake = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self._faults: dict[int, int] = {}  # steps that failed in a row
        self._swept_at: float | None = None
        self.trouble = ""  # why the last round could not tell what is the case
        self.first_look = asyncio.Event()  # set after the first round

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._awake.set()

    async def run(self) -> None:
        """Look and act until cancelled; what is under way then is left to the next start."""
        try:
            while True:
                if self._swept_at is None or self._store.clock.monotonic() - self._swept_at >= SWEEP:
                    await self._sweep()
                pause = await self._round()
                self.first_look.set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):  # wait_for may swallow being cancelled
                        await self._awake.wait()
                self._awake.clear()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _round(self) -> float:
        """One look at everything; how long to wait for the next."""
        busy = frozenset(self._under_way)  # what is read of these may be old by the time that their steps have ended
        try:
            if await self._store.read(outcomes.is_anything_due, self._host):
                await self._world.apply(outcomes.expire, self._host)
            unsettled = await self._store.search(_unsettled, self._host)  # all that run are among them
            shown = await self._store.read(attachments.busy_on, self._host)
            seen = await self._runtime.observe([steps.key_of(notebook) for notebook in unsettled])
            self.trouble = next((one.reason for one in seen.values() if one.phase is Phase.UNKNOWN), "")
        except Unavailable as error:
            self.trouble = str(error)
            log.warning("notebooks.wait", error=str(error))
            return IDLE_LOOK
        except Exception:  # the worker's edge: a fault of one round must not end the rounds
            log.exception("notebooks.round_failed")
            return IDLE_LOOK
        for notebook in unsettled:
            if notebook.id not in busy:
                self._take(notebook, seen)
        for attachment in shown:
            if attachment.id not in busy:
                self._begin(attachment.id, self._show(attachment))
        return BUSY_LOOK if self._under_way or any(map(_is_on_its_way, unsettled)) else IDLE_LOOK

    async def _sweep(self) -> None:
        """End what the runtime has of starts that nobody asks for.

        There is such a thing where a server died between two steps: its last words to the runtime may arrive after its
        successor has looked.
        """
        try:
            kept = await self._runtime.adopt()
            known: Mapping[int, Notebook] = {}
            if kept:
                known = await self._store.search(_known, {key.launch for key in kept})
            for key in kept:
                notebook = known.get(key.launch)
                if notebook is None or notebook.found is Found.GONE:
                    await self._runtime.forget(key)
                    await self._runtime.remove(key.launch)
                elif key != steps.key_of(notebook) or is_settled(notebook.wanted, notebook.found):
                    await self._runtime.forget(key)
        except Unavailable as error:
            log.warning("notebooks.wait", error=str(error))
            return
        except Exception:  # the worker's edge: it is tried again in the next round
            log.exception("notebooks.sweep_failed")
            return
        self._swept_at = self._store.clock.monotonic()

    def _take(self, notebook: Notebook, seen: Mapping[LaunchKey, Observation]) -> None:
        key = steps.key_of(notebook)
        observation = seen.get(key, Observation(key=key, phase=Phase.UNKNOWN))
        if notebook.id in self._under_way or not steps.is_due(notebook, observation):
            return
        self._begin(notebook.id, self._step(notebook, observation))

    def _begin(self, id: int, step: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(step)
        self._under_way[id] = task
        task.add_done_callback(lambda _: self._ended(id))

    def _ended(self, id: int) -> None:
        self._under_way.pop(id, None)
        self._awake.set()

    async def _show(self, attachment: Attachment) -> None:
        async with self._room:
            try:
                await steps.show(self._world, attachment)
                self._faults.pop(attachment.id, None)
            except Unavailable as error:
                log.warning("notebook.mount_waits", notebook=attachment.notebook, error=str(error))
                await self._count_wait(attachment, str(error))
            except Exception:  # the worker's edge: one notebook's fault must not stop the others
                log.exception("notebook.mount_failed", notebook=attachment.notebook)
                await asyncio.sleep(IDLE_LOOK)

    async def _count_wait(self, attachment: Attachment, error: str) -> None:
        """Give up what the runtime refuses again and again: an older one, which goes on, cannot show anything."""
        waits = self._faults[attachment.id] = self._faults.get(attachment.id, 0) + 1
        if waits < MOST_WAITS:
            await asyncio.sleep(IDLE_LOOK)
            return
        del self._faults[attachment.id]
        with suppress(Unavailable):
            await self._world.apply(attachments.note, attachment, error)

    async def _step(self, notebook: Notebook, observation: Observation) -> None:
        async with self._room:
            try:
                await steps.take(self._world, notebook, observation)
                self._faults.pop(notebook.id, None)
            except Unavailable as error:
                log.warning("notebook.step_waits", notebook=notebook.id, error=str(error))
                await asyncio.sleep(IDLE_LOOK)
            except Exception:  # the worker's edge: one notebook's fault must not stop the others
                log.exception("notebook.step_failed", notebook=notebook.id)
                await asyncio.sleep(IDLE_LOOK)
                await self._count_fault(notebook)

    async def _count_fault(self, notebook: Notebook) -> None:
        """Give up a notebook whose step fails again and again by a fault of ours: it must not hold things for ever."""
        faults = self._faults[notebook.id] = self._faults.get(notebook.id, 0) + 1
        if faults < MOST_FAULTS:
            return
        try:
            await steps.give_up(self._world, notebook)
            del self._faults[notebook.id]
        except Exception:  # the worker's edge: it is tried again after the next fault
            log.exception("notebook.not_given_up", notebook=notebook.id)


def _unsettled(tx: Read, host: str) -> Sequence[Notebook]:
    wanted = select(notebooks).where(notebooks.c.host == host, notebooks.c.settled == false())
    return [notebook_of(row) for row in tx.all(wanted.order_by(notebooks.c.id))]


def _known(tx: Read, ids: Iterable[int]) -> Mapping[int, Notebook]:
    wanted = select(notebooks).where(notebooks.c.id.in_(sorted(ids)))
    return {row.id: notebook_of(row) for row in tx.all(wanted)}


def _is_on_its_way(notebook: Notebook) -> bool:
    return not (notebook.wanted is Wanted.RUNNING and notebook.found is Found.RUNNING)
