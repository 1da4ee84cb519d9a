"""A request that was let in, on its way to the notebook, and the answer on its way back."""

from __future__ import annotations

from collections.abc import Callable

from trivium.server.proxy.access import Held
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.doors import Place
from trivium.server.proxy.framing import Body, Chunked, Fixed, UntilClose, answer_body, answer_length
from trivium.server.proxy.heads import AnswerHead, parse_answer, tokens
from trivium.server.proxy.problems import Gone, Malformed, Problem
from trivium.server.proxy.relay import Relay, Splice
from trivium.server.proxy.rewriting import Asked, answer_head, request_head
from trivium.server.proxy.shared import Shared
from trivium.server.proxy.upstreams import Upstream
from trivium.server.proxy.websockets import UPGRADE, check_agreement

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FIRST_FINAL = 200
_SWITCHING = 101


class Forwarding:
    """Carries one request to the notebook and the answer back."""

    def __init__(self, shared: Shared, front: Channel, asked: Asked, *, held: Held, place: Place, body: Body) -> None:
        self.is_tunnel = False
        self.reusable = False  # the client's connection is good for another request
        self.on_status: Callable[[int], None] | None = None
        self.on_broken: Callable[[Problem | None], None] | None = None
        self._shared = shared
        self._settings = shared.settings
        self._front = front
        self._asked = asked
        self._head = asked.head
        self._held = held
        self._place = place
        self._body = body
        self._upstream: Upstream | None = None
        self._request: Relay | None = None
        self._answer: Relay | None = None
        self._splice: Splice | None = None
        self._answering = False
        self._since = shared.loop.time()

    @property
    def is_read(self) -> bool:
        """Whether the request's body was taken to its end."""
        return self._body.done

    @property
    def carried(self) -> tuple[int, int]:
        """Bytes of bodies and frames, from the client and to it."""
        if self._splice is not None:
            return self._splice.inward.carried, self._splice.outward.carried
        return (
            0 if self._request is None else self._request.carried,
            0 if self._answer is None else self._answer.carried,
        )

    async def forward(self) -> None:
        """Ask the notebook and hand its answer on. Raises `Problem`, `Malformed` and `Gone`."""
        repeatable = self._body.done and self._head.method in _REPEATABLE
        raw = request_head(self._asked, self._place, self._held.passed, framing=self._framing())
        try:
            upstream, answer = await self._ask(raw, fresh=not repeatable)
            await self._hand_on(upstream, answer)
        finally:
            self._drop()

    async def tunnel(self) -> None:
        """Ask the notebook for a WebSocket, and carry its bytes if it agrees. Raises as `forward` does."""
        raw = request_head(self._asked, self._place, self._held.passed, framing=UPGRADE)
        try:
            upstream = await self._open(fresh=True)
            self._front.sink = _TooEarly(self._break)
            if self._front.buffer:
                raise Problem(400, "proxy.upgrade")
            upstream.channel.write(raw)
            answer = await self._next_answer(upstream)
            self._front.sink = None
            if answer.status == _SWITCHING:
                await self._carry(upstream, answer)
            else:
                await self._hand_on(upstream, answer)
        finally:
            self._drop()

    def late(self, now: float) -> Problem | None:
        """What is wrong when somebody has kept us waiting for too long."""
        settings = self._settings
        front = self._front
        back = None if self._upstream is None else self._upstream.channel
        stalled = settings.stall_timeout.total_seconds()
        if self._answering or self.is_tunnel:
            slow = [side for side in (front, back) if side is not None and side.blocked and now - side.moved > stalled]
            return Problem(504, "proxy.late") if slow else None
        if self._request is not None and not self._request.done and not front.held:
            late = now - max(front.moved, self._since) > settings.body_timeout.total_seconds()
            return Problem(408, "proxy.slow") if late else None
        late = now - max(front.moved, self._since) > settings.answer_timeout.total_seconds()
        return Problem(504, "proxy.late") if late else None

    async def _ask(self, raw: bytes, *, fresh: bool) -> tuple[Upstream, AnswerHead]:
        upstream = await self._open(fresh=fresh)
        try:
            return upstream, await self._send(upstream, raw)
        except Gone:
            if not upstream.reused or upstream.channel.buffer:
                raise
        upstream.channel.abort()
        upstream = await self._open(fresh=True)
        return upstream, await self._send(upstream, raw)

    async def _open(self, *, fresh: bool) -> Upstream:
        held = self._held
        self._upstream = await self._shared.upstreams.open(held.door, held.passed.address, fresh=fresh)
        return self._upstream

    async def _send(self, upstream: Upstream, raw: bytes) -> AnswerHead:
        self._since = self._shared.loop.time()
        if b"expect" in self._head.values and self._head.minor == 1 and not self._body.done and not self._front.buffer:
            self._front.write(_CONTINUE)
        chunked = isinstance(self._body, Chunked)
        self._request = Relay(
            self._front, upstream.channel, self._body, chunked=chunked, on_broken=self._request_broken
        )
        self._request.begin(raw)
        return await self._next_answer(upstream)

    async def _next_answer(self, upstream: Upstream) -> AnswerHead:
        while True:
            try:
                answer = parse_answer(await upstream.channel.head(self._settings.head_bytes), self._settings)
            except Malformed as error:
                raise Malformed(502) from error
            if answer.status >= _FIRST_FINAL:
                return answer
            if answer.status == _SWITCHING:
                key = self._head.values.get(b"sec-websocket-key", b"")
                if self._request is not None:
                    raise Malformed(502)  # nobody asked for that
                check_agreement(answer, key)
                return answer

    async def _hand_on(self, upstream: Upstream, answer: AnswerHead) -> None:
        body = answer_body(answer, self._head.method)
        modern = self._head.minor == 1
        open_ended = not isinstance(body, Fixed)
        keep = self._may_keep() and (modern or not open_ended)
        framing = (
            answer_length(answer, body) if not open_ended else b"Transfer-Encoding: chunked\r\n" if modern else b""
        )
        if not keep:
            framing += b"Connection: close\r\n"
        self._answer = Relay(upstream.channel, self._front, body, chunked=open_ended and modern)
        self._answering = True
        self._tell(answer.status)
        self._answer.begin(answer_head(answer, self._place, self._asked.host, framing=framing))
        await self._answer.finished()
        self.reusable = keep and self._body.done
        if self._body.done and _stays_open(answer, body):
            self._upstream = None
            self._shared.upstreams.give_back(upstream)

    async def _carry(self, upstream: Upstream, answer: AnswerHead) -> None:
        self.is_tunnel = True
        self._tell(_SWITCHING)
        self._front.write(answer_head(answer, self._place, self._asked.host, framing=UPGRADE))
        metrics = self._shared.metrics
        metrics.tunnels += 1
        try:
            self._splice = Splice(self._front, upstream.channel)
            await self._splice.run()
            self._upstream = None
            self._shared.upstreams.retire(upstream)
        finally:
            metrics.tunnels -= 1

    def _framing(self) -> bytes:
        if isinstance(self._body, Chunked):
            return b"Transfer-Encoding: chunked\r\n"
        length = self._head.values.get(b"content-length")
        return b"" if length is None else b"Content-Length: %b\r\n" % length

    def _may_keep(self) -> bool:
        head = self._head
        if head.minor == 0 or self._shared.draining or not self._body.done:
            return False
        connection = head.values.get(b"connection")
        return connection is None or b"close" not in tokens(connection)

    def _tell(self, status: int) -> None:
        if self.on_status is not None:
            self.on_status(status)

    def _request_broken(self, error: Malformed | Gone) -> None:
        self._break(Problem(error.status, error.code) if isinstance(error, Malformed) else None)

    def _break(self, problem: Problem | None) -> None:
        if self.on_broken is not None:
            self.on_broken(problem)

    def _drop(self) -> None:
        """Leave nothing behind: whatever is not done by now never will be."""
        self._front.sink = None
        self._front.fed_by(None)
        for relay in (self._request, self._answer):
            if relay is not None:
                relay.stop()
        if self._upstream is not None:
            self._upstream.channel.abort()
            self._upstream = None


class _TooEarly:
    """A client that sends data before the handshake is over: no browser does, and a request may hide there."""

    def __init__(self, interrupt: Callable[[Problem | None], None]) -> None:
        self._interrupt = interrupt

    def take(self, data: bytes) -> None:
        del data
        self._interrupt(Problem(400, "proxy.upgrade"))

    def end(self) -> None:
        self._interrupt(None)


def _stays_open(answer: AnswerHead, body: Body) -> bool:
    if answer.minor == 0 or isinstance(body, UntilClose):
        return False
    connection = answer.values.get(b"connection")
    return connection is None or b"close" not in tokens(connection)
