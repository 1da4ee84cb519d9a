"""Inventories: the names of a resource's fields and relations on the wire, and where they are in the core.

One declaration serves conditions, order, groups, the choice of fields, and the list of what can be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

from trivium.base.query import Order
from trivium.base.text import fold
from trivium.base.values import Value
from trivium.dialects.zstack.errors import NoSuchField, NoSuchRelation, TooManyRelations

DEEPEST: Final = 6
"""Relations that one name may go across."""

T = TypeVar("T", bound="_Named")

USER_TAG: Final = "__userTag__"
SYSTEM_TAG: Final = "__systemTag__"
TAG_UUID: Final = "__tagUuid__"
TAG_NAMES: Final = (SYSTEM_TAG, USER_TAG, TAG_UUID)
"""Names of tag conditions, which every resource takes, whether or not things of it can have tags."""

PARAMETERS: Final = (
    "conditions",
    "count",
    "fields",
    "filterName",
    "groupBy",
    "limit",
    "replyWithCount",
    "sortBy",
    "sortDirection",
    "start",
    "timeout",
)
"""What a query takes besides, as ZStack's command line offers it."""


class Kind(StrEnum):
    """What a field holds, which is how it is compared."""

    STRING = "String"  # text without regard to case
    UUID = "Uuid"  # the same of 32 hexadecimal digits
    WORD = "Word"  # one of a few words, each of which is a word of the core's
    INTEGER = "Integer"
    LONG = "Long"
    BOOLEAN = "Boolean"
    TIMESTAMP = "Timestamp"
    LIST = "List"  # members, in the core one text with commas
    OBJECTS = "Objects"  # objects of their own; their fields are asked across a relation


class Member(Value, frozen=True):
    """A field of an inventory. `field` is the core's, of the resource itself; objects have none.

    What is the same text or truth value in all rows, because ZStack has something there of which we have one sort, is
    `constant`; what no row has, because ZStack has something there of which we have none, is `absent`. Both are
    compared without the core, and nothing is sorted or grouped by them.
    """

    name: str
    kind: Kind
    field: str = ""
    words: Mapping[str, str | tuple[str, ...]] | None = (
        None  # of WORD: the core's word for each on the wire, or several
    )
    sortable: bool = True
    constant: str | None = None
    absent: bool = False

    @property
    def is_of_rows(self) -> bool:
        """Whether rows can be told apart by it: it is neither objects nor the same everywhere."""
        return self.kind is not Kind.OBJECTS and self.constant is None and not self.absent

    @property
    def type(self) -> str:
        """What ZStack calls the type."""
        if self.kind in (Kind.UUID, Kind.WORD):
            return Kind.STRING.value
        return Kind.LIST.value if self.kind is Kind.OBJECTS else self.kind.value


def absent(kind: Kind, *names: str) -> tuple[Member, ...]:
    """Fields of ZStack's that nothing has a value of here: they can be asked for, and no answer has them."""
    return tuple(Member(name=name, kind=kind, absent=True) for name in names)


def word_of(words: Mapping[str, str | tuple[str, ...]], own: str) -> str:
    """The word on the wire for one of the core's."""
    return next(word for word, known in words.items() if own in ((known,) if isinstance(known, str) else known))


class Link(Value, frozen=True):
    """A relation to another inventory: `path` is the way in the core, one relation or several with dots between."""

    name: str
    to: str
    path: str


class Inventory:
    """A resource as ZStack shows it. Raises `ValueError` for a declaration that contradicts itself.

    `tags` has the core's path for each name of a tag condition, its relation first; none of what has no tags. `order`
    is that of answers when none is asked for, `key` the core's field that tells all rows apart and rises as they are
    made.
    """

    def __init__(
        self,
        name: str,
        members: Iterable[Member],
        *,
        links: Iterable[Link] = (),
        tags: Mapping[str, str] | None = None,
        order: tuple[Order, ...] = (Order(field="id"),),
        key: str = "id",
    ) -> None:
        self.name = name
        self.members: Mapping[str, Member] = _by_name(name, members)
        self.links: Mapping[str, Link] = _by_name(name, links)
        self.tags: Mapping[str, str] = MappingProxyType(dict(tags or {}))
        self.order = order
        self.key = key
        for member in self.members.values():
            _check(name, member)

    def member(self, name: str, *, asked: str | None = None) -> Member:
        """The field of that name. Raises `NoSuchField`, about the whole name that was asked for."""
        found = self.members.get(name)
        if found is None:
            raise self.lacks(name, asked=asked)
        return found

    def lacks(self, name: str, *, asked: str | None = None) -> NoSuchField:
        """The error that there is no such field here."""
        return NoSuchField(asked or name, resource=self.name, name=name)


