"""Heads on their way through: what is taken off, what is put in its place."""

from __future__ import annotations

import re
from functools import lru_cache

from trivium.base.values import Value
from trivium.server.proxy.access import Admission
from trivium.server.proxy.addresses import Place
from trivium.server.proxy.cookies import confined
from trivium.server.proxy.credentials import without_ours, without_token
from trivium.server.proxy.heads import KEPT, AnswerHead, Fields, RequestHead, tokens

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
_GUARDING = frozenset({b"cross-origin-resource-policy"})
_NO_NAMES: frozenset[bytes] = frozenset()
_SITE = re.compile(rb"(?:https?:)?//([^/?#\\]+)(.*)", re.IGNORECASE)


FORWARDED = b"x-trivium-forwarded"
"""The field that says that a proxy of ours has sent the request on already: it is not sent on again."""

GUARD = b"Cross-Origin-Resource-Policy: same-origin\r\n"
"""The field by which a browser shows to no page of another origin what a cookie of ours may have opened."""

FORWARDED_LINE = b"X-Trivium-Forwarded: 1"


class Asked(Value, frozen=True):
    """A request's head with what is known of the client that sent it."""

    head: RequestHead
    host: bytes  # as the client addressed us
    client: bytes  # its address
    secure: bool  # whether it came by https


def request_head(asked: Asked, place: Place, admission: Admission, *, framing: bytes) -> bytes:
    """The head that the notebook gets; `framing`: whole lines that say how long the body is or what to upgrade to."""
    head = asked.head
    fields = inward_fields(asked, place, admission)
    target = place.path + b"?" + place.query if place.query else place.path
    return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (head.method.encode(), target, fields, framing)


def inward_fields(asked: Asked, place: Place, admission: Admission) -> bytes:
    """The fields of a request as the notebook gets them, those of its framing apart; whole lines."""
    fields = asked.head.fields
    inward = _inward if fields.is_short else _inward.__wrapped__
    return inward(fields, admission.inject, asked.host, client=asked.client, secure=asked.secure, prefix=place.prefix)


def untouched_head(asked: Asked, *, framing: bytes) -> bytes:
    """The head for another proxy of ours, with all that the client showed; only the framing is spelt anew."""
    head = asked.head
    dropped = _named(head.values) | _HOP | {b"expect", b"host"}
    lines = [line for low, line in head.fields.lines if low not in dropped]
    lines[:0] = [b"%b %b HTTP/1.1\r\nHost: %b" % (head.method.encode(), head.target, asked.host), FORWARDED_LINE]
    return b"\r\n".join(lines) + b"\r\n" + framing + b"\r\n"


def answer_head(
    head: AnswerHead, *, root: str, prefix: bytes, host: bytes, framing: bytes, guard: bytes = b""
) -> bytes:
    """The head that the client gets. Cookies are confined to `root`, redirects led back to `prefix` on our `host`.

    `guard`: `GUARD` in place of whatever the notebook says of that.
    """
    refused = (_NOT_OUT if root == "/" else _NOT_OUT_SHARED) | _named(head.values)
    if guard:
        refused |= _GUARDING
    lines = [b"HTTP/1.1 %d %b" % (head.status, head.reason)]
    for low, line in head.fields.lines:
        if low in refused:
            continue
        if low == b"set-cookie":
            cookie = confined(_value(line), root=root, prefix=prefix)
            if cookie is not None:
                lines.append(b"Set-Cookie: " + cookie)
        elif low == b"location" and prefix:
            lines.append(b"Location: " + relocated(_value(line), prefix, host))
        else:
            lines.append(line)
    return b"\r\n".join(lines) + b"\r\n" + guard + framing + b"\r\n"


def untouched_answer(head: AnswerHead, *, framing: bytes) -> bytes:
    """The head that another proxy of ours gave, which has made of it what the client is to see."""
    dropped = _named(head.values) | _HOP
    lines = [line for low, line in head.fields.lines if low not in dropped]
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


@lru_cache(KEPT)
def _inward(
    fields: Fields, inject: tuple[tuple[str, str], ...], host: bytes, *, client: bytes, secure: bool, prefix: bytes
) -> bytes:
    """The fields of a request as the notebook gets them, whole lines."""
    names, injected = _injected(inject)
    dropped = _named(fields.values) | names | _NOT_IN
    lines = [b"Host: " + host]
    kept = [(low, line) for low, line in fields.lines if not _is_kept_back(low.replace(b"_", b"-"), dropped)]
    lines += [b"Referer: " + without_token(_value(line)) if low == b"referer" else line for low, line in kept]
    cookies = without_ours(fields.values.get(b"cookie", b""))
    if cookies and b"cookie" not in _named(fields.values) | names:
        lines.append(b"Cookie: " + cookies)
    lines += injected
    lines += [b"X-Forwarded-For: " + client, b"X-Forwarded-Host: " + host]
    lines.append(b"X-Forwarded-Proto: https" if secure else b"X-Forwarded-Proto: http")
    if prefix:
        lines.append(b"X-Forwarded-Prefix: " + prefix)
    return b"\r\n".join(lines) + b"\r\n"


def _is_kept_back(plain: bytes, dropped: frozenset[bytes]) -> bool:
    """Whether a field does not reach the notebook; `plain` as CGI's descendants spell it, to whom _ and - are one."""
    return plain in dropped or plain.startswith(b"x-forwarded-")


def _injected(inject: tuple[tuple[str, str], ...]) -> tuple[frozenset[bytes], list[bytes]]:
    """The names that a client may not send beside what we send, and our lines."""
    names = frozenset(name.lower().encode("latin-1") for name, _ in inject)
    return names, [f"{name}: {value}".encode("latin-1") for name, value in inject]


def _value(line: bytes) -> bytes:
    return line.partition(b":")[2].strip(b" \t")


def _named(values: dict[bytes, bytes]) -> frozenset[bytes]:
    """The fields that `Connection` names: they are for this connection only."""
    connection = values.get(b"connection")
    if connection is None or connection in {b"keep-alive", b"close", b"Upgrade", b"upgrade"}:
        return _NO_NAMES
    return frozenset(tokens(connection))
