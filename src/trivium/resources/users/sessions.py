"""Sessions, and who stands behind a request: asked on every one, so each question is a single indexed look-up."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from msgspec import structs
from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, delete, insert, select, update

from trivium.base.caller import Caller, Role
from trivium.base.errors import Unauthenticated
from trivium.resources import events
from trivium.resources.projects import projects
from trivium.resources.users.errors import (
    KeyRefused,
    ProjectClosed,
    SessionEnded,
    SessionExpired,
    SessionUnknown,
    UserDisabled,
    UserGone,
)
from trivium.resources.users.table import key_pairs, memberships, session_of, sessions, users
from trivium.resources.users.types import WITHDRAWN, Session, SessionKind, UserStatus
from trivium.store import Prepared, Read, Row, Write

PURGED_AT_ONCE: Final = 1000


def open_session(
    tx: Write,
    caller: Caller,
    kind: SessionKind,
    *,
    lifetime: timedelta,
    region: str | None = None,
    token: str | None = None,
) -> Session:
    """A session of the caller's user and project, let in by the key pair that let the caller in.

    `token` is what the session will be found by, of which only the SHA-256 is kept; without one it is found by its id,
    which a signed token of the dialect carries.
    """
    id = tx.ids.next()
    values = {
        "id": id,
        "user_id": caller.user,
        "project_id": caller.project,
        "key_pair_id": caller.key,
        "kind": kind.value,
        "region": region,
        "token_hash": None if token is None else _hash(token),
        "issued_at": tx.now,
        "expires_at": tx.now + lifetime,
    }
    tx.run(insert(sessions).values(**values))
    events.record(tx, caller, "session.open", target=id, after={"kind": kind.value, "region": region})
    return get_session(tx, id)


def get_session(tx: Read, id: int) -> Session:
    """The session, whatever became of it; `SessionUnknown` where there is none."""
    row = tx.first(select(sessions).where(sessions.c.id == id))
    if row is None:
        raise SessionUnknown
    return session_of(row)


def end_session(tx: Write, caller: Caller, id: int) -> None:
    """End a session of the caller's own user, from the very next request on. Ending twice changes nothing."""
    session = get_session(tx, id)
    if session.user != caller.user:
        caller.must_be_admin("end other users' sessions")
    if tx.run(update(sessions).where(sessions.c.id == id, sessions.c.ended_at.is_(None)).values(ended_at=tx.now)):
        events.record(tx, caller, "session.end", target=id, project=session.project)
        tx.wake(WITHDRAWN)


def end_session_of(tx: Write, token: str, *, request: str = "", source: str = "") -> None:
    """End the session that was opened with that token, whatever became of its user; where there is none, nothing.

    Who has the token may end it, so nobody is asked who they are.
    """
    row = tx.first(_with_token(token))
    if row is None:
        return
    caller = Caller(
        user=row.user_id,
        user_name=row.user_name,
        project=row.project_id,
        role=Role(row.role),
        session=row.id,
        request=request,
        source=source,
    )
    end_session(tx, caller, row.id)


def prolong_session(tx: Write, caller: Caller, token: str, *, lifetime: timedelta) -> Session:
    """Let a session of the caller's own user last for so long from now; it may be shorter than it would have been.

    Raises `SessionUnknown` for one that is there no more, or that is another user's.
    """
    row = tx.first(_with_token(token))
    if row is None or row.user_id != caller.user:
        raise SessionUnknown
    going = (sessions.c.id == row.id, sessions.c.ended_at.is_(None), sessions.c.expires_at > tx.now)
    if not tx.run(update(sessions).where(*going).values(expires_at=tx.now + lifetime)):
        raise SessionUnknown
    events.record(tx, caller, "session.prolong", target=row.id, after={"seconds": int(lifetime.total_seconds())})
    tx.wake(WITHDRAWN)
    return get_session(tx, row.id)


def caller_of_session(
    tx: Read, id: int, *, request: str = "", source: str = "", renewable: timedelta = timedelta(0)
) -> Caller:
    """Who stands behind the session now. A frozen user's caller is `frozen`.

    `renewable` is how long after its end an expired session still counts, for calls that renew it. Raises
    `SessionUnknown`, `SessionExpired`, `SessionEnded`, `UserGone`, `UserDisabled`, `ProjectClosed` or `KeyRefused`.
    """
    return _caller_of(BY_SESSION.first(tx, id), tx.now - renewable, request=request, source=source)


def caller_of_token(
    tx: Read, token: str, *, request: str = "", source: str = "", renewable: timedelta = timedelta(0)
) -> Caller:
    """The same for the session that was opened with that token."""
    return _caller_of(BY_TOKEN.first(tx, _hash(token)), tx.now - renewable, request=request, source=source)


def caller_of_key(tx: Read, pair: int, *, request: str = "", source: str = "") -> Caller:
    """Who stands behind a request that the key pair signed; raises as `caller_of_session` does."""
    found: _Standing | None = BY_KEY.first(tx, pair)
    if found is None:
        raise KeyRefused
    row, caller = found
    _must_be_let_in(row)
    return structs.replace(caller, request=request, source=source)


