"""Queries: what the parameters of REST and the members of an RPC message ask of an inventory, as a query of the core's.

Of every parameter of REST but `q` and `fields` the first one counts, and unknown ones are passed over, as in ZStack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from trivium.base.query import Offset, Op, Order, Query
from trivium.base.values import Value
from trivium.dialects.zstack import conditions
from trivium.dialects.zstack.conditions import Comparison, Grammar
from trivium.dialects.zstack.errors import BadFilter, BadParameter, NoSuchFilter, NotComparable
from trivium.dialects.zstack.inventories import Inventory, Member

LIMIT: Final = 1000
LARGEST: Final = (1 << 31) - 1
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,10}")
_DIRECTIONS: Final = ("asc", "desc")


class Asked(Value, frozen=True):
    """A query, the fields that its answer shows (none named: all), and whether nothing but the total is wanted."""

    inventory: Inventory
    query: Query
    fields: tuple[str, ...] = ()
    only_total: bool = False


def of_parameters(grammar: Grammar, inventory: Inventory, parameters: Mapping[str, Sequence[str]]) -> Asked:
    """What a request of REST asks, by the values of each parameter in their order.

    Raises any of the errors that this room has for queries.
    """
    first = {name: values[0] for name, values in parameters.items() if values}
    comparisons = [conditions.of_text(text) for text in parameters.get("q", ())]
    fields = [name for names in parameters.get("fields", ()) for name in names.split(",")]
    asked: dict[str, object] = {**first, "fields": fields}
    sort = first.get("sort", "").strip()
    if sort:
        name = sort[1:].strip() if sort[0] in "+-" else sort
        if not name:
            raise inventory.lacks(sort)
        asked["sortBy"] = name
        asked["sortDirection"] = "desc" if sort[0] == "-" else "asc"
    return _asked(grammar, inventory, comparisons, given=asked)


def of_message(grammar: Grammar, inventory: Inventory, message: Mapping[str, object]) -> Asked:
    """What a message of RPC asks. Raises any of the errors that this room has for queries."""
    given = message.get("conditions")
    if given is not None and not isinstance(given, list):
        raise BadParameter("conditions", expected="a list")
    comparisons = [conditions.of_object(each) for each in cast("list[object]", given or [])]
    return _asked(grammar, inventory, comparisons, given=message)


def of_row(grammar: Grammar, inventory: Inventory, uuid: str) -> Asked:
    """The one row of that uuid, or none: what a path that ends in one asks. Raises what a condition on it raises."""
    comparison = Comparison(name="uuid", op=Op.EQ, value=uuid)
    where, tree = conditions.split(conditions.clauses(grammar, inventory, [comparison]))
    return Asked(inventory=inventory, query=Query(where=where, tree=tree, page=Offset(limit=1), total=False))


def _asked(
    grammar: Grammar, inventory: Inventory, comparisons: Sequence[Comparison], *, given: Mapping[str, Any]
) -> Asked:
    where, tree = conditions.split(conditions.clauses(grammar, inventory, comparisons))
    check_filter(given.get("filterName"))
    only_total = _truth("count", given.get("count"))
    fields = _names("fields", given.get("fields"))
    for name in fields:
        inventory.member(name)
    query = Query(
        where=where,
        tree=tree,
        group=groups(inventory, _names("groupBy", given.get("groupBy"))),
        order=_order(inventory, given.get("sortBy"), given.get("sortDirection")),
        page=Offset(limit=number("limit", given.get("limit"), LIMIT), offset=number("start", given.get("start"), 0)),
        total=only_total or _truth("replyWithCount", given.get("replyWithCount")),
        utc_offset=grammar.utc_offset,
    )
    return Asked(inventory=inventory, query=query, fields=fields, only_total=only_total)


def groups(inventory: Inventory, names: Iterable[str]) -> tuple[str, ...]:
    """The core's fields that groups are made by. Raises `NoSuchField` or `NotComparable`."""
    found = [inventory.member(name) for name in names]
    for member in found:
        if not member.is_of_rows:
            raise NotComparable(member.name, op="groupBy")
    return tuple([member.field for member in found])


def order(inventory: Inventory, steps: Sequence[tuple[str, bool]]) -> tuple[Order, ...]:
    """The order by these fields, each with whether it descends; rows that are equal in them come as they were made.

    Raises `NoSuchField` or `NotComparable`.
    """
    if not steps:
        return inventory.order
    found = [Order(field=_sortable(inventory, name).field, descending=descending) for name, descending in steps]
    return (*found, Order(field=inventory.key, descending=steps[-1][1]))


def number(parameter: str, given: object, default: int) -> int:
    """The whole number, or the default where none is given. Raises `BadParameter`."""
    if given is None:
        return default
    text = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
    if not isinstance(text, str) or not _WHOLE.fullmatch(text) or not 0 <= int(text) <= LARGEST:
        raise BadParameter(parameter, expected=f"an integer from 0 to {LARGEST}")
    return int(text)


def check_filter(given: object) -> None:
    """Refuse filters, of which there are none: `BadFilter`, `NoSuchFilter`."""
    if given is None or given == "":
        return
    name, colon, _ = str(given).partition(":")
    if not colon:
        raise BadFilter("filterName")
    raise NoSuchFilter("filterName", name=name[:100])


def _sortable(inventory: Inventory, name: str) -> Member:
    member = inventory.member(name)
    if not member.is_of_rows or not member.sortable:
        raise NotComparable(name, op="sort")
    return member


def _order(inventory: Inventory, by: object, direction: object) -> tuple[Order, ...]:
    word = "asc" if direction is None or direction == "" else direction
    if not isinstance(word, str) or word.lower() not in _DIRECTIONS:
        raise BadParameter("sortDirection", expected="asc or desc")
    if by is None or by == "":
        return inventory.order
    if not isinstance(by, str):
        raise BadParameter("sortBy", expected="the name of a field")
    return order(inventory, [(by.strip(), word.lower() == "desc")])


def _names(parameter: str, given: object) -> tuple[str, ...]:
    """The names of a list, or of a text with commas, each once."""
    if given is None:
        return ()
    items = given.split(",") if isinstance(given, str) else given
    if not isinstance(items, list):
        raise BadParameter(parameter, expected="names of fields")
    names: list[str] = []
    for item in cast("list[object]", items):
        if not isinstance(item, str):
            raise BadParameter(parameter, expected="names of fields")
        names.append(item.strip())
    return tuple(dict.fromkeys(filter(None, names)))


def _truth(parameter: str, given: object) -> bool:
    """Whether it is true; any text but `true` is not, as in ZStack."""
    if given is None or isinstance(given, bool):
        return bool(given)
    if not isinstance(given, str):
        raise BadParameter(parameter, expected="true or false")
    return given.lower() == "true"
