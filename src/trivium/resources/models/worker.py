"""The worker that reads the files of new models, and fills in what they say or takes the model away again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import structlog

from trivium.base.errors import Unavailable
from trivium.resources import nodes
from trivium.resources.hosts import Gone, NotHolding, Rounds, Tenure, held_write, until_there
from trivium.resources.models import importing, reading, registering
from trivium.resources.models.errors import ArtifactRefused
from trivium.resources.models.ports import Artifacts
from trivium.resources.models.sizing import figures
from trivium.resources.models.types import Facts, Import, ModelKind, Progress
from trivium.store import Read, Store, Write

P = ParamSpec("P")
T = TypeVar("T")
AT_ONCE: Final = 2
KEEP: Final = 2.0  # seconds between two times that progress is written down, at least
SHARE: Final = 20  # progress of many files is long: writing it down takes no more than a twentieth of the time
log = structlog.get_logger()


class ImportWorker(Rounds):
    """Takes the imports of one host, oldest first and two at a time.

    `run` goes on until it is cancelled; `wake` makes it look at once. What is written is fenced by the tenure. Progress
    is kept in the database, so whoever acts on the host next goes on from there. An import that is not there any more,
    because its model was deleted, is read no further.
    """

    def __init__(self, store: Store, artifacts: Artifacts, tenure: Tenure) -> None:
        super().__init__(store, tenure, _Imports(store, artifacts, tenure))


class _Imports:
    """What there is to do of imports: fulfils `hosts.Work`."""

    name = "import"
    at_once = AT_ONCE

    def __init__(self, store: Store, artifacts: Artifacts, tenure: Tenure) -> None:
        self._store = store
        self._artifacts = artifacts
        self._tenure = tenure

    def due(self, tx: Read, host: str, *, most: int) -> Sequence[int]:
        """Imports that are not over."""
        return reading.due(tx, host, most=most)

    def count_fault(self, tx: Write, id: int) -> None:
        """See the protocol."""
        reading.count_fault(tx, id)

    async def do(self, id: int) -> None:
        """Read the files of one."""
        one = await self._store.search(reading.take, id)
        if one is not None:
            await self._import(one)

    async def _import(self, one: Import) -> None:
        if one.kind is ModelKind.IMAGE:
            await self._look_at_image(one)
            return
        try:
            facts = await self._read(one)
        except ArtifactRefused as error:
            await self._apply(importing.refuse_import, one.id, error.reason)
            return
        cards = await until_there(lambda: self._store.search(nodes.card_sizes))
        await self._apply(importing.finish_import, one.id, facts=facts, figures=figures(facts, cards))

    async def _look_at_image(self, one: Import) -> None:
        """There are no files to read: the images' room knows what there is to say."""
        facts = await until_there(lambda: self._store.search(registering.image_facts, one))
        if facts is None:
            await self._apply(importing.refuse_import, one.id, registering.GONE)
        else:
            await self._apply(importing.finish_import, one.id, facts=facts, figures=None)

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
                raise Gone
        except NotHolding:
            raise
        except Unavailable as error:  # the reading goes on: what is noted later holds this, too
            log.warning("import.not_noted", id=one.id, error=str(error))
        return max(KEEP, SHARE * (self._store.clock.monotonic() - began))

    async def _apply(self, use: Callable[Concatenate[Write, P], object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Write down what came of it, once the database is there: what was read is not to be read again."""
        await until_there(lambda: self._held(use, *args, **kwargs))

    async def _held(self, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await held_write(self._store, self._tenure, use, *args, **kwargs)


class _Noted:
    """The newest progress: put by the thread that reads, taken by the event loop."""

    def __init__(self) -> None:
        self.progress: Progress | None = None

    def put(self, progress: Progress) -> None:
        self.progress = progress
