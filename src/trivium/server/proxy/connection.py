"""One client's connection: its requests one after the other, and what is said when one goes wrong."""

from __future__ import annotations

from typing import Final

from trivium.server.proxy.access import Held
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.exchange import NOBODY, Exchange
from trivium.server.proxy.heads import END, has_bare_end, parse_request
from trivium.server.proxy.pages import moved_answer, problem_answer
from trivium.server.proxy.plain import Plain
from trivium.server.proxy.problems import Gone, Malformed, Moved, Problem
from trivium.server.proxy.shared import Shared

HARMLESS: Final = frozenset({401, 403, 404, 502, 503, 504})  # cast no doubt on what the client sends next
_BAD_GATEWAY: Final = 502


class Connection:
    """Serves a client until it leaves. Between requests it is the sink of what comes."""

    def __init__(self, shared: Shared) -> None:
        self.front = Channel(shared.loop, self)
        self.front.on_made = self._made
        self.front.on_lost = self._lost
        self.front.on_drained = self._pump
        self.peer = b"unknown"
        self._shared = shared
        self._exchange: Exchange | None = None
        self._plain = Plain(shared, self)
        self._buffer: bytes | bytearray = b""
        self._seen = 0  # bytes of the buffer in which no head ends
        self._is_pumping = False
        self._is_leaving = False
        self._since = shared.loop.time()  # when the present wait began
        self._head_since: float | None = None  # when a head was first seen to be incomplete
        self._unsent = 0

    @property
    def held(self) -> Held | None:
        """The pass in use, if a request is under way."""
        self.unfold()
        return None if self._exchange is None else self._exchange.held

    @property
    def began(self) -> float | None:
        """When the request under way began; None between requests."""
        if self._plain.is_under_way:
            return self._plain.began
        return None if self._exchange is None else self._exchange.began

    def interrupt(self, problem: Problem | None) -> None:
        """End what is under way: with `problem` for an answer if none has begun, else by breaking off."""
        if self._is_leaving:
            return
        self.unfold()
        if self._exchange is not None:
            self.failed(self._exchange, problem)
        elif problem is not None:
            self._refuse(problem)
        else:
            self._is_leaving = True
            self.front.abort()

    def drain(self) -> None:
        """Close now if nothing is under way or if it is a WebSocket, else after this request."""
        self.unfold()
        if self._exchange is None:
            self._is_leaving = True
            self.front.close()
            self._since = self._shared.loop.time()
        elif self._exchange.is_tunnel:
            self.interrupt(None)

    def abort(self) -> None:
        """Close at once."""
        self.front.abort()

    def sweep(self, now: float) -> None:
        """Look whether somebody has kept us waiting for too long."""
        self.unfold()
        if self._is_leaving:
            self._sweep_leaving(now)
        elif self._exchange is None:
            self._sweep_waiting(now)
        else:
            late = self._exchange.late(now)
            if late is not None:
                self.interrupt(late)

    # ---- what comes between requests ----

    def take(self, data: bytes) -> None:
        """Some of the next request."""
        if self._is_idle and not self._buffer and self._plain.begin(data):
            return
        if not self._buffer:
            self._buffer = data
        elif isinstance(self._buffer, bytearray):
            self._buffer += data
        else:
            self._buffer = bytearray(self._buffer) + data
        self._pump()

    def end(self) -> None:
        """The client is about to be lost, of which we are told anyway."""

    def waiting(self) -> bytes:
        """The bytes that came after the request's head; they are waited for no more."""
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

    def unfold(self) -> None:
        """Make an `Exchange` of a plain request that is under way: somebody wants to know more of it."""
        plain = self._plain
        plan, upstream = plain.plan, plain.upstream
        if plain.is_under_way and plan is not None and upstream is not None:
            plain.is_under_way = False
            self._exchange = Exchange(self._shared, self, parse_request(plain.raw, self._shared.settings))
            self._exchange.adopt(plain, plan, upstream)

    # ---- how a request ends ----

    def plainly_over(self) -> None:
        """A plain request was answered, and the connection is good for another."""
        self._since = self._shared.loop.time()
        self._head_since = None
        if self._buffer:
            self._pump()

    def over(self, exchange: Exchange, *, reusable: bool) -> None:
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
        self._shared.log.error("proxy.fault", exc_info=error)
        return Problem(500, "proxy.fault")

    def _close(self, exchange: Exchange) -> None:
        self._exchange = None
        self._since = self._shared.loop.time()
        self._head_since = None
        exchange.close()

    def _go_on(self) -> None:
        self.front.sink = self
        if self._shared.draining:
            self._leave(is_read=True)
        elif self._buffer:
            self._pump()

    def _leave(self, *, is_read: bool) -> None:
        """Close when all is sent; where something may be unread, only after the client has seen our last words."""
        self._is_leaving = True
        if is_read:
            self.front.close()
        else:
            self.front.hang_up()

    # ---- the life of a connection ----

    def _made(self) -> None:
        shared = self._shared
        shared.connections.add(self)
        shared.empty.clear()
        shared.metrics.connections += 1
        peer: tuple[str, int] | None = self.front.transport.get_extra_info("peername")
        if peer:
            self.peer = peer[0].encode("ascii")
        if len(shared.connections) > shared.settings.connections or shared.draining:
            self.front.write(problem_answer(Problem(503, "proxy.full"), {}, method="GET", closing=True))
            self._leave(is_read=False)

    def _lost(self) -> None:
        self.interrupt(None)
        self._is_leaving = True
        self._shared.connections.discard(self)
        self._shared.metrics.connections -= 1
        if not self._shared.connections:
            self._shared.empty.set()

    def _pump(self) -> None:
        """Begin with each request that is there, as long as none is under way and the client takes its answers."""
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
            self.front.fill(full=len(self._buffer) > self._shared.settings.head_bytes)

    @property
    def _is_idle(self) -> bool:
        """Whether another request may begin."""
        return (
            self._exchange is None and not self._plain.is_under_way and not self._is_leaving and not self.front.blocked
        )

    def _next_head(self) -> bytes | None:
        """The next head, empty line included. Raises `Malformed` for one too long or with stray line ends."""
        buffer = self._buffer
        end = buffer.find(END, max(self._seen - len(END) + 1, 0))
        size = len(buffer) if end < 0 else end + len(END)
        if size > self._shared.settings.head_bytes:
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
        exchange = self._exchange = Exchange(self._shared, self, parse_request(raw, self._shared.settings))
        try:
            exchange.begin()
        except Exception as error:  # noqa: BLE001 - the edge: a fault of ours ends this request and no other
            self.failed(exchange, error)

    def _refuse(self, problem: Problem) -> None:
        """Answer what is no request, or not yet one."""
        self._shared.metrics.requests[problem.status] += 1
        self._shared.log.info("proxy.refused", status=problem.status, code=problem.code)
        self.front.write(problem_answer(problem, {}, method="GET", closing=True))
        self._leave(is_read=False)

    # ---- patience ----

    def _sweep_waiting(self, now: float) -> None:
        settings = self._shared.settings
        if self.front.blocked:
            if now - self.front.moved > settings.stall_timeout.total_seconds():
                self.interrupt(None)
        elif not self._buffer:
            if now - self._since > settings.idle_timeout.total_seconds():
                self.interrupt(None)
        elif self._head_since is None:
            self._head_since = now
        elif now - self._head_since > settings.head_timeout.total_seconds():
            self.interrupt(Problem(408, "proxy.slow"))

    def _sweep_leaving(self, now: float) -> None:
        settings = self._shared.settings
        unsent = self.front.transport.get_write_buffer_size()
        if unsent and unsent != self._unsent:
            self._unsent = unsent
            self._since = now
            return
        patience = settings.stall_timeout if unsent else settings.linger
        if now - self._since > patience.total_seconds():
            self.front.abort()
