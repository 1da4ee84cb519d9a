"""The ten kinds of error. A room subclasses a kind and gives it a stable code; dialects put them in their own words."""

from __future__ import annotations

from typing import ClassVar


class TriviumError(Exception):
    """Something the caller must hear about: a stable code and typed details.

    `details` are shown to people through the catalogue in `base.text`, under `code`. Subclasses set `code`
    and take keyword arguments only, so that each raise names what it tells.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str = "", **details: object) -> None:
        super().__init__(message or self.code)
        self.message = message
        self.details = details


class Invalid(TriviumError):
    """The request itself is wrong: a missing, mistyped or senseless value. Names the field."""

    code = "invalid"

    def __init__(self, field: str, message: str = "", **details: object) -> None:
        super().__init__(message, field=field, **details)
        self.field = field


class Missing(Invalid):
    """A required field is absent or empty."""

    code = "invalid.missing"


class Unauthenticated(TriviumError):
    """Nobody known stands behind the request."""

    code = "unauthenticated"


class Forbidden(TriviumError):
    """The caller is known and may not."""

    code = "forbidden"


class NotFound(TriviumError):
    """There is no such thing that the caller may see."""

    code = "not_found"


class Conflict(TriviumError):
    """The request contradicts something that is there already."""

    code = "conflict"


class WrongState(TriviumError):
    """The thing is there, and its state forbids the request."""

    code = "wrong_state"


class OverQuota(TriviumError):
    """More is asked for than there is or than the project may have."""

    code = "over_quota"


class Unsupported(TriviumError):
    """This installation does not do that, and says so."""

    code = "unsupported"


class Unavailable(TriviumError):
    """Something that is needed does not answer now; asking again may help."""

    code = "unavailable"


class Internal(TriviumError):
    """A fault of ours."""

    code = "internal"


KINDS: tuple[type[TriviumError], ...] = (
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    WrongState,
    OverQuota,
    Unsupported,
    Unavailable,
    Internal,
)
