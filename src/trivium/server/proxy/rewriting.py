"""Heads on their way through: what is taken off, what is put in its place."""

from __future__ import annotations

import re

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


class Asked(Value, frozen=True):
    """A request's head with what is known of the client that sent it."""

    head: RequestHead
    host: bytes  # as the client addressed us
    client: bytes  # its address
    secure: bool  # whether it came by https


def request_head(asked: Asked, place: Place, passed: Pass, *, framing: bytes) -> bytes:
    """The head that the notebook gets; `framing`: whole lines that say how long the body is or what to upgrade to."""
    head = asked.head
    target = place.path + b"?" + place.query if place.query else place.path
    injected = [(name.lower().encode("latin-1"), f"{name}: {value}".encode("latin-1")) for name, value in passed.inject]
    dropped = _named(head.values) | {name for name, _ in injected}
    lines = [b"%b %b HTTP/1.1\r\nHost: %b" % (head.method.encode("ascii"), target, asked.host)]
    for low, name, value in head.fields:
        plain = low.replace(b"_", b"-") if b"_" in low else low  # CGI's descendants cannot tell them apart
        if plain in _NOT_IN or plain in dropped or plain.startswith(b"x-forwarded-"):
            continue
        lines.append(name + b": " + value)
    cookies = without_ours(head.values.get(b"cookie", b""))
    if cookies and b"cookie" not in dropped:
        lines.append(b"Cookie: " + cookies)
    lines.extend(line for _, line in injected)
    lines.append(b"X-Forwarded-For: %b\r\nX-Forwarded-Host: %b" % (asked.client, asked.host))
    lines.append(b"X-Forwarded-Proto: https" if asked.secure else b"X-Forwarded-Proto: http")
    if place.prefix:
        lines.append(b"X-Forwarded-Prefix: " + place.prefix)
    return b"\r\n".join(lines) + b"\r\n" + framing + b"\r\n"


def answer_head(head: AnswerHead, place: Place, host: bytes, *, framing: bytes) -> bytes:
    """The head that the client gets; `framing` are whole lines, as above."""
    dropped = _named(head.values)
    refused = _NOT_OUT if place.root == "/" else _NOT_OUT_SHARED
    lines = [b"HTTP/1.1 %d %b" % (head.status, head.reason)]
    for low, name, value in head.fields:
        if low in refused or low in dropped:
            continue
        if low == b"set-cookie":
            cookie = confined(value, root=place.root, prefix=place.prefix)
            if cookie is not None:
                lines.append(b"Set-Cookie: " + cookie)
        elif low == b"location" and place.prefix:
            lines.append(b"Location: " + relocated(value, place.prefix, host))
        else:
            lines.append(name + b": " + value)
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


def _named(values: dict[bytes, bytes]) -> frozenset[bytes]:
    """The fields that `Connection` names: they are for this connection only."""
    connection = values.get(b"connection")
    if connection is None or connection in {b"keep-alive", b"close", b"Upgrade", b"upgrade"}:
        return _NO_NAMES
    return frozenset(tokens(connection))
