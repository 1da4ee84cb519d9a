"""Analysis of SQL conditions: the columns they use, those they fix to one value, and the same on another table."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any, cast

from sqlalchemy import BindParameter, Column, ColumnElement, FromClause, Table, UnaryExpression
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import AsBoolean, BinaryExpression, BooleanClauseList, Grouping


def adapted(clause: Any, table: Table, to: FromClause) -> Any:
    """The clause with the table's columns replaced by those of an alias of it, or of a table with the same columns.

    Its parameters stay the same objects.
    """
    if to is table:
        return clause
    columns: Any = to.c

    def replaced(element: Any, **_named: Any) -> Any:
        if isinstance(element, BindParameter):
            return cast("BindParameter[Any]", element)  # a copy would have a name of its own
        return columns[element.key] if getattr(element, "table", None) is table else None

    traverse: Any = visitors.replacement_traverse
    return traverse(clause, {}, replaced)


def without_index(column: ColumnElement[Any]) -> UnaryExpression[Any]:
    """The column's value, which SQLite knows no index for."""
    return UnaryExpression(column, operator=operators.custom_op[Any]("+"), type_=column.type)


def without_indexes(clause: ColumnElement[bool], table: Table) -> ColumnElement[bool]:
    """The clause, where SQLite knows no index for the table's columns. Its parameters stay the same objects."""

    def hidden(element: Any, **_named: Any) -> Any:
        if isinstance(element, BindParameter):
            return cast("BindParameter[Any]", element)  # a copy would have a name of its own
        return without_index(element) if getattr(element, "table", None) is table else None

    traverse: Any = visitors.replacement_traverse
    return traverse(clause, {}, hidden)


def columns_of(table: Table, clauses: Iterable[ColumnElement[bool]]) -> frozenset[str] | None:
    """The table's columns that the clauses use; None where they use anything else."""
    found: set[str] = set()
    for clause in clauses:
        for element in visitors.iterate(clause):
            if isinstance(element, FromClause):
                return None
            if isinstance(element, Column):
                column = cast("Column[Any]", element)
                if column.table is not table:
                    return None
                found.add(column.key)
    return frozenset(found)


def fixed_columns(clauses: Iterable[ColumnElement[bool]]) -> frozenset[str]:
    """The columns that have the same value in all rows that satisfy the clauses."""
    return frozenset(name for part in conjuncts(clauses) if (name := _fixed_column(part)) is not None)


def conjuncts(clauses: Iterable[ColumnElement[bool]]) -> Iterator[ColumnElement[bool]]:
    """The operands of the outermost ANDs."""
    for clause in clauses:
        if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
            yield from conjuncts(cast("Iterable[ColumnElement[bool]]", clause.clauses))
        elif isinstance(clause, Grouping):
            yield from conjuncts((cast("ColumnElement[bool]", clause.element),))
        else:
            yield clause


def _fixed_column(clause: ColumnElement[bool]) -> str | None:
    if isinstance(clause, AsBoolean) and isinstance(clause.element, Column):
        return clause.element.key
    if not isinstance(clause, BinaryExpression) or clause.operator is not operator.eq:
        return None
    column, value = clause.left, clause.right
    return column.key if isinstance(column, Column) and isinstance(value, BindParameter) else None
