"""The ASGI callable: from a request to its dialect's answer, with nothing in between that costs.

It is the last boundary: whatever goes wrong behind it is logged under the request's id and answered in the dialect's
own form. A client that hangs up is no fault.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Final, TypeAlias

import structlog
from msgspec import structs

from trivium.base.values import Value
from trivium.dialects.operation import SMALL_BODY, Dialect, Reply, Request
from trivium.server.http.body import (
    Body,
    BodyCrowdedOut,
    BodyTooLarge,
    ClientGone,
    NotRead,
    SenderRefused,
    has_body,
    refuse,
)
from trivium.server.http.messages import (
    NotSent,
    Outgoing,
    Receive,
    Scope,
    Send,
    outgoing,
    request_of,
    send_slice,
    send_whole,
)
from trivium.server.http.platform import Pages, Platform
from trivium.server.http.room import Room
from trivium.server.http.routes import Found, Missed, Routes
from trivium.server.logs import RequestLine, request_log

ASGI: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
NO_OPERATION: Final = "-"
PLATFORM: Final = "platform"
IDS_AT_ONCE: Final = 256


class _Answered(Value, frozen=True):
    """What became of a request."""

    request: Request  # without its body
    dialect: str
    operation: str
    reply: Reply
    answer: Outgoing
    unread: bool  # the body was not read to its end


class RequestIds:
    """Random ids of 32 hex digits; the randomness is fetched for many at once."""

    def __init__(self) -> None:
        self._digits = ""
        self._used = 0

    def next(self) -> str:
        """An id that nothing else has."""
        begin = self._used
        if begin == len(self._digits):
            self._digits, begin = os.urandom(16 * IDS_AT_ONCE).hex(), 0
        self._used = begin + 32
        return self._digits[begin : self._used]


class App:
    """The listener's application: answers one HTTP request for each call, all of them in one thread.

    `dialects` makes the dialects, once they are needed: the platform's own paths are answered without them.
    """

    def __init__(
        self, dialects: Callable[[], Iterable[Dialect]], platform: Platform, *, room: Room | None = None
    ) -> None:
        self._dialects = dialects
        self._pages = Pages(platform, lambda: self.load().dialects)
        self._loading = threading.Lock()
        self._routes: Routes | None = None
        self._metrics = platform.metrics
        self._log = structlog.get_logger().bind()  # bound once: each binding anew costs as much as a line
        self._write = request_log() if platform.log_requests else None
        self._room = room or Room()
        self._lines: list[RequestLine] = []  # of requests that were just answered
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Raises nothing, but for scopes that are no HTTP request."""
        if scope["type"] != "http":
            message = f"this listener does not speak {scope['type']}"
            raise ValueError(message)
        began = time.perf_counter()
        self._metrics.in_flight += 1
        try:
            answered = await self._answer(scope, receive)
            await self._send(answered, scope, receive, send=send)
        except (ClientGone, NotSent):
            return
        finally:
            self._metrics.in_flight -= 1
        self._account(answered, time.perf_counter() - began)

    async def _send(self, answered: _Answered, scope: Scope, receive: Receive, *, send: Send) -> None:
        answer = answered.answer
        if answered.unread:
            await refuse(send, receive, answer)
        elif answer.slice is None:
            await send_whole(send, answer)
        elif scope["method"] == "HEAD":
            answer.slice.content.close()
            await send_whole(send, answer)
        else:
            await send_slice(send, receive, answer, slice=answer.slice)

    def load(self) -> Routes:
        """Where everything stands, whose dialects are made the first time. Safe to call from any thread.

        Raises `RoutesConflict` when the dialects' operations do not fit together.
        """
        with self._loading:
            if self._routes is None:
                self._routes = Routes(self._dialects(), reserved=self._pages.paths)
            return self._routes

    def _find(self, scope: Scope) -> Found | Missed:
        path = scope["path"]
        if self._routes is None and path in self._pages.paths:
            return Missed(dialect=None)
        return (self._routes or self.load()).find(scope["method"], path, scope["raw_path"])

    async def _answer(self, scope: Scope, receive: Receive) -> _Answered:
        found = self._find(scope)
        request = request_of(scope, id=self._ids.next(), parameters=found.parameters)
        unread = False
        try:
            try:
                if isinstance(found, Found) and has_body(request.headers):  # where no operation stands nobody wants one
                    reply = await self._with_body(found, request, receive)
                else:
                    reply = await self._reply(found, request)
            except NotRead as why:
                unread = True
                reply = self._not_read(found, request, why)
            answer = outgoing(reply, request.id)
        except ClientGone:
            raise
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the last boundary
            reply, answer = self._fault(found, request, error)
        return _Answered(
            request=request,
            dialect=_dialect_of(found),
            operation=_operation_of(found),
            reply=reply,
            answer=answer,
            unread=unread,
        )

    async def _with_body(self, found: Found, request: Request, receive: Receive) -> Reply:
        """The answer to a request with a body, which is held until then. Raises `NotRead`."""
        operation, limit = found.operation, found.dialect.body_limit
        if operation.public and not operation.body_tells:
            limit = min(limit, SMALL_BODY)
        body = Body(receive, limit=limit, sender=partial(_sender, found, request), room=self._room)
        try:
            whole = structs.replace(request, body=await body.read(request.headers))
            return await found.dialect.answer(operation, whole)
        finally:
            body.close()

    def _not_read(self, found: Found | Missed, request: Request, why: NotRead) -> Reply:
        """The answer to a request whose body was not read to its end."""
        if isinstance(why, SenderRefused):
            return why.reply
        if found.dialect is not None and isinstance(why, BodyTooLarge):
            return found.dialect.too_large(request, why.limit)
        if found.dialect is not None and isinstance(why, BodyCrowdedOut):
            return found.dialect.crowded(request)
        return self._pages.too_slow(request.id)

    async def _reply(self, found: Found | Missed, request: Request) -> Reply:
        if isinstance(found, Found):
            return await found.dialect.answer(found.operation, request)
        if found.dialect is None:
            return await self._pages.answer(request)
        if found.allowed:
            return found.dialect.wrong_method(request, found.allowed)
        return found.dialect.not_found(request)

    def _fault(self, found: Found | Missed, request: Request, error: BaseException) -> tuple[Reply, Outgoing]:
        """The answer to a fault of ours, which is logged; always one that can be sent."""
        dialect = found.dialect
        if isinstance(error, asyncio.CancelledError):
            self._log.warning("a request was cut off by the end of the server", request=request.id)
        else:
            place = {"dialect": _dialect_of(found), "operation": _operation_of(found)}
            self._log.error("fault", request=request.id, **place, exc_info=error)
        if dialect is not None:
            try:
                reply = dialect.fault(request, error)
                return reply, outgoing(reply, request.id)
            except Exception:  # noqa: BLE001 - an unenveloped answer is better than none
                self._log.exception("a fault could not be told in its dialect", request=request.id)
        reply = self._pages.fault(request.id)
        return reply, outgoing(reply, request.id)

    def _account(self, answered: _Answered, seconds: float) -> None:
        """Count the request, and log it unless it is a probe: never what stood in its path, query, headers or body."""
        reply = answered.reply
        outcome = reply.outcome or str(reply.status)
        self._metrics.answered(answered.dialect, answered.operation, outcome, seconds=seconds)
        is_probe = answered.dialect == PLATFORM and reply.status == HTTPStatus.OK  # asked every few seconds
        if self._write is None or is_probe:
            return
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)  # a write for all that are answered meanwhile
        self._lines.append(
            RequestLine(
                request=answered.request.id,
                dialect=answered.dialect,
                operation=answered.operation,
                method=answered.request.method,
                status=reply.status,
                outcome=outcome,
                ms=int(seconds * 100_000) / 100,
                caller=reply.caller,
                timestamp=datetime.now(UTC),
            )
        )

    def _flush(self) -> None:
        """Write the lines of what was answered."""
        lines, self._lines = self._lines, []
        if self._write is not None:
            self._write(*lines)


async def _sender(found: Found, request: Request) -> int:
    """Whose a large body is. Raises `SenderRefused`."""
    told = await found.dialect.sender(found.operation, request)
    if isinstance(told, Reply):
        raise SenderRefused(told)
    return told


def _dialect_of(found: Found | Missed) -> str:
    return found.dialect.name if found.dialect else PLATFORM


def _operation_of(found: Found | Missed) -> str:
    return found.operation.name if isinstance(found, Found) else NO_OPERATION
