"""Column types that hold the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from trivium.base.clock import instant, microseconds


class Instant(TypeDecorator[datetime]):
    """A time in UTC, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """Microseconds for the database."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The time again."""
        return None if value is None else instant(value)


class Uuid16(TypeDecorator[UUID]):
    """A UUID in 16 bytes."""

    impl = LargeBinary(16)
    cache_ok = True

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """16 bytes for the database."""
        return None if value is None else value.bytes

    def process_result_value(self, value: Any | None, dialect: Dialect) -> UUID | None:  # noqa: ARG002
        """The UUID again."""
        return None if value is None else UUID(bytes=bytes(value))


def text() -> Text:
    """Text that sorts by code point on both databases, whatever locale PostgreSQL was made with."""
    return Text().with_variant(Text(collation="C"), "postgresql")
