"""An API of ZStack's, declared once: its places in REST, its message in RPC, what it takes, and who carries it out.

See "ZStack RESTful API" in ZStack's developer's guide. What stands at a path, what a message is answered by and what is
told in the coverage page all follow from these declarations.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias

from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.base.values import Value
from trivium.dialects.operation import Core, Mark, Nothing, Read, Wire, Write
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.inventories import Inventory
from trivium.dialects.zstack.spelling import Shape
from trivium.resources.operations import Operation

ROOT: Final = "/zstack/v1"


class Place(Value, frozen=True):
    """Where an API stands in REST."""

    method: str
    path: str


class Exchange(Value, frozen=True):
    """What a call that looks after its own transactions has: the account of things, and who calls."""

    core: Core
    caller: Caller  # `NOBODY` where the API is public
    request: str  # its id
    peer: str  # the client's address


class Pending(Value, frozen=True):
    """What a call gives that goes on: the thing that it is about, if it is one. Who ends its operation ends the call.

    `begin` has it go on, for the operation of that id, in the same transaction.
    """

    target: int | None
    begin: Callable[[Write, int], object]


class Sums(Protocol):
    """One group of rows."""

    @property
    def by(self) -> tuple[Any, ...]:
        """What its rows are equal in."""
        ...

    @property
    def rows(self) -> int:
        """How many they are."""
        ...

    @property
    def sums(self) -> tuple[int | float | None, ...]:
        """The sums; None where no row has a value."""
        ...


class Listing(Value, frozen=True):
    """Answers queries: `rows` gives a page of what the caller sees, `shapes` what is shown to them of the page's rows.

    What they give follows from the database alone, not from the time. `summed` gives sums by groups, for ZQL; None
    where there are none. What a query costs may grow with the tables, so it is a search, under the time limit.
    """

    inventory: Inventory
    rows: Callable[[Read, Caller, Query], Listed[Any]]
    shapes: Callable[[Read, Caller, Sequence[Any]], Sequence[Shape]]
    summed: Callable[[Read, Caller, Query, Sequence[str]], Sequence[Sums]] | None = None


class Look(Value, frozen=True):
    """Answers in one transaction that changes nothing."""

    look: Callable[[Read, Caller, Any], Result]
    grows: bool = False


class Act(Value, frozen=True):
    """Answers at once, in as many transactions as it takes."""

    act: Callable[[Exchange, Any], Awaitable[Result]]


class Job(Value, frozen=True):
    """Changes something, as a job whose answer is asked for afterwards.

    `do` runs in the transaction that the job is kept in: what it did is done if and only if the job says so. Where it
    gives `Pending`, `show` makes the answer once whoever goes on with it has ended the operation.
    """

    do: Callable[[Write, Caller, Any], Result | Pending]
    show: Callable[[Read, Operation], Result] | None = None


Handler: TypeAlias = "Listing | Look | Act | Job"


class Api(Value, frozen=True, kw_only=True):
    """One API."""

    name: str  # QueryModel, of which RPC's message is APIQueryModelMsg
    places: tuple[Place, ...] = ()  # none: RPC alone has it
    handler: Handler
    mark: Mark
    summary: str
    shape: type[Wire] = Nothing  # what it takes, what stood in the path included
    wrappers: tuple[str, ...] = ()  # keys of the body that what it takes may stand under, besides those of its kind
    public: bool = False  # whether it is answered without a session
    reply: str = ""  # the class of RPC's reply to what is no job, where it does not follow from the name

    @property
    def reply_class(self) -> str:
        """The simple name of the class that RPC answers with."""
        return f"API{self.name}Event" if isinstance(self.handler, Job) else self.reply or f"API{self.name}Reply"

    @property
    def action(self) -> str:
        """The key that an update's body has what it takes under."""
        return self.name[0].lower() + self.name[1:]


def at(method: str, path: str) -> Place:
    """The place at a path below `/zstack/v1`."""
    return Place(method=method, path=ROOT + path)


def queried_at(path: str) -> tuple[Place, ...]:
    """The places of a query: of the list, and of one row of it."""
    return at("GET", path), at("GET", path + "/{uuid}")
