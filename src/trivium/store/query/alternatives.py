"""Comparisons of what is no single value: lists that are kept as text, and times that count by the second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, and_, literal_column, not_, or_

from trivium.base.query import Op
from trivium.store.columns import text
from trivium.store.query.patterns import ESCAPE

MEMBERSHIP: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN})
_COMMA: Final[ColumnElement[str]] = literal_column("','", text())


def members(column: ColumnElement[Any], op: Op, values: Sequence[BindParameter[Any]]) -> ColumnElement[bool]:
    """Whether the list, between commas, is like one of the values."""
    wrapped = _COMMA + column + _COMMA
    either = or_(*(wrapped.like(value, escape=ESCAPE) for value in values))
    return either if op in (Op.EQ, Op.IN) else not_(either)


def seconds(column: ColumnElement[Any], op: Op, values: Sequence[BindParameter[Any]]) -> ColumnElement[bool]:
    """The comparison with bounds of seconds: of each one its beginning and the beginning of the next, or one bound."""
    if op in (Op.LT, Op.LE):
        return column < values[0]
    if op in (Op.GT, Op.GE):
        return column >= values[0]
    pairs = list(zip(values[::2], values[1::2], strict=True))
    if op in (Op.EQ, Op.IN):
        return or_(*(and_(column >= first, column < behind) for first, behind in pairs))
    return and_(*(or_(column < first, column >= behind) for first, behind in pairs))
