"""One client's connection: its requests one after the other, and what is said when one goes wrong."""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from trivium.server.proxy.access import Held
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.exchange import Exchange
from trivium.server.proxy.heads import parse_request
from trivium.server.proxy.pages import moved_answer, problem_answer
from trivium.server.proxy.problems import Gone, Malformed, Moved, Problem
from trivium.server.proxy.shared import Shared

HARMLESS = frozenset({401, 403, 404, 502, 503, 504})  # refusals that cast no doubt on what the client sends next
NOBODY = 0  # the status of a request whose client was gone before the answer


class _End(Enum):
    """What becomes of the connection after a request."""

    KEEP = auto()
    CLOSE = auto()  # all was read: close when all is sent
    HANG_UP = auto()  # something may be unread
    ABORT = auto()  # what was sent is incomplete, and the client must see that


class Connection:
    """Serves a client until it leaves."""

    def __init__(self, shared: Shared) -> None:
        self.front = Channel(shared.loop, capacity=shared.settings.head_bytes)
        self.front.on_made = self._made
        self.front.on_lost = self._lost
        self._shared = shared
        self._task: asyncio.Task[None] | None = None
        self._exchange: Exchange | None = None
        self._interruption: Problem | None = None
        self._since = shared.loop.time()  # when the present wait began
        self._head_since: float | None = None  # when a head was first seen to be incomplete
        self._unsent = 0

    @property
    def held(self) -> Held | None:
        """The pass in use, if a request is under way."""
        return None if self._exchange is None else self._exchange.held

    @property
    def began(self) -> float | None:
        """When the request under way began; None between requests."""
        return None if self._exchange is None else self._exchange.began

    def interrupt(self, problem: Problem | None) -> None:
        """End the request under way: with `problem` for an answer if none has begun, else by breaking off."""
        if self._task is not None and not self._task.done():
            self._interruption = problem
            self._task.cancel()

    def drain(self) -> None:
        """Close now if nothing is under way or if it is a WebSocket, else after this request."""
        if self._exchange is None:
            self.front.close()
            self._since = self._shared.loop.time()
        elif self._exchange.is_tunnel:
            self.interrupt(None)

    def abort(self) -> None:
        """Close at once."""
        self.front.abort()

    def sweep(self, now: float) -> None:
        """Look whether somebody has kept us waiting for too long."""
        if self._task is None or self._task.done():
            self._sweep_ending(now)
        elif self._exchange is None:
            self._sweep_waiting(now)
        else:
            late = self._exchange.late(now)
            if late is not None:
                self.interrupt(late)

    # ---- the life of a connection ----

    def _made(self) -> None:
        shared = self._shared
        shared.connections.add(self)
        shared.empty.clear()
        shared.metrics.connections += 1
        if len(shared.connections) > shared.settings.connections or shared.draining:
            self.front.write(problem_answer(Problem(503, "proxy.full"), {}, method="GET", closing=True))
            self.front.hang_up()
        else:
            self._task = shared.loop.create_task(self._serve())

    def _lost(self) -> None:
        self._shared.connections.discard(self)
        self._shared.metrics.connections -= 1
        if not self._shared.connections:
            self._shared.empty.set()
        self.interrupt(None)

    async def _serve(self) -> None:
        end = _End.ABORT
        try:
            end = await self._next()
            while end is _End.KEEP:
                end = await self._next()
        except Gone:
            end = _End.CLOSE
        except asyncio.CancelledError:
            end = self._give_up()
        finally:
            self._since = self._shared.loop.time()
            self._leave(end)

    def _leave(self, end: _End) -> None:
        if end is _End.HANG_UP:
            self.front.hang_up()
        elif end is _End.CLOSE:
            self.front.close()
        else:
            self.front.abort()

    def _give_up(self) -> _End:
        """Interrupted between requests: a head that did not come in time, or nobody there."""
        if self._interruption is None:
            return _End.ABORT
        return self._say(self._interruption, None)

    async def _next(self) -> _End:
        shared = self._shared
        self._since = shared.loop.time()
        self._head_since = None
        await self.front.drained()  # a client that only asks and never reads gets no further
        try:
            raw = await self.front.head(shared.settings.head_bytes)
            head = parse_request(raw, shared.settings)
        except Malformed as error:
            return self._say(Problem(error.status, error.code), None)
        self._exchange = Exchange(shared, self.front, head, interrupt=self.interrupt)
        try:
            return await self._run(self._exchange)
        finally:
            self._exchange.report()
            self._exchange = None

    async def _run(self, exchange: Exchange) -> _End:
        try:
            await exchange.run()
        except Moved as moved:
            return self._redirect(moved, exchange)
        except Problem as problem:
            return self._say(problem, exchange)
        except Malformed as error:
            code = error.code if error.status != 502 else "proxy.broken"  # noqa: PLR2004 - bad gateway
            return self._say(Problem(error.status, code), exchange)
        except Gone:
            return self._say(Problem(502, "proxy.broken"), exchange)
        except asyncio.CancelledError:
            if self._interruption is None:
                raise
            return self._say(self._interruption, exchange)
        except Exception:  # the edge: a fault of ours ends this request and no other
            self._shared.log.exception("proxy.fault")
            return self._say(Problem(500, "proxy.fault"), exchange)
        if exchange.reusable:
            return _End.KEEP
        return _End.CLOSE if exchange.is_read else _End.HANG_UP

    def _redirect(self, moved: Moved, exchange: Exchange) -> _End:
        exchange.status = moved.status
        keep = exchange.may_go_on
        self.front.write(moved_answer(moved, closing=not keep))
        return _End.KEEP if keep else _End.HANG_UP

    def _say(self, problem: Problem, exchange: Exchange | None) -> _End:
        if exchange is None:
            self._shared.metrics.requests[problem.status] += 1
            self._shared.log.info("proxy.refused", status=problem.status, code=problem.code)
            self.front.write(problem_answer(problem, {}, method="GET", closing=True))
            return _End.HANG_UP
        if exchange.status != NOBODY:
            return _End.ABORT
        exchange.status = problem.status
        keep = exchange.may_go_on and problem.status in HARMLESS
        head = exchange.head
        self.front.write(problem_answer(problem, head.values, method=head.method, closing=not keep))
        return _End.KEEP if keep else _End.HANG_UP

    # ---- patience ----

    def _sweep_waiting(self, now: float) -> None:
        settings = self._shared.settings
        if self.front.blocked:
            if now - self.front.moved > settings.stall_timeout.total_seconds():
                self.interrupt(None)
        elif not self.front.buffer:
            if now - self._since > settings.idle_timeout.total_seconds():
                self.interrupt(None)
        elif self._head_since is None:
            self._head_since = now
        elif now - self._head_since > settings.head_timeout.total_seconds():
            self.interrupt(Problem(408, "proxy.slow"))

    def _sweep_ending(self, now: float) -> None:
        settings = self._shared.settings
        unsent = self.front.transport.get_write_buffer_size()
        if unsent and unsent != self._unsent:
            self._unsent = unsent
            self._since = now
            return
        patience = settings.stall_timeout if unsent else settings.linger
        if now - self._since > patience.total_seconds():
            self.front.abort()
