"""Who is let in: by the signature of an access key, an IAM token, or a link that was signed here; in which project.

What a request shows is looked at without the database first, and judged in the transaction that the request is answered
from, so a key, session, user or project that is refused is refused from the very next request on.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from trivium.base.caller import Caller
from trivium.base.ids import uuid_of
from trivium.base.keyring import Keyring
from trivium.base.values import Value
from trivium.dialects.modelarts import links, signing
from trivium.dialects.modelarts.errors import (
    LinkRefused,
    NoCredentials,
    ProjectMismatch,
    SignatureOutsideWindow,
    SignatureRefused,
    TokenRefused,
)
from trivium.dialects.modelarts.links import Link, Links
from trivium.dialects.modelarts.settings import ModelArtsSettings
from trivium.dialects.operation import Read, Request
from trivium.dialects.remembering import remembered
from trivium.resources import users
from trivium.resources.users import AccountFrozen, SessionUnknown

SOURCE: Final = "modelarts"
TOKEN_MARK: Final = "tma-"  # noqa: S105 - sessions of other dialects have tokens, too, and these begin otherwise
PROJECT: Final = "project_id"


class Token(Value, frozen=True):
    """An IAM token."""

    text: str


class Signed(Value, frozen=True):
    """A signature with what it is for."""

    signature: signing.Signature
    payload: str


Credential: TypeAlias = "Token | Signed | Link"


def credential_of(request: Request, settings: ModelArtsSettings, now: datetime) -> Credential:
    """What a request shows: what its headers have goes before a link.

    Raises `NoCredentials`, `TokenRefused`, `SignatureOutsideWindow` or `SignatureRefused`.
    """
    token = request.headers.get("x-auth-token", "").strip()
    if "authorization" not in request.headers and token:
        if not token.startswith(TOKEN_MARK):
            raise TokenRefused
        return Token(text=token)
    signature = signing.parsed(request.headers)
    link = None if "authorization" in request.headers else links.shown(request)
    if link is not None:
        return link
    if signature is None:
        raise NoCredentials
    at = signing.time_of(signature.stamp)
    if at is None or abs(now - at) > settings.signature_window:
        raise SignatureOutsideWindow(minutes=int(settings.signature_window.total_seconds()) // 60)
    payload = signing.payload_hash(
        request.body,
        declared=request.headers.get(signing.CONTENT),
        content_type=request.headers.get("content-type", ""),
    )
    if payload is None:
        raise SignatureRefused
    return Signed(signature=signature, payload=payload)


def admit(
    tx: Read,
    credential: Credential,
    request: Request,
    *,
    keyring: Keyring,
    settings: ModelArtsSettings,
    signed: Links,
) -> Caller:
    """Who stands behind that, in the project that the path names.

    Raises `SignatureRefused`, `TokenRefused`, `LinkRefused`, `AccountFrozen`, `ProjectMismatch`, or what key, session
    or user are refused for.
    """
    if isinstance(credential, Token):
        caller = _by_token(tx, credential, request)
    elif isinstance(credential, Link):
        caller = _by_link(tx, credential, request, signed=signed)
    else:
        caller = _by_signature(tx, credential, request, keyring=keyring, settings=settings)
    if caller.frozen:
        raise AccountFrozen
    return in_project(tx, caller, request)


def user_of_key(tx: Read, signed: Signed, keyring: Keyring) -> int:
    """Whose key a request says that it is signed with, which is no proof; 0 for a key that nobody has."""
    pair = users.find_key(tx, keyring, signed.signature.access_key).pair
    return 0 if pair is None else pair.user


def in_project(tx: Read, caller: Caller, request: Request) -> Caller:
    """The caller in the project of the path; as they are where the path names none.

    A header names no project that the path does not: it grants nothing, and is a mismatch where it differs.
    """
    named = request.parameters.get(PROJECT)
    if named is None:
        return caller
    header = request.headers.get("x-project-id", "").strip()
    uuid = _written_so(named)
    if uuid is None or (header and header != named):
        raise ProjectMismatch
    found = users.caller_in(tx, caller, uuid)
    if found is None:
        raise ProjectMismatch
    return found


@remembered
def _written_so(named: str) -> UUID | None:
    """The project's UUID as paths have it: in hex, in lower case."""
    uuid = uuid_of(named)
    return uuid if uuid is not None and named == uuid.hex else None


def _by_token(tx: Read, token: Token, request: Request) -> Caller:
    try:
        return users.caller_of_token(tx, token.text, request=request.id, source=SOURCE)
    except SessionUnknown as error:
        raise TokenRefused from error


def _by_link(tx: Read, link: Link, request: Request, *, signed: Links) -> Caller:
    """Whose the session or the key pair is that a link stands for."""
    if not signed.is_good(link, request.path, tx.now):
        raise LinkRefused
    by = users.caller_of_session if link.of_session else users.caller_of_key
    return by(tx, link.number, request=request.id, source=SOURCE)


def _by_signature(
    tx: Read, signed: Signed, request: Request, *, keyring: Keyring, settings: ModelArtsSettings
) -> Caller:
    """Who signed; for a key that nobody has the same work is done, with a secret that nobody knows."""
    key = users.find_key(tx, keyring, signed.signature.access_key)
    right = False
    for headers in signing.spellings(signed.signature, request.headers, settings.hosts):
        expected = signing.expected(
            key.secret,
            method=request.method,
            raw_path=request.raw_path,
            raw_query=request.query,
            headers=headers,
            payload=signed.payload,
            stamp=signed.signature.stamp,
        )
        right = hmac.compare_digest(expected.encode(), signed.signature.signature.encode()) or right
    if key.pair is None or not right:
        raise SignatureRefused
    return users.caller_of_key(tx, key.pair.id, request=request.id, source=SOURCE)
