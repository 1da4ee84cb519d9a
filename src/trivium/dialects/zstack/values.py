"""Values of conditions: text held against a field of each type, as a clause of the core's.

ZStack's server gives every value to its database as text. Here each is read as its field's type: what is none of it is
refused, save for identifiers, which are text to callers: one that is no UUID equals none of them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from trivium.base.query import AllOf, AnyOf, Clause, Condition, Op, Related, Scalar
from trivium.base.text import fold
from trivium.base.values import Value
from trivium.dialects.zstack import times, uuids, words
from trivium.dialects.zstack.errors import BadValue, NotComparable, TooMuch
from trivium.dialects.zstack.inventories import Kind, Member

LONGEST: Final = 4096
MOST_VALUES: Final = 1024
MOST_ALTERNATIVES: Final = 64
"""Values of one list where each is a comparison of its own."""

LISTS: Final = frozenset({Op.IN, Op.NOT_IN})
PATTERNS: Final = frozenset({Op.LIKE, Op.NOT_LIKE})
NULLS: Final = frozenset({Op.NULL, Op.NOT_NULL})

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,30}")
_TRUTHS: Final[Mapping[str, bool]] = MappingProxyType({"true": True, "1": True, "false": False, "0": False})


class Comparison(Value, frozen=True):
    """One condition as it was asked: a name, an operator, and the value as text, several for lists, none for nulls."""

    name: str
    op: Op
    value: str | tuple[str, ...] | None = None

    @property
    def values(self) -> tuple[str, ...]:
        """All its values."""
        if self.value is None:
            return ()
        return (self.value,) if isinstance(self.value, str) else self.value


class Target(Value, frozen=True):
    """The field that is compared: what it is on the wire, its whole path in the core, and the server's clock."""

    member: Member
    path: str
    utc_offset: timedelta


def clause(target: Target, comparison: Comparison) -> Clause:
    """The comparison with the field, which holds no objects. Raises `BadValue`, `NotComparable` or `TooMuch`."""
    _check(target.member, comparison)
    if comparison.op in NULLS:
        return Condition(field=target.path, op=comparison.op)
    return _READERS[target.member.kind](target, comparison)


def constant(target: Target, path: str, comparison: Comparison) -> Clause:
    """The comparison with what is the same in all rows, there where the path leads. Raises what `clause` raises."""
    member, op = target.member, comparison.op
    clause(target, comparison)  # a value that the field cannot have is refused here, too
    if op in NULLS or member.absent:
        return always(path) if (op is Op.NULL) is member.absent and op in NULLS else never(path)
    given = comparison.values
    if member.kind is Kind.BOOLEAN:
        given = tuple([str(_TRUTHS[value.lower()]).lower() for value in given])
    return always(path) if words.fitting(op, given)(member.constant or "") else never(path)


def always(path: str) -> Clause:
    """What holds for all rows, there where the path leads."""
    return Related(path=path, part=AllOf(parts=())) if path else AllOf(parts=())


def never(path: str) -> Clause:
    """What holds for none of them."""
    return Related(path=path, part=AnyOf(parts=())) if path else AnyOf(parts=())


def check_text(comparison: Comparison) -> None:
    """Refuse what no text can be: `BadValue`, `TooMuch`."""
    for value in comparison.values:
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise BadValue(comparison.name, value="�", expected="text without NUL and halves of characters")
        if len(value) > LONGEST or len(fold(value)) > LONGEST:
            raise TooMuch(comparison.name, most=LONGEST, what="characters")


def _check(member: Member, comparison: Comparison) -> None:
    check_text(comparison)
    one_by_one = member.kind in (Kind.TIMESTAMP, Kind.LIST)
    most = MOST_ALTERNATIVES if one_by_one else MOST_VALUES
    if len(comparison.values) > most:
        raise TooMuch(comparison.name, most=most, what="values")


def _text(target: Target, comparison: Comparison) -> Clause:
    return Condition(field=target.path, op=comparison.op, value=comparison.value)


def _whole(target: Target, comparison: Comparison) -> Clause:
    if comparison.op in PATTERNS:
        return _text(target, comparison)
    read = [_number(comparison.name, value) for value in comparison.values]
    return _with(target, comparison.op, read)


def _number(name: str, value: str) -> int:
    if not _WHOLE.fullmatch(value):
        raise BadValue(name, value=value, expected="a whole number")
    number = int(value)
    if not -(1 << 63) <= number < 1 << 63:
        raise BadValue(name, value=value, expected="a whole number of 64 bits")
    return number


def _boolean(target: Target, comparison: Comparison) -> Clause:
    if comparison.op in PATTERNS:
        raise NotComparable(comparison.name, op=comparison.op.value)
    read: list[bool] = []
    for value in comparison.values:
        truth = _TRUTHS.get(value.lower())
        if truth is None:
            raise BadValue(comparison.name, value=value, expected="true or false")
        read.append(truth)
    compare = ORDERINGS.get(comparison.op)
    if compare is None:
        return _with(target, comparison.op, read)
    return Condition(field=target.path, op=Op.IN, value=tuple(v for v in (False, True) if compare(v, read[0])))


def _word(target: Target, comparison: Comparison) -> Clause:
    """The core's words of those on the wire for which the comparison holds."""
    known = target.member.words or {}
    fits = words.fitting(comparison.op, comparison.values)
    fitting = [(own,) if isinstance(own, str) else own for word, own in known.items() if fits(word)]
    return Condition(field=target.path, op=Op.IN, value=tuple(own for several in fitting for own in several))


def _uuid(target: Target, comparison: Comparison) -> Clause:
    op, path = comparison.op, target.path
    if op in PATTERNS:
        return _text(target, comparison)
    if op in ORDERINGS:
        return _uuid_order(path, op, comparison.values[0])
    read = [UUID(hex=value) for value in comparison.values if uuids.is_one(value)]
    if op not in LISTS and read:
        return Condition(field=path, op=op, value=read[0])
    return Condition(field=path, op=Op.IN if op in (Op.EQ, Op.IN) else Op.NOT_IN, value=tuple(read))


def _uuid_order(path: str, op: Op, value: str) -> Clause:
    """Text between two identifiers is less than one and more than the other."""
    if uuids.is_one(value):
        return Condition(field=path, op=op, value=UUID(hex=value))
    first = uuids.not_before(value)
    is_behind = op in (Op.GT, Op.GE)
    if first is None:  # behind all of them
        return Condition(field=path, op=Op.IN, value=()) if is_behind else Condition(field=path, op=Op.NOT_NULL)
    return Condition(field=path, op=Op.GE if is_behind else Op.LT, value=first)


def _time(target: Target, comparison: Comparison) -> Clause:
    op, path = comparison.op, target.path
    if op in PATTERNS:
        return _text(target, comparison)
    read = [times.read(comparison.name, value, target.utc_offset) for value in comparison.values]
    if op in LISTS:
        return Condition(field=path, op=op, value=tuple(at for at in read if not at.microsecond))
    (at,) = read
    whole = at.replace(microsecond=0)
    if whole == at:
        return Condition(field=path, op=op, value=at)
    # No second is the one that was asked for; those up to `whole` are before it.
    return {
        Op.EQ: Condition(field=path, op=Op.IN, value=()),
        Op.NE: Condition(field=path, op=Op.NOT_NULL),
        Op.LT: Condition(field=path, op=Op.LE, value=whole),
        Op.LE: Condition(field=path, op=Op.LE, value=whole),
        Op.GT: Condition(field=path, op=Op.GT, value=whole),
        Op.GE: Condition(field=path, op=Op.GT, value=whole),
    }[op]


def _with(target: Target, op: Op, read: list[int] | list[bool]) -> Clause:
    values: tuple[Scalar, ...] = tuple(read)
    return Condition(field=target.path, op=op, value=values if op in LISTS else values[0])


Reader: TypeAlias = Callable[[Target, Comparison], Clause]
ORDERINGS: Final[Mapping[Op, Callable[[bool, bool], bool]]] = MappingProxyType(
    {Op.LT: operator.lt, Op.LE: operator.le, Op.GT: operator.gt, Op.GE: operator.ge}
)
_READERS: Final[Mapping[Kind, Reader]] = MappingProxyType(
    {
        Kind.STRING: _text,
        Kind.LIST: _text,
        Kind.UUID: _uuid,
        Kind.WORD: _word,
        Kind.INTEGER: _whole,
        Kind.LONG: _whole,
        Kind.BOOLEAN: _boolean,
        Kind.TIMESTAMP: _time,
    }
)
