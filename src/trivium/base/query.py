"""What a list asks: conditions that must all hold, an order, a page, wanted fields, and whether a total is wanted.

Dialects translate their parameters into a `Query`; the store compiles it. Nothing here knows of SQL or of the wire.

How values compare, on every database alike:

* text by Unicode code point, `CONTAINS` and `LIKE` on folded text (`base.text.fold`), so without regard to case;
* `LIKE` sees whole numbers as decimal text and UUIDs as 32 hex digits; a backslash in it makes the next character
  plain, and is plain itself at the end;
* a null never satisfies a condition save `NULL`; the negations `NE`, `NOT_IN`, `NOT_LIKE`, `NOT_CONTAINS` do not
  hold for a null either;
* in an order nulls come first ascending and last descending; rows that are equal in the order come by descending id,
  unless the order names the id itself.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from trivium.base.values import Value

R = TypeVar("R")
Scalar: TypeAlias = "str | int | float | bool | datetime | UUID"


class Op(StrEnum):
    """How a field is held against a value."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    NOT_IN = "not in"
    LIKE = "like"  # % and _ are wildcards, \ escapes
    NOT_LIKE = "not like"
    CONTAINS = "contains"  # a plain substring; nothing in it is special
    NOT_CONTAINS = "not contains"
    NULL = "is null"
    NOT_NULL = "is not null"


class Condition(Value, frozen=True):
    """One condition. A dotted field goes across relations: it holds when some related row satisfies it."""

    field: str
    op: Op
    value: Scalar | tuple[Scalar, ...] | None = None


class Order(Value, frozen=True):
    """One step of an order."""

    field: str
    descending: bool = False


class Offset(Value, frozen=True):
    """The page after so many rows."""

    limit: int
    offset: int = 0


class After(Value, frozen=True):
    """The page after a row: the values of the ordered fields in that row, its id last."""

    limit: int
    key: tuple[Scalar | None, ...]


class Query(Value, frozen=True):
    """A whole question to one resource."""

    where: tuple[Condition, ...] = ()
    order: tuple[Order, ...] = ()  # empty: newest first
    page: Offset | After = Offset(limit=20)
    fields: tuple[str, ...] = ()  # empty: all
    total: bool = True


class Stamp(Protocol):
    """A row and its state, as lists give them to whoever may have the rest already. Compares and hashes as a tuple."""

    @property
    def id(self) -> int:
        """Which row."""
        ...

    @property
    def revision(self) -> int:
        """Moves with every change of the row: whatever is made of it is the same as long as this is."""
        ...


class Listed(Value, Generic[R], frozen=True):
    """What a list answers: the page's rows, the exact total where it was wanted, and the key of the next page."""

    rows: tuple[R, ...]
    total: int | None
    next: tuple[Scalar | None, ...] | None
    remaining: int | None = None  # rows after the page, exactly; None where the list does not tell
