"""A client's connection: finds its requests, serves one after the other, and answers those that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from trivium.server.proxy.access import Admission
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.context import Context
from trivium.server.proxy.exchange import NOBODY, Exchange
from trivium.server.proxy.fast_path import FastPath
from trivium.server.proxy.heads import END, has_bare_end, parse_request
from trivium.server.proxy.pages import moved_answer, problem_answer
from trivium.server.proxy.problems import Gone, Malformed, Moved, Problem
from trivium.server.taking import Taking

HARMLESS: Final = frozenset({401, 403, 404, 502, 503, 504})  # cast no doubt on what the client sends next
_BAD_GATEWAY: Final = 502


class Connections:
    """The clients that are connected."""

    def __init__(self) -> None:
        self._all: set[Connection] = set()
        self._none = asyncio.Event()  # set while nobody is connected
        self._none.set()

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Connection]:
        """All of them now; some may be gone, and others come, before the iteration is over."""
        return iter(tuple(self._all))

    def add(self, connection: Connection) -> None:
        """One more client."""
        self._all.add(connection)
        self._none.clear()

    def discard(self, connection: Connection) -> None:
        """A client is gone."""
        self._all.discard(connection)
        if not self._all:
            self._none.set()

    async def wait_for_none(self) -> None:
        """Return when nobody is connected."""
        await self._none.wait()


class Connection:
    """Serves a client until it leaves. Between requests it is the sink of what comes.

    A request is served on the fast path or by an `Exchange`, one at a time.
    """

    def __init__(self, context: Context, connections: Connections) -> None:
        self.front = Channel(context.loop, self)
        self.front.on_made = self._made
        self.front.on_lost = self._lost
        self.front.on_drained = self._pump
        self.peer = b"unknown"
        self._context = context
        self._connections = connections
        self._exchange: Exchange | None = None
        self._fast_path = FastPath(context, self)
        self._buffer: bytes | bytearray = b""
        self._seen = 0  # bytes of the buffer in which no head ends
        self._taking: Taking | None = None  # once the connection is made
        self._is_pumping = False
        self._is_leaving = False
        self._since = context.loop.time()  # when the present wait began
        self._head_since: float | None = self._since  # when a head was first seen to be incomplete, or awaited first

    @property
    def admission(self) -> Admission | None:
        """The admission in use, if a request is under way that was admitted."""
        if self._exchange is not None:
            return self._exchange.admission
        return self._fast_path.admission

    @property
    def began(self) -> float | None:
        """When the request under way began; None between requests."""
        return self._fast_path.began if self._exchange is None else self._exchange.began

    @property
    def idle_since(self) -> float | None:
        """When the wait for a request began; None while one is under way."""
        return self._since if self.began is None else None

    @property
    def is_owing(self) -> bool:
        """Never: no body is awaited before it is known who sends it."""
        return False

    def untaken_since(self, now: float) -> float | None:
        """Since when the client has taken next to nothing of what it is being sent; None: nothing waits for it."""
        return None if self._taking is None else self._taking.untaken_since(now)

    def give_way(self) -> None:
        """Close at once, for another client, and end what is under way."""
        self.interrupt(None)
        self.front.abort()

    def interrupt(self, problem: Problem | None) -> None:
        """End what is under way: with `problem` for an answer if none has begun, else by breaking off."""
        if self._is_leaving:
            return
        self.leave_fast_path()
        if self._exchange is not None:
            self.failed(self._exchange, problem)
        elif problem is not None:
            self._refuse(problem)
        else:
            self._is_leaving = True
            self.front.abort()

    def drain(self) -> None:
        """Close now if nothing is under way or if it is a WebSocket, else after this request."""
        self.leave_fast_path()
        if self._exchange is None:
            self._is_leaving = True
            self.front.close()
            self._since = self._context.loop.time()
        elif self._exchange.is_tunnel:
            self.interrupt(None)

    def abort(self) -> None:
        """Close at once."""
        self.front.abort()

    def sweep(self, now: float) -> None:
        """End the request or the connection if a timeout has passed."""
        self.leave_fast_path()
        untaken = self.untaken_since(now)
        if untaken is not None and now - untaken > self._context.settings.stall_timeout.total_seconds():
            self.give_way()
        elif self._is_leaving:
            self._sweep_leaving(now)
        elif self._exchange is None:
            self._sweep_waiting(now)
        else:
            late = self._exchange.late(now)
            if late is not None:
                self.interrupt(late)

    # ---- what comes between requests ----

    def take(self, data: bytes) -> None:
        """Bytes of the next request."""
        if not self._buffer and self._is_idle and self._fast_path.begin(data):
            return
        if not self._buffer:
            self._buffer = data
        elif isinstance(self._buffer, bytearray):
            self._buffer += data
        else:
            self._buffer = bytearray(self._buffer) + data
        self._pump()

    def end(self) -> None:
        """Nothing to do: `_lost` follows."""

    def take_waiting(self) -> bytes:
        """The bytes that came after the request's head, and are the caller's from now on."""
        data = bytes(self._buffer)
        self._buffer = b""
        self._seen = 0
        self.front.fill(full=False)
        return data

    def was_read(self, rest: bytes) -> None:
        """The request's body has ended; `rest` belongs to what comes next."""
        if not self._is_leaving:
            self.front.sink = self
            if rest:
                self._buffer = rest + self._buffer
            self._pump()

    def leave_fast_path(self) -> None:
        """Make an `Exchange` of the request on the fast path, if one is in flight there."""
        request = self._fast_path.take_over()
        if request is not None:
            self._exchange = Exchange(self._context, self, parse_request(request.raw, self._context.settings))
            self._exchange.resume(request)

    # ---- how a request ends ----

    def fast_path_done(self, now: float) -> None:
        """The request on the fast path was answered, and the connection is good for another."""
        self._since = now
        self._head_since = None
        if self._buffer:
            self._pump()

    def answered(self, exchange: Exchange, *, reusable: bool) -> None:
        """The notebook's answer was handed on."""
        if exchange is self._exchange:
            self._close(exchange)
            if reusable:
                self._go_on()
            else:
                self._leave(is_read=exchange.is_read)

    def failed(self, exchange: Exchange, error: Exception | None) -> None:
        """The request ends with an answer of ours, or is broken off; None: nobody is left to be told."""
        if exchange is not self._exchange:
            return
        if error is None or exchange.status != NOBODY:
            self._close(exchange)
            self._is_leaving = True
            self.front.abort()
            return
        keep = exchange.may_go_on
        if isinstance(error, Moved):
            exchange.status = error.status
            answer = moved_answer(error, closing=not keep)
        else:
            problem = self._problem(error)
            keep = keep and problem.status in HARMLESS
            exchange.status = problem.status
            answer = problem_answer(problem, exchange.head.values, method=exchange.head.method, closing=not keep)
        self._close(exchange)
        self.front.write(answer)
        if keep:
            self._go_on()
        else:
            self._leave(is_read=False)

    def _problem(self, error: Exception) -> Problem:
        if isinstance(error, Problem):
            return error
        if isinstance(error, Malformed):
            of_answer = error.status == _BAD_GATEWAY  # the notebook's answer was, not the client's request
            return Problem(502, "proxy.broken") if of_answer else Problem(error.status, error.code)
        if isinstance(error, Gone):
            return Problem(502, "proxy.broken")
        self._context.log.error("proxy.fault", exc_info=error)
        return Problem(500, "proxy.fault")

    def _close(self, exchange: Exchange) -> None:
        self._exchange = None
        self._since = self._context.loop.time()
        self._head_since = None
        exchange.close()

    def _go_on(self) -> None:
        self.front.sink = self
        if self._context.draining:
            self._leave(is_read=True)
        elif self._buffer:
            self._pump()

    def _leave(self, *, is_read: bool) -> None:
        """Close when all is sent; where something may be unread, only once the client could read our answer."""
        self._is_leaving = True
        if is_read:
            self.front.close()
        else:
            self.front.hang_up()

    # ---- the life of a connection ----

    def _made(self) -> None:
        context = self._context
        self._connections.add(self)
        context.metrics.connections += 1
        self._taking = Taking(self.front.transport)
        peer: tuple[str, int] | None = self.front.transport.get_extra_info("peername")
        if peer:
            self.peer = peer[0].encode("ascii")
        if not context.crowd.admits(self, self.peer.decode("ascii")) or context.draining:
            self.front.write(problem_answer(Problem(503, "proxy.full"), {}, method="GET", closing=True))
            self._leave(is_read=False)

    def _lost(self) -> None:
        self.interrupt(None)
        self._is_leaving = True
        self._connections.discard(self)
        self._context.crowd.left(self)
        self._context.metrics.connections -= 1

    def _pump(self) -> None:
        """Serve the requests in the buffer, as long as none is under way and the client takes its answers."""
        if self._is_pumping:
            return
        self._is_pumping = True
        try:
            while self._buffer and self._is_idle:
                raw = self._next_head()
                if raw is None:
                    break
                self._serve(raw)
        except Malformed as error:
            self._refuse(Problem(error.status, error.code))
        finally:
            self._is_pumping = False
        if not self._is_leaving:
            self.front.fill(full=len(self._buffer) > self._context.settings.head_bytes)

    @property
    def _is_idle(self) -> bool:
        """Whether another request may begin."""
        if self._exchange is not None or self._fast_path.began is not None:
            return False
        return not (self._is_leaving or self.front.blocked)

    def _next_head(self) -> bytes | None:
        """The next head, empty line included. Raises `Malformed` for one too long or with stray line ends."""
        buffer = self._buffer
        end = buffer.find(END, max(self._seen - len(END) + 1, 0))
        size = len(buffer) if end < 0 else end + len(END)
        if size > self._context.settings.head_bytes:
            raise Malformed(431, "proxy.too_long")
        if end < 0:
            if has_bare_end(buffer, max(self._seen - 1, 0)):
                raise Malformed(400)
            self._seen = len(buffer)
            return None
        self._buffer = b"" if size == len(buffer) else buffer[size:]
        self._seen = 0
        return bytes(buffer[:size])

    def _serve(self, raw: bytes) -> None:
        exchange = self._exchange = Exchange(self._context, self, parse_request(raw, self._context.settings))
        try:
            exchange.begin()
        except Exception as error:  # noqa: BLE001 - the edge: a fault of ours ends this request and no other
            self.failed(exchange, error)

    def _refuse(self, problem: Problem) -> None:
        """Answer what is not, or not yet, a request, and close."""
        self._context.metrics.requests[problem.status] += 1
        self._context.log.info("proxy.refused", status=problem.status, code=problem.code)
        self.front.write(problem_answer(problem, {}, method="GET", closing=True))
        self._leave(is_read=False)

    # ---- timeouts ----

    def _sweep_waiting(self, now: float) -> None:
        settings = self._context.settings
        if self.front.blocked:
            return
        if self._head_since is None:
            if self._buffer:
                self._head_since = now
            elif now - self._since > settings.idle_timeout.total_seconds():
                self.interrupt(None)
        elif now - self._head_since > settings.head_timeout.total_seconds():
            self.interrupt(Problem(408, "proxy.slow") if self._buffer else None)

    def _sweep_leaving(self, now: float) -> None:
        if self.front.transport.get_write_buffer_size():
            self._since = now
        elif now - self._since > self._context.settings.linger.total_seconds():
            self.front.abort()
