"""One request: let in or not, forwarded, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Protocol

import msgspec

from trivium.base.errors import Unavailable
from trivium.server.proxy.access import Credential, Held, Pass, Refused, Way
from trivium.server.proxy.answering import terms_of
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.credentials import credentials_of, grant_cookie, shown_by, take_token
from trivium.server.proxy.doors import Place, host_of, target_of
from trivium.server.proxy.forwarding import Forwarding
from trivium.server.proxy.framing import Body, Fixed, UntilClose, request_body
from trivium.server.proxy.heads import RequestHead
from trivium.server.proxy.origins import check_forgery, check_websocket
from trivium.server.proxy.pages import wants_page
from trivium.server.proxy.plain import Plain, Plan
from trivium.server.proxy.problems import Moved, Problem
from trivium.server.proxy.rewriting import FORWARDED, Asked, inward_fields
from trivium.server.proxy.shared import Shared
from trivium.server.proxy.targets import OtherProxy
from trivium.server.proxy.upstreams import Upstream
from trivium.server.proxy.websockets import asks_for_websocket, check_handshake

NOBODY: Final = 0  # the status of a request whose client was gone before the answer
_NEVER: Final = frozenset({"CONNECT", "TRACE"})  # TRACE would show the notebook's token


class Keeper(Protocol):
    """The client's connection, which a request gives back when it is over."""

    front: Channel
    peer: bytes  # the client's address

    def waiting(self) -> bytes:
        """The bytes that came after the request's head; they are waited for no more."""
        ...

    def was_read(self, rest: bytes) -> None:
        """The request's body has ended; `rest` belongs to what comes next."""
        ...

    def over(self, exchange: Exchange, *, reusable: bool) -> None:
        """The notebook's answer was handed on."""
        ...

    def failed(self, exchange: Exchange, error: Exception | None) -> None:
        """The request ends with an answer of ours, or is broken off; None: nobody is left to be told."""
        ...


