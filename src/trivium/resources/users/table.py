"""The tables of users, memberships, key pairs and sessions."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Row, Table
from sqlalchemy import text as sql

from trivium.base.caller import Role
from trivium.resources.users.types import KeyPair, PasswordHash, Session, SessionKind, User, UserStatus
from trivium.store import fields as f
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.schema import metadata, partial_index

users = Table(
    "users",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("domain_id", BigInteger, ForeignKey("domains.id"), nullable=False),
    Column("name", text(), nullable=False),
    Column("name_key", text(), nullable=False),  # what names are compared by
    Column("full_name", text(), nullable=False),
    Column("email", text(), nullable=False),
    Column("password", text()),
    Column("role", text(), nullable=False),
    Column("status", text(), nullable=False),
    Column("reason", text(), nullable=False),
    # Never given twice, not even after a deletion: files may still belong to it.
    Column("posix_uid", Integer, nullable=False, unique=True),
    Column("default_project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)

# A deleted user's name is free again.
partial_index(
    "uq_users_domain_id_name_key",
    users.c.domain_id,
    users.c.name_key,
    unique=True,
    where=users.c.deleted_at.is_(None),
)

# What accounts are found by, whatever their domain.
partial_index("ix_users_names", users.c.name_key, users.c.id, where=users.c.deleted_at.is_(None))

ADMINS: Final = sql("role = 'admin' AND deleted_at IS NULL")
"""Who is an administrator: few among many, with an index of them alone, which a database takes for this very text."""

partial_index("ix_users_admins", users.c.id, where=ADMINS)

memberships = Table(
    "memberships",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    Column("project_id", BigInteger, ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    Column("role", text(), nullable=False),
    Column("created_at", Instant, nullable=False),
)

key_pairs = Table(
    "key_pairs",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("access_key", text(), nullable=False, unique=True),
    Column("secret", text(), nullable=False),  # sealed by the keyring; the access key is its context
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)

key_files = Table(
    "key_files",  # one row
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("path", text(), nullable=False),
    Column("sealed", text(), nullable=False),  # what only this key file's keyring says of itself
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
    Column("key_pair_id", BigInteger, ForeignKey("key_pairs.id")),
    Column("kind", text(), nullable=False),
    Column("region", text()),
    Column("token_hash", LargeBinary(32), unique=True),  # SHA-256 of the token, where the token is no signed one
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant),
)


USERS = f.Resource(
    "users",
    users,
    (
        f.Field("id", f.integer, users.c.id),
        f.Field("uuid", f.uuid, users.c.uuid),
        f.Field("name", f.text, users.c.name, folded=users.c.name_key),
    ),
)


ACCOUNTS = f.Resource(
    "accounts",
    users,
    (
        f.Field("id", f.integer, users.c.id),
        f.Field("uuid", f.uuid, users.c.uuid),
        f.Field("name", f.caseless, users.c.name, folded=users.c.name_key),
        f.Field("role", f.enum(Role), users.c.role),
        f.Field("created_at", f.second, users.c.created_at),
        f.Field("changed_at", f.second, users.c.changed_at),
    ),
    conditions_lead=True,
)
"""Users as accounts, whose names compare without regard to case."""


def user_of(row: Row[Any]) -> User:
    """The user that a row holds."""
    return User(
        id=row.id,
        uuid=row.uuid,
        domain=row.domain_id,
        name=row.name,
        full_name=row.full_name,
        email=row.email,
        role=Role(row.role),
        status=UserStatus(row.status),
        reason=row.reason,
        has_password=row.password is not None,
        posix_uid=row.posix_uid,
        project=row.default_project_id,
        created_at=row.created_at,
        changed_at=row.changed_at,
        deleted_at=row.deleted_at,
    )


def password_of(row: Row[Any]) -> PasswordHash | None:
    """The hash that a row of users holds."""
    return None if row.password is None else PasswordHash(row.password)


def pair_of(row: Row[Any]) -> KeyPair:
    """The key pair that a row holds, joined with its user's name as `user_name`."""
    return KeyPair(
        id=row.id,
        access_key=row.access_key,
        user=row.user_id,
        user_name=row.user_name,
        project=row.project_id,
        enabled=row.enabled and row.deleted_at is None,
        created_at=row.created_at,
    )


def session_of(row: Row[Any]) -> Session:
    """The session that a row holds."""
    return Session(
        id=row.id,
        user=row.user_id,
        project=row.project_id,
        key=row.key_pair_id,
        kind=SessionKind(row.kind),
        region=row.region,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )
