"""Making users, finding them, and saying whether they get in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, insert, select, update

from trivium.base.caller import Caller, Role
from trivium.base.query import Listed, Query
from trivium.resources import events, projects
from trivium.resources.projects import Project
from trivium.resources.users import names
from trivium.resources.users.errors import (
    AccountFrozen,
    LastAdmin,
    StatusForbids,
    UserDisabled,
    UserGone,
    UserHolds,
    UserNameTaken,
    UserNotFound,
)
from trivium.resources.users.passwords import DECOY
from trivium.resources.users.table import (
    ACCOUNTS,
    ADMINS,
    key_pairs,
    memberships,
    password_of,
    sessions,
    user_of,
    users,
)
from trivium.resources.users.types import WITHDRAWN, Holdings, Login, NewUser, PasswordHash, User, UserStatus
from trivium.store import Read, Write, query

FIRST_UID: Final = 200_000
LAST_UID: Final = 2_000_000_000

EVERYBODY: Final = query.Scope(users.c.deleted_at.is_(None))
ONESELF: Final = query.Scope(users.c.id == bindparam("user", type_=BigInteger))
"""The accounts that there are, and the caller's own."""

ENABLE: Final = {UserStatus.DISABLED: UserStatus.ACTIVE, UserStatus.ACTIVE: UserStatus.ACTIVE}
DISABLE: Final = dict.fromkeys(UserStatus, UserStatus.DISABLED)
FREEZE: Final = {UserStatus.ACTIVE: UserStatus.FROZEN, UserStatus.FROZEN: UserStatus.FROZEN}
UNFREEZE: Final = {UserStatus.FROZEN: UserStatus.ACTIVE, UserStatus.ACTIVE: UserStatus.ACTIVE}


