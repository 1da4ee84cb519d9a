"""The first things of a site: the domain, and the administrator with a project."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from trivium.base.caller import SYSTEM, Caller, Role
from trivium.base.keyring import Keyring
from trivium.base.values import Value
from trivium.resources import projects, sites, users
from trivium.server.settings import Settings
from trivium.store import Read, Store, Write, migrations

ADMIN: Final = "admin"
ADMIN_UUID: Final = UUID("36c27e8ff05c4780bf6d2fa65700f22e")
"""The uuid of the administrator in every ZStack installation; some clients have it built in."""

PASSWORD_VARIABLE: Final = "TRIVIUM_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable


class First(Value, frozen=True):
    """What a site has from the beginning."""

    admin: Caller  # the oldest administrator: whom the operator's own doings belong to
    made: bool  # by this call


def ensure_site(store: Store, keyring: Keyring, settings: Settings, *, password: str | None = None) -> First:
    """The first things of the site, made where they are not there yet.

    It can be repeated and run by several processes at once. The administrator's first password is `password`, or else a
    random one, which stands in `settings.admin_password_file` before the administrator is there. Raises
    `users.KeyringMismatch` when the key file is not the database's.
    """
    admin = store.read_now(_admin)
    if admin is not None:
        _check(store, keyring, settings)
        _note_site(store, settings)
        return First(admin=admin, made=False)
    file = settings.admin_password_file
    wrote = False if password else _write_password(file)
    digest = users.hash_of(password or file.read_text("utf-8").strip())
    first = store.write_now(_make, settings, keyring, password=digest)
    if wrote and not first.made:
        _remove_stale(store, file)
    _check(store, keyring, settings)
    _note_site(store, settings)
    return first


def _note_site(store: Store, settings: Settings) -> None:
    """The site's row follows the settings."""
    told = {"name": settings.site.name, "description": settings.site.description}
    if not store.read_now(sites.is_noted, **told):
        store.write_now(sites.note, **told)


def _check(store: Store, keyring: Keyring, settings: Settings) -> None:
    """The keyring must be the database's; where its file lies by now is noted."""
    store.read_now(users.check_keyring, keyring)
    if store.read_now(users.is_noted, settings.key_file):
        return
    if store.read_now(users.is_keyring_at, settings.key_file):  # beside another database's key this one's stays noted
        store.write_now(users.record_keyring, keyring, settings.key_file)


def _make(tx: Write, settings: Settings, keyring: Keyring, *, password: users.PasswordHash) -> First:
    """Everything in one transaction, so that a site is there whole or not at all."""
    migrations.lock(tx.connection)  # of several processes one makes it, the others find it
    found = _admin(tx)
    if found is not None:
        return First(admin=found, made=False)
    users.record_keyring(tx, keyring, settings.key_file)
    projects.ensure_domain(tx, SYSTEM)
    first_uid = settings.runtime.first_uid
    new = users.NewUser(name=ADMIN, role=Role.ADMIN, password=password, uuid=ADMIN_UUID, first_uid=first_uid)
    user = users.create(tx, SYSTEM, new, project_name=settings.site.name)
    return First(admin=_caller(user), made=True)


def _admin(tx: Read) -> Caller | None:
    user = users.oldest_admin(tx)
    return None if user is None else _caller(user)


def _caller(user: users.User) -> Caller:
    return Caller(user=user.id, user_name=user.name, project=user.project, role=user.role, source="cli")


def _write_password(file: Path) -> bool:
    """Make the file with a random password, whole and readable by its owner only; False when it is there already."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(secrets.token_urlsafe(18) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        os.link(beside, file)
    except FileExistsError:
        return False
    finally:
        beside.unlink(missing_ok=True)
    return True


def _remove_stale(store: Store, file: Path) -> None:
    """Another process made the administrator: if not with the password in our file, that file misleads."""
    login = store.read_now(users.login_of, ADMIN)
    try:
        users.check_password(login, users.digest_of(file.read_text("utf-8").strip()))
    except users.WrongPassword:
        with suppress(FileNotFoundError):
            file.unlink()
