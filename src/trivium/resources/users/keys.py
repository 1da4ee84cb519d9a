"""Key pairs: made for a user in a project, sealed under the keyring, opened to check signatures."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, insert, select, update

from trivium.base.caller import Caller
from trivium.base.keyring import Keyring
from trivium.resources import events
from trivium.resources.users import accounts
from trivium.resources.users.errors import KeyNotFound, ProjectClosed, UserNotFound
from trivium.resources.users.table import key_pairs, pair_of, users
from trivium.resources.users.types import WITHDRAWN, FreshKey, KeyPair, SigningKey
from trivium.store import Prepared, Read, Write

ACCESS_LETTERS: Final = string.ascii_uppercase + string.digits
SECRET_LETTERS: Final = string.ascii_letters + string.digits
ACCESS_LENGTH: Final = 20
SECRET_LENGTH: Final = 40


def fresh_key() -> FreshKey:
    """A new random access key (103 bits) with its secret (238 bits), in letters that need no escaping anywhere."""
    return FreshKey(
        access_key="".join(secrets.choice(ACCESS_LETTERS) for _ in range(ACCESS_LENGTH)),
        secret="".join(secrets.choice(SECRET_LETTERS) for _ in range(SECRET_LENGTH)),
    )


def create_key(
    tx: Write, caller: Caller, keyring: Keyring, *, fresh: FreshKey, user: int, project: int | None = None
) -> KeyPair:
    """Keep a new key pair of the user, in the default project unless another is given.

    Raises `UserNotFound`, and `ProjectClosed` when the user has no role in the project.
    """
    owner = accounts.get(tx, user)
    if caller.user != user:
        caller.must_be_admin("create other users' keys")
    if owner.deleted_at is not None:
        raise UserNotFound
    project = owner.project if project is None else project
    if accounts.role_in(tx, user, project) is None:
        raise ProjectClosed
    id = tx.ids.next()
    row = {"id": id, "access_key": fresh.access_key, "user_id": user, "project_id": project}
    sealed = keyring.seal(fresh.secret, _context(fresh.access_key))
    tx.run(insert(key_pairs).values(**row, secret=sealed, enabled=True, created_at=tx.now))
    shown = {"access_key": fresh.access_key, "user": user}
    events.record(tx, caller, "key.create", target=id, project=project, after=shown)
    return get_key(tx, caller, fresh.access_key)


def get_key(tx: Read, caller: Caller, access_key: str) -> KeyPair:
    """The key pair of that access key; `KeyNotFound` when it is another user's and the caller no administrator."""
    row = tx.first(_pairs().where(key_pairs.c.access_key == access_key))
    if row is None or (row.user_id != caller.user and not caller.is_admin):
        raise KeyNotFound(access_key=access_key)
    return pair_of(row)


def list_keys(tx: Read, caller: Caller, *, user: int | None = None) -> Sequence[KeyPair]:
    """The key pairs of a user, or all, oldest first."""
    if user != caller.user:
        caller.must_be_admin("list other users' keys")
    wanted = _pairs() if user is None else _pairs().where(key_pairs.c.user_id == user)
    return [pair_of(row) for row in tx.all(wanted.order_by(key_pairs.c.id))]


def delete_key(tx: Write, caller: Caller, access_key: str) -> None:
    """Delete the key pair; what was opened with it is refused from the very next request on."""
    pair = get_key(tx, caller, access_key)
    tx.run(update(key_pairs).where(key_pairs.c.id == pair.id).values(deleted_at=tx.now))
    shown = {"access_key": access_key, "user": pair.user}
    events.record(tx, caller, "key.delete", target=pair.id, project=pair.project, before=shown)
    tx.wake(WITHDRAWN)


def find_key(tx: Read, keyring: Keyring, access_key: str) -> SigningKey:
    """What a signature under that access key is checked with; a decoy for one that nobody has."""
    found: tuple[str, KeyPair] | None = BY_ACCESS_KEY.first(tx, access_key)
    if found is None:
        return SigningKey(secret=keyring.decoy(), pair=None)
    sealed, pair = found
    return SigningKey(secret=keyring.open(sealed, _context(access_key)), pair=pair)


def _pairs() -> Select[Any]:
    """Key pairs that are not deleted, with their users' names."""
    joined = key_pairs.join(users, users.c.id == key_pairs.c.user_id)
    return (
        select(key_pairs, users.c.name.label("user_name")).select_from(joined).where(key_pairs.c.deleted_at.is_(None))
    )


def _sealed(row: Row[Any]) -> tuple[str, KeyPair]:
    return row.secret, pair_of(row)


BY_ACCESS_KEY: Final = Prepared(_pairs().where(key_pairs.c.access_key == bindparam("wanted")), "wanted", of=_sealed)
"""The sealed secret of a key pair, and the pair."""


def _context(access_key: str) -> str:
    return f"key:{access_key}"
