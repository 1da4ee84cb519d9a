"""Forwards an admitted request to the notebook, and its answer to the client."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from trivium.server.proxy.access import Admission
from trivium.server.proxy.addresses import Place
from trivium.server.proxy.answering import FIRST_FINAL, SWITCHING, Answer, answer_of, rules_for
from trivium.server.proxy.channel import Channel, Discard
from trivium.server.proxy.context import Context
from trivium.server.proxy.framing import Body, Rechunked
from trivium.server.proxy.heads import END, has_bare_end
from trivium.server.proxy.problems import Gone, Malformed, Problem
from trivium.server.proxy.relay import Pipe, Relay
from trivium.server.proxy.rewriting import Asked, request_head, untouched_head
from trivium.server.proxy.targets import OtherProxy
from trivium.server.proxy.upstreams import Upstream
from trivium.server.proxy.websockets import UPGRADE, check_agreement

_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Client(Protocol):
    """The request that is forwarded."""

    front: Channel

    def take_waiting(self) -> bytes:
        """The bytes that came after the request's head, and are the caller's from now on."""
        ...

    def was_read(self, rest: bytes) -> None:
        """The request's body has ended; `rest` belongs to what comes next."""
        ...

    def answering(self, status: int) -> None:
        """The head of the answer is being sent."""
        ...

    def answered(self, *, reusable: bool) -> None:
        """All of the answer was handed on; whether another request may follow."""
        ...

    def failed(self, error: Exception | None) -> None:
        """There is no answer, or no more of it; None: nobody is left to be told why."""
        ...