class Place(Value, frozen=True):
    """Where a dotted name leads: the core's path to the inventory, and the last part of the name."""

    inventory: Inventory
    path: str
    last: str


class Catalogue:
    """All inventories, by their names. Raises `ValueError` where a relation leads to none."""

    def __init__(self, inventories: Iterable[Inventory]) -> None:
        self._inventories: Mapping[str, Inventory] = _by_name("the catalogue", inventories)
        self._by_target = {name.lower(): inventory for name, inventory in self._inventories.items()}
        for inventory in self:
            for link in inventory.links.values():
                if link.to not in self._inventories:
                    message = f"{inventory.name}.{link.name} leads to {link.to}, which there is none of"
                    raise ValueError(message)

    def __iter__(self) -> Iterator[Inventory]:
        return iter(self._inventories.values())

    def of(self, name: str) -> Inventory:
        """The inventory of that name. Raises `KeyError`."""
        return self._inventories[name]

    def target(self, word: str) -> Inventory | None:
        """The inventory that ZQL calls by the word, in whatever case."""
        return self._by_target.get(word.lower())

    def place(self, inventory: Inventory, name: str) -> Place:
        """Where the dotted name leads. Raises `NoSuchRelation` or `TooManyRelations`."""
        *steps, last = name.split(".")
        path: list[str] = []
        here = inventory
        for step in steps:
            link = here.links.get(step)
            if link is None:
                raise NoSuchRelation(name, resource=here.name, name=step)
            path += link.path.split(".")
            if len(path) > DEEPEST:
                raise TooManyRelations(name, resource=inventory.name, most=DEEPEST)
            here = self.of(link.to)
        return Place(inventory=here, path=".".join(path), last=last)


class Queryable(Value, frozen=True):
    """What can be asked of a resource: its fields with their types, relations with their resources, parameters."""

    fields: tuple[tuple[str, str], ...]
    relations: tuple[tuple[str, str], ...]
    parameters: tuple[str, ...] = PARAMETERS


def queryable(inventory: Inventory) -> Queryable:
    """What can be asked of the resource, as ZStack's command line offers it: relations are not among the fields."""
    own = [(member.name, member.type) for member in inventory.members.values() if member.name not in inventory.links]
    tags = [(name, Kind.STRING.value) for name in TAG_NAMES]
    return Queryable(fields=(*own, *tags), relations=tuple((link.name, link.to) for link in inventory.links.values()))


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def _check(inventory: str, member: Member) -> None:
    """Refuse a field without its place, or with one that is not its own."""
    is_held = bool(member.field) and "." not in member.field
    if is_held is not member.is_of_rows or (member.words is not None) is not (member.kind is Kind.WORD):
        message = f"{inventory}.{member.name} cannot be a {member.kind.value} at {member.field!r}"
        raise ValueError(message)
    if member.constant is not None and member.kind not in (Kind.STRING, Kind.BOOLEAN):
        message = f"{inventory}.{member.name} is the same in all rows, and neither a text nor a truth value"
        raise ValueError(message)
    known = member.words or {}
    ordered = [known[word] for word in sorted(known, key=fold)]
    if member.sortable and (any(isinstance(own, tuple) for own in ordered) or ordered != sorted(ordered, key=str)):
        message = f"{inventory}.{member.name} would be sorted by words that have another order in the core"
        raise ValueError(message)


def _by_name(of: str, named: Iterable[T]) -> Mapping[str, T]:
    found: dict[str, T] = {}
    for each in named:
        if each.name in found:
            message = f"{of} has {each.name} twice"
            raise ValueError(message)
        found[each.name] = each
    return MappingProxyType(found)
