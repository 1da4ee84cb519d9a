"""The values of a condition, checked and ready to be bound: how many they are decides on the text of its clause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, cast
from uuid import UUID

from trivium.base.query import Condition, Op
from trivium.store.errors import BadValue
from trivium.store.fields import Field, Manner, Unfit, text, uuid
from trivium.store.query import patterns

MOST_VALUES: Final = 1024
"""Values of one IN, and the longest bucket."""

MOST_ALTERNATIVES: Final = 64
"""The same where each value is a comparison of its own."""

FEW: Final = 8
"""Values of one IN of which each number is a shape of its own, and none comes twice."""

BOUNDED: Final = 3
"""Values of a pattern that says how what matches begins: it comes first, then the bounds of such texts."""

_SECOND: Final = timedelta(seconds=1)
_HEX: Final = frozenset("0123456789abcdef")
_DIGITS: Final = 32


def values_of(field: Field, condition: Condition, utc_offset: timedelta) -> list[Any]:
    """The condition's values; long lists are filled up to the next power of two with their last. Raises `BadValue`."""
    try:
        if field.type.manner is Manner.PLAIN:
            return _READERS[condition.op](field, condition.value)
        return _read(field, condition, utc_offset)
    except Unfit as error:
        message = f"{condition.field} {error}"
        raise BadValue(condition.field, message) from error


def _read(field: Field, condition: Condition, utc_offset: timedelta) -> list[Any]:
    manner = field.type.manner
    if manner is Manner.SECONDS and condition.op in (Op.LIKE, Op.NOT_LIKE):
        return [patterns.like(text.check(condition.value)), utc_offset // timedelta(microseconds=1)]
    found = _READERS[condition.op](field, condition.value)
    if manner is Manner.SECONDS:
        return _in_seconds(condition.op, found)
    if manner is Manner.MEMBERS and condition.op in _MEMBERSHIP:
        return [_member(value) for value in found]
    return found


def _none(_field: Field, value: object) -> list[Any]:
    if value is not None:
        raise Unfit("takes no value here")
    return []


def _one(field: Field, value: object) -> list[Any]:
    return [field.type.check(value)]


def _many(field: Field, value: object) -> list[Any]:
    if not isinstance(value, tuple):
        raise Unfit("must be compared with a list")
    items = cast("tuple[object, ...]", value)
    most = MOST_VALUES if field.type.manner in (Manner.PLAIN, Manner.FOLDED) else MOST_ALTERNATIVES
    if len(items) > most:
        message = f"can be compared with at most {most} values"
        raise Unfit(message)
    found = list(dict.fromkeys(field.type.check(item) for item in items))
    return found + found[-1:] * (_bucket(len(found)) - len(found))


def _bucket(length: int) -> int:
    return length if length <= FEW else 1 << (length - 1).bit_length()


def _matching(field: Field, value: object) -> list[Any]:
    """The pattern, and where the index can use them, the bounds of the texts that begin as it demands."""
    pattern = patterns.like(text.check(value))
    beginning = patterns.beginning(pattern)
    if field.type is uuid:
        return [pattern, *_uuids(beginning)]
    behind = patterns.behind(beginning) if beginning and field.folded is not None else None
    return [pattern] if behind is None else [pattern, beginning, behind]


def _uuids(beginning: str) -> list[UUID]:
    """The first and the last UUID that begin with these digits."""
    if not beginning or len(beginning) > _DIGITS or not _HEX.issuperset(beginning):
        return []
    return [UUID(hex=beginning.ljust(_DIGITS, filler)) for filler in "0f"]


def _pattern(_field: Field, value: object) -> list[Any]:
    return [patterns.like(text.check(value))]


def _term(_field: Field, value: object) -> list[Any]:
    return [patterns.containing(text.check(value))]


def _in_seconds(op: Op, found: list[Any]) -> list[Any]:
    """Bounds of the seconds: each is from its beginning to the beginning of the next."""
    if op in (Op.EQ, Op.NE, Op.IN, Op.NOT_IN):
        return [bound for value in found for bound in (value, _next(value))]
    return [_next(value) for value in found] if op in (Op.LE, Op.GT) else found


def _next(value: datetime) -> datetime:
    try:
        return value + _SECOND
    except OverflowError:
        raise Unfit("must be a time before the last second there is") from None


def _member(value: str) -> str:
    """The pattern of a list between two commas that is this one, or has it as a member."""
    return f",{patterns.literal(value)}," if "," in value else f"%,{patterns.literal(value)},%"


_MEMBERSHIP: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN})
_READERS: Final[Mapping[Op, Callable[[Field, object], list[Any]]]] = MappingProxyType(
    {
        **dict.fromkeys((Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE), _one),
        **dict.fromkeys((Op.IN, Op.NOT_IN), _many),
        Op.LIKE: _matching,
        Op.NOT_LIKE: _pattern,
        **dict.fromkeys((Op.CONTAINS, Op.NOT_CONTAINS), _term),
        **dict.fromkeys((Op.NULL, Op.NOT_NULL), _none),
    }
)
