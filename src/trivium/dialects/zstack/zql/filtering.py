"""The conditions of a statement: comparisons with `and`, `or`, `not` and parentheses."""

from __future__ import annotations

from typing import Final

from trivium.base.query import AllOf, AnyOf, Clause, Not, Op
from trivium.dialects.zstack import conditions
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.errors import NotInZql, TooMuch
from trivium.dialects.zstack.inventories import Inventory
from trivium.dialects.zstack.values import LISTS, NULLS, Comparison
from trivium.dialects.zstack.zql.tokens import Sort, Token, Tokens

DEEPEST: Final = 8
"""Parentheses within parentheses, each of which may be three clauses of the core's deep."""

SYMBOLS: Final = ("=", "!=", ">=", "<=", ">", "<")
WORDED: Final = ("is not null", "is null", "not in", "not like", "in", "like")
VALUES: Final = (Sort.TEXT, Sort.NUMBER, Sort.NAME)


class Filter:
    """Reads what follows `where`."""

    def __init__(self, grammar: Grammar, inventory: Inventory, tokens: Tokens) -> None:
        self._grammar = grammar
        self._inventory = inventory
        self._tokens = tokens
        self._comparisons: list[Comparison] = []
        self._depth = 0

    def clause(self) -> Clause:
        """The clause. Raises `BadStatement`, `NotInZql`, `TooMuch` or what a condition raises."""
        found = [self._conjunction()]
        while self._tokens.take("or"):
            found.append(self._conjunction())
        return found[0] if len(found) == 1 else AnyOf(parts=tuple(found))

    def _conjunction(self) -> Clause:
        found = [self._negatable()]
        while self._tokens.take("and"):
            found.append(self._negatable())
        return found[0] if len(found) == 1 else AllOf(parts=tuple(found))

    def _negatable(self) -> Clause:
        negations = 0
        while self._tokens.take("not"):
            negations += 1
        found = self._within() if self._tokens.take("(") else self._comparison()
        return Not(part=found) if negations % 2 else found

    def _within(self) -> Clause:
        if self._depth == DEEPEST:
            raise TooMuch("zql", most=DEEPEST, what="levels of parentheses")
        self._depth += 1
        found = self.clause()
        self._depth -= 1
        self._tokens.expect(")")
        return found

    def _comparison(self) -> Clause:
        name = self._tokens.name()
        while self._tokens.take("."):
            name = f"{name}.{self._tokens.name()}"
        is_has_not = self._tokens.take("not", "has")
        if is_has_not or self._tokens.take("has"):
            each = [self._read(name, Op.EQ, value) for value in self._list()]
            has = AllOf(parts=tuple(each))
            return Not(part=has) if is_has_not else has
        op = self._operator()
        if op in NULLS:
            return self._read(name, op, None)
        return self._read(name, op, self._list() if op in LISTS else self._value())

    def _read(self, name: str, op: Op, value: str | tuple[str, ...] | None) -> Clause:
        comparison = Comparison(name=name, op=op, value=value)
        self._comparisons.append(comparison)
        conditions.check_number(self._comparisons)
        return conditions.clause(self._grammar, self._inventory, comparison)

    def _operator(self) -> Op:
        for symbol in SYMBOLS:
            if self._tokens.take(symbol):
                return Op(symbol)
        for words in WORDED:
            if self._tokens.take(*words.split()):
                return conditions.WORDS[words]
        raise self._tokens.unexpected("an operator")

    def _list(self) -> tuple[str, ...]:
        """Values in parentheses, or one."""
        if not self._tokens.take("("):
            return (self._value(),)
        found = [self._value()]
        while self._tokens.take(","):
            found.append(self._value())
        self._tokens.expect(")")
        return tuple(found)

    def _value(self) -> str:
        token = self._tokens.here
        if token.sort not in VALUES or (token.sort is Sort.NAME and not _is_literal(token)):
            if token.text.lower() in ("query", "getapi", "("):
                raise NotInZql("where", part="a query within a condition")
            raise self._tokens.unexpected("a value")
        return self._tokens.next().text


def _is_literal(token: Token) -> bool:
    """Whether a name is a whole number or a truth value."""
    return token.text.isdigit() or token.text.lower() in ("true", "false")
