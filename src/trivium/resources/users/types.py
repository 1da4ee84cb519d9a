"""What users, key pairs and sessions are."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, NewType, Protocol
from uuid import UUID

from trivium.base.caller import Caller, Role
from trivium.base.values import Value
from trivium.store import Read

PasswordHash = NewType("PasswordHash", str)
"""argon2id of the lower-case hex SHA-512 of a password, as it is kept."""


WITHDRAWN: Final = "withdrawn"
"""What is woken when somebody may have lost a right: whoever is let in for longer than a moment looks again."""


class UserStatus(StrEnum):
    """Whether a user gets in."""

    ACTIVE = "active"
    DISABLED = "disabled"  # nobody gets in
    FROZEN = "frozen"  # they get in, and are told that the account is stopped


class User(Value, frozen=True):
    """Somebody who may use this installation."""

    id: int
    uuid: UUID
    domain: int
    name: str
    full_name: str
    email: str
    role: Role
    status: UserStatus
    reason: str  # why they are disabled or frozen, in the operator's words
    has_password: bool
    posix_uid: int  # what their processes run as when the server is root
    project: int  # the default project
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None


class NewUser(Value, frozen=True):
    """What is asked for in a new user."""

    name: str
    role: Role = Role.MEMBER
    password: PasswordHash | None = None  # None: key pairs only
    full_name: str = ""
    email: str = ""
    uuid: UUID | None = None  # where the client chooses it
    first_uid: int | None = None  # the POSIX uid, where this is the first user of all


class Login(Value, frozen=True):
    """What a password is checked against. For an unknown name a decoy, so that the check costs the same."""

    caller: Caller | None  # None: there is no such user, and no password is right
    status: UserStatus
    hash: PasswordHash


class KeyPair(Value, frozen=True):
    """An access key, of one user in one project. Its secret is not in here."""

    id: int
    access_key: str
    user: int
    user_name: str
    project: int
    enabled: bool
    created_at: datetime


class FreshKey(Value, frozen=True):
    """An access key with its secret, as they are made and shown once."""

    access_key: str
    secret: str


class SigningKey(Value, frozen=True):
    """What a signature is checked with. For an unknown access key a decoy, so that the check costs the same."""

    secret: str
    pair: KeyPair | None  # None: there is no such key, and no signature is right


class SessionKind(StrEnum):
    """What a session stands for."""

    SCNET = "scnet"  # a JWT, of one region or of the platform
    ZSTACK = "zstack"  # a session uuid
    MODELARTS = "modelarts"  # an IAM token
    NATIVE = "native"


class Session(Value, frozen=True):
    """A time in which a user is let in without their secret."""

    id: int
    user: int
    project: int
    key: int | None
    kind: SessionKind
    region: str | None
    issued_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class Holdings(Protocol):
    """What a later room knows of a user that keeps the user from being deleted."""

    def held_by(self, tx: Read, user: int) -> str | None:
        """What the user still has, as people read it ("2 notebooks"); None when nothing."""
        ...