class Forwarding:
    """Carries one request to the notebook and the answer back. It is the sink of the answer's head."""

    is_tunnel = False
    _raw = b""
    _is_websocket = False
    _upstream: Upstream | None = None
    _connecting: asyncio.Task[None] | None = None
    _request: Relay | None = None  # what is still to come of the request's body
    _answer: Relay | None = None  # of the answer's
    _answer_body: Body | None = None
    _pipes: tuple[Pipe, Pipe] | None = None  # of a WebSocket: towards the notebook, and towards the client
    _beginning = b""  # of the answer's head
    _answering = False
    _keep = False  # the client's connection may be good for another request
    _stays_open = False  # so may the notebook's

    def __init__(
        self, context: Context, client: Client, asked: Asked, *, admission: Admission, place: Place, body: Body
    ) -> None:
        self._context = context
        self._client = client
        self._front = client.front
        self._asked = asked
        self._head = asked.head
        self._admission = admission
        self._place = place
        self._body = body
        self._is_far = isinstance(admission.target, OtherProxy)
        self._repeatable = body.done and asked.head.method in _REPEATABLE
        self._since = context.loop.time()

    @property
    def carried(self) -> tuple[int, int]:
        """Bytes of bodies and frames, from the client and to it."""
        if self._pipes is not None:
            return self._pipes[0].carried, self._pipes[1].carried
        return self._body.carried, 0 if self._answer_body is None else self._answer_body.carried

    def forward(self) -> None:
        """Ask the notebook; its answer is handed on as it comes."""
        self._raw = self._request_head(self._framing())
        upstream = self._context.upstreams.take(self._admission, repeatable=self._repeatable)
        if upstream is None:
            self._connect()
        else:
            self._send(upstream)

    def resume(self, upstream: Upstream, sent: bytes) -> None:
        """Go on with a request without a body, whose head was `sent` already."""
        self._raw = sent
        self._upstream = upstream
        upstream.channel.sink = self

    def tunnel(self) -> None:
        """Ask the notebook for a WebSocket, and carry its bytes if it agrees. Raises `Problem`."""
        if self._client.take_waiting():
            raise Problem(400, "proxy.upgrade")
        self._is_websocket = True
        self._repeatable = False
        self._raw = self._request_head(UPGRADE)
        self._front.sink = _TooEarly(self._client)
        self._connect()

    def late(self, now: float) -> Problem | None:
        """The problem to answer with if a timeout has passed; None while there is time."""
        settings = self._context.settings
        front = self._front
        back = None if self._upstream is None else self._upstream.channel
        if self._answering or self.is_tunnel:
            stalled = now - settings.stall_timeout.total_seconds()
            is_slow = back is not None and back.blocked and back.moved < stalled  # the client's connection sees to it
            return Problem(504, "proxy.late") if is_slow else None
        waited = now - max(front.moved, self._since)
        if self._request is not None and not self._body.done and not front.is_held:
            return Problem(408, "proxy.slow") if waited > settings.body_timeout.total_seconds() else None
        return Problem(504, "proxy.late") if waited > settings.answer_timeout.total_seconds() else None

    def drop(self) -> None:
        """Stop whatever is still under way, and give up the connection to the notebook."""
        if self._connecting is not None:
            self._connecting.cancel()
        for relay in (self._request, self._answer):
            if relay is not None:
                relay.stop()
        if self._pipes is not None or self._is_websocket:
            self._front.sink = Discard()
            self._front.fed_by(None)
        if self._upstream is not None:
            self._upstream.channel.fed_by(None)
            self._upstream.channel.sink = Discard()
            self._upstream.channel.abort()
            self._upstream = None
            self._context.metrics.tunnels -= self.is_tunnel

    # ---- to the notebook ----

    def _request_head(self, framing: bytes) -> bytes:
        if self._is_far:
            return untouched_head(self._asked, framing=framing)
        return request_head(self._asked, self._place, self._admission, framing=framing)

    def _connect(self) -> None:
        self._connecting = self._context.loop.create_task(self._connected())

    async def _connected(self) -> None:
        try:
            upstream = await self._context.upstreams.connect(self._admission)
        except Exception as error:  # noqa: BLE001 - the edge: whoever asked tells faults of ours from others
            self._connecting = None
            self._client.failed(error)
            return
        self._connecting = None
        self._send(upstream)

    def _send(self, upstream: Upstream) -> None:
        self._upstream = upstream
        channel = upstream.channel
        channel.sink = self
        self._since = self._context.loop.time()
        if self._body.done:
            channel.write(self._raw)
            if channel.ended:
                self.end()
            return
        data = self._client.take_waiting()
        if not data and self._head.minor == 1 and b"expect" in self._head.values:
            self._front.write(_CONTINUE)
        try:
            out = self._body.feed(data)
        except Malformed as error:
            self._client.failed(error)
            return
        channel.write(self._raw + out)
        if self._body.done:
            self._client.was_read(self._body.rest)
        else:
            self._request = Relay(self._front, channel, self._body, owner=self)
            self._request.begin()

    # ---- from the notebook ----

    def take(self, data: bytes) -> None:
        """Some of the answer's head."""
        upstream = self._upstream
        if upstream is None:
            return
        try:
            self._take(self._beginning + data if self._beginning else data, upstream.channel)
        except Malformed:
            self._client.failed(Malformed(502))
        except Exception as error:  # noqa: BLE001 - the edge: a fault of ours ends this request and no other
            self._client.failed(error)

    def end(self) -> None:
        """The notebook closed before it answered: one that was idle may have done so before it heard of us."""
        upstream = self._upstream
        if upstream is None or not upstream.reused or self._beginning or not self._repeatable:
            self._client.failed(Gone())
            return
        upstream.channel.sink = upstream
        upstream.channel.abort()
        self._upstream = None
        self._connect()

    def _take(self, data: bytes, source: Channel) -> None:
        limit = self._context.settings.head_bytes
        rules = rules_for(
            self._head,
            self._place,
            self._asked.host,
            may_keep=self._body.done and not self._context.draining,
            is_far=self._is_far,
            fields=self._context.settings.head_fields,
        )
        while True:
            end = data.find(END)
            if end < 0 or end > limit:
                if end > limit or len(data) > limit or has_bare_end(data):
                    raise Malformed(502)
                self._beginning = data
                return
            end += len(END)
            answer = answer_of(data[:end], rules)
            data = data[end:]
            status = answer.head.status
            if status >= FIRST_FINAL:
                self._hand_on(answer, data, source)
                return
            if status == SWITCHING:
                self._carry(answer, data, source)
                return
            self._beginning = b""

    def _hand_on(self, answer: Answer, data: bytes, source: Channel) -> None:
        if self._is_websocket:
            self._client.was_read(b"")
        body = answer.body()
        self._keep = answer.keeps
        self._stays_open = answer.stays
        raw = answer.raw
        if body.done:
            body.rest = data
        elif data:
            raw += body.feed(data)
        self._answering = True
        self._answer_body = body
        self._client.answering(answer.head.status)
        self._front.write(raw)
        if body.done:
            self.relayed(body)
        else:
            self._answer = Relay(source, self._front, body, owner=self)
            self._answer.begin()

    def _carry(self, answer: Answer, data: bytes, source: Channel) -> None:
        if not self._is_websocket:
            raise Malformed(502)  # nobody asked for that
        check_agreement(answer.head, self._head.values.get(b"sec-websocket-key", b""))
        self.is_tunnel = True
        self._client.answering(SWITCHING)
        self._front.write(answer.raw)
        self._context.metrics.tunnels += 1
        inward = Pipe(self._front, source, self._over)
        outward = Pipe(source, self._front, self._over)
        self._pipes = (inward, outward)
        inward.begin(b"")
        outward.begin(data)

    def _over(self) -> None:
        """One side of the WebSocket ended; what it sent before is on its way to the other."""
        upstream = self._upstream
        if upstream is None:
            return
        self._upstream = None
        self._context.metrics.tunnels -= 1
        self._front.sink = Discard()
        self._front.fed_by(None)
        upstream.channel.fed_by(None)
        self._context.upstreams.retire(upstream)
        self._client.answered(reusable=False)

    # ---- what became of the bodies ----

    def relayed(self, body: Body) -> None:
        """A body was handed on to its end."""
        if body is self._body:
            self._client.was_read(body.rest)
            return
        upstream = self._upstream
        if upstream is not None and self._body.done and self._stays_open and not body.rest:
            self._upstream = None
            self._context.upstreams.give_back(upstream)
        self._client.answered(reusable=self._keep and self._body.done)

    def broke(self, body: Body, error: Malformed | Gone) -> None:
        """A body will never be whole."""
        if body is not self._body:
            self._client.failed(error)
        else:
            self._client.failed(error if isinstance(error, Malformed) else None)

    def _framing(self) -> bytes:
        if self._head.fields.is_plain:
            return b""
        if isinstance(self._body, Rechunked):
            return b"Transfer-Encoding: chunked\r\n"
        length = self._head.values.get(b"content-length")
        return b"" if length is None else b"Content-Length: %b\r\n" % length


class _TooEarly:
    """A client that sends data before the handshake is over: no browser does, and a request may hide there."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def take(self, data: bytes) -> None:
        del data
        self._client.failed(Problem(400, "proxy.upgrade"))

    def end(self) -> None:
        self._client.failed(None)
