"""The worker that reads the files of new models, and fills in what they say or takes the model away again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import structlog

from trivium.base.errors import Unavailable
from trivium.resources import hosts, nodes
from trivium.resources.hosts import NotHolding, Tenure
from trivium.resources.models import importing, reading
from trivium.resources.models.errors import ArtifactRefused
from trivium.resources.models.ports import Artifacts
from trivium.resources.models.sizing import figures
from trivium.resources.models.types import Facts, Import, Progress
from trivium.store import Store, Write

P = ParamSpec("P")
T = TypeVar("T")
AT_ONCE: Final = 2
LOOK: Final = 1.0  # seconds between two looks for something to read
KEEP: Final = 2.0  # seconds between two times that progress is written down, at least
SHARE: Final = 20  # progress of many files is long: writing it down takes no more than a twentieth of the time
REST: Final = 5.0  # seconds before something that failed is tried again
AHEAD: Final = 16  # imports that are looked at; more than those that are read or rest
log = structlog.get_logger()


class ImportWorker:
    """Takes the imports of one host, oldest first and two at a time.

    `run` goes on until it is cancelled; `wake` makes it look at once. What is written is fenced by the tenure. Progress
    is kept in the database, so whoever acts on the host next goes on from there. An import that is not there any more,
    because its model was deleted, is read no further.
    """

    def __init__(self, store: Store, artifacts: Artifacts, tenure: Tenure) -> None:
        self._store = store
        self._artifacts = artifacts
        self._tenure = tenure
        self._awake = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._resting: dict[int, float] = {}  # until when, by the monotonic clock

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._awake.set()

    async def run(self) -> None:
        """Look and read until cancelled."""
        try:
            while True:
                await self._round()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self._awake.wait()
                self._awake.clear()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _round(self) -> None:
        try:
            due = await self._store.read(reading.due, self._tenure.host, most=AHEAD)
        except Unavailable as error:
            log.warning("imports.wait", error=str(error))
            return
        except Exception:  # the worker's edge: a fault of one round must not end the rounds
            log.exception("imports.round_failed")
            return
        for id, task in self._under_way.items():
            if id not in due:
                task.cancel()
        now = self._store.clock.monotonic()
        self._resting = {id: until for id, until in self._resting.items() if until > now and id in due}
        for id in due:
            if len(self._under_way) < AT_ONCE and id not in self._under_way and id not in self._resting:
                self._begin(id)

    def _begin(self, id: int) -> None:
        task = asyncio.create_task(self._take(id), name=f"import {id}")
        self._under_way[id] = task
        task.add_done_callback(lambda _: self._ended(id))

    def _ended(self, id: int) -> None:
        del self._under_way[id]
        self._awake.set()

    async def _take(self, id: int) -> None:
        try:
            one = await self._store.search(reading.take, id)
            if one is not None:
                await self._import(one)
        except (_Gone, NotHolding) as error:  # nobody wants it any more, or whoever acts on the host now goes on
            log.info("import.left", id=id, why=type(error).__name__)
        except Unavailable as error:
            log.warning("import.waits", id=id, error=str(error))
            self._rest(id)
        except Exception:  # the worker's edge: one import's fault must not stop the others
            log.exception("import.failed", id=id)
            self._rest(id)
            await self._count_fault(id)

    def _rest(self, id: int) -> None:
        self._resting[id] = self._store.clock.monotonic() + REST

    async def _import(self, one: Import) -> None:
        try:
            facts = await self._read(one)
        except ArtifactRefused as error:
            await self._apply(importing.refuse_import, one.id, error.reason)
            return
        cards = await self._until_there(lambda: self._store.search(nodes.card_sizes))
        await self._apply(importing.finish_import, one.id, facts=facts, figures=figures(facts, cards))

    async def _read(self, one: Import) -> Facts:
        """What the files say. Progress is written down meanwhile, from here: whoever reads never waits for that."""
        noted = _Noted()
        under_way = asyncio.ensure_future(self._artifacts.read(Path(one.path), resume=one.progress, note=noted.put))
        kept: Progress | None = None
        pause = KEEP
        try:
            while not under_way.done():
                await asyncio.wait((under_way,), timeout=pause)
                newest = noted.progress
                if newest is not None and newest is not kept and not under_way.done():
                    pause = await self._keep(one, newest)
                    kept = newest
            return under_way.result()
        finally:
            under_way.cancel()

    async def _keep(self, one: Import, progress: Progress) -> float:
        """Write down how far it is; seconds until it is to be done again."""
        began = self._store.clock.monotonic()
        try:
            if not await self._held(importing.note_progress, one.id, progress):
                raise _Gone
        except NotHolding:
            raise
        except Unavailable as error:  # the reading goes on: what is noted later holds this, too
            log.warning("import.not_noted", id=one.id, error=str(error))
        return max(KEEP, SHARE * (self._store.clock.monotonic() - began))

    async def _count_fault(self, id: int) -> None:
        """Give up what fails again and again by a fault of ours: whoever waits for it must hear of it."""
        with suppress(Unavailable):
            await self._held(reading.count_fault, id)

    async def _apply(self, use: Callable[Concatenate[Write, P], object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Write down what came of it, once the database is there: what was read is not to be read again."""
        await self._until_there(lambda: self._held(use, *args, **kwargs))

    async def _held(self, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._store.write(hosts.held, self._tenure, use, *args, **kwargs)

    async def _until_there(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except NotHolding:
                raise
            except Unavailable as error:
                log.warning("imports.wait", error=str(error))
                await asyncio.sleep(LOOK)


class _Gone(Exception):
    """The import is not there any more: its model was deleted."""


class _Noted:
    """The newest progress: put by the thread that reads, taken by the event loop."""

    def __init__(self) -> None:
        self.progress: Progress | None = None

    def put(self, progress: Progress) -> None:
        self.progress = progress
