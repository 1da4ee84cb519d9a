"""Sessions: logging in and out, and how long a session lasts.

An account of ZStack's is a user in their own default project; who logs in as a user of an account is a user who has a
role in the default project of another. Passwords come as the lower-case hex SHA-512 of what people type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Annotated, Final
from uuid import UUID, uuid4

from msgspec import Meta

from trivium.base.caller import Caller
from trivium.base.errors import Unauthenticated
from trivium.base.ids import uuid_of
from trivium.base.text import fold
from trivium.dialects.operation import Mark, Nothing, Read, Wire, Write
from trivium.dialects.zstack import auth, uuids
from trivium.dialects.zstack.apis import Act, Api, Exchange, Look, at
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.refusals import Mandatory, UnknownLogin
from trivium.dialects.zstack.settings import ZStackSettings
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.resources import projects, users
from trivium.resources.users import AccountFrozen, Session, SessionKind, SessionUnknown, WrongPassword

ACCOUNT: Final = "account"
DIGEST: Final = re.compile(r"[0-9a-fA-F]{128}")
LONGEST: Final = 1 << 31
"""Seconds; more than any session lasts."""

NO_DIGEST: Final = "0" * 128
"""What is checked in place of what is no digest, so that it costs the same."""

Name = Annotated[str, Meta(min_length=1, max_length=255)]


class LogInByAccountAsked(Wire, frozen=True, kw_only=True, rename="camel"):
    """Which account wants in."""

    account_name: Name
    password: Annotated[str, Meta(min_length=1)]


class LogInAsked(Wire, frozen=True, kw_only=True, rename="camel"):
    """Who wants in, and as what."""

    username: Name
    password: Annotated[str, Meta(min_length=1)]
    login_type: str = ACCOUNT


class LogInByUserAsked(Wire, frozen=True, kw_only=True, rename="camel"):
    """Which user of which account wants in."""

    user_name: Name
    password: Annotated[str, Meta(min_length=1)]
    account_name: str | None = None
    account_uuid: str | None = None


class OfSession(Wire, frozen=True, kw_only=True, rename="camel"):
    """Which session."""

    session_uuid: str


class RenewAsked(OfSession, frozen=True, kw_only=True):
    """Which session is to last, and for how many seconds from now; as long as a new one where it is not said."""

    duration: Annotated[int, Meta(ge=1)] | None = None


class SessionShape(Shape, frozen=True, kw_only=True):
    """A session."""

    uuid: str
    account_uuid: str
    user_uuid: str
    user_type: str
    expired_date: str
    create_date: str


class Sessions:
    """The calls that open, prolong and end sessions; `utc_offset` is that of the times that they tell."""

    def __init__(
        self, settings: ZStackSettings, utc_offset: timedelta, *, new_uuid: Callable[[], UUID] = uuid4
    ) -> None:
        self._lifetime = settings.session_lifetime
        self._utc_offset = utc_offset
        self._new_uuid = new_uuid

    async def log_in_by_account(self, exchange: Exchange, asked: LogInByAccountAsked) -> Result:
        """A session of an account.

        Raises `WrongPassword` whatever is wrong with name or password, and `UserDisabled` and `AccountFrozen` only to
        who knows the password.
        """
        caller = await _known(exchange, asked.account_name, asked.password)
        return await self._opened(exchange, caller)

    async def log_in(self, exchange: Exchange, asked: LogInAsked) -> Result:
        """The same, of the ways to log in that there are. Raises `UnknownLogin`, too."""
        if asked.login_type.lower() != ACCOUNT:
            raise UnknownLogin("loginType", found=asked.login_type[:100], known=ACCOUNT)
        caller = await _known(exchange, asked.username, asked.password)
        return await self._opened(exchange, caller)

    async def log_in_by_user(self, exchange: Exchange, asked: LogInByUserAsked) -> Result:
        """A session of a user in an account's default project; `WrongPassword` where they have no role in it."""
        if asked.account_name is None and asked.account_uuid is None:
            raise Mandatory("accountName", of="APILogInByUserMsg")
        caller = await _known(exchange, asked.user_name, asked.password)
        caller = await exchange.core.store.read(_in_account, caller, asked)
        return await self._opened(exchange, caller)

    async def log_out(self, exchange: Exchange, asked: OfSession) -> Result:
        """The session is over, if it was one."""
        if uuids.is_one(asked.session_uuid):
            token = asked.session_uuid.lower()
            await exchange.core.store.write(users.end_session_of, token, request=exchange.request, source=auth.SOURCE)
        return {}

    async def renew(self, exchange: Exchange, asked: RenewAsked) -> Result:
        """The session with its new end, which lies no further off than a new session's.

        It is answered at once, for a job would keep the session's uuid where anybody could read it.
        """
        return await exchange.core.store.write(self._prolong, exchange.caller, asked)

    async def _opened(self, exchange: Exchange, caller: Caller) -> Result:
        if caller.frozen:
            raise AccountFrozen
        return await exchange.core.store.write(self._open, caller)

    def _prolong(self, tx: Write, caller: Caller, asked: RenewAsked) -> Result:
        wanted = self._lifetime if asked.duration is None else timedelta(seconds=min(asked.duration, LONGEST))
        if not uuids.is_one(asked.session_uuid):
            raise SessionUnknown
        token = asked.session_uuid.lower()
        session = users.prolong_session(tx, caller, token, lifetime=min(wanted, self._lifetime))
        return {"inventory": self._shape(tx, session, token)}

    def _open(self, tx: Write, caller: Caller) -> Result:
        token = self._new_uuid().hex
        session = users.open_session(tx, caller, SessionKind.ZSTACK, lifetime=self._lifetime, token=token)
        return {"inventory": self._shape(tx, session, token)}

    def _shape(self, tx: Read, session: Session, token: str) -> SessionShape:
        user = users.get(tx, session.user)
        account = users.get(tx, projects.get(tx, session.project).owner)
        return SessionShape(
            uuid=token,
            account_uuid=account.uuid.hex,
            user_uuid=user.uuid.hex,
            user_type="Account" if account.id == user.id else "User",
            expired_date=time_text(session.expires_at, self._utc_offset),
            create_date=time_text(session.issued_at, self._utc_offset),
        )


