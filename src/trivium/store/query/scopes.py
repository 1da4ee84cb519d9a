"""What of a table a room lets a query see: tenancy, and what is not deleted. Never given from outside."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from msgspec import Struct
from sqlalchemy import BigInteger, BindParameter, Column, ColumnElement, bindparam, literal
from sqlalchemy.sql import visitors


class Scope:
    """A condition that is built once, with `bindparam(name)` where its values go; it may hold constants, too.

    `parts`, for a resource whose substrings are indexed: exactly the rows of these parts satisfy the condition, each
    a constant or the name of a value.
    """

    def __init__(self, clause: ColumnElement[bool], *, parts: Sequence[str | int] = ()) -> None:
        self.clause = clause
        self._parts = tuple(parts)
        self.parameters = tuple(_parameters(clause))

    def parts(self, values: Mapping[str, Any]) -> tuple[int, ...]:
        """The parts that the scope has with these values; none where it is not made of parts."""
        return tuple(values[part] if isinstance(part, str) else part for part in self._parts)

    def of(self, **values: Any) -> Bound:
        """The condition with its values."""
        return Bound(self, values)


class Audience(Scope):
    """The scope of what is everybody's or a project's own, by the column that says whose.

    Across relations it holds as well: a related row counts only where it is everybody's or that project's.
    """

    def __init__(self, column: Column[int], *, everybody: int) -> None:
        super().__init__(column.in_((literal(everybody, BigInteger()), bindparam("project", None, BigInteger()))))
        self.column = column


class Bound(Struct, frozen=True, eq=False):
    """A scope with values; to take it into a query costs no more than to bind them."""

    scope: Scope
    values: Mapping[str, Any]

    @property
    def parts(self) -> tuple[int, ...]:
        """The parts whose rows are exactly those that satisfy the condition; none where it is not made of parts."""
        return self.scope.parts(self.values)

    def value(self, parameter: BindParameter[Any]) -> Any:
        """What goes where the parameter stands: the value of its name, or the constant that it is."""
        return self.values[parameter.key] if parameter.key in self.values else _value(parameter)


Condition: TypeAlias = "Bound | ColumnElement[bool]"
"""A scope with its values, or a clause that was built for this one query, which costs some 30 µs."""


def taken(conditions: Sequence[Condition]) -> tuple[Hashable, list[Any]]:
    """What the conditions' text depends on, and their values in order.

    Raises `TypeError` for a clause that SQLAlchemy itself cannot cache.
    """
    keys: list[Hashable] = []
    values: list[Any] = []
    for condition in conditions:
        if isinstance(condition, Bound):
            key, own = condition.scope, [condition.value(parameter) for parameter in condition.scope.parameters]
        else:
            key, own = _key(condition)
        lengths: list[int | None] = []
        for value in own:
            is_list = isinstance(value, list)
            lengths.append(len(cast("list[Any]", value)) if is_list else None)
            values += value if is_list else (value,)
        keys.append((key, tuple(lengths)))
    return tuple(keys), values


def built(conditions: Iterable[Condition]) -> tuple[list[ColumnElement[bool]], list[BindParameter[Any]]]:
    """The clauses, with parameters of names that nothing else has, and these in the order of their values."""
    clauses: list[ColumnElement[bool]] = []
    parameters: list[BindParameter[Any]] = []
    for condition in conditions:
        if isinstance(condition, Bound):
            clause = _renamed(condition)
            parameters += _parameters(clause)
        else:
            clause = condition
            parameters += _cache_key(clause).bindparams
        clauses.append(clause)
    return clauses, parameters


def shown(conditions: Sequence[Condition], clauses: Sequence[ColumnElement[bool]]) -> tuple[BindParameter[Any], ...]:
    """The parameters of an audience, which its clause has; none where there is no such scope."""
    for condition, clause in zip(conditions, clauses, strict=True):
        if isinstance(condition, Bound) and isinstance(condition.scope, Audience):
            return tuple(_parameters(clause))
    return ()


def _renamed(bound: Bound) -> ColumnElement[bool]:
    """The scope's clause with its values, in parameters of names that nothing else has."""

    def fresh(element: Any, **_: Any) -> Any:
        if not isinstance(element, BindParameter):
            return None
        given = cast("BindParameter[Any]", element)
        return bindparam(None, bound.value(given), type_=given.type, unique=True, expanding=given.expanding)

    return visitors.replacement_traverse(bound.scope.clause, {}, fresh)


def _parameters(clause: ColumnElement[bool]) -> list[BindParameter[Any]]:
    return [element for element in visitors.iterate(clause) if isinstance(element, BindParameter)]


def _key(clause: ColumnElement[bool]) -> tuple[Hashable, list[Any]]:
    found = _cache_key(clause)
    return found.key, [_value(parameter) for parameter in found.bindparams]


def _value(parameter: BindParameter[Any]) -> Any:
    value: Any = parameter.effective_value
    return list(value) if parameter.expanding else value


def _cache_key(clause: ColumnElement[bool]) -> Any:
    found = clause._generate_cache_key()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - what SQLAlchemy's own cache goes by
    if found is None:
        message = f"this clause cannot be cached: {clause}"
        raise TypeError(message)
    return found
