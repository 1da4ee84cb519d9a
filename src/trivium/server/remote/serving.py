"""Serving the remote calls that other servers make to this host, while this server leads it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from trivium.base.errors import TriviumError, Unavailable
from trivium.resources import hosts
from trivium.resources.hosts import CallResult, RemoteCall, Tenure
from trivium.resources.images.ports import Environments
from trivium.resources.notebooks.ports import Inside
from trivium.server.remote.calls import (
    KINDS,
    Call,
    Digest,
    Execute,
    Fingerprint,
    Listener,
    Logs,
    SavedLayer,
    decoded,
    encoded,
)
from trivium.store import Store

POLL: Final = 2.0  # seconds between two looks for calls, for a notice of one may be lost
log = structlog.get_logger()


class CallServer:
    """Carries out the calls to a host. Each is carried out at most once: a command in a notebook must not run twice.

    When it ends, or dies, amid a call, the caller is told so by `hosts.result_of`.
    """

    def __init__(self, store: Store, inside: Inside, environments: Environments, *, tenure: Tenure) -> None:
        self._store = store
        self._inside = inside
        self._environments = environments
        self._tenure = tenure
        self._awake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._awake.set()

    async def run(self) -> None:
        """Take and carry out calls until cancelled."""
        try:
            while True:
                try:
                    await self._take()
                except Unavailable as error:
                    log.warning("calls.wait", error=str(error))
                except Exception:  # an edge: what fails once may go well the next time
                    log.exception("calls.failed")
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await self._awake.wait()
                self._awake.clear()
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _take(self) -> None:
        """Begin all calls that wait; `NotHolding` when another server leads the host by now."""
        tenure = self._tenure
        while taken := await self._store.write(
            hosts.held, tenure, hosts.take_calls, tenure.host, worker=self._store.worker
        ):
            for call in taken:
                task = asyncio.create_task(self._carry_out(call))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def _carry_out(self, taken: RemoteCall) -> None:
        try:
            answer = await self._do(decoded(taken.arguments, KINDS[taken.op]))
            result = CallResult(answer=encoded(answer), failure=None)
        except TriviumError as error:
            result = CallResult(answer=None, failure=error.message)
        except Exception as error:  # an edge: the caller must hear of it
            log.exception("call.failed", op=taken.op)
            result = CallResult(answer=None, failure=repr(error))
        try:
            await self._store.write(hosts.finish_call, taken.id, result)
        except TriviumError as error:
            log.warning("call.not_answered", op=taken.op, error=str(error))

    async def _do(self, call: Call) -> object:
        match call:
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
            case SavedLayer(path=path):
                return await self._environments.saved_layer(path)
