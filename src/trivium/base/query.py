"""What a list asks: conditions that must all hold, an order, a page, wanted fields, and whether a total is wanted.

Dialects translate their parameters into a `Query`; the store compiles it. Nothing here knows of SQL or of the wire.

How values compare, on every database alike:

* text by Unicode code point, `CONTAINS` and `LIKE` on folded text (`base.text.fold`), so without regard to case; where
  a resource declares a text as caseless, every operator and every order sees it folded;
* `LIKE` sees whole numbers as decimal text, UUIDs as 32 hex digits and times that count by the second as
  `YYYY-MM-DD HH:MM:SS`; a backslash in it makes the next character plain, and is plain itself at the end;
* a list that is kept as text is compared as its members with commas between them; `EQ` and `IN` hold for one of its
  members, too, and `NE` and `NOT_IN` exactly where these do not;
* a null never satisfies a condition save `NULL`; the negations `NE`, `NOT_IN`, `NOT_LIKE`, `NOT_CONTAINS` do not
  hold for a null either. `Not` holds wherever its part does not, for nulls, too;
* a dotted name that ends in the very field by which its last relation finds its one row reads our own side of that
  relation: it holds for a row that refers to what is gone, too;
* in an order nulls come first ascending and last descending; rows that are equal in the order come by descending id,
  unless the order names the id itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
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


class AllOf(Value, frozen=True):
    """Holds where each of its parts does; where it has none, always."""

    parts: tuple[Clause, ...]


class AnyOf(Value, frozen=True):
    """Holds where one of its parts does; where it has none, never."""

    parts: tuple[Clause, ...]


class Not(Value, frozen=True):
    """Holds where its part does not. Of a condition across relations: where no related row satisfies it."""

    part: Clause


class Related(Value, frozen=True):
    """Holds where a related row, across the dotted relations, satisfies the part, whose fields are that row's own."""

    path: str
    part: Clause


Clause: TypeAlias = "Condition | AllOf | AnyOf | Not | Related"


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
    """A whole question to one resource.

    With `group` it is asked of groups, the rows that are equal in these fields: each is shown as the first of its rows
    in the order, and the total counts groups.
    """

    where: tuple[Condition, ...] = ()
    tree: Clause | None = None  # must hold besides
    group: tuple[str, ...] = ()
    order: tuple[Order, ...] = ()  # empty: newest first
    page: Offset | After = Offset(limit=20)
    fields: tuple[str, ...] = ()  # empty: all
    total: bool = True
    utc_offset: timedelta = timedelta(0)  # how far the clock is ahead of UTC by which LIKE sees times as text


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
