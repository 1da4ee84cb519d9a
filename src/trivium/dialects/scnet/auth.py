"""Who is let in: the signature that a login carries, and the tokens that every other call carries.

A token is a JWT (HS256) with the claims that SCNet's own have, and the id of a session. What it says of the user is for
its reader; who stands behind a request is asked of the session, each time.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from functools import lru_cache
from typing import Final

from trivium.base.caller import Caller
from trivium.base.ids import decimal_id
from trivium.base.keyring import Keyring
from trivium.base.text import fold
from trivium.dialects.operation import Core, Read, Request
from trivium.dialects.scnet import jwt
from trivium.dialects.scnet.errors import BadSignature, BadToken, OutsideWindow
from trivium.dialects.scnet.spelling import milliseconds, required
from trivium.resources import users
from trivium.resources.users import AccountFrozen, Session

SOURCE: Final = "scnet"
RENEWABLE: Final = timedelta(hours=24)
PLATFORM_ID: Final = "0"
PLATFORM_NAME: Final = "ac"
VERIFIED_TOKENS: Final = 4096
LATEST: Final = 1 << 40
"""Seconds; a later timestamp is no time that a clock could show."""


class Tokens:
    """Makes tokens, and tells which session one is for. The same on every server that has the same key file."""

    def __init__(self, keyring: Keyring, lifetime: timedelta) -> None:
        self.lifetime = lifetime
        self._key = keyring.derive("scnet.tokens")
        # A signature that was right stays right, so it is looked at once; the session is asked every time.
        self.session_of = lru_cache(VERIFIED_TOKENS)(self._session_of)

    def issue(self, caller: Caller, session: Session) -> str:
        """The token of a session."""
        claims = {
            "user": caller.user_name,
            "userId": str(caller.user),
            "computeUser": caller.user_name,
            "clusterId": session.region or PLATFORM_ID,
            "accountStatus": account_status(caller),
            "role": caller.role.value,
            "creator": PLATFORM_NAME,
            "invoker": caller.user_name,
            "expireTime": milliseconds(session.expires_at),
            "sessionId": str(session.id),
        }
        return jwt.encode(claims, self._key)

    def _session_of(self, token: str) -> int:
        """The id of the session; `BadToken` when the token was not made here or was changed."""
        try:
            claims = jwt.decode(token, self._key)
        except jwt.BadJwt as error:
            raise BadToken from error
        found = decimal_id(str(claims.get("sessionId", "")))
        if found is None:
            raise BadToken
        return found


def account_status(caller: Caller) -> str:
    """The status of an account: `Normal`, or `Frozen` when it is stopped."""
    return "Frozen" if caller.frozen else "Normal"


def signature_of(secret: str, *, access_key: str, timestamp: str, user: str) -> str:
    """The signature that a login carries, in lower-case hex."""
    message = f'{{"accessKey":"{_escaped(access_key)}","timestamp":"{_escaped(timestamp)}","user":"{_escaped(user)}"}}'
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


async def caller_by_signature(core: Core, request: Request, window: timedelta) -> Caller:
    """Who signed a login, at a time that is within the window around ours.

    Raises `Missing`, `OutsideWindow`, or `BadSignature` whatever is wrong with key, secret or user.
    """
    user = required(_header(request, "user"), "user")
    access_key = required(_header(request, "accesskey"), "accessKey")
    timestamp = required(_header(request, "timestamp"), "timestamp")
    signature = required(_header(request, "signature"), "signature")
    _must_be_recent(core, timestamp, window)
    key = await core.store.read(users.find_key, core.keyring, access_key)
    expected = signature_of(key.secret, access_key=access_key, timestamp=timestamp, user=user)
    right = hmac.compare_digest(expected.encode(), signature.lower().encode())
    if key.pair is None or not right or fold(user) != fold(key.pair.user_name):
        raise BadSignature
    return await core.store.read(users.caller_of_key, key.pair.id, request=request.id, source=SOURCE)


async def caller_by_token(
    core: Core, tokens: Tokens, request: Request, *, renewable: timedelta = timedelta(0)
) -> Caller:
    """Who stands behind the token of a request, frozen or not. `BadToken`, or what the session is refused for.

    `renewable` is how long after its end the token still counts.
    """
    session = session_named(tokens, request)
    return await core.store.read(caller_behind, session, request.id, site=core.site.id, renewable=renewable)


def session_named(tokens: Tokens, request: Request) -> int:
    """The session that the token of a request is for; `BadToken`."""
    token = request.headers.get("token", "").strip()
    if not token:
        raise BadToken
    return tokens.session_of(token)


def caller_behind(tx: Read, session: int, request: str, *, site: int, renewable: timedelta = timedelta(0)) -> Caller:
    """Who stands behind a session at this site, frozen or not. `BadToken`, or what the session is refused for."""
    caller = users.caller_of_session(tx, session, request=request, source=SOURCE, renewable=renewable)
    if caller.region not in (None, str(site)):
        raise BadToken
    return caller


def active_caller(tx: Read, session: int, request: str, *, site: int) -> Caller:
    """The same, and `AccountFrozen` when the account is stopped."""
    caller = caller_behind(tx, session, request, site=site)
    if caller.frozen:
        raise AccountFrozen
    return caller


def _must_be_recent(core: Core, timestamp: str, window: timedelta) -> None:
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > len(str(LATEST)):
        raise OutsideWindow("timestamp", minutes=int(window.total_seconds()) // 60)
    if abs(core.clock.now().timestamp() - int(timestamp)) > window.total_seconds():
        raise OutsideWindow("timestamp", minutes=int(window.total_seconds()) // 60)


def _header(request: Request, name: str) -> str | None:
    """A header's text. It comes as Latin-1; clients that have more to say send UTF-8."""
    value = request.headers.get(name)
    if value is None or value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
