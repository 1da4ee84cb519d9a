"""One request: admitted or refused, forwarded, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Protocol

import msgspec

from trivium.base.errors import Unavailable
from trivium.server.proxy.access import Admission, Credential, CredentialSource, Refused
from trivium.server.proxy.addresses import Place, host_of, target_of
from trivium.server.proxy.answering import rules_for
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.context import Context
from trivium.server.proxy.credentials import credentials_in, credentials_of, grant_cookie, take_token
from trivium.server.proxy.fast_path import InFlight
from trivium.server.proxy.forwarding import Forwarding
from trivium.server.proxy.framing import Body, Fixed, UntilClose, request_body
from trivium.server.proxy.heads import RequestHead
from trivium.server.proxy.origins import check_forgery, check_websocket
from trivium.server.proxy.pages import wants_page
from trivium.server.proxy.plans import Plan
from trivium.server.proxy.problems import Moved, Problem
from trivium.server.proxy.rewriting import FORWARDED, Asked, inward_fields
from trivium.server.proxy.targets import OtherProxy
from trivium.server.proxy.websockets import asks_for_websocket, check_handshake

NOBODY: Final = 0  # the status of a request whose client was gone before the answer
_NEVER: Final = frozenset({"CONNECT", "TRACE"})  # TRACE would show the notebook's token


class Client(Protocol):
    """The connection that the request came on, which gets it back when it is over."""

    front: Channel
    peer: bytes  # the client's address

    def take_waiting(self) -> bytes:
        """The bytes that came after the request's head, and are the caller's from now on."""
        ...

    def was_read(self, rest: bytes) -> None:
        """The request's body has ended; `rest` belongs to what comes next."""
        ...

    def answered(self, exchange: Exchange, *, reusable: bool) -> None:
        """The notebook's answer was handed on; whether another request may follow."""
        ...

    def failed(self, exchange: Exchange, error: Exception | None) -> None:
        """The request ends with an answer of ours, or is broken off; None: nobody is left to be told."""
        ...