def caller_in(tx: Read, caller: Caller, project: UUID) -> Caller | None:
    """The same caller in another project of theirs; None where they have no role in it, or it is switched off."""
    row = IN_PROJECT.first(tx, project, caller.user)
    return structs.replace(caller, project=row.id) if row is not None and row.enabled else None


def purge(tx: Write, before: datetime) -> int:
    """Remove sessions that expired before then, `PURGED_AT_ONCE` at most; how many they were."""
    old = select(sessions.c.id).where(sessions.c.expires_at < before).order_by(sessions.c.expires_at)
    return tx.run(delete(sessions).where(sessions.c.id.in_(old.limit(PURGED_AT_ONCE))))


def _with_token(token: str) -> Select[*tuple[Any, ...]]:
    joined = sessions.join(users, users.c.id == sessions.c.user_id)
    own = (sessions.c.id, sessions.c.user_id, sessions.c.project_id, users.c.name.label("user_name"), users.c.role)
    return select(*own).select_from(joined).where(sessions.c.token_hash == _hash(token))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _caller_of(found: _Standing | None, now: datetime, *, request: str, source: str) -> Caller:
    if found is None:
        raise SessionUnknown
    row, caller = found
    if row.ended_at is not None:
        raise SessionEnded
    _must_be_let_in(row)
    if row.expires_at <= now:
        raise SessionExpired
    return structs.replace(caller, request=request, source=source)


def _must_be_let_in(row: Row) -> None:
    refusal = _refusal(row)
    if refusal is not None:
        raise refusal


def _refusal(row: Row) -> Unauthenticated | None:
    if row.user_deleted_at is not None:
        return UserGone(name=row.user_name)
    if row.status == UserStatus.DISABLED:
        return UserDisabled(name=row.user_name)
    if not row.project_enabled or row.membership is None:
        return ProjectClosed()
    if row.key_pair_id is not None and (not row.key_enabled or row.key_deleted_at is not None):
        return KeyRefused()
    return None


def _of_session(row: Row) -> _Standing:
    return row, _caller(row, session=row.id, region=row.region)


def _of_key(row: Row) -> _Standing:
    return row, _caller(row, session=None, region=None)


def _caller(row: Row, *, session: int | None, region: str | None) -> Caller:
    return Caller(
        user=row.user_id,
        user_name=row.user_name,
        project=row.project_id,
        role=Role(row.role),
        session=session,
        key=row.key_pair_id,
        region=region,
        frozen=row.status == UserStatus.FROZEN,
    )


_Standing: TypeAlias = "tuple[Row, Caller]"
"""What decides whether somebody is let in, and who they are then, but for the request that they make."""

JUDGED: Final = (
    users.c.name.label("user_name"),
    users.c.role,
    users.c.status,
    users.c.deleted_at.label("user_deleted_at"),
    projects.c.enabled.label("project_enabled"),
    memberships.c.role.label("membership"),
    key_pairs.c.enabled.label("key_enabled"),
    key_pairs.c.deleted_at.label("key_deleted_at"),
)
"""What decides whether somebody is let in."""


def _behind_session(which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    joined = (
        sessions.join(users, users.c.id == sessions.c.user_id)
        .join(projects, projects.c.id == sessions.c.project_id)
        .outerjoin(memberships, _member_of(sessions.c.user_id, sessions.c.project_id))
        .outerjoin(key_pairs, key_pairs.c.id == sessions.c.key_pair_id)
    )
    own = (sessions.c.id, sessions.c.user_id, sessions.c.project_id, sessions.c.key_pair_id, sessions.c.region)
    return select(*own, sessions.c.expires_at, sessions.c.ended_at, *JUDGED).select_from(joined).where(which)


def _behind_key() -> Select[*tuple[Any, ...]]:
    joined = (
        key_pairs.join(users, users.c.id == key_pairs.c.user_id)
        .join(projects, projects.c.id == key_pairs.c.project_id)
        .outerjoin(memberships, _member_of(key_pairs.c.user_id, key_pairs.c.project_id))
    )
    own = (key_pairs.c.id.label("key_pair_id"), key_pairs.c.user_id, key_pairs.c.project_id)
    wanted = key_pairs.c.id == bindparam("wanted", type_=BigInteger)
    return select(*own, *JUDGED).select_from(joined).where(wanted)


def _member_of(user: ColumnElement[int], project: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(memberships.c.user_id == user, memberships.c.project_id == project)


BY_SESSION: Final = Prepared(_behind_session(sessions.c.id == bindparam("wanted")), "wanted", of=_of_session)
BY_TOKEN: Final = Prepared(_behind_session(sessions.c.token_hash == bindparam("wanted")), "wanted", of=_of_session)


def _in_project() -> Select[*tuple[Any, ...]]:
    joined = projects.join(memberships, memberships.c.project_id == projects.c.id)
    wanted = (projects.c.uuid == bindparam("project"), memberships.c.user_id == bindparam("user", type_=BigInteger))
    return select(projects.c.id, projects.c.enabled).select_from(joined).where(*wanted)


IN_PROJECT: Final = Prepared(_in_project(), "project", "user")
BY_KEY: Final = Prepared(_behind_key(), "wanted", of=_of_key)
