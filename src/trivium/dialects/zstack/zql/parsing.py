"""Statements of ZQL, read into queries of the core's.

`and` binds more tightly than `or`. Beside ZStack's grammar `not` may stand before a condition: it holds wherever that
one does not. Clauses may come in any order, each once. See "ZQL" in ZStack's developer's guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from trivium.base.query import Clause, Offset, Order, Query
from trivium.base.values import Value
from trivium.dialects.zstack import conditions, queries
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.errors import NoSuchResource, NotComparable, NotInZql, TooMuch
from trivium.dialects.zstack.inventories import Inventory, Kind
from trivium.dialects.zstack.zql.filtering import Filter
from trivium.dialects.zstack.zql.tokens import Sort, Tokens

MOST: Final = 16
"""Statements in one text."""


class Verb(StrEnum):
    """What a statement wants."""

    QUERY = "query"
    COUNT = "count"
    SUM = "sum"


class Statement(Value, frozen=True):
    """One statement: what it asks, which fields it shows or adds up, by which it makes groups, and its answer's name.

    A query with a group shows the first row of each. A count without one is the query's total; with one, and a sum, are
    numbers and sums of the groups. Names of fields are the wire's; those of the core are in the query.
    """

    verb: Verb
    inventory: Inventory
    query: Query
    fields: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    name: str | None = None


def statements(grammar: Grammar, text: str) -> tuple[Statement, ...]:
    """The statements of the text, with semicolons between them.

    Raises `BadStatement`, `NoSuchResource`, `NotInZql`, or what a condition or an order raises.
    """
    tokens = Tokens(text)
    found = [_Reader(grammar, tokens).statement()]
    while tokens.take(";") and tokens.here.sort is not Sort.END:
        if len(found) == MOST:
            raise TooMuch("zql", most=MOST, what="statements")
        found.append(_Reader(grammar, tokens).statement())
    if tokens.here.sort is not Sort.END:
        raise tokens.unexpected("the end of the statement")
    return tuple(found)


class _Reader:
    """Reads one statement."""

    def __init__(self, grammar: Grammar, tokens: Tokens) -> None:
        self.tokens = tokens
        self._grammar = grammar
        self._where: Clause | None = None
        self._group: tuple[str, ...] = ()
        self._order: list[tuple[str, bool]] = []
        self._limit = queries.LIMIT
        self._offset = 0
        self._total = False
        self._name: str | None = None

    def statement(self) -> Statement:
        verb = next((verb for verb in Verb if self.tokens.take(verb.value)), None)
        if verb is None:
            raise self.tokens.unexpected("query, count or sum")
        inventory, fields = self._target()
        if verb is Verb.SUM:
            if not fields:
                raise self.tokens.unexpected("the field to sum up")
            self.tokens.expect("by")
            self._group = (self.tokens.name(),)
        self._clauses(inventory)
        for name in fields:
            member = inventory.member(name)
            if verb is Verb.SUM and (member.kind not in (Kind.INTEGER, Kind.LONG) or not member.is_of_rows):
                raise NotComparable(name, op="sum")
        query = self._query(verb, inventory)
        return Statement(verb=verb, inventory=inventory, query=query, fields=fields, group=self._group, name=self._name)

    def _target(self) -> tuple[Inventory, tuple[str, ...]]:
        """The resource, and the fields that are wanted of it; with `distinct` rows that differ in them."""
        if self.tokens.take("distinct", "("):
            inventory, fields = self._target()
            self.tokens.expect(")")
            self._group = fields
            return inventory, fields
        word = self.tokens.name()
        inventory = self._grammar.catalogue.target(word)
        if inventory is None:
            raise NoSuchResource("zql", name=word[:100])
        return inventory, self._names() if self.tokens.take(".") else ()

    def _names(self) -> tuple[str, ...]:
        names = [self.tokens.name()]
        while self.tokens.take(","):
            names.append(self.tokens.name())
        return tuple(dict.fromkeys(names))

    def _clauses(self, inventory: Inventory) -> None:
        left = dict(_CLAUSES)
        while words := next((words for words in left if self.tokens.take(*words.split())), None):
            left.pop(words)(self, inventory)

    def where(self, inventory: Inventory) -> None:
        self._where = Filter(self._grammar, inventory, self.tokens).clause()

    def return_with(self, _inventory: Inventory) -> None:
        self.tokens.expect("(")
        if not self.tokens.take("total"):
            raise NotInZql("return with", part=f"return with ({self.tokens.here.text[:100]})")
        self.tokens.expect(")")
        self._total = True

    def group_by(self, _inventory: Inventory) -> None:
        if self._group:
            raise self.tokens.unexpected("one way to make groups")
        self._group = self._names()

    def order_by(self, _inventory: Inventory) -> None:
        more = True
        while more:
            name = self.tokens.name()
            descending = self.tokens.take("desc")
            if not descending:
                self.tokens.take("asc")
            self._order.append((name, descending))
            more = self.tokens.take(",")

    def limit(self, _inventory: Inventory) -> None:
        self._limit = queries.number("limit", self.tokens.next().text, queries.LIMIT)

    def offset(self, _inventory: Inventory) -> None:
        self._offset = queries.number("offset", self.tokens.next().text, 0)

    def named_as(self, _inventory: Inventory) -> None:
        if self.tokens.here.sort is not Sort.TEXT:
            raise self.tokens.unexpected("a name in quotes")
        self._name = self.tokens.next().text

    def refused(self, words: str) -> None:
        raise NotInZql(words, part=words)

    def _query(self, verb: Verb, inventory: Inventory) -> Query:
        where, tree = conditions.split(() if self._where is None else conditions.conjuncts(self._where))
        group = queries.groups(inventory, self._group)
        return Query(
            where=where,
            tree=tree,
            group=group,
            order=self._ordered(inventory, is_of_groups=verb is Verb.SUM or (verb is Verb.COUNT and bool(group))),
            page=Offset(limit=self._limit, offset=self._offset),
            total=self._total or verb is Verb.COUNT,
            utc_offset=self._grammar.utc_offset,
        )

    def _ordered(self, inventory: Inventory, *, is_of_groups: bool) -> tuple[Order, ...]:
        """The order of the rows; sums and numbers of groups have no other fields than those of the group."""
        if not is_of_groups:
            return queries.order(inventory, self._order)
        for name, _ in self._order:
            if name not in self._group:
                raise NotComparable(name, op="order by")
        return queries.order(inventory, self._order)[:-1] if self._order else ()


_CLAUSES: Final[Mapping[str, Callable[[_Reader, Inventory], None]]] = MappingProxyType(
    {
        "where": _Reader.where,
        "return with": _Reader.return_with,
        "group by": _Reader.group_by,
        "order by": _Reader.order_by,
        "limit": _Reader.limit,
        "offset": _Reader.offset,
        "named as": _Reader.named_as,
        "restrict by": lambda reader, _: reader.refused("restrict by"),
        "filter by": lambda reader, _: reader.refused("filter by"),
    }
)
