"""Between ASGI's messages and the dialects' `Request` and `Reply`. No answer is begun that could not be ended.

One that is read while it is sent ends early where its file does, or its client goes: both see that it is not whole.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from trivium.base.values import Value
from trivium.dialects.operation import Reply, Request, Slice

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

HEADER_NAME: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")
HEADER_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
BODILESS: Final = frozenset({204, 304})
AT_ONCE: Final = 256 * 1024  # bytes of a file that are read and sent together
STALLED: Final = 60.0  # seconds in which a client takes as much


class Unsendable(ValueError):
    """A reply that HTTP has no form for: control characters in a header, text beyond Latin-1, a status out of range."""


class NotSent(Exception):
    """An answer was not sent to its end."""


class Outgoing(Value, frozen=True):
    """A reply in ASGI's form."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    slice: Slice | None = None


def headers_of(raw: Sequence[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Header values by lower-case name, as Latin-1 text; of a repeated one the first. `raw` is what ASGI gives."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(raw)}


def request_of(scope: Scope, *, id: str, parameters: Mapping[str, str]) -> Request:
    """The request that a dialect sees, its body not yet read."""
    client = scope["client"]
    return Request(
        method=scope["method"],
        path=scope["path"],
        raw_path=scope["raw_path"],
        query=scope["query_string"],
        headers=headers_of(scope["headers"]),
        body=b"",
        id=id,
        peer=client[0] if client else "",
        scheme=scope["scheme"],
        server=scope["server"],
        parameters=parameters,
    )


def outgoing(reply: Reply, id: str) -> Outgoing:
    """The reply in ASGI's form, with its length and the request's id. Raises `Unsendable`."""
    if not 200 <= reply.status <= 599:  # noqa: PLR2004 - what a final answer may have
        raise Unsendable(f"status {reply.status}")
    headers = [(b"x-request-id", id.encode("ascii"))]
    body = b"" if reply.status in BODILESS else reply.body
    if reply.status not in BODILESS:
        headers += [
            (b"content-type", _content_type(reply.content_type)),
            (b"content-length", b"%d" % (len(body) if reply.slice is None else reply.slice.length)),
        ]
    headers += [(_name(name), _value(value)) for name, value in reply.headers]
    return Outgoing(status=reply.status, headers=headers, body=body, slice=reply.slice)


async def send_whole(send: Send, answer: Outgoing) -> None:
    """Send an answer."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


async def send_slice(send: Send, receive: Receive, answer: Outgoing, *, slice: Slice) -> None:
    """Send an answer whose body is read meanwhile; what it is of is closed in the end. `NotSent`."""
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        at, end = slice.start, slice.start + slice.length
        while at < end:
            part = await asyncio.to_thread(slice.content.at, at, min(end - at, AT_ONCE))
            if not part or gone.done():
                raise NotSent
            at += len(part)
            async with asyncio.timeout(STALLED):
                await send({"type": "http.response.body", "body": part, "more_body": at < end})
        if not slice.length:
            await send({"type": "http.response.body", "body": b""})
    except (OSError, TimeoutError, asyncio.CancelledError) as error:  # the last: the server ends
        raise NotSent from error
    finally:
        gone.cancel()
        slice.content.close()


async def _hung_up(receive: Receive) -> None:
    """Come back when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


@lru_cache(64)
def _content_type(value: str) -> bytes:
    return _value(value)


def _name(name: str) -> bytes:
    encoded = _latin(name)
    if not HEADER_NAME.fullmatch(encoded):
        raise Unsendable(f"header name {name!r}")
    return encoded.lower()


def _value(value: str) -> bytes:
    encoded = _latin(value)
    if not HEADER_VALUE.fullmatch(encoded):
        raise Unsendable("a header value with control characters")
    return encoded


def _latin(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise Unsendable("a header beyond Latin-1") from error
