"""Column types that hold the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from trivium.base.clock import EPOCH, microseconds


class Instant(TypeDecorator[datetime]):
    """A time in UTC, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    # The processors are given as they are called for each value: the decorator's own way costs two calls more.

    def bind_processor(self, dialect: Dialect) -> Any:  # noqa: ARG002
        """Microseconds for the database."""
        return _stored_instant

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002
        """The time again."""
        return _read_instant


class Uuid16(TypeDecorator[UUID]):
    """A UUID in 16 bytes."""

    impl = LargeBinary(16)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:  # noqa: ARG002
        """16 bytes for the database."""
        return _stored_uuid

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002
        """The UUID again."""
        return _read_uuid


@cache
def text() -> Text:
    """Text that sorts by code point on both databases, whatever locale PostgreSQL was made with."""
    return Text().with_variant(Text(collation="C"), "postgresql")


def revision() -> Column[int]:
    """A number that moves with every change of the row, whoever makes it: a trigger of the migrations' sees to that."""
    return Column("revision", BigInteger, nullable=False, server_default="1")


def _stored_instant(value: datetime | None) -> int | None:
    return None if value is None else microseconds(value)


def _read_instant(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(0, 0, value)  # `instant`, without its call: pages have many


def _stored_uuid(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


def _read_uuid(value: bytes | None) -> UUID | None:
    return None if value is None else UUID(bytes=value)
