"""Tokens: login, renewal, and whether one is valid."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from trivium.base.caller import Caller
from trivium.dialects.operation import Call, Mark, Nothing, Operation
from trivium.dialects.scnet.auth import (
    PLATFORM_ID,
    PLATFORM_NAME,
    RENEWABLE,
    Tokens,
    caller_by_signature,
    caller_by_token,
)
from trivium.dialects.scnet.spelling import Shape
from trivium.resources import users
from trivium.resources.users import AccountFrozen, SessionKind

VALID: Final = "token is valid"

Bare = Call[Nothing, Nothing]


class TokenShape(Shape, frozen=True, kw_only=True):
    """A region that the user may use, or the platform itself, with the token for it."""

    cluster_id: str
    cluster_name: str
    token: str | None  # None: the account is stopped in that region


def operations(tokens: Tokens, window: timedelta) -> tuple[Operation, ...]:
    """The operations. They are open to all as far as the server is concerned: each looks at what it is given itself."""

    async def log_in(call: Bare) -> list[TokenShape]:
        caller = await caller_by_signature(call.core, call.request, window)
        site = call.core.site
        region = None if caller.frozen else await _token(call, caller, str(site.id))
        return [
            TokenShape(cluster_id=PLATFORM_ID, cluster_name=PLATFORM_NAME, token=await _token(call, caller, None)),
            TokenShape(cluster_id=str(site.id), cluster_name=site.name, token=region),
        ]

    async def renew(call: Bare) -> str:
        caller = await caller_by_token(call.core, tokens, call.request, renewable=RENEWABLE)
        if caller.frozen:
            raise AccountFrozen
        return await _token(call, caller, caller.region)

    async def state(call: Bare) -> str:
        # A frozen account's token is a valid token: the page of this interface knows no 10007.
        await caller_by_token(call.core, tokens, call.request)
        return VALID

    async def _token(call: Bare, caller: Caller, region: str | None) -> str:
        session = await call.core.store.write(
            users.open_session, caller, SessionKind.SCNET, lifetime=tokens.lifetime, region=region
        )
        return tokens.issue(caller, session)

    return (
        Operation(
            name="GetUserTokens",
            method="POST",
            path="/api/user/v3/tokens",
            handler=log_in,
            mark=Mark.COMPANION,
            summary="Tokens for the platform and its region, for who signs with an access key",
            public=True,
        ),
        Operation(
            name="RenewToken",
            method="POST",
            path="/ac/openapi/v2/tokens/next",
            handler=renew,
            mark=Mark.COMPANION,
            summary="A new token for one that expired at most 24 hours ago",
            public=True,
        ),
        Operation(
            name="GetTokenState",
            method="GET",
            path="/ac/openapi/v2/tokens/state",
            handler=state,
            mark=Mark.COMPANION,
            summary="Whether a token is valid",
            public=True,
        ),
    )
