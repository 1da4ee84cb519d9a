"""Users on both databases: who is there, who gets in, and who must stay."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.builders import Place, place
from trivium.base.caller import SYSTEM, Caller, Role
from trivium.base.errors import Forbidden
from trivium.base.query import Condition, Op, Order, Query
from trivium.resources import events, projects, users
from trivium.resources.projects import ProjectNameTaken
from trivium.resources.users import (
    KeyRefused,
    LastAdmin,
    NewUser,
    StatusForbids,
    UserHolds,
    UserNameTaken,
    UserNotFound,
    UserStatus,
)
from trivium.resources.users.accounts import FIRST_UID
from trivium.store import Read, Store, Write

Change = Callable[[Write, Caller, int], object]
LEAVING: tuple[Change, ...] = (users.disable, users.freeze, users.delete)


@contextmanager
def store_beside(url: str, here: Place) -> Iterator[Store]:
    """A second process's store, as it were, on the same database."""
    store = Store.open(url, here.clock, "test")
    try:
        yield store
    finally:
        store.close()


class Holding:
    """A room in which the user has something."""

    def held_by(self, tx: Read, user: int) -> str | None:
        return f"2 things of {users.get(tx, user).name}"


def _create(here: Place, name: str, role: Role = Role.MEMBER) -> users.User:
    return here.store.write_now(users.create, here.admin, NewUser(name=name, role=role), project_name="trivium")


def test_a_new_user_has_a_project_a_uid_and_an_event(here: Place) -> None:
    made = _create(here, "Alice")
    project = here.store.read_now(projects.get, made.project)
    assert (made.name, made.role, made.status) == ("Alice", Role.MEMBER, UserStatus.ACTIVE)
    assert (project.name, project.owner) == ("trivium", made.id)
    assert here.store.read_now(users.role_in, made.id, made.project) is Role.ADMIN
    assert made.posix_uid == FIRST_UID + 1  # the administrator has the first
    assert made.created_at == here.clock.now()
    event = here.store.read_now(events.latest, "user")[0]
    assert (event.action, event.target, event.user, event.project) == (
        "user.create",
        made.id,
        here.admin.user,
        made.project,
    )


def test_names_are_one_whatever_their_case(here: Place) -> None:
    made = _create(here, "Alice")
    assert here.store.read_now(users.find, "ALICE") == made
    with pytest.raises(UserNameTaken):
        _create(here, "aLICE")


def test_a_deleted_users_name_is_free_again_and_the_uid_is_not(here: Place) -> None:
    old = _create(here, "alice")
    here.store.write_now(users.delete, here.admin, old.id)
    new = _create(here, "alice")
    assert new.posix_uid == old.posix_uid + 1
    assert here.store.read_now(users.find, "alice").id == new.id
    assert here.store.read_now(users.get, old.id).deleted_at == here.clock.now()
    assert [user.name for user in here.store.read_now(users.every, here.admin)] == ["admin", "alice"]


