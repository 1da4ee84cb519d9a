"""Credentials: found where a client may put them, and kept from the notebook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote_plus, unquote_to_bytes

from trivium.server.proxy.access import NOTHING, Credential, CredentialSource
from trivium.server.proxy.heads import KEPT, Fields

COOKIE_PREFIX = "trivium-nb-"
_OURS = re.compile(rb"(?:__(?:host|secure)-)?trivium-", re.IGNORECASE)  # the console's cookies come along: ports share
_HEADER = re.compile(rb"(?:token|bearer)[ ]+([\x21-\x7e]{1,4096})", re.IGNORECASE)
_GRANT = re.compile(r"[A-Za-z0-9._~+/=-]{1,3072}")
_NESTED = 4  # times that an address may be encoded to stand in another's query
_MOST_COOKIES = 4  # of one name: a page of another notebook may have set some to be in the way


def cookie_name(notebook: str) -> str:
    """The name of the cookie that opens a notebook."""
    return COOKIE_PREFIX + notebook


def credentials_of(values: dict[bytes, bytes], link: str | None, notebook: str) -> list[Credential]:
    """All credentials of a request, in the order in which they are tried; never empty."""
    shown: list[Credential] = []
    header = _HEADER.fullmatch(values.get(b"authorization", b""))
    if header is not None:
        shown.append(Credential(source=CredentialSource.HEADER, secret=header[1].decode("ascii")))
    if link:
        shown.append(Credential(source=CredentialSource.LINK, secret=link))
    wanted = cookie_name(notebook).encode()
    found = [value for name, value in _pairs(values.get(b"cookie", b"")) if name == wanted and value.isascii()]
    grants = [value.decode("ascii") for value in found[:_MOST_COOKIES]]
    shown.extend(Credential(source=CredentialSource.COOKIE, secret=grant) for grant in grants)
    return shown or [NOTHING]


def credentials_in(fields: Fields, notebook: str) -> Sequence[Credential]:
    """The same for a request without a token in its address; fields that came before are not looked through again."""
    shown = _credentials_in if fields.is_short else _credentials_in.__wrapped__
    return shown(fields, notebook)


@lru_cache(KEPT)
def _credentials_in(fields: Fields, notebook: str) -> Sequence[Credential]:
    return tuple(credentials_of(fields.values, None, notebook))


def take_token(query: bytes) -> tuple[bytes, str | None]:
    """The query without each `token`, however it is spelt, and the first of them that is not empty."""
    if b"token" not in query and b"%" not in query:
        return query, None
    kept: list[bytes] = []
    token: str | None = None
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if unquote_plus(name.decode("latin-1")) != "token":
            kept.append(part)
        elif token is None and value:
            token = unquote_plus(value.decode("latin-1"))
    return b"&".join(kept), token


def without_token(referer: bytes) -> bytes:
    """The address that a browser came from, without its query where that may hold a token, even of an address in it."""
    address, mark, query = referer.partition(b"?")
    plain = query
    for _ in range(_NESTED):
        plain = unquote_to_bytes(plain)
    return address if mark and b"token" in plain.lower() else referer


def without_ours(cookies: bytes) -> bytes:
    """A `Cookie` field without our own cookies; empty when nothing is left."""
    parts = [part.strip() for part in cookies.split(b";")]
    return b"; ".join(part for part in parts if part and not is_ours(part.partition(b"=")[0]))


def is_ours(name: bytes) -> bool:
    """Whether a cookie of this name is Trivium's."""
    return _OURS.match(name.strip()) is not None


def grant_cookie(notebook: str, grant: str, *, path: str, secure: bool) -> str:
    """The `Set-Cookie` field that hands a grant to a browser. Raises ValueError for a grant that no cookie can hold."""
    if _GRANT.fullmatch(grant) is None:
        message = "a grant must fit into a cookie"
        raise ValueError(message)
    cookie = f"{cookie_name(notebook)}={grant}; Path={path}; HttpOnly; SameSite=Lax"
    return cookie + "; Secure" if secure else cookie


def _pairs(cookies: bytes) -> list[tuple[bytes, bytes]]:
    if b"trivium-" not in cookies:
        return []
    halves = (part.partition(b"=") for part in cookies.split(b";"))
    return [(name.strip(), value.strip()) for name, _, value in halves]
