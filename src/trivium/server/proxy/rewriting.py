"""Heads on their way through: what is taken off, what is put in its place."""

from __future__ import annotations

import re
from functools import lru_cache

from trivium.base.values import Value
from trivium.server.proxy.access import Pass
from trivium.server.proxy.cookies import confined
from trivium.server.proxy.credentials import without_ours
from trivium.server.proxy.doors import Place
from trivium.server.proxy.heads import AnswerHead, RequestHead, tokens

_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
        b"content-length",  # set anew with the framing
    }
)
_NOT_IN = _HOP | {
    b"authorization",
    b"cookie",  # set anew without ours
    b"expect",  # answered here
    b"forwarded",
    b"host",
    b"token",
    b"via",
    b"x-auth-token",
    b"x-client-ip",
    b"x-original-url",
    b"x-real-ip",
    b"x-rewrite-url",
    b"x-scheme",
    b"x-trivium-forwarded",
}
_NOT_OUT = _HOP | {
    b"alt-svc",  # would send the browser past us
    b"clear-site-data",  # would throw away the cookies of all
    b"set-cookie2",
    b"strict-transport-security",  # is for whoever runs the host to say
}
_NOT_OUT_SHARED = _NOT_OUT | {b"service-worker-allowed"}  # one origin for all: a page keeps to its own paths
_NO_NAMES: frozenset[bytes] = frozenset()
_SITE = re.compile(rb"(?:https?:)?//([^/?#\\]+)(.*)", re.IGNORECASE)


FORWARDED = b"x-trivium-forwarded"
"""The field that says that a proxy of ours has sent the request on already: it is not sent on again."""

FORWARDED_LINE = b"X-Trivium-Forwarded: 1"


class Asked(Value, frozen=True):
    """A request's head with what is known of the client that sent it."""

    head: RequestHead
    host: bytes  # as the client addressed us
    client: bytes  # its address
    secure: bool  # whether it came by https


def request_head(asked: Asked, place: Place, passed: Pass, *, framing: bytes) -> bytes:
    """The head that the notebook gets; `framing`: whole lines that say how long the body is or what to upgrade to."""
    head = asked.head
    names, injected = _injected(passed.inject)
    dropped = _named(head.values) | names
    lines = [line for low, line in head.fields if _goes_in(low)]
    if dropped:
        lines = [line for low, line in head.fields if _goes_in(low) and _plain(low) not in dropped]
    if b"cookie" in head.values and b"cookie" not in dropped:
        cookies = without_ours(head.values[b"cookie"])
        if cookies:
            lines.append(b"Cookie: " + cookies)
    lines.append(
        b"%bX-Forwarded-For: %b\r\nX-Forwarded-Host: %b\r\nX-Forwarded-Proto: %b\r\n%b\r\n"
        % (
            injected,
            asked.client,
            asked.host,
            b"https" if asked.secure else b"http",
            b"X-Forwarded-Prefix: %b\r\n%b" % (place.prefix, framing) if place.prefix else framing,
        )
    )
    target = place.path + b"?" + place.query if place.query else place.path
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b" % (head.method.encode(), target, asked.host, b"\r\n".join(lines))


def untouched_head(asked: Asked, *, framing: bytes) -> bytes:
    """The head for another proxy of ours, with all that the client showed; only the framing is spelt anew."""
    head = asked.head
    dropped = _named(head.values) | _HOP | {b"expect", b"host"}
    lines = [line for low, line in head.fields if low not in dropped]
    lines[:0] = [b"%b %b HTTP/1.1\r\nHost: %b" % (head.method.encode(), head.target, asked.host), FORWARDED_LINE]
    return b"\r\n".join(lines) + b"\r\n" + framing + b"\r\n"


def answer_head(head: AnswerHead, place: Place, host: bytes, *, framing: bytes) -> bytes:
    """The head that the client gets; `framing` are whole lines, as above."""
    values = head.values
    dropped = _named(values)
    refused = _NOT_OUT if place.root == "/" else _NOT_OUT_SHARED
    lines = [line for low, line in head.fields if low not in refused]
    if dropped or b"set-cookie" in values or (place.prefix and b"location" in values):
        lines = [
            edited
            for low, line in head.fields
            if low not in refused
            and low not in dropped
            and (edited := _edited(low, line, place, host=host)) is not None
        ]
    lines.append(framing + b"\r\n")
    return b"HTTP/1.1 %d %b\r\n%b" % (head.status, head.reason, b"\r\n".join(lines))


def untouched_answer(head: AnswerHead, *, framing: bytes) -> bytes:
    """The head that another proxy of ours gave, which has made of it what the client is to see."""
    dropped = _named(head.values) | _HOP
    lines = [line for low, line in head.fields if low not in dropped]
    lines[:0] = [b"HTTP/1.1 %d %b" % (head.status, head.reason)]
    return b"\r\n".join(lines) + b"\r\n" + framing + b"\r\n"


def relocated(location: bytes, prefix: bytes, host: bytes) -> bytes:
    """Where a service redirects to, as the client must spell it."""
    site = _SITE.fullmatch(location)
    if site is not None:
        if site[1].lower() != host.lower():
            return location
        location = site[2] if site[2].startswith(b"/") else b"/" + site[2]
    if not location.startswith(b"/") or location == prefix or location.startswith(prefix + b"/"):
        return location
    return prefix + location


@lru_cache(maxsize=1024)
def _goes_in(low: bytes) -> bool:
    """Whether a field of that name may reach a notebook."""
    plain = _plain(low)
    return plain not in _NOT_IN and not plain.startswith(b"x-forwarded-")


@lru_cache(maxsize=256)
def _injected(inject: tuple[tuple[str, str], ...]) -> tuple[frozenset[bytes], bytes]:
    """The names that a client may not send beside what we send, and our lines."""
    names = frozenset(name.lower().encode("latin-1") for name, _ in inject)
    return names - _NOT_IN, b"".join([f"{name}: {value}\r\n".encode("latin-1") for name, value in inject])


def _plain(low: bytes) -> bytes:
    """The name as CGI's descendants see it, who cannot tell the two characters apart."""
    return low.replace(b"_", b"-")


def _edited(low: bytes, line: bytes, place: Place, *, host: bytes) -> bytes | None:
    """A field of an answer as the client gets it; None where it gets none."""
    if low == b"set-cookie":
        cookie = confined(line.partition(b":")[2].strip(b" \t"), root=place.root, prefix=place.prefix)
        return None if cookie is None else b"Set-Cookie: " + cookie
    if low == b"location" and place.prefix:
        return b"Location: " + relocated(line.partition(b":")[2].strip(b" \t"), place.prefix, host)
    return line


def _named(values: dict[bytes, bytes]) -> frozenset[bytes]:
    """The fields that `Connection` names: they are for this connection only."""
    connection = values.get(b"connection")
    if connection is None or connection in {b"keep-alive", b"close", b"Upgrade", b"upgrade"}:
        return _NO_NAMES
    return frozenset(tokens(connection))
