"""Sessions on both databases: who stands behind a request, now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, update

from tests.builders import Place
from trivium.base.caller import Caller, Role
from trivium.base.clock import ManualClock
from trivium.base.errors import Forbidden
from trivium.resources import events, projects, users
from trivium.resources.users import (
    KeyRefused,
    ProjectClosed,
    SessionEnded,
    SessionExpired,
    SessionKind,
    SessionUnknown,
    UserDisabled,
    UserGone,
)
from trivium.store import Read

HOUR = timedelta(hours=1)


def _open(here: Place, caller: Caller, token: str | None = None) -> users.Session:
    return here.store.write_now(
        users.open_session, caller, SessionKind.SCNET, lifetime=HOUR, region="10001", token=token
    )


def _behind(here: Place, session: users.Session, renewable: timedelta = timedelta(0)) -> Caller:
    return here.store.read_now(users.caller_of_session, session.id, renewable=renewable)


def _move(here: Place, by: timedelta) -> None:
    assert isinstance(here.clock, ManualClock)
    here.clock.move(by)


def _with_key(here: Place, name: str) -> tuple[Caller, str]:
    owner = here.user(name)
    fresh = users.fresh_key()
    pair = here.store.write_now(users.create_key, owner, here.keyring, fresh=fresh, user=owner.user)
    return here.store.read_now(users.caller_of_key, pair.id), fresh.access_key


def test_a_session_stands_for_its_user_project_key_and_region(here: Place) -> None:
    caller, _ = _with_key(here, "alice")
    session = _open(here, caller)
    found = here.store.read_now(users.caller_of_session, session.id, request="r1", source="scnet")
    assert (found.user, found.user_name, found.project, found.role) == (
        caller.user,
        "alice",
        caller.project,
        Role.MEMBER,
    )
    assert (found.session, found.key, found.region) == (session.id, caller.key, "10001")
    assert (found.request, found.source, found.frozen) == ("r1", "scnet", False)
    assert session.expires_at == here.clock.now() + HOUR


def test_a_session_is_found_by_its_token_of_which_only_a_hash_is_kept(here: Place) -> None:
    alice = here.user("alice")
    session = _open(here, alice, token="t0ken")
    assert here.store.read_now(users.caller_of_token, "t0ken").session == session.id
    row = here.store.read_now(lambda tx: tx.first(users.sessions.select()))
    assert "t0ken" not in str(row)
    with pytest.raises(SessionUnknown):
        here.store.read_now(users.caller_of_token, "other")


def test_a_session_expires_to_the_moment_and_may_be_renewed_a_while(here: Place) -> None:
    session = _open(here, here.user("alice"))
    _move(here, HOUR - timedelta(microseconds=1))
    _behind(here, session)
    _move(here, timedelta(microseconds=1))
    with pytest.raises(SessionExpired):
        _behind(here, session)
    assert _behind(here, session, renewable=HOUR).session == session.id
    _move(here, HOUR)
    with pytest.raises(SessionExpired):
        _behind(here, session, renewable=HOUR)


def test_an_ended_session_is_refused_also_for_renewal(here: Place) -> None:
    alice = here.user("alice")
    session = _open(here, alice)
    for _ in range(2):
        here.store.write_now(users.end_session, alice, session.id)
    with pytest.raises(SessionEnded):
        _behind(here, session, renewable=HOUR)
    actions = [one.action for one in here.store.read_now(events.latest, "session", target=session.id)]
    assert actions == ["session.end", "session.open"]


def test_nobody_ends_another_users_session_but_an_administrator(here: Place) -> None:
    session = _open(here, here.user("alice"))
    with pytest.raises(Forbidden):
        here.store.write_now(users.end_session, here.user("bob"), session.id)
    _behind(here, session)
    here.store.write_now(users.end_session, here.admin, session.id)
    with pytest.raises(SessionEnded):
        _behind(here, session)


def test_an_unknown_session_is_refused(here: Place) -> None:
    with pytest.raises(SessionUnknown):
        here.store.read_now(users.caller_of_session, 1)


def test_a_frozen_user_is_let_in_as_frozen(here: Place) -> None:
    alice = here.user("alice")
    session = _open(here, alice)
    here.store.write_now(users.freeze, here.admin, alice.user)
    assert _behind(here, session).frozen
    here.store.write_now(users.unfreeze, here.admin, alice.user)
    assert not _behind(here, session).frozen


def _disable(here: Place, alice: Caller, _key: str) -> None:
    here.store.write_now(users.disable, here.admin, alice.user)


def _delete(here: Place, alice: Caller, _key: str) -> None:
    table = users.sessions
    here.store.write_now(users.delete, here.admin, alice.user)
    # Also when the session itself were overlooked, its user is gone.
    here.store.write_now(lambda tx: tx.run(update(table).values(ended_at=None)))


def _delete_key(here: Place, _alice: Caller, key: str) -> None:
    here.store.write_now(users.delete_key, here.admin, key)


def _disable_key(here: Place, _alice: Caller, _key: str) -> None:
    here.store.write_now(lambda tx: tx.run(update(users.key_pairs).values(enabled=False)))


def _take_role(here: Place, alice: Caller, _key: str) -> None:
    mine = users.memberships.c.user_id == alice.user
    here.store.write_now(lambda tx: tx.run(delete(users.memberships).where(mine)))


def _disable_project(here: Place, alice: Caller, _key: str) -> None:
    its = projects.projects.c.id == alice.project
    here.store.write_now(lambda tx: tx.run(update(projects.projects).where(its).values(enabled=False)))


def _change_password(here: Place, alice: Caller, _key: str) -> None:
    here.store.write_now(users.set_password, alice, alice.user, password=users.PasswordHash("$argon2id$"))


@pytest.mark.parametrize(
    ("close", "refusal"),
    [
        pytest.param(_disable, UserDisabled, id="user disabled"),
        pytest.param(_delete, UserGone, id="user deleted"),
        pytest.param(_delete_key, KeyRefused, id="key deleted"),
        pytest.param(_disable_key, KeyRefused, id="key disabled"),
        pytest.param(_take_role, ProjectClosed, id="role taken"),
        pytest.param(_disable_project, ProjectClosed, id="project disabled"),
        pytest.param(_change_password, SessionEnded, id="password changed"),
    ],
)
def test_the_very_next_request_is_refused(
    here: Place, close: Callable[[Place, Caller, str], None], refusal: type[Exception]
) -> None:
    alice, key = _with_key(here, "alice")
    session, other = _open(here, alice), _open(here, here.user("bob"))
    _behind(here, session)
    close(here, alice, key)
    with pytest.raises(refusal):
        _behind(here, session)
    with pytest.raises(refusal):
        _behind(here, session, renewable=HOUR)
    if close is not _disable_key:
        _behind(here, other)


def test_who_stands_behind_a_request_is_asked_in_one_statement(here: Place) -> None:
    session = _open(here, here.user("alice"), token="t")
    _, key = _with_key(here, "bob")
    pair = here.store.read_now(users.get_key, here.admin, key).id
    asking: tuple[Callable[[Read], Caller], ...] = (
        lambda tx: users.caller_of_session(tx, session.id),
        lambda tx: users.caller_of_token(tx, "t"),
        lambda tx: users.caller_of_key(tx, pair),
    )
    for ask in asking:
        assert len(here.store.read_now(_statements, ask)) == 1


class _Heard(Read):
    """A view that tells what is sent to the database on either way."""

    def __init__(self, tx: Read) -> None:
        super().__init__(tx.connection, tx.flavour, tx.now, statements=tx.statements)
        self.seen: list[str] = []

    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        self.seen.append(sql)
        return super().fetch(sql, parameters)


def _statements(tx: Read, ask: Callable[[Read], Caller]) -> list[str]:
    """What is sent to the database while somebody asks."""
    heard = _Heard(tx)

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        heard.seen.append(statement)

    event.listen(tx.connection, "before_cursor_execute", note)
    ask(heard)
    event.remove(tx.connection, "before_cursor_execute", note)
    return heard.seen


def test_only_sessions_that_are_over_are_purged(here: Place) -> None:
    alice = here.user("alice")
    old = _open(here, alice)
    _move(here, 2 * HOUR)
    new = _open(here, alice)
    assert here.store.write_now(users.purge, here.clock.now()) == 1
    assert here.store.write_now(users.purge, here.clock.now()) == 0
    with pytest.raises(SessionUnknown):
        _behind(here, old)
    _behind(here, new)


def test_whoever_has_a_token_may_end_its_session_whatever_became_of_the_user(here: Place) -> None:
    alice = here.user("alice")
    session = _open(here, alice, token="secret")
    here.store.write_now(users.disable, here.admin, alice.user)
    here.store.write_now(users.end_session_of, "secret", request="r1", source="zstack")
    here.store.write_now(users.end_session_of, "secret")
    here.store.write_now(users.end_session_of, "another")
    here.store.write_now(users.enable, here.admin, alice.user)
    with pytest.raises(SessionEnded):
        here.store.read_now(users.caller_of_token, "secret")
    (ended,) = [one for one in here.store.read_now(events.latest, "session") if one.action == "session.end"]
    assert (ended.target, ended.user_name, ended.request, ended.source) == (session.id, "alice", "r1", "zstack")


def test_a_session_is_given_another_end_by_its_own_user_alone(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    session = _open(here, alice, token="secret")
    for lifetime in (3 * HOUR, HOUR / 60):
        longer = here.store.write_now(users.prolong_session, alice, "secret", lifetime=lifetime)
        assert (longer.id, longer.expires_at) == (session.id, here.clock.now() + lifetime)
    for caller, token in ((bob, "secret"), (here.admin, "secret"), (alice, "another")):
        with pytest.raises(SessionUnknown):
            here.store.write_now(users.prolong_session, caller, token, lifetime=HOUR)
    _move(here, HOUR / 60)
    with pytest.raises(SessionUnknown):
        here.store.write_now(users.prolong_session, alice, "secret", lifetime=HOUR)
    assert here.store.read_now(events.latest, "session")[0].action == "session.prolong"
