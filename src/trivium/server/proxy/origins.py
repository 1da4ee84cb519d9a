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
_ORIGIN = re.compile(rb"(https?)://([^/?#@]+)")
_DEFAULT_PORTS = {b"http": 80, b"https": 443}


def check_websocket(head: RequestHead, host: bytes, *, secure: bool) -> None:
    """Raise `Problem` (403) for a handshake from a page that is not the notebook's."""
    origin = head.values.get(b"origin")
    if origin is not None and not is_own(origin, host, secure=secure):
        raise Problem(403, "proxy.origin")


def check_forgery(head: RequestHead, host: bytes, source: CredentialSource, *, secure: bool) -> None:
    """Raise `Problem` (403) for a request that changes things and that another page had the browser send."""
    if source in {CredentialSource.HEADER, CredentialSource.LINK} or head.method in _SAFE:
        return  # a page that can say the secret needs no browser to do it
    origin = head.values.get(b"origin")
    if origin is not None and not is_own(origin, host, secure=secure):
        raise Problem(403, "proxy.origin")
    if head.values.get(b"sec-fetch-site", b"none") not in _OWN_SITES:
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
