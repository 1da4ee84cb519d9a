"""What other servers ask of this host while we hold it: carried out, and answered through the database."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from trivium.base.errors import TriviumError, Unavailable
from trivium.base.values import Value
from trivium.resources import hosts
from trivium.resources.hosts import Errand, Tenure, Told
from trivium.resources.images.ports import Environments
from trivium.resources.notebooks.ports import Inside, LaunchKey
from trivium.store import Store

LOOK: Final = 2.0  # seconds between two looks for errands, where no notice comes
log = structlog.get_logger()


class Execute(Value, frozen=True):
    """A command to be run inside a notebook."""

    key: LaunchKey
    command: str
    timeout: timedelta


class Listener(Value, frozen=True):
    """A port of a notebook to be looked at."""

    key: LaunchKey
    port: int


class Logs(Value, frozen=True):
    """A piece of a log to be read."""

    key: LaunchKey
    since: int


class Fingerprint(Value, frozen=True):
    """An environment to be looked at, the cheap way."""

    path: Path


class Digest(Value, frozen=True):
    """An environment to be read whole."""

    path: Path


Asked = Execute | Listener | Logs | Fingerprint | Digest
KINDS: Final[dict[str, type[Asked]]] = {kind.__name__: kind for kind in (Execute, Listener, Logs, Fingerprint, Digest)}


class Porter:
    """Carries errands out while we hold the host. `run` goes on until cancelled; `wake` makes it look at once."""

    def __init__(
        self, store: Store, inside: Inside, environments: Environments, *, tenure: Tenure, worker: int
    ) -> None:
        self._store = store
        self._inside = inside
        self._environments = environments
        self._tenure = tenure
        self._worker = worker
        self._awake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._awake.set()

    async def run(self) -> None:
        """Look and carry out until cancelled; whoever asked for what is under way then waits in vain."""
        try:
            while True:
                try:
                    await self._look()
                except Unavailable as error:
                    log.warning("errands.wait", error=str(error))
                except Exception:  # an edge: what fails once may go well the next time
                    log.exception("errands.failed")
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self._awake.wait()
                self._awake.clear()
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _look(self) -> None:
        while found := await self._store.write(hosts.errands_for, self._tenure.host, worker=self._worker):
            for errand in found:
                task = asyncio.create_task(self._carry_out(errand))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def _carry_out(self, errand: Errand) -> None:
        try:
            answer = await self._do(decoded(errand.asked, KINDS[errand.op]))
            told = Told(answer=encoded(answer), failure=None)
        except TriviumError as error:
            told = Told(answer=None, failure=error.message)
        except Exception as error:  # an edge: whoever asked must hear of it
            log.exception("errand.failed", op=errand.op)
            told = Told(answer=None, failure=repr(error))
        try:
            await self._store.write(hosts.answer_errand, errand.id, told)
        except TriviumError as error:
            log.warning("errand.not_answered", op=errand.op, error=str(error))

    async def _do(self, asked: Asked) -> object:
        match asked:
            case Execute(key=key, command=command, timeout=timeout):
                return await self._inside.execute(key, command, timeout=timeout)
            case Listener(key=key, port=port):
                return await self._inside.listener(key, port)
            case Logs(key=key, since=since):
                return await self._inside.logs(key, since)
            case Fingerprint(path=path):
                return await self._environments.fingerprint(path)
            case Digest(path=path):
                return await self._environments.digest(path)


def encoded(value: object) -> str:
    """JSON, with paths as text."""
    return msgspec.json.encode(value, enc_hook=str).decode()


def decoded(text: str, kind: Any) -> Any:  # noqa: ANN401 - of that kind
    """The value of that kind again."""
    return msgspec.json.decode(text, type=kind, dec_hook=_of_text)


def _of_text(kind: type, value: str) -> object:
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value)