def test_users_who_are_created_at_once_get_uids_of_their_own(database_url: str) -> None:
    with place(database_url) as one, store_beside(database_url, one) as other:
        threads = [
            threading.Thread(target=_create_some, args=(store, one, prefix))
            for store, prefix in ((one.store, "a"), (other, "b"), (one.store, "c"), (other, "d"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        there = one.store.read_now(users.every, one.admin)
    assert len(there) == 1 + 4 * 4
    assert sorted(user.posix_uid for user in there) == list(range(FIRST_UID, FIRST_UID + 17))


def _create_some(store: Store, here: Place, prefix: str) -> None:
    for number in range(4):
        new = NewUser(name=f"{prefix}{number}")
        store.write_now(users.create, here.admin, new, project_name="trivium")


def test_only_an_administrator_manages_users(here: Place) -> None:
    alice = here.user("alice")
    bob = here.user("bob")
    new = NewUser(name="carol")
    store = here.store
    with pytest.raises(Forbidden):
        store.write_now(users.create, alice, new, project_name="trivium")
    with pytest.raises(Forbidden):
        store.write_now(users.disable, alice, bob.user)
    with pytest.raises(Forbidden):
        store.write_now(users.delete, alice, bob.user)
    with pytest.raises(Forbidden):
        store.write_now(users.set_password, alice, bob.user, password=users.PasswordHash("x"))
    with pytest.raises(Forbidden):
        store.write_now(users.grant, alice, alice.user, project=bob.project, role=Role.ADMIN)
    with pytest.raises(Forbidden):
        store.read_now(users.every, alice)
    assert len(store.read_now(users.every, here.admin)) == 3


def test_what_a_refused_change_did_is_undone(here: Place) -> None:
    before = len(here.store.read_now(events.latest, "project"))
    with pytest.raises(UserNameTaken):
        _create(here, "admin")
    assert len(here.store.read_now(events.latest, "project")) == before


def test_disabling_and_enabling_twice_change_nothing_more(here: Place) -> None:
    alice = here.user("alice").user
    first = here.store.write_now(users.disable, here.admin, alice, reason="left")
    again = here.store.write_now(users.disable, here.admin, alice, reason="left twice")
    assert (first.status, first.reason) == (UserStatus.DISABLED, "left")
    assert again == first
    back = here.store.write_now(users.enable, here.admin, alice)
    assert (back.status, back.reason) == (UserStatus.ACTIVE, "")
    actions = [event.action for event in here.store.read_now(events.latest, "user", target=alice)]
    assert actions == ["user.enable", "user.disable", "user.create"]


def test_freezing_and_disabling_are_not_mixed_up(here: Place) -> None:
    alice = here.user("alice").user
    store = here.store
    assert store.write_now(users.freeze, here.admin, alice).status is UserStatus.FROZEN
    with pytest.raises(StatusForbids):
        store.write_now(users.enable, here.admin, alice)
    assert store.write_now(users.unfreeze, here.admin, alice).status is UserStatus.ACTIVE
    store.write_now(users.freeze, here.admin, alice)
    assert store.write_now(users.disable, here.admin, alice).status is UserStatus.DISABLED
    for forbidden in (users.freeze, users.unfreeze):
        with pytest.raises(StatusForbids):
            store.write_now(forbidden, here.admin, alice)


def test_the_last_active_administrator_cannot_go(here: Place) -> None:
    for going in LEAVING:
        with pytest.raises(LastAdmin):
            here.store.write_now(going, here.admin, here.admin.user)
    bob = here.user("bob", Role.ADMIN)
    assert here.store.write_now(users.disable, bob, here.admin.user).status is UserStatus.DISABLED
    with pytest.raises(LastAdmin):
        here.store.write_now(users.disable, bob, bob.user)


def test_a_user_who_still_has_something_stays(here: Place) -> None:
    alice = here.user("alice").user
    with pytest.raises(UserHolds) as caught:
        here.store.write_now(users.delete, here.admin, alice, holdings=(Holding(),))
    assert caught.value.details["held"] == "2 things of alice"
    assert here.store.read_now(users.find, "alice").id == alice


def test_a_deleted_user_is_nobody_to_change(here: Place) -> None:
    alice = here.user("alice").user
    here.store.write_now(users.delete, here.admin, alice)
    for change in (*LEAVING, users.enable):
        with pytest.raises(UserNotFound):
            here.store.write_now(change, here.admin, alice)
    with pytest.raises(UserNotFound):
        here.store.read_now(users.find, "alice")


def test_a_role_is_given_in_a_project_and_changed_there(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    assert here.store.read_now(users.role_in, bob.user, alice.project) is None
    for role in (Role.MEMBER, Role.ADMIN):
        here.store.write_now(users.grant, here.admin, bob.user, project=alice.project, role=role)
        assert here.store.read_now(users.role_in, bob.user, alice.project) is role


def test_an_owner_has_each_project_name_once_and_others_may_have_it_too(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    domain = here.store.read_now(projects.get_domain).id
    made = here.store.write_now(projects.create, here.admin, "vision", domain=domain, owner=alice.user)
    assert here.store.read_now(projects.get_by_uuid, made.uuid) == made
    here.store.write_now(projects.create, here.admin, "vision", domain=domain, owner=bob.user)
    with pytest.raises(ProjectNameTaken):
        here.store.write_now(projects.create, here.admin, "vision", domain=domain, owner=alice.user)


def test_a_new_password_ends_the_old_one(here: Place) -> None:
    alice = here.user("alice")
    store = here.store
    assert store.read_now(users.login_of, "alice").caller is None, "without a password nobody logs in"
    store.write_now(users.set_password, alice, alice.user, password=users.hash_of("one"))
    assert users.check_password(store.read_now(users.login_of, "ALICE"), users.digest_of("one")).user == alice.user
    store.write_now(users.set_password, here.admin, alice.user, password=users.hash_of("two"))
    with pytest.raises(users.WrongPassword):
        users.check_password(store.read_now(users.login_of, "alice"), users.digest_of("one"))


def test_the_platform_itself_is_named_in_events(here: Place) -> None:
    event = here.store.read_now(events.latest, "domain")[0]
    assert (event.user, event.user_name, event.source) == (SYSTEM.user, "trivium", "worker")


def test_deleting_a_user_refuses_their_keys(here: Place) -> None:
    alice = here.user("alice")
    fresh = users.fresh_key()
    pair = here.store.write_now(users.create_key, alice, here.keyring, fresh=fresh, user=alice.user)
    here.store.write_now(users.delete, here.admin, alice.user)
    assert here.store.read_now(users.find_key, here.keyring, fresh.access_key).pair is None
    with pytest.raises((users.UserGone, KeyRefused)):
        here.store.read_now(users.caller_of_key, pair.id)


def test_accounts_are_all_to_an_administrator_and_oneself_to_others(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("Bob")
    here.store.write_now(users.delete, here.admin, here.user("carol").user)
    asked = Query(order=(Order(field="id"),))
    everybody = here.store.read_now(users.list_accounts, here.admin, asked)
    assert [user.id for user in everybody.rows] == [here.admin.user, alice.user, bob.user]
    own = here.store.read_now(users.list_accounts, alice, asked)
    assert ([user.id for user in own.rows], own.total) == ([alice.user], 1)
    named = Query(where=(Condition(field="name", op=Op.EQ, value="BOB"),))
    assert [user.name for user in here.store.read_now(users.list_accounts, here.admin, named).rows] == ["Bob"]
    assert here.store.read_now(users.list_accounts, alice, named).rows == ()
