"""Conditions: those of the REST interface as one text each, those of the RPC entry as objects.

See the chapters on queries in ZStack's developer's guide. Where ZStack's server takes the first operator of its list
that stands anywhere in a condition, here the leftmost one counts, so values may hold operators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, cast

from msgspec import structs

from trivium.base.query import AllOf, Clause, Condition, Not, Op, Related
from trivium.base.values import Value
from trivium.dialects.zstack import uuids, values
from trivium.dialects.zstack.errors import (
    BadParameter,
    NoName,
    NoOperator,
    NoSuchOperator,
    NoValue,
    OnlyWithin,
    TooMuch,
)
from trivium.dialects.zstack.inventories import TAG_NAMES, TAG_UUID, Catalogue, Inventory, Kind, Member, Place
from trivium.dialects.zstack.values import LISTS, NULLS, Comparison, Target

MOST: Final = 64
MOST_VALUES: Final = 8192
"""Values of all conditions together; the core takes twice as many, and may fill lists up to that."""

SYMBOLS: Final[Mapping[str, Op]] = MappingProxyType(
    {
        "!?=": Op.NOT_IN,
        "!~=": Op.NOT_LIKE,
        "!=": Op.NE,
        ">=": Op.GE,
        "<=": Op.LE,
        "~=": Op.LIKE,
        "?=": Op.IN,
        "=": Op.EQ,
        ">": Op.GT,
        "<": Op.LT,
    }
)
"""The operators of REST; of those that begin alike the longest first."""

WORDS: Final[Mapping[str, Op]] = MappingProxyType(
    {
        **{op.value: op for op in Op if op not in (Op.CONTAINS, Op.NOT_CONTAINS)},
        "is null": Op.NULL,
        "is not null": Op.NOT_NULL,
    }
)
"""The operators of RPC and ZQL."""

OPERATORS: Final = ", ".join((*SYMBOLS, "is null", "not null"))

_SYMBOL: Final = re.compile("|".join(map(re.escape, SYMBOLS)))
_NULL: Final = re.compile(r"\s(is(?P<not>\s+not)?|not)\s+null$", re.IGNORECASE)

_POSITIVE: Final[Mapping[Op, Op]] = MappingProxyType(
    {Op.NE: Op.EQ, Op.NOT_IN: Op.IN, Op.NOT_LIKE: Op.LIKE, Op.NULL: Op.NOT_NULL}
)


class Grammar(Value, frozen=True):
    """What conditions are read by: the inventories, and how far the server's clock is ahead of UTC."""

    catalogue: Catalogue
    utc_offset: timedelta


def of_text(text: str) -> Comparison:
    """A condition of REST. A bare uuid is that of the row: so it stands in the samples of ZStack's own manual.

    Raises `NoOperator` or `NoName`.
    """
    symbol, null = _SYMBOL.search(text), _NULL.search(text.rstrip())
    if null is not None and (symbol is None or null.start() < symbol.start()):
        is_null = null[1].lower() == "is"
        return Comparison(name=_named(text[: null.start()]), op=Op.NULL if is_null else Op.NOT_NULL)
    if symbol is not None:
        op = SYMBOLS[symbol[0]]
        rest = text[symbol.end() :]
        value = tuple(rest.split(",")) if op in LISTS else rest
        return Comparison(name=_named(text[: symbol.start()]), op=op, value=value)
    if uuids.is_one(text):
        return Comparison(name="uuid", op=Op.EQ, value=text)
    raise NoOperator("q", condition=text[:100], operators=OPERATORS)


def _named(name: str) -> str:
    found = name.strip()
    if not found:
        raise NoName("q", operators=OPERATORS)
    return found


def of_object(given: object) -> Comparison:
    """A condition of RPC: `{"name": …, "op": …, "value": …}`, or a text as in REST.

    Raises `BadParameter`, `NoSuchOperator`, `NoValue` or what `of_text` raises.
    """
    if isinstance(given, str):
        return of_text(given)
    if not isinstance(given, dict):
        raise BadParameter("conditions", expected="objects with name, op and value")
    condition = cast("dict[str, Any]", given)
    name, word, value = condition.get("name"), condition.get("op"), condition.get("value")
    if not isinstance(name, str) or not name.strip():
        raise NoName("conditions", operators=", ".join(WORDS))
    op = WORDS.get(word) if isinstance(word, str) else None
    if op is None:
        raise NoSuchOperator(name.strip(), op=str(word)[:100])
    return compared(name.strip(), op, value)


