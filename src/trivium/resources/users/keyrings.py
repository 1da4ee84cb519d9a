"""Which key file the database's secrets are sealed under, so that no other is taken for it, and where it is."""

from __future__ import annotations

import hmac
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import delete, insert, select

from trivium.base.keyring import KeyFileUnusable, Keyring, SealBroken
from trivium.resources.users.errors import KeyringMismatch
from trivium.resources.users.table import key_files
from trivium.store import Read, Write

MARK: Final = "k1."
PURPOSE: Final = "key file"
"""A key of the keyring's that opens nothing is noted of it. Once something sealed was, which is believed as well."""


def record_keyring(tx: Write, keyring: Keyring, key_file: Path) -> None:
    """Note that this keyring is the database's, and where its file is; in place of what was noted before."""
    tx.run(delete(key_files))
    tx.run(insert(key_files).values(id=1, path=str(key_file), sealed=_mark(keyring)))


def find_keyring(tx: Read, preferred: Path) -> Keyring:
    """The database's keyring: of the preferred file, else of the file that was noted; a new one for a new database.

    Raises `KeyringMismatch` when neither is the one, and `KeyFileUnusable`.
    """
    noted = tx.first(select(key_files.c.path))
    if noted is None:
        return Keyring.at(preferred)
    for path in dict.fromkeys((preferred, Path(noted.path))):
        with suppress(KeyringMismatch, OSError):
            if path.exists():
                keyring = Keyring.at(path)
                check_keyring(tx, keyring)
                return keyring
    message = (
        f"the secrets in this database are sealed under the key file that was {noted.path}, and neither that nor "
        f"{preferred} is it; name its data directory with --data, or the file with TRIVIUM_SECURITY__KEY_FILE; for "
        f"another server on the same database copy the first one's key file to {preferred}"
    )
    raise KeyringMismatch(message)


def is_noted(tx: Read, key_file: Path) -> bool:
    """Whether the key file is noted to be there."""
    return tx.value(select(key_files.c.path)) == str(key_file)


def is_keyring_at(tx: Read, key_file: Path) -> bool:
    """Whether that file holds the key that the secrets in the database are sealed under."""
    with suppress(KeyringMismatch, KeyFileUnusable):
        if key_file.exists():
            check_keyring(tx, Keyring.at(key_file))
            return True
    return False


def check_keyring(tx: Read, keyring: Keyring) -> None:
    """Raise `KeyringMismatch` when the secrets in the database are sealed under another keyring."""
    noted = tx.first(select(key_files.c.sealed))
    if noted is None:
        return
    if not _is_noted_as(keyring, noted.sealed):
        message = "the key file is not the one that the secrets in this database are sealed under; put that one back"
        raise KeyringMismatch(message)


def _mark(keyring: Keyring) -> str:
    return MARK + keyring.derive(PURPOSE).hex()


def _is_noted_as(keyring: Keyring, noted: str) -> bool:
    if noted.startswith(MARK):
        return hmac.compare_digest(noted, _mark(keyring))
    with suppress(SealBroken):
        keyring.open(noted, PURPOSE)
        return True
    return False
