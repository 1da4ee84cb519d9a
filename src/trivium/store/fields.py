"""What a room declares of its resource once: fields, how each may be matched and sorted, and relations to others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Table

from trivium.base.query import Op
from trivium.base.text import fold
from trivium.store.counters.declared import Counted
from trivium.store.errors import UnknownField, UnknownRelation
from trivium.store.grams.declared import Grams

SMALLEST: Final = -(1 << 63)
LARGEST: Final = (1 << 63) - 1
LONGEST: Final = 4096
"""Characters of a text to compare with."""

DEEPEST: Final = 6
"""Relations that one condition may go across."""

EQUALITY: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.NULL, Op.NOT_NULL})
ORDERING: Final = EQUALITY | {Op.LT, Op.LE, Op.GT, Op.GE}
PATTERNS: Final = frozenset({Op.LIKE, Op.NOT_LIKE, Op.CONTAINS, Op.NOT_CONTAINS})


class Manner(StrEnum):
    """How values of a type are compared."""

    PLAIN = "plain"  # as the database compares them
    FOLDED = "folded"  # the same, folded on both sides
    MEMBERS = "members"  # folded text of members with commas between them
    SECONDS = "seconds"  # times without what is smaller than a second


class Unfit(ValueError):
    """A value that a type of field does not have, with what it must be."""


class Type(Struct, frozen=True, eq=False):
    """A type of field: the operators that make sense, and `check`, which gives a value ready to be bound.

    `check` raises `Unfit` with a clause that goes after the field's name: "must be …".
    """

    name: str
    ops: frozenset[Op]
    check: Callable[[object], Any]
    words: tuple[str, ...] = ()  # what an enum knows
    manner: Manner = Manner.PLAIN


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unfit("must be a whole number")
    if not SMALLEST <= value <= LARGEST:
        raise Unfit("must be a number of at most 63 bits")
    return int(value)


def _number(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Unfit("must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Unfit("must be a finite number")
    return number


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unfit("must be true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Unfit("must be text")
    if len(value) > LONGEST:
        message = f"must have at most {LONGEST} characters"
        raise Unfit(message)
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise Unfit("must be text without NUL and halves of characters")
    return str.__str__(value)


def _time(value: object) -> datetime:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise Unfit("must be a time with its zone")
    return value


def _folded(value: object) -> str:
    folded = fold(_text(value))
    if len(folded) > LONGEST:  # some characters become several
        message = f"must have at most {LONGEST} characters"
        raise Unfit(message)
    return folded


def _second(value: object) -> datetime:
    return _time(value).replace(microsecond=0)


def _uuid(value: object) -> UUID:
    if not isinstance(value, UUID):
        raise Unfit("must be a UUID")
    return value


integer: Final = Type("integer", ORDERING | {Op.LIKE, Op.NOT_LIKE}, _integer)
number: Final = Type("number", ORDERING, _number)
boolean: Final = Type("boolean", EQUALITY, _boolean)
text: Final = Type("text", ORDERING | PATTERNS, _text)
time: Final = Type("time", ORDERING, _time)
uuid: Final = Type("uuid", ORDERING | {Op.LIKE, Op.NOT_LIKE}, _uuid)
caseless: Final = Type("caseless", ORDERING | PATTERNS, _folded, manner=Manner.FOLDED)
members: Final = Type("members", ORDERING | PATTERNS, _folded, manner=Manner.MEMBERS)
second: Final = Type("second", ORDERING | {Op.LIKE, Op.NOT_LIKE}, _second, manner=Manner.SECONDS)


def enum(words: Iterable[str]) -> Type:
    """Text that is one of a few words; an enumeration of `StrEnum` will do."""
    known = {str(word): str(word) for word in words}

    def check(value: object) -> str:
        word = known.get(value) if isinstance(value, str) else None
        if word is None:
            message = f"must be one of {', '.join(known)}"
            raise Unfit(message)
        return word

    return Type("enum", EQUALITY, check, tuple(known))


def is_nullable(column: ColumnElement[Any]) -> bool:
    """Whether there may be rows without a value; what is no plain column may always lack one."""
    return bool(getattr(column, "nullable", True))


class Field(Struct, frozen=True, eq=False):
    """A field by the name that queries use.

    Text takes patterns only where `folded` names the column that holds it folded, and `caseless` and `members` are
    nothing without one: `ValueError`. `grams` is the index of that column's substrings. `ops` narrows what the type
    allows.
    """

    name: str
    type: Type
    column: ColumnElement[Any]
    folded: ColumnElement[Any] | None = None
    grams: Grams | None = None
    ops: frozenset[Op] | None = None
    sortable: bool = True

    def __post_init__(self) -> None:
        if self.folded is None and self.type.manner in (Manner.FOLDED, Manner.MEMBERS):
            message = f"{self.name} is compared folded, and no column has it so"
            raise ValueError(message)

    @property
    def compared(self) -> ColumnElement[Any]:
        """The column that values are compared with, and that orders and groups go by."""
        if self.folded is not None and self.type.manner in (Manner.FOLDED, Manner.MEMBERS):
            return self.folded
        return self.column

    @property
    def ordered(self) -> Type:
        """The type of `compared` alone: what an order has."""
        return _ORDERED.get(self.type.manner, self.type)

    def allows(self, op: Op) -> bool:
        """Whether the field may be matched with this operator."""
        if op not in self.type.ops or (self.ops is not None and op not in self.ops):
            return False
        return self.folded is not None or op not in PATTERNS or self.type is not text


_ORDERED: Final[Mapping[Manner, Type]] = MappingProxyType(
    {Manner.FOLDED: text, Manner.MEMBERS: text, Manner.SECONDS: time}
)


class Relation(Struct, frozen=True, eq=False):
    """Related rows of another resource: those whose `remote` column equals our `local` one, and that satisfy `where`.

    The target is a function because resources may refer to each other.
    """

    name: str
    target: Callable[[], Resource]
    local: Column[Any]
    remote: Column[Any]
    where: tuple[ColumnElement[bool], ...] = ()

    def reads_key(self, field: Field) -> bool:
        """Whether the related field is the very one by which the relation finds a single row."""
        is_key = field.column is self.remote and field.type.manner is Manner.PLAIN and not self.where
        return is_key and is_unique(self.remote)


def is_unique(column: ColumnElement[Any]) -> bool:
    """Whether no two rows have the same value in this column; of what is no plain column that is not known."""
    if not isinstance(column, Column):
        return False
    if column.primary_key or column.unique:
        return True
    return any(index.unique and [each.key for each in index.columns] == [column.key] for index in column.table.indexes)


Path: TypeAlias = "tuple[tuple[Relation, ...], Field]"


class Resource:
    """One table as queries see it. Its primary key is the column `id`.

    `columns` are what a page carries when the query names no fields: every column of the table unless told. `counted`
    says of which conditions the totals are kept. `aliases` are names for ways across several relations, dotted.
    `conditions_lead`: see `store.query.leading`. `audience` says who sees a row that a relation leads to, where the
    query has a scope of audiences.
    """

    def __init__(
        self,
        name: str,
        table: Table,
        fields: Iterable[Field],
        *,
        relations: Iterable[Relation] = (),
        columns: Iterable[Column[Any]] = (),
        counted: Counted | None = None,
        aliases: Mapping[str, str] | None = None,
        conditions_lead: bool = False,
        audience: Column[int] | None = None,
    ) -> None:
        self.name = name
        self.table = table
        self.id: Column[Any] = table.c.id
        self.fields: Mapping[str, Field] = MappingProxyType({field.name: field for field in fields})
        self._relations: dict[str, Relation] = {}
        self._aliases: dict[str, str] = {}
        self.relations: Mapping[str, Relation] = MappingProxyType(self._relations)
        self.aliases: Mapping[str, str] = MappingProxyType(self._aliases)
        self.columns: tuple[Column[Any], ...] = tuple(columns) or tuple(table.c)
        self.counted = counted
        self.conditions_lead = conditions_lead
        self.audience = audience
        self.relate(*relations, aliases=aliases)

    def relate(self, *relations: Relation, aliases: Mapping[str, str] | None = None) -> None:
        """Add relations, and names for ways across several.

        For a later room whose tables refer to this one's: it declares both directions, and the earlier one knows
        nothing of it. `ValueError` for a name that is taken.
        """
        names = [*(relation.name for relation in relations), *(aliases or {})]
        if taken := sorted({*names} & {*self._relations, *self._aliases}):
            message = f"{self.name} has these relations already: {', '.join(taken)}"
            raise ValueError(message)
        self._relations.update({relation.name: relation for relation in relations})
        self._aliases.update(aliases or {})

    def field(self, name: str, *, asked: str | None = None) -> Field:
        """The resource's own field of that name. Raises `UnknownField`, about the whole name that was asked for."""
        found = self.fields.get(name)
        if found is None:
            message = f"{self.name} has no field {name!r}"
            raise UnknownField(asked or name, message, resource=self.name)
        return found

    def path(self, name: str) -> Path:
        """The relations that a dotted name goes across, and the field that it ends in.

        A last relation that is there only to read its own key is left out: the field is then our side of it. Raises
        `UnknownRelation` or `UnknownField`.
        """
        if "." not in name:
            return (), self.field(name)
        steps, _, last = name.rpartition(".")
        hops, there = self.walk(steps, asked=name)
        field = there.field(last, asked=name)
        if hops[-1].reads_key(field):
            return hops[:-1], Field(field.name, field.type, hops[-1].local, ops=field.ops)
        return hops, field

    def walk(self, path: str, *, asked: str | None = None) -> tuple[tuple[Relation, ...], Resource]:
        """The relations of a dotted path, and the resource that it leads to. Raises `UnknownRelation`."""
        name = asked or path
        here, hops = self, list[Relation]()
        for step in path.split("."):
            for real in here.aliases.get(step, step).split("."):
                hop = here._relation(real, asked=name)
                hops.append(hop)
                here = hop.target()
            if len(hops) > DEEPEST:
                message = f"{name!r} goes across more than {DEEPEST} relations"
                raise UnknownRelation(name, message, resource=self.name)
        return tuple(hops), here

    def _relation(self, name: str, *, asked: str) -> Relation:
        found = self.relations.get(name)
        if found is None:
            message = f"{self.name} has no relation {name!r}"
            raise UnknownRelation(asked, message, resource=self.name)
        return found
