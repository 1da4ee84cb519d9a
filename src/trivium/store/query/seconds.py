"""Times in SQL without what is smaller than a second: as whole seconds, and as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import BigInteger, BindParameter, ColumnElement, func, literal_column, type_coerce

from trivium.store.columns import text
from trivium.store.database import Flavour

_MILLION: Final[ColumnElement[int]] = literal_column("1000000", BigInteger())
_BEFORE: Final[ColumnElement[int]] = literal_column("62135596800", BigInteger())
"""Seconds from the year 1 to 1970: division cuts towards zero, and what is divided must not be negative."""

_SQLITE_FORM: Final[ColumnElement[str]] = literal_column("'%Y-%m-%d %H:%M:%S'", text())
_POSTGRESQL_FORM: Final[ColumnElement[str]] = literal_column("'YYYY-MM-DD HH24:MI:SS'", text())
_UTC: Final[ColumnElement[str]] = literal_column("'UTC'", text())


def whole(column: ColumnElement[Any]) -> ColumnElement[int]:
    """The seconds since 1970 of a column of microseconds."""
    return _whole(type_coerce(column, BigInteger()))


def as_text(
    column: ColumnElement[Any], bind: Callable[[Any], BindParameter[Any]], flavour: Flavour
) -> ColumnElement[str]:
    """`YYYY-MM-DD HH:MM:SS` by a clock that is ahead of UTC by the next value, in microseconds."""
    at = _whole(type_coerce(column, BigInteger()) + bind(BigInteger()))
    if flavour is Flavour.SQLITE:
        return func.strftime(_SQLITE_FORM, at, literal_column("'unixepoch'"))
    return func.to_char(func.timezone(_UTC, func.to_timestamp(at)), _POSTGRESQL_FORM)


def _whole(microseconds: ColumnElement[int]) -> ColumnElement[int]:
    return (microseconds + _BEFORE * _MILLION) // _MILLION - _BEFORE
