"""Long work of a host's, piece by piece: whatever is due is begun, oldest first and a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

import structlog

from trivium.base.errors import Unavailable
from trivium.resources.hosts.errors import NotHolding
from trivium.resources.hosts.service import held
from trivium.resources.hosts.types import Tenure
from trivium.store import Read, Store, Write

P = ParamSpec("P")
T = TypeVar("T")
LOOK: Final = 1.0  # seconds between two looks for something to do
REST: Final = 5.0  # seconds before something that failed is tried again
AHEAD: Final = 16  # pieces that are looked at; more than those that are under way or rest
log = structlog.get_logger()


class Gone(Exception):
    """Nobody wants the piece of work any more."""


class Work(Protocol):
    """What is to be done, piece by piece. How far a piece is must be in the database: whoever leads next goes on."""

    name: str  # for logs
    at_once: int

    def due(self, tx: Read, host: str, *, most: int) -> Sequence[int]:
        """The ids of the oldest pieces that wait on the host, or are under way."""
        ...

    async def do(self, id: int) -> None:
        """Do a piece. It is cancelled when it is not due any more. Raises `Gone`, and what `held_write` raises."""
        ...

    def count_fault(self, tx: Write, id: int) -> None:
        """Note that a piece ended by a fault of ours, and give it up where that was once too often."""
        ...


class Rounds:
    """Does the work of one host. `run` goes on until it is cancelled; `wake` makes it look at once.

    What is written must go through `held_write`, in transactions in which nobody can take the host.
    """

    def __init__(self, store: Store, tenure: Tenure, work: Work) -> None:
        self._store = store
        self._tenure = tenure
        self._work = work
        self._awake = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._resting: dict[int, float] = {}  # until when, by the monotonic clock

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._awake.set()

    async def run(self) -> None:
        """Look and work until cancelled."""
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
            due = await self._store.read(self._work.due, self._tenure.host, most=AHEAD)
        except Unavailable as error:
            log.warning("rounds.wait", work=self._work.name, error=str(error))
            return
        except Exception:  # an edge: a fault of one round must not end the rounds
            log.exception("rounds.failed", work=self._work.name)
            return
        for id, task in self._under_way.items():
            if id not in due:
                task.cancel()
        now = self._store.clock.monotonic()
        self._resting = {id: until for id, until in self._resting.items() if until > now and id in due}
        for id in due:
            if len(self._under_way) < self._work.at_once and id not in self._under_way and id not in self._resting:
                self._begin(id)

    def _begin(self, id: int) -> None:
        task = asyncio.create_task(self._take(id), name=f"{self._work.name} {id}")
        self._under_way[id] = task
        task.add_done_callback(lambda _: self._ended(id))

    def _ended(self, id: int) -> None:
        del self._under_way[id]
        self._awake.set()

    async def _take(self, id: int) -> None:
        try:
            await self._work.do(id)
        except (Gone, NotHolding) as error:  # nobody wants it any more, or whoever acts on the host now goes on
            log.info("work.left", work=self._work.name, id=id, why=type(error).__name__)
        except Unavailable as error:
            log.warning("work.waits", work=self._work.name, id=id, error=str(error))
            self._rest(id)
        except Exception:  # an edge: one piece's fault must not stop the others
            log.exception("work.failed", work=self._work.name, id=id)
            self._rest(id)
            with suppress(Unavailable):  # whoever waits for it must hear of it
                await held_write(self._store, self._tenure, self._work.count_fault, id)

    def _rest(self, id: int) -> None:
        self._resting[id] = self._store.clock.monotonic() + REST


async def held_write(
    store: Store, tenure: Tenure, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """What `use` returns, in a transaction in which nobody can take the host. `NotHolding`, and the store's errors."""
    return await store.write(held, tenure, use, *args, **kwargs)


async def until_there(ask: Callable[[], Awaitable[T]]) -> T:
    """What is asked for, once the database is there: what was done is not to be done again. `NotHolding`."""
    while True:
        try:
            return await ask()
        except NotHolding:
            raise
        except Unavailable as error:
            log.warning("work.waits_for_database", error=str(error))
            await asyncio.sleep(LOOK)
