"""One request: let in or not, forwarded, answered."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import msgspec

from trivium.base.errors import Unavailable
from trivium.server.proxy.access import Credential, Held, Pass, Refused, Way
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.credentials import credentials_of, grant_cookie, take_token
from trivium.server.proxy.doors import Place, host_of, target_of
from trivium.server.proxy.forwarding import Forwarding
from trivium.server.proxy.framing import Body, request_body
from trivium.server.proxy.heads import RequestHead, tokens
from trivium.server.proxy.origins import check_forgery, check_websocket
from trivium.server.proxy.pages import wants_page
from trivium.server.proxy.problems import Moved, Problem
from trivium.server.proxy.rewriting import Asked
from trivium.server.proxy.shared import Shared
from trivium.server.proxy.websockets import asks_for_websocket, check_handshake

_NEVER = frozenset({"CONNECT", "TRACE"})  # TRACE would show the notebook's token
_LONGEST_PATH = 512  # characters of a path in the log


class Exchange:
    """A request and its answer."""

    def __init__(
        self, shared: Shared, front: Channel, head: RequestHead, *, interrupt: Callable[[Problem | None], None]
    ) -> None:
        self.head = head
        self.began = shared.loop.time()
        self.status = 0  # of the answer, as soon as its first byte was sent
        self.held: Held | None = None
        self._shared = shared
        self._front = front
        self._interrupt = interrupt
        self._body: Body | None = None
        self._path = ""
        self._place: Place | None = None
        self._forwarding: Forwarding | None = None

    @property
    def is_tunnel(self) -> bool:
        """Whether it has become a WebSocket."""
        return self._forwarding is not None and self._forwarding.is_tunnel

    @property
    def is_read(self) -> bool:
        """Whether the request's body was taken to its end."""
        if self._forwarding is not None:
            return self._forwarding.is_read
        return self._body is not None and self._body.done

    @property
    def may_go_on(self) -> bool:
        """Whether another request may follow on the connection, as far as this one matters."""
        if self._body is None or self._front.ended or self._shared.draining or self.head.minor == 0 or not self.is_read:
            return False
        return b"close" not in tokens(self.head.values.get(b"connection", b""))

    @property
    def reusable(self) -> bool:
        """Whether another request may follow after the answer that was forwarded."""
        return self._forwarding is not None and self._forwarding.reusable

    async def run(self) -> None:
        """Answer the request with the notebook's answer.

        Raises `Problem` and `Moved` for what the proxy answers itself, `Malformed` and `Gone` when a side misbehaves.
        """
        head = self.head
        body = self._body = request_body(head)
        if head.method in _NEVER:
            raise Problem(405, "proxy.method")
        asked = self._asked()
        target = target_of(head.target, asked.host)
        path, _, _ = target.partition(b"?")
        self._path = path[:_LONGEST_PATH].decode("latin-1")
        place = self._place = self._shared.doors.find(asked.host, target)
        websocket = asks_for_websocket(head)
        if websocket:
            check_handshake(head, self._front)
            check_websocket(head, asked.host, secure=asked.secure)
        _check_expectation(head)
        query, link = take_token(place.query)
        passed, way = await self._enter(place, link)
        check_forgery(head, asked.host, way, secure=asked.secure)
        if link is not None and not websocket and head.method == "GET" and wants_page(head.values.get(b"accept", b"")):
            self._exchange_link(place, passed, way, clean=_join(path, query))
        self.held = Held(door=place.door, passed=passed)
        place = msgspec.structs.replace(place, query=query)
        forwarding = Forwarding(self._shared, self._front, asked, held=self.held, place=place, body=body)
        forwarding.on_status = self._began_to_answer
        forwarding.on_broken = self._interrupt
        self._forwarding = forwarding
        await (forwarding.tunnel() if websocket else forwarding.forward())

    def late(self, now: float) -> Problem | None:
        """What is wrong when somebody has kept this request waiting for too long."""
        if self._forwarding is not None:
            return self._forwarding.late(now)
        if now - self.began > self._shared.settings.access_timeout.total_seconds():
            return Problem(503, "proxy.undecided")
        return None

    def report(self) -> None:
        """Count it and write its line in the log."""
        shared = self._shared
        shared.metrics.requests[self.status] += 1
        received, sent = (0, 0) if self._forwarding is None else self._forwarding.carried
        shared.metrics.received += received
        shared.metrics.sent += sent
        door = None if self._place is None else self._place.door
        shared.log.info(
            "proxy.request",
            method=self.head.method,
            path=self._path,
            status=self.status,
            notebook=None if door is None else door.notebook,
            ms=round((shared.loop.time() - self.began) * 1000, 1),
            received=received,
            sent=sent,
        )

    def _asked(self) -> Asked:
        host = self.head.values.get(b"host", b"localhost" if self.head.minor == 0 else b"")
        host_of(host)
        peer: tuple[str, int] | None = self._front.transport.get_extra_info("peername")
        return Asked(
            head=self.head,
            host=host,
            client=peer[0].encode("ascii") if peer else b"unknown",
            secure=self._shared.settings.secure,
        )

    async def _enter(self, place: Place, link: str | None) -> tuple[Pass, Way]:
        refusals: list[Refused] = []
        for credential in credentials_of(self.head.values, link, place.door.notebook):
            try:
                return await self._ask(place, credential), credential.way
            except Refused as refused:
                refusals.append(refused)
        # A stale link beside a good cookie says 401, the cookie perhaps 503: the second is what the person must hear.
        refusal = next((one for one in refusals if one.status != HTTPStatus.UNAUTHORIZED), refusals[0])
        raise Problem(refusal.status, refusal.code, **refusal.details) from refusal

    async def _ask(self, place: Place, credential: Credential) -> Pass:
        try:
            return await self._shared.access.enter(place.door, credential)
        except Unavailable as error:
            raise Problem(503, "proxy.undecided") from error

    def _exchange_link(self, place: Place, passed: Pass, way: Way, *, clean: bytes) -> None:
        """Send a browser to the address without the secret, with a cookie in its stead."""
        if way is Way.COOKIE:
            raise Moved(clean, status=302)  # the link is stale, and the browser is known all the same
        if way is Way.LINK and passed.grant is not None:
            notebook = place.door.notebook
            cookie = grant_cookie(notebook, passed.grant, path=place.root, secure=self._shared.settings.secure)
            raise Moved(clean, status=302, cookie=cookie)

    def _began_to_answer(self, status: int) -> None:
        self.status = status


def _check_expectation(head: RequestHead) -> None:
    expectation = head.values.get(b"expect")
    if expectation is not None and expectation.lower() != b"100-continue":
        raise Problem(417, "proxy.expectation")


def _join(path: bytes, query: bytes) -> bytes:
    path = b"/" + path.lstrip(b"/\\")  # `//host/` would lead to another host
    return path + b"?" + query if query else path
