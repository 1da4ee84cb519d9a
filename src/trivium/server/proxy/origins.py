"""Whether a request comes from a page of the notebook itself.

The proxy vouches for a request to the notebook with the notebook's own token, so the notebook's defence against forged
requests is switched off; what stands here takes its place.
"""

from __future__ import annotations

import re

from trivium.server.proxy.access import CredentialSource
from trivium.server.proxy.addresses import host_of
from trivium.server.proxy.heads import RequestHead
from trivium.server.proxy.problems import Malformed, Problem

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({b"same-origin", b"none"})
_GOING = b"navigate"  # the browser shows what it gets to the person, and not to the page that sent it there
_ORIGIN = re.compile(rb"(https?)://([^/?#@]+)")
_DEFAULT_PORTS = {b"http": 80, b"https": 443}


def check_websocket(head: RequestHead, host: bytes, *, secure: bool) -> None:
    """Raise `Problem` (403) for a handshake from a page that is not the notebook's."""
    origin = head.values.get(b"origin")
    if origin is not None and not is_own(origin, host, secure=secure):
        raise Problem(403, "proxy.origin")


def check_forgery(head: RequestHead, host: bytes, source: CredentialSource, *, secure: bool) -> None:
    """Raise `Problem` (403) for a request that another page had the browser send, unless the browser only goes there.

    One that fetches is refused like one that changes things: a page that includes another's script learns what it says.
    """
    if source in {CredentialSource.HEADER, CredentialSource.LINK}:
        return  # a page that can say the secret needs no browser to do it
    values = head.values
    is_own_site = values.get(b"sec-fetch-site", b"none") in _OWN_SITES
    if head.method in _SAFE:
        if not is_own_site and values.get(b"sec-fetch-mode", _GOING) != _GOING:
            raise Problem(403, "proxy.origin")
        return
    origin = values.get(b"origin")
    if not is_own_site or (origin is not None and not is_own(origin, host, secure=secure)):
        raise Problem(403, "proxy.origin")


def is_own(origin: bytes, host: bytes, *, secure: bool) -> bool:
    """Whether `origin` is how the client itself addressed us, as its `Host` field says."""
    found = _ORIGIN.fullmatch(origin.lower())
    if found is None or (secure and found[1] != b"https"):
        return False
    default = _DEFAULT_PORTS[found[1]]
    try:
        (name, port), (our_name, our_port) = host_of(found[2]), host_of(host)
    except Malformed:
        return False
    return name == our_name and (port or default) == (our_port or default)