class Exchange:
    """A request and its answer."""

    status = NOBODY  # of the answer, as soon as its first byte was sent
    admission: Admission | None = None  # in use, once the request was admitted
    _body: Body = UntilClose()  # until it is known where it ends
    _path = b""
    _place: Place | None = None
    _is_websocket = False
    _is_link = False  # the address has a token in it
    _entering: asyncio.Task[None] | None = None
    _forwarding: Forwarding | None = None

    def __init__(self, context: Context, client: Client, head: RequestHead) -> None:
        self.head = head
        self.front = client.front
        self.began = context.loop.time()
        self._context = context
        self._client = client

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
        if not self.is_read or self.front.ended or self._context.draining or self.head.minor == 0:
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
        place = self._place = self._context.addresses.find(asked.host, target)
        if not head.fields.is_plain:
            self._check_specials(asked)
        query, link = take_token(place.query)
        self._is_link = link is not None
        notebook = place.endpoint.notebook
        shown = credentials_in(head.fields, notebook) if link is None else credentials_of(head.values, link, notebook)
        if query is not place.query:
            place = msgspec.structs.replace(place, query=query)
        admission = self._context.access.admit_now(place.endpoint, shown[0])
        if admission is None:
            self._entering = self._context.loop.create_task(self._enter(asked, place, shown))
        else:
            self._admitted(asked, place, admission, source=shown[0].source)
            self._plan(asked, place, admission, credential=shown[0])

    def resume(self, request: InFlight) -> None:
        """Go on with a request of the fast path, whose answer is still to come."""
        asked = self._asked()
        self.began = request.began
        self._path = self.head.target.partition(b"?")[0]
        self._body = Fixed(0)
        self._place = self._context.addresses.find(asked.host, self.head.target)
        self._forward(asked, self._place, request.plan.admission).resume(request.upstream, request.sent)

    def late(self, now: float) -> Problem | None:
        """The problem to answer with if a timeout has passed; None while there is time."""
        if self._forwarding is not None:
            return self._forwarding.late(now)
        if now - self.began > self._context.settings.access_timeout.total_seconds():
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
        context = self._context
        if self.admission is not None:
            context.ended(self.admission.endpoint.notebook)
        context.metrics.requests[self.status] += 1
        context.metrics.received += received
        context.metrics.sent += sent
        context.request_log.add(
            self.head.method,
            self._path,
            self.status,
            notebook=None if self._place is None else self._place.endpoint.notebook,
            began=self.began,
            ended=context.loop.time(),
            received=received,
            sent=sent,
        )

    # ---- what the forwarding tells ----

    def take_waiting(self) -> bytes:
        """The bytes that came after the request's head."""
        return self._client.take_waiting()

    def was_read(self, rest: bytes) -> None:
        """The request's body has ended."""
        self._client.was_read(rest)

    def answering(self, status: int) -> None:
        """The head of the answer is being sent."""
        self.status = status

    def answered(self, *, reusable: bool) -> None:
        """All of the answer was handed on."""
        self._client.answered(self, reusable=reusable)

    def failed(self, error: Exception | None) -> None:
        """There is no answer, or no more of it."""
        self._client.failed(self, error)

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
        return Asked(head=self.head, host=host, client=self._client.peer, secure=self._context.settings.secure)

    async def _enter(self, asked: Asked, place: Place, shown: Sequence[Credential]) -> None:
        """Ask about each credential in turn, where that cannot be told at once."""
        try:
            admission, source = await self._ask(place, shown)
            self._entering = None
            self._admitted(asked, place, admission, source=source)
        except Exception as error:  # noqa: BLE001 - the edge: whoever asked tells faults of ours from others
            self._entering = None
            self.failed(error)

    async def _ask(self, place: Place, shown: Sequence[Credential]) -> tuple[Admission, CredentialSource]:
        refusals: list[Refused] = []
        for credential in shown:
            try:
                return await self._context.access.admit(place.endpoint, credential), credential.source
            except Refused as refused:
                refusals.append(refused)
            except Unavailable as error:
                raise Problem(503, "proxy.undecided") from error
        # A stale link beside a good cookie says 401, the cookie perhaps 503: the second is what the person must hear.
        refusal = next((one for one in refusals if one.status != HTTPStatus.UNAUTHORIZED), refusals[0])
        raise Problem(refusal.status, refusal.code, **refusal.details) from refusal

    def _admitted(self, asked: Asked, place: Place, admission: Admission, *, source: CredentialSource) -> None:
        head = self.head
        check_forgery(head, asked.host, source, secure=asked.secure)
        if (
            self._is_link
            and not self._is_websocket
            and head.method == "GET"
            and wants_page(head.values.get(b"accept", b""))
        ):
            self._exchange_link(place, admission, source)
        if FORWARDED in head.values and isinstance(admission.target, OtherProxy):
            raise Problem(508, "proxy.loop")
        if self._context.has_its_share(admission.endpoint.notebook):
            raise Problem(503, "proxy.full")
        forwarding = self._forward(asked, place, admission)
        if self._is_websocket:
            forwarding.tunnel()
        else:
            forwarding.forward()

    def _forward(self, asked: Asked, place: Place, admission: Admission) -> Forwarding:
        self.admission = admission
        self._context.begun(admission.endpoint.notebook)
        forwarding = Forwarding(self._context, self, asked, admission=admission, place=place, body=self._body)
        self._forwarding = forwarding
        return forwarding

    def _exchange_link(self, place: Place, admission: Admission, source: CredentialSource) -> None:
        """Send a browser to the address without the secret, with a cookie in its stead."""
        clean = _join(self._path, place.query)
        if source is CredentialSource.COOKIE:
            raise Moved(clean, status=302)  # the link is stale, and the browser is known all the same
        if source is CredentialSource.LINK and admission.grant is not None:
            notebook = place.endpoint.notebook
            cookie = grant_cookie(notebook, admission.grant, path=place.root, secure=self._context.settings.secure)
            raise Moved(clean, status=302, cookie=cookie)

    def _plan(self, asked: Asked, place: Place, admission: Admission, *, credential: Credential) -> None:
        """Keep how this request is forwarded, if others like it may take the fast path."""
        head = self.head
        fields = head.fields
        if head.method != "GET" or head.minor != 1 or not head.target.startswith(b"/"):
            return
        if self._is_link or not fields.is_plain or not fields.is_short or fields.closes:
            return
        if isinstance(admission.target, OtherProxy):
            return
        limit = self._context.settings.head_fields
        plan = Plan(
            client=asked.client,
            credential=credential,
            admission=admission,
            root=place.root.encode("ascii"),
            cut=len(place.prefix),
            fields=inward_fields(asked, place, admission),
            rules=rules_for(head, place, asked.host, may_keep=True, is_far=False, fields=limit),
        )
        self._context.plans.add(fields.block, plan)


def _join(path: bytes, query: bytes) -> bytes:
    path = b"/" + path.lstrip(b"/\\")  # `//host/` would lead to another host
    return path + b"?" + query if query else path