class Exchange:
    """A request and its answer."""

    status = NOBODY  # of the answer, as soon as its first byte was sent
    held: Held | None = None
    _body: Body = UntilClose()  # until it is known where it ends
    _path = b""
    _place: Place | None = None
    _is_websocket = False
    _is_link = False  # the address has a token in it
    _entering: asyncio.Task[None] | None = None
    _forwarding: Forwarding | None = None

    def __init__(self, shared: Shared, keeper: Keeper, head: RequestHead) -> None:
        self.head = head
        self.front = keeper.front
        self.began = shared.loop.time()
        self._shared = shared
        self._keeper = keeper

    @property
    def is_tunnel(self) -> bool:
        """Whether it has become a WebSocket."""
        return self._forwarding is not None and self._forwarding.is_tunnel

    @property
    def is_read(self) -> bool:
        """Whether the request's body was taken to its end."""
        return self._body.done

    @property
    def may_go_on(self) -> bool:
        """Whether another request may follow on the connection, as far as this one matters."""
        if not self.is_read or self.front.ended or self._shared.draining or self.head.minor == 0:
            return False
        return not self.head.fields.closes

    def begin(self) -> None:
        """Find out who asks for what, and go on with it.

        Raises `Problem` and `Moved` for what the proxy answers itself, `Malformed` when the client misbehaves.
        """
        head = self.head
        self._body = Fixed(0) if head.fields.is_plain else request_body(head)
        if head.method in _NEVER:
            raise Problem(405, "proxy.method")
        asked = self._asked()
        target = target_of(head.target, asked.host)
        self._path = target.partition(b"?")[0]
        place = self._place = self._shared.doors.find(asked.host, target)
        if not head.fields.is_plain:
            self._check_specials(asked)
        query, link = take_token(place.query)
        self._is_link = link is not None
        notebook = place.door.notebook
        shown = shown_by(head.fields, notebook) if link is None else credentials_of(head.values, link, notebook)
        if query is not place.query:
            place = msgspec.structs.replace(place, query=query)
        known = self._shared.access.known(place.door, shown[0])
        if known is None:
            self._entering = self._shared.loop.create_task(self._enter(asked, place, shown))
        else:
            self._entered(asked, place, known, way=shown[0].way)
            self._learn(asked, place, known, credential=shown[0])

    def adopt(self, plain: Plain, plan: Plan, upstream: Upstream) -> None:
        """Go on with a plain request whose answer is still to come."""
        asked = self._asked()
        self.began = plain.began
        self._path = plain.target.partition(b"?")[0]
        self._body = Fixed(0)
        place = self._place = self._shared.doors.find(asked.host, plain.target)
        self.held = Held(door=place.door, passed=plan.passed)
        self._forwarding = Forwarding(self._shared, self, asked, held=self.held, place=place, body=self._body)
        self._forwarding.adopt(upstream, plain.sent)

    def late(self, now: float) -> Problem | None:
        """What is wrong when somebody has kept this request waiting for too long."""
        if self._forwarding is not None:
            return self._forwarding.late(now)
        if now - self.began > self._shared.settings.access_timeout.total_seconds():
            return Problem(503, "proxy.undecided")
        return None

    def close(self) -> None:
        """Let go of whatever is still held, count the request and write its line in the log."""
        if self._entering is not None:
            self._entering.cancel()
        received = sent = 0
        if self._forwarding is not None:
            received, sent = self._forwarding.carried
            self._forwarding.drop()
            self._forwarding = None
        shared = self._shared
        shared.metrics.requests[self.status] += 1
        shared.metrics.received += received
        shared.metrics.sent += sent
        notebook = None if self._place is None else self._place.door.notebook
        shared.tell_request(
            self.head.method,
            self._path,
            self.status,
            notebook=notebook,
            began=self.began,
            received=received,
            sent=sent,
        )

    # ---- what the forwarding tells ----

    def waiting(self) -> bytes:
        """The bytes that came after the request's head."""
        return self._keeper.waiting()

    def was_read(self, rest: bytes) -> None:
        """The request's body has ended."""
        self._keeper.was_read(rest)

    def answering(self, status: int) -> None:
        """The head of the answer is being sent."""
        self.status = status

    def answered(self, *, reusable: bool) -> None:
        """All of the answer was handed on."""
        self._keeper.over(self, reusable=reusable)

    def failed(self, error: Exception | None) -> None:
        """There is no answer, or no more of it."""
        self._keeper.failed(self, error)

    def _learn(self, asked: Asked, place: Place, passed: Pass, *, credential: Credential) -> None:
        """Keep what is known of such requests, where one may go the short way."""
        head = self.head
        fields = head.fields
        if not (fields.is_plain and fields.is_short and head.minor == 1 and head.method == "GET"):
            return
        if fields.closes or self._is_link or not head.target.startswith(b"/") or isinstance(passed.target, OtherProxy):
            return
        terms = terms_of(head, place, asked.host, may_keep=True, is_far=False, fields=self._shared.settings.head_fields)
        inward = inward_fields(asked, place, passed)
        plan = Plan(place, passed, credential, client=asked.client, fields=inward, terms=terms)
        self._shared.plans.learn(fields.block, plan)

    # ---- who may ----

    def _check_specials(self, asked: Asked) -> None:
        head = self.head
        self._is_websocket = asks_for_websocket(head)
        if self._is_websocket:
            check_handshake(head)
            check_websocket(head, asked.host, secure=asked.secure)
        if b"expect" in head.values and head.values[b"expect"].lower() != b"100-continue":
            raise Problem(417, "proxy.expectation")

    def _asked(self) -> Asked:
        host = self.head.values.get(b"host", b"localhost" if self.head.minor == 0 else b"")
        host_of(host)
        return Asked(head=self.head, host=host, client=self._keeper.peer, secure=self._shared.settings.secure)

    async def _enter(self, asked: Asked, place: Place, shown: Sequence[Credential]) -> None:
        """Ask about each credential in turn, where that cannot be told at once."""
        try:
            passed, way = await self._ask(place, shown)
            self._entering = None
            self._entered(asked, place, passed, way=way)
        except Exception as error:  # noqa: BLE001 - the edge: whoever asked tells faults of ours from others
            self._entering = None
            self.failed(error)

    async def _ask(self, place: Place, shown: Sequence[Credential]) -> tuple[Pass, Way]:
        refusals: list[Refused] = []
        for credential in shown:
            try:
                return await self._shared.access.enter(place.door, credential), credential.way
            except Refused as refused:
                refusals.append(refused)
            except Unavailable as error:
                raise Problem(503, "proxy.undecided") from error
        # A stale link beside a good cookie says 401, the cookie perhaps 503: the second is what the person must hear.
        refusal = next((one for one in refusals if one.status != HTTPStatus.UNAUTHORIZED), refusals[0])
        raise Problem(refusal.status, refusal.code, **refusal.details) from refusal

    def _entered(self, asked: Asked, place: Place, passed: Pass, *, way: Way) -> None:
        head = self.head
        check_forgery(head, asked.host, way, secure=asked.secure)
        if (
            self._is_link
            and not self._is_websocket
            and head.method == "GET"
            and wants_page(head.values.get(b"accept", b""))
        ):
            self._exchange_link(place, passed, way)
        if FORWARDED in head.values and isinstance(passed.target, OtherProxy):
            raise Problem(508, "proxy.loop")
        self.held = Held(door=place.door, passed=passed)
        forwarding = Forwarding(self._shared, self, asked, held=self.held, place=place, body=self._body)
        self._forwarding = forwarding
        if self._is_websocket:
            forwarding.tunnel()
        else:
            forwarding.forward()

    def _exchange_link(self, place: Place, passed: Pass, way: Way) -> None:
        """Send a browser to the address without the secret, with a cookie in its stead."""
        clean = _join(self._path, place.query)
        if way is Way.COOKIE:
            raise Moved(clean, status=302)  # the link is stale, and the browser is known all the same
        if way is Way.LINK and passed.grant is not None:
            notebook = place.door.notebook
            cookie = grant_cookie(notebook, passed.grant, path=place.root, secure=self._shared.settings.secure)
            raise Moved(clean, status=302, cookie=cookie)


def _join(path: bytes, query: bytes) -> bytes:
    path = b"/" + path.lstrip(b"/\\")  # `//host/` would lead to another host
    return path + b"?" + query if query else path
