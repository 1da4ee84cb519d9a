"""Who is let in: whoever has the uuid of a session that goes on."""

from __future__ import annotations

from typing import Final

from trivium.base.caller import Caller
from trivium.dialects.operation import Read, Request
from trivium.dialects.zstack import uuids
from trivium.dialects.zstack.refusals import BadCredentials, NoCredentials
from trivium.resources import users
from trivium.resources.users import AccountFrozen, SessionUnknown

SOURCE: Final = "zstack"
SCHEME: Final = "OAuth"


def credential_of(request: Request) -> str:
    """The uuid of the session that a request of REST shows. `NoCredentials` or `BadCredentials`."""
    header = request.headers.get("authorization", "").strip()
    if not header:
        raise NoCredentials
    scheme, _, token = header.partition(" ")
    if scheme.lower() != SCHEME.lower() or not token.strip():
        raise BadCredentials
    return token.strip()


def admit(tx: Read, session: str, request: str) -> Caller:
    """Who stands behind a session, for the request of that id.

    Raises `AccountFrozen`, or what the session, its user or its project is refused for.
    """
    if not uuids.is_one(session):  # what other dialects' sessions are found by is never one
        raise SessionUnknown
    caller = users.caller_of_token(tx, session.lower(), request=request, source=SOURCE)
    if caller.frozen:
        raise AccountFrozen
    return caller