def compared(name: str, op: Op, value: object) -> Comparison:
    """The comparison with a value of JSON. Raises `NoValue` or `BadParameter`."""
    if op in NULLS:
        return Comparison(name=name, op=op)
    if value is None:
        raise NoValue(name, op=op.value)
    if op not in LISTS:
        return Comparison(name=name, op=op, value=_written(name, value))
    items = cast("list[object]", value) if isinstance(value, list) else _written(name, value).split(",")
    return Comparison(name=name, op=op, value=tuple([_written(name, item) for item in items]))


def _written(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise BadParameter(name, expected="text, a number, true or false")


def clauses(grammar: Grammar, inventory: Inventory, comparisons: Iterable[Comparison]) -> tuple[Clause, ...]:
    """The clauses of the comparisons, each once. Raises any of the errors that a condition can have."""
    wanted = list(dict.fromkeys(comparisons))
    check_number(wanted)
    return tuple([clause(grammar, inventory, comparison) for comparison in wanted])


def check_number(comparisons: Sequence[Comparison]) -> None:
    """Refuse more conditions or values than one query has: `TooMuch`."""
    if len(comparisons) > MOST:
        raise TooMuch("conditions", most=MOST, what="conditions")
    if sum(len(comparison.values) for comparison in comparisons) > MOST_VALUES:
        raise TooMuch("conditions", most=MOST_VALUES, what="values")


def conjuncts(found: Clause) -> Iterable[Clause]:
    """The clauses that must all hold for this one to hold."""
    if isinstance(found, AllOf):
        for part in found.parts:
            yield from conjuncts(part)
    else:
        yield found


def split(found: Iterable[Clause]) -> tuple[tuple[Condition, ...], Clause | None]:
    """Clauses that must all hold, as a query has them: the plain conditions, and all else in one."""
    plain: list[Condition] = []
    others: list[Clause] = []
    for each in found:
        if isinstance(each, Condition):
            plain.append(each)
        else:
            others.append(each)
    if not others:
        return tuple(plain), None
    return tuple(plain), others[0] if len(others) == 1 else AllOf(parts=tuple(others))


def clause(grammar: Grammar, inventory: Inventory, comparison: Comparison) -> Clause:
    """The clause of one comparison."""
    place = grammar.catalogue.place(inventory, comparison.name)
    here = place.inventory
    if place.last in TAG_NAMES:
        return _tagged(grammar, place, comparison)
    member = here.member(place.last, asked=comparison.name)
    if member.kind is Kind.OBJECTS:
        raise OnlyWithin(comparison.name, fields=_within(grammar.catalogue, here, comparison.name))
    path = f"{place.path}.{member.field}" if place.path else member.field
    target = Target(member=member, path=path, utc_offset=grammar.utc_offset)
    if not member.is_of_rows:
        return values.constant(target, place.path, comparison)
    return values.clause(target, comparison)


def _within(catalogue: Catalogue, here: Inventory, name: str) -> str:
    """The names of the fields that the objects have."""
    link = here.links.get(name.rpartition(".")[2])
    return "" if link is None else ", ".join(f"{name}.{member}" for member in catalogue.of(link.to).members)


def _tagged(grammar: Grammar, place: Place, comparison: Comparison) -> Clause:
    """Whether some tag of the row matches; with a negative operator, that none matches the positive one.

    What has no tags here matches as what happens to have none.
    """
    values.check_text(comparison)
    tag = place.inventory.tags.get(place.last)
    if tag is None:
        return values.always(place.path) if comparison.op in _POSITIVE else values.never(place.path)
    member = Member(name=comparison.name, kind=Kind.UUID if place.last == TAG_UUID else Kind.STRING)

    def held(op: Op, path: str) -> Clause:
        target = Target(member=member, path=path, utc_offset=grammar.utc_offset)
        return values.clause(target, structs.replace(comparison, op=op))

    positive = _POSITIVE.get(comparison.op)
    if positive is None:
        return held(comparison.op, f"{place.path}.{tag}" if place.path else tag)
    none = Not(part=held(positive, tag))
    return Related(path=place.path, part=none) if place.path else none