def is_valid(tx: Read, _caller: Caller, asked: OfSession) -> Result:
    """Whether the session lets somebody in."""
    try:
        auth.admit(tx, asked.session_uuid, "")
    except (Unauthenticated, AccountFrozen):
        return {"valid": False}
    return {"valid": True}


def login_procedures(_tx: Read, _caller: Caller, _asked: Nothing) -> Result:
    """What a login takes beside the password: nothing."""
    return {"inventories": []}


def version(_tx: Read, _caller: Caller, _asked: Nothing) -> Result:
    """Which version of Trivium this is."""
    return {"version": _version()}


@cache
def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - takes long to import

    return version("trivium")


def apis(settings: ZStackSettings, utc_offset: timedelta) -> tuple[Api, ...]:
    """The calls."""
    calls = Sessions(settings, utc_offset)
    return (*_logins(calls), *_of_sessions(calls), *_OPEN)


def _logins(calls: Sessions) -> tuple[Api, ...]:
    return (
        Api(
            name="LogInByAccount",
            places=(at("PUT", "/accounts/login"),),
            handler=Act(act=calls.log_in_by_account),
            mark=Mark.COMPANION,
            summary="A session, for who knows an account's name and password",
            shape=LogInByAccountAsked,
            wrappers=("logIn",),
            public=True,
            reply="APILogInReply",
        ),
        Api(
            name="LogIn",
            places=(at("PUT", "/login"),),
            handler=Act(act=calls.log_in),
            mark=Mark.COMPANION,
            summary="The same, as newer clients ask for it",
            shape=LogInAsked,
            public=True,
        ),
        Api(
            name="LogInByUser",
            places=(at("PUT", "/accounts/users/login"),),
            handler=Act(act=calls.log_in_by_user),
            mark=Mark.BEYOND,
            summary="A session in the project of another account, for a user who has a role there",
            shape=LogInByUserAsked,
            public=True,
            reply="APILogInReply",
        ),
    )


def _of_sessions(calls: Sessions) -> tuple[Api, ...]:
    return (
        Api(
            name="LogOut",
            places=(at("DELETE", "/accounts/sessions/{sessionUuid}"),),
            handler=Act(act=calls.log_out),
            mark=Mark.COMPANION,
            summary="End a session",
            shape=OfSession,
            public=True,
        ),
        Api(
            name="ValidateSession",
            places=(at("GET", "/accounts/sessions/{sessionUuid}/valid"),),
            handler=Look(look=is_valid),
            mark=Mark.COMPANION,
            summary="Whether a session is valid",
            shape=OfSession,
            public=True,
        ),
        Api(
            name="RenewSession",
            places=(at("PUT", "/accounts/sessions/{sessionUuid}/renew"),),
            handler=Act(act=calls.renew),
            mark=Mark.BEYOND,
            summary="Give a session another time to end at",
            shape=RenewAsked,
            reply="APIRenewSessionEvent",
        ),
    )


_OPEN: Final = (
    Api(
        name="GetVersion",
        handler=Look(look=version),
        mark=Mark.COMPANION,
        summary="Which version this is",
        public=True,
    ),
    Api(
        name="GetLoginProcedures",
        places=(at("GET", "/login/procedures"),),
        handler=Look(look=login_procedures),
        mark=Mark.BEYOND,
        summary="What a login takes beside the password: nothing",
        public=True,
    ),
)


async def _known(exchange: Exchange, name: str, password: str) -> Caller:
    """Who knows the password. Checking takes a while on purpose."""
    login = await exchange.core.store.read(users.login_of, name, request=exchange.request, source=auth.SOURCE)
    digest = password if DIGEST.fullmatch(password) else NO_DIGEST
    return await exchange.core.passwords.check(login, digest, address=exchange.peer)


def _in_account(tx: Read, caller: Caller, asked: LogInByUserAsked) -> Caller:
    """The caller in the default project of the account. Raises `WrongPassword`."""
    mine = [project for project, _ in users.projects_of(tx, caller.user)]
    for project in mine:
        owner = users.get(tx, project.owner)
        is_named = asked.account_name is None or fold(owner.name) == fold(asked.account_name)
        is_meant = asked.account_uuid is None or owner.uuid == uuid_of(asked.account_uuid)
        if is_named and is_meant and owner.project == project.id:
            found = users.caller_in(tx, caller, project.uuid)
            if found is not None:
                return found
    raise WrongPassword
