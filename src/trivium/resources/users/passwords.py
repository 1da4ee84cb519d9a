"""Passwords: kept as argon2id of the lower-case hex SHA-512, as ZStack's clients send that digest and nothing else.

Hashing and checking take tens of milliseconds and much memory, on purpose: do both outside of transactions and of the
event loop.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Final

from trivium.base.caller import Caller
from trivium.resources.users.errors import BadPassword, UserDisabled, WrongPassword
from trivium.resources.users.types import Login, PasswordHash, UserStatus

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LONGEST: Final = 1024  # bytes
DECOY: Final = PasswordHash(
    "$argon2id$v=19$m=65536,t=3,p=4$ziGh01k9uPhnO74z2wiPkg$HYYqCzgEHJ4yP5qbbQXGq92sovdfSJA/0rMMpbR7nCI"
)
"""A hash that no password has, with the parameters of the others, so that an unknown user costs the same work."""


def digest_of(password: str) -> str:
    """The lower-case hex SHA-512 of a password: what is checked and what clients may send in its stead."""
    raw = password.encode()
    if not raw or len(raw) > LONGEST:
        message = f"a password has 1 to {LONGEST} bytes"
        raise BadPassword("password", message)
    return hashlib.sha512(raw).hexdigest()


def hash_of(password: str) -> PasswordHash:
    """The password as it is kept, with a salt of its own. `BadPassword` when it is empty or absurdly long."""
    return PasswordHash(_hasher().hash(digest_of(password)))


def check(login: Login, digest: str) -> Caller:
    """The caller behind a login, if the digest (`digest_of`) is that of the password.

    Raises `WrongPassword`, and `UserDisabled` only to who knows the password. A frozen user is let in, as frozen.
    """
    if not _matches(login.hash, digest.lower()) or login.caller is None:
        raise WrongPassword
    if login.status is UserStatus.DISABLED:
        raise UserDisabled(name=login.caller.user_name)
    return login.caller


def _matches(hash: PasswordHash, digest: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - as in `_hasher`

    try:
        return _hasher().verify(hash, digest)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415 - a start of the server need not wait for it

    return PasswordHasher()
