"""Translation of the database drivers' errors into the store's."""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from sqlalchemy import exc

from trivium.store.errors import Busy, StoreUnavailable, TooSlow

TRANSLATED: Final = (exc.DBAPIError, exc.TimeoutError)
"""The errors of SQLAlchemy that may have a translation."""

_SQLITE_ID: Final = re.compile(r"UNIQUE constraint failed: \w+\.id$")
_CONFLICTS: Final = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_WAITED_TOO_LONG: Final = frozenset({"55P03", "53300"})  # lock not available in time, too many connections
_SQLITE_ERROR: Final = 1  # a statement that is wrong, or names what does not exist
_CANCELLED: Final = "57014"  # by statement_timeout


def is_retryable(error: exc.DBAPIError | exc.TimeoutError) -> bool:
    """Whether the same transaction may well succeed when it is run again."""
    if isinstance(error, exc.TimeoutError):
        return False
    return getattr(error.orig, "sqlstate", None) in _CONFLICTS or _names_id(error)


def translated(error: exc.DBAPIError | exc.TimeoutError) -> Exception:
    """The error as one of the store's. Violated constraints and wrong statements stay what they are."""
    if isinstance(error, exc.TimeoutError):
        return Busy("every connection to the database was in use for too long")
    text, code = str(error.orig), getattr(error.orig, "sqlstate", None)
    if code == _CANCELLED or text == "interrupted":
        return TooSlow("the search took too long; ask for less")
    if code in _WAITED_TOO_LONG | _CONFLICTS or "is locked" in text:
        return Busy("others kept the database to themselves for too long; try again")
    if getattr(error.orig, "sqlite_errorcode", None) == _SQLITE_ERROR:
        return error
    if isinstance(error, (exc.OperationalError, exc.InterfaceError)) or error.connection_invalidated:
        return StoreUnavailable(text)
    return error


def as_dbapi_error(sql: str, error: Exception, base: type[Exception]) -> exc.DBAPIError:
    """The driver's own error as SQLAlchemy would raise it; `base` is the base class of the driver's errors."""
    told: Any = exc.DBAPIError.instance(sql, None, error, base, hide_parameters=True)
    return told


def raise_translated(error: exc.DBAPIError | exc.TimeoutError) -> NoReturn:
    """Raise the error's translation."""
    told = translated(error)
    if told is error:
        raise error
    raise told from error


def _names_id(error: exc.DBAPIError) -> bool:
    """Whether an id exists already: a process that was stopped for long may have lost its worker bits."""
    if not isinstance(error, exc.IntegrityError):
        return False
    cause: Any = error.orig
    diagnosis = getattr(cause, "diag", None)
    if diagnosis is None:
        return _SQLITE_ID.search(str(cause)) is not None
    return "(id)=(" in str(diagnosis.message_detail)
