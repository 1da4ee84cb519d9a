"""Between ASGI's messages and the dialects' `Request` and `Reply`. No answer is begun that could not be ended."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from trivium.base.values import Value
from trivium.dialects.operation import Reply, Request

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

HEADER_NAME: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")
HEADER_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
BODILESS: Final = frozenset({204, 304})


class Unsendable(ValueError):
    """A reply that HTTP has no form for: control characters in a header, text beyond Latin-1, a status out of range."""


class Outgoing(Value, frozen=True):
    """A reply in ASGI's form."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


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
            (b"content-length", b"%d" % len(body)),
        ]
    headers += [(_name(name), _value(value)) for name, value in reply.headers]
    return Outgoing(status=reply.status, headers=headers, body=body)


async def send_whole(send: Send, answer: Outgoing) -> None:
    """Send an answer."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


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