def create(tx: Write, caller: Caller, new: NewUser, *, project_name: str, new_uuid: Callable[[], UUID] = uuid4) -> User:
    """A new user in the default domain, with a default project of that name and a POSIX uid of its own.

    Raises `BadUserName`, `UserNameTaken`.
    """
    caller.must_be_admin("create users")
    name = names.check(new.name)
    projects.lock_accounts(tx)
    domain = projects.get_domain(tx).id
    if _named(tx, domain, name) is not None:
        raise UserNameTaken(name=name)
    id = tx.ids.next()
    project = projects.create(tx, caller, project_name, domain=domain, owner=id, new_uuid=new_uuid)
    values = {
        "id": id,
        "uuid": new.uuid or new_uuid(),
        "domain_id": domain,
        "name": name,
        "name_key": names.key(name),
        "full_name": new.full_name,
        "email": new.email,
        "password": new.password,
        "role": new.role.value,
        "status": UserStatus.ACTIVE.value,
        "reason": "",
        "posix_uid": _free_uid(tx, new.first_uid),
        "default_project_id": project.id,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    tx.run(insert(users).values(**values))
    _join(tx, id, project=project.id, role=Role.ADMIN)
    events.record(
        tx, caller, "user.create", target=id, project=project.id, after={"name": name, "role": new.role.value}
    )
    return get(tx, id)


def get(tx: Read, id: int) -> User:
    """The user, deleted ones too; `UserNotFound` where there is none. It asks for no right: callers do."""
    return _one(tx, users.c.id == id)


def find(tx: Read, name: str) -> User:
    """The user of that name in the default domain, however its case; `UserNotFound` where there is none."""
    user = _named(tx, projects.get_domain(tx).id, name)
    if user is None:
        raise UserNotFound(name=name)
    return user


def every(tx: Read, caller: Caller) -> Sequence[User]:
    """All users that are not deleted, oldest first."""
    caller.must_be_admin("list users")
    there = select(users).where(users.c.deleted_at.is_(None)).order_by(users.c.id)
    return [user_of(row) for row in tx.all(there)]


def list_accounts(tx: Read, caller: Caller, asked: Query) -> Listed[User]:
    """Users as accounts, as asked: an administrator sees all that are not deleted, anybody else themselves."""
    scope = EVERYBODY.of() if caller.is_admin else ONESELF.of(user=caller.user)
    found = query.page(tx, ACCOUNTS, asked, scope=(scope,))
    return Listed(rows=tuple(map(user_of, found.rows)), total=found.total, next=found.next)


def oldest_admin(tx: Read) -> User | None:
    """The administrator who is there longest, not counting those who are deleted; None in an empty site."""
    row = tx.first(select(users).where(ADMINS).order_by(users.c.id).limit(1))
    return None if row is None else user_of(row)


def login_of(tx: Read, name: str, *, request: str = "", source: str = "") -> Login:
    """What `passwords.check` needs to judge a name and password; for an unknown name a decoy."""
    row = tx.first(_by_name(projects.get_domain(tx).id, name))
    hash = None if row is None else password_of(row)
    if row is None or hash is None:
        return Login(caller=None, status=UserStatus.ACTIVE, hash=DECOY)
    caller = Caller(
        user=row.id,
        user_name=row.name,
        project=row.default_project_id,
        role=Role(row.role),
        frozen=row.status == UserStatus.FROZEN,
        request=request,
        source=source,
    )
    return Login(caller=caller, status=UserStatus(row.status), hash=hash)


def set_password(tx: Write, caller: Caller, id: int, *, password: PasswordHash) -> User:
    """Give the user another password and end all sessions of theirs. Users may do it for themselves."""
    user = _lock(tx, id)
    if caller.user != id:
        caller.must_be_admin("set other users' passwords")
    tx.run(update(users).where(users.c.id == id).values(password=password, changed_at=tx.now))
    _end_sessions(tx, id)
    events.record(tx, caller, "user.password", target=id, project=user.project)
    tx.wake(WITHDRAWN)
    return get(tx, id)


def enable(tx: Write, caller: Caller, id: int) -> User:
    """Let a disabled user in again. Asking twice changes nothing."""
    return _move(tx, caller, id, verb="enable", moves=ENABLE, reason="")


def disable(tx: Write, caller: Caller, id: int, *, reason: str = "") -> User:
    """Let the user in no more, from the very next request on. Asking twice changes nothing."""
    return _move(tx, caller, id, verb="disable", moves=DISABLE, reason=reason)


def freeze(tx: Write, caller: Caller, id: int, *, reason: str = "") -> User:
    """Stop the account: every request is answered with that, until `unfreeze`."""
    return _move(tx, caller, id, verb="freeze", moves=FREEZE, reason=reason)


def unfreeze(tx: Write, caller: Caller, id: int) -> User:
    """Let a frozen account go on."""
    return _move(tx, caller, id, verb="unfreeze", moves=UNFREEZE, reason="")


def delete(tx: Write, caller: Caller, id: int, *, holdings: Sequence[Holdings] = ()) -> None:
    """Delete the user with key pairs and sessions; the row stays for what refers to it.

    Raises `UserHolds` when one of `holdings` still has something of the user's, and `LastAdmin`.
    """
    caller.must_be_admin("delete users")
    projects.lock_accounts(tx)
    user = _lock(tx, id)
    _must_not_be_last_admin(tx, user)
    for holder in holdings:
        held = holder.held_by(tx, id)
        if held is not None:
            raise UserHolds(name=user.name, held=held)
    tx.run(
        update(key_pairs).where(key_pairs.c.user_id == id, key_pairs.c.deleted_at.is_(None)).values(deleted_at=tx.now)
    )
    _end_sessions(tx, id)
    gone = {"status": UserStatus.DISABLED.value, "password": None, "deleted_at": tx.now, "changed_at": tx.now}
    tx.run(update(users).where(users.c.id == id).values(**gone))
    events.record(tx, caller, "user.delete", target=id, project=user.project, before={"name": user.name})
    tx.wake(WITHDRAWN)


def role_in(tx: Read, user: int, project: int) -> Role | None:
    """The role that the user has in the project; None where they have none."""
    mine = (memberships.c.user_id == user, memberships.c.project_id == project)
    role = tx.value(select(memberships.c.role).where(*mine))
    return None if role is None else Role(role)


def projects_of(tx: Read, user: int) -> Sequence[tuple[Project, Role]]:
    """The projects in which the user has a role, with that role, oldest first; those that are switched off, too."""
    mine = select(memberships.c.project_id, memberships.c.role).where(memberships.c.user_id == user)
    rows = tx.all(mine.order_by(memberships.c.project_id))
    return [(projects.get(tx, row.project_id), Role(row.role)) for row in rows]


def lock_active(tx: Write, id: int) -> None:
    """Lock the user, who must be active, against deletion and disabling until this transaction ends.

    Raises `UserGone`, `UserDisabled` and `AccountFrozen` for one who was ended since they were let in.
    """
    row = tx.first(select(users).where(users.c.id == id).with_for_update(read=True, key_share=True))
    if row is None or row.deleted_at is not None:
        raise UserGone
    if row.status == UserStatus.DISABLED:
        raise UserDisabled(name=row.name)
    if row.status == UserStatus.FROZEN:
        raise AccountFrozen


def grant(tx: Write, caller: Caller, id: int, *, project: int, role: Role) -> None:
    """Give the user a role in a project, in place of the one they have in it."""
    caller.must_be_admin("give roles in projects")
    get(tx, id)
    projects.get(tx, project)
    mine = (memberships.c.user_id == id, memberships.c.project_id == project)
    if not tx.run(update(memberships).where(*mine).values(role=role.value)):
        _join(tx, id, project=project, role=role)
    events.record(tx, caller, "user.grant", target=id, project=project, after={"role": role.value})


def _move(tx: Write, caller: Caller, id: int, *, verb: str, moves: dict[UserStatus, UserStatus], reason: str) -> User:
    caller.must_be_admin(f"{verb} users")
    projects.lock_accounts(tx)
    user = _lock(tx, id)
    status = moves.get(user.status)
    if status is None:
        raise StatusForbids(name=user.name, status=user.status.value, verb=verb)
    if status is user.status:
        return user
    if status is not UserStatus.ACTIVE:
        _must_not_be_last_admin(tx, user)
    values = {"status": status.value, "reason": reason, "changed_at": tx.now}
    tx.run(update(users).where(users.c.id == id).values(**values))
    before, after = {"status": user.status.value}, {"status": status.value, "reason": reason}
    events.record(tx, caller, f"user.{verb}", target=id, project=user.project, before=before, after=after)
    tx.wake(WITHDRAWN)
    return get(tx, id)


def _must_not_be_last_admin(tx: Read, user: User) -> None:
    others = (ADMINS, users.c.status == UserStatus.ACTIVE.value, users.c.id != user.id)
    if user.role is Role.ADMIN and tx.first(select(users.c.id).where(*others).limit(1)) is None:
        raise LastAdmin(name=user.name)


def _lock(tx: Write, id: int) -> User:
    row = tx.lock(select(users).where(users.c.id == id, users.c.deleted_at.is_(None)))
    if row is None:
        raise UserNotFound
    return user_of(row)


def _one(tx: Read, which: ColumnElement[bool]) -> User:
    row = tx.first(select(users).where(which))
    if row is None:
        raise UserNotFound
    return user_of(row)


def _named(tx: Read, domain: int, name: str) -> User | None:
    row = tx.first(_by_name(domain, name))
    return None if row is None else user_of(row)


def _by_name(domain: int, name: str) -> Select[Any]:
    there = (users.c.domain_id == domain, users.c.name_key == names.key(name), users.c.deleted_at.is_(None))
    return select(users).where(*there)


def _free_uid(tx: Read, first: int | None) -> int:
    """The next POSIX uid; `lock_accounts` keeps two from getting the same. `first`: what a new site begins with."""
    largest = tx.value(select(func.max(users.c.posix_uid)))
    return first or FIRST_UID if largest is None else largest + 1


def _join(tx: Write, user: int, *, project: int, role: Role) -> None:
    tx.run(insert(memberships).values(user_id=user, project_id=project, role=role.value, created_at=tx.now))


def _end_sessions(tx: Write, user: int) -> None:
    open_ones = (sessions.c.user_id == user, sessions.c.ended_at.is_(None), sessions.c.expires_at > tx.now)
    tx.run(update(sessions).where(*open_ones).values(ended_at=tx.now))
