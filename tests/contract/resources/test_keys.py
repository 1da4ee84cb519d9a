"""Key pairs on both databases."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.builders import Place
from trivium.base.errors import Forbidden
from trivium.base.keyring import Keyring
from trivium.resources import events, users
from trivium.resources.users import FreshKey, KeyNotFound, KeyRefused, KeyringMismatch, ProjectClosed, UserDisabled
from trivium.resources.users.table import key_files


def _key(here: Place, owner: int, fresh: FreshKey | None = None) -> tuple[FreshKey, users.KeyPair]:
    fresh = fresh or users.fresh_key()
    return fresh, here.store.write_now(users.create_key, here.admin, here.keyring, fresh=fresh, user=owner)


def test_fresh_keys_need_no_escaping_and_differ() -> None:
    made = [users.fresh_key() for _ in range(50)]
    assert all(re.fullmatch(r"[A-Z0-9]{20}", one.access_key) for one in made)
    assert all(re.fullmatch(r"[A-Za-z0-9]{40}", one.secret) for one in made)
    assert len({one.access_key for one in made} | {one.secret for one in made}) == 100


def test_a_key_is_found_with_its_secret_which_the_database_does_not_hold(here: Place) -> None:
    alice = here.user("alice")
    fresh, pair = _key(here, alice.user)
    assert (pair.user, pair.user_name, pair.project, pair.enabled) == (alice.user, "alice", alice.project, True)
    found = here.store.read_now(users.find_key, here.keyring, fresh.access_key)
    assert (found.secret, found.pair) == (fresh.secret, pair)
    row = here.store.read_now(lambda tx: tx.first(users.key_pairs.select()))
    assert row is not None
    assert fresh.secret not in str(row)


def test_a_secret_stands_in_no_event(here: Place) -> None:
    fresh, _ = _key(here, here.user("alice").user)
    event = here.store.read_now(events.latest, "key")[0]
    assert fresh.access_key in (event.after or "")
    assert fresh.secret not in str(event)


def test_an_unknown_key_has_a_decoy_of_the_same_look(here: Place) -> None:
    unknown = here.store.read_now(users.find_key, here.keyring, "NOBODYHASTHISKEY1234")
    assert unknown.pair is None
    assert len(unknown.secret) == len(users.fresh_key().secret)


def test_a_sealed_secret_is_of_no_use_under_another_access_key(here: Place) -> None:
    one, _ = _key(here, here.user("alice").user)
    two, _ = _key(here, here.user("bob").user)
    table = users.key_pairs
    sealed = here.store.read_now(lambda tx: tx.value(table.select().with_only_columns(table.c.secret)))
    assert here.keyring.open(sealed, f"key:{one.access_key}") == one.secret
    with pytest.raises(Exception, match="does not open"):
        here.keyring.open(sealed, f"key:{two.access_key}")


def test_who_stands_behind_a_key(here: Place) -> None:
    alice = here.user("alice")
    _, pair = _key(here, alice.user)
    caller = here.store.read_now(users.caller_of_key, pair.id, request="r1", source="modelarts")
    assert (caller.user, caller.project, caller.role, caller.key) == (alice.user, alice.project, alice.role, pair.id)
    assert (caller.session, caller.frozen, caller.request, caller.source) == (None, False, "r1", "modelarts")


def test_a_deleted_key_is_refused_at_once(here: Place) -> None:
    fresh, pair = _key(here, here.user("alice").user)
    here.store.write_now(users.delete_key, here.admin, fresh.access_key)
    assert here.store.read_now(users.find_key, here.keyring, fresh.access_key).pair is None
    with pytest.raises(KeyRefused):
        here.store.read_now(users.caller_of_key, pair.id)
    with pytest.raises(KeyNotFound):
        here.store.write_now(users.delete_key, here.admin, fresh.access_key)
    assert here.store.read_now(users.list_keys, here.admin) == []


def test_a_disabled_users_key_is_refused_and_a_frozen_ones_caller_is_frozen(here: Place) -> None:
    alice = here.user("alice").user
    _, pair = _key(here, alice)
    here.store.write_now(users.freeze, here.admin, alice)
    assert here.store.read_now(users.caller_of_key, pair.id).frozen
    here.store.write_now(users.disable, here.admin, alice)
    with pytest.raises(UserDisabled):
        here.store.read_now(users.caller_of_key, pair.id)


def test_users_see_their_own_keys_only(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    mine, _ = _key(here, alice.user)
    theirs, _ = _key(here, bob.user)
    store = here.store
    assert [pair.access_key for pair in store.read_now(users.list_keys, alice, user=alice.user)] == [mine.access_key]
    assert len(store.read_now(users.list_keys, here.admin)) == 2
    for user in (bob.user, None):
        with pytest.raises(Forbidden):
            store.read_now(users.list_keys, alice, user=user)
    with pytest.raises(KeyNotFound):
        store.write_now(users.delete_key, alice, theirs.access_key)
    with pytest.raises(Forbidden):
        store.write_now(users.create_key, alice, here.keyring, fresh=users.fresh_key(), user=bob.user)


def test_a_key_is_made_only_for_a_project_in_which_its_user_has_a_role(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    fresh = users.fresh_key()
    with pytest.raises(ProjectClosed):
        here.store.write_now(users.create_key, alice, here.keyring, fresh=fresh, user=alice.user, project=bob.project)


def test_another_key_file_is_noticed(here: Place) -> None:
    other = Keyring(secrets.token_bytes(32))
    here.store.read_now(users.check_keyring, other)  # nothing is noted yet
    here.store.write_now(users.record_keyring, here.keyring, Path("/nowhere/root.key"))
    here.store.read_now(users.check_keyring, here.keyring)
    with pytest.raises(KeyringMismatch):
        here.store.read_now(users.check_keyring, other)


def test_a_key_file_that_was_noted_by_what_it_sealed_is_believed(here: Place) -> None:
    """As in databases of the first servers."""
    sealed = here.keyring.seal("trivium", "key file")
    here.store.write_now(users.record_keyring, here.keyring, Path("/nowhere/root.key"))
    here.store.write_now(lambda tx: tx.run(update(key_files).values(sealed=sealed)))
    here.store.read_now(users.check_keyring, here.keyring)
    with pytest.raises(KeyringMismatch):
        here.store.read_now(users.check_keyring, Keyring(secrets.token_bytes(32)))


def test_the_key_file_is_found_where_it_was_noted_and_none_is_made_beside_it(here: Place, tmp_path: Path) -> None:
    noted, preferred = tmp_path / "noted" / "root.key", tmp_path / "preferred" / "root.key"
    keyring = Keyring.at(noted)
    here.store.write_now(users.record_keyring, keyring, noted)
    found = here.store.read_now(users.find_keyring, preferred)
    assert found.derive("x") == keyring.derive("x")
    assert not preferred.exists()
    Keyring.at(preferred)  # another database's, say
    assert here.store.read_now(users.find_keyring, preferred).derive("x") == keyring.derive("x")
    noted.unlink()
    with pytest.raises(KeyringMismatch, match="--data"):
        here.store.read_now(users.find_keyring, preferred)
