"""Operations as data, and what goes in and out of them; the server compiles all of them to one look-up table."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Hashable, Mapping
from enum import StrEnum
from typing import Any, Concatenate, Final, Generic, ParamSpec, Protocol, TypeVar

import msgspec

from trivium.base.caller import Caller, Role
from trivium.base.clock import Clock
from trivium.base.keyring import Keyring
from trivium.base.site import Site
from trivium.base.units import KIB
from trivium.base.values import Value
from trivium.dialects.remembering import LONGEST
from trivium.resources.images.ports import Places
from trivium.resources.notebooks.ports import Everywhere
from trivium.resources.users import PasswordChecks
from trivium.store import Read, Store, Write

HOST: Final = re.compile(r"[A-Za-z0-9._\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")

SMALL_BODY: Final = 64 * KIB
"""Bytes of a body that are read, and decoded, before it is known who sends them: no login takes as many."""

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B")
Q = TypeVar("Q")


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A shape on the wire. Unknown fields are ignored, as clients of several ages send some."""


class Nothing(Wire, frozen=True):
    """The shape of a request that carries nothing."""


class Mark(StrEnum):
    """Why an operation is there; the coverage page shows it."""

    SEED = "seed"
    COMPANION = "companion"
    BEYOND = "beyond"


class Request(Value, frozen=True):
    """An HTTP request, read whole."""

    method: str
    path: str  # percent-decoded
    raw_path: bytes
    query: bytes  # as received, without the question mark
    headers: Mapping[str, str]  # lower-case names; of a repeated one the first
    body: bytes
    id: str  # the request's id: in every log line, in events, and in the answers that show one
    peer: str  # the client's address
    scheme: str  # http or https
    server: tuple[str, int | None] | None  # our own address, where it is known
    parameters: Mapping[str, str] = {}  # what stood in the path for its {names}

    @property
    def base_url(self) -> str:
        """The origin as the client addressed us, without a slash at the end.

        Our own address where its Host header is absent or no host's name.
        """
        host = self.headers.get("host", "")
        if not HOST.fullmatch(host):
            name, port = self.server or ("localhost", None)
            name = f"[{name}]" if ":" in name else name
            host = f"{name}:{port}" if port else name
        return f"{self.scheme}://{host}"


class Content(Protocol):
    """Bytes that an answer is sent of while they are read: those of a file that is held open."""

    def at(self, offset: int, count: int) -> bytes:
        """So many bytes from there, fewer at the end. It blocks, and may raise OSError."""
        ...

    def close(self) -> None:
        """Let go of what is open; nothing is read any more."""
        ...


class Slice(Value, frozen=True):
    """What of a content is sent."""

    content: Content
    start: int
    length: int


class Reply(Value, frozen=True):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    outcome: str = ""  # the vendor's code, for the log and the metrics; empty: the status says it
    caller: str = ""  # the name of the user who asked, for the log
    slice: Slice | None = None  # the body, where it is sent while it is read; `body` is empty then


class WithHeaders(Value, frozen=True):
    """What a handler gives where its answer has headers of its own."""

    result: object
    headers: tuple[tuple[str, str], ...]


class Core(Value, frozen=True):
    """What every dialect speaks of: the one account of things, and the world behind it."""

    store: Store
    keyring: Keyring
    clock: Clock
    site: Site
    runtime: Everywhere
    places: Places
    passwords: PasswordChecks = msgspec.field(default_factory=PasswordChecks)


NOBODY: Final = Caller(user=0, user_name="", project=0, role=Role.MEMBER)
"""Who calls an operation that is answered without credentials."""


class Call(Generic[B, Q]):
    """One request to one operation, with its caller known and its body and query decoded."""

    def __init__(self, core: Core, caller: Caller, request: Request, *, body: B, query: Q) -> None:
        self.core = core
        self.caller = caller
        self.request = request
        self.body = body
        self.query = query

    @property
    def asked(self) -> Hashable:
        """What tells the query from others: the query itself, which is soon compared; of a long one its shape."""
        return self.request.query if len(self.request.query) <= LONGEST else self.query

    async def read(self, use: Callable[Concatenate[Read, Caller, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a bounded look-up of a room gives the caller."""
        return await self.core.store.read(use, self.caller, *args, **kwargs)

    async def write(self, use: Callable[Concatenate[Write, Caller, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a change of a room gives, once it is committed."""
        return await self.core.store.write(use, self.caller, *args, **kwargs)


Action = Callable[[Call[Any, Any]], Awaitable[Any]]
"""Carries out an operation that changes something or asks the runtime, in as many transactions as it takes."""


def never(_body: object, _query: object) -> bool:
    """No request of the operation costs more in a larger table."""
    return False


def always(_body: object, _query: object) -> bool:
    """Any request of the operation may cost more in a larger table."""
    return True


class View(Value, frozen=True):
    """Carries out an operation that only reads the database: in one transaction, in which also its caller is let in.

    `may_grow` tells of a body and a query, and of these alone, whether what they cost may grow with the tables: such a
    request is a search, in a thread and under the store's time limit. Of a search that is `lasting` the answer follows
    from the path, the query, who asks and the database alone, not from headers or the time: it is given again until
    somebody commits.
    """

    look: Callable[[Read, Call[Any, Any]], Any]
    may_grow: Callable[[Any, Any], bool] = never
    lasting: bool = False


class Operation(Value, frozen=True):
    """One operation of a dialect."""

    name: str  # the vendor's name of it
    method: str
    path: str  # with {names} for the parts that differ
    handler: View | Action
    mark: Mark
    summary: str  # one line for the coverage page and the OpenAPI file
    body: type[Wire] = Nothing
    query: type[Wire] = Nothing
    public: bool = False  # whether it is answered without credentials
    body_tells: bool = False  # whether who calls stands in its body alone: a large one is read before that is known
    ok: int = 200  # the status of a success, where the vendor's statuses say something


class Dialect(Protocol):
    """A tongue: which paths are its own, what it can do, and how it answers."""

    @property
    def name(self) -> str:
        """scnet, zstack, modelarts or native."""
        ...

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Paths that begin so are this dialect's, and are answered in its form also when nothing stands there."""
        ...

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All that it can do."""
        ...

    @property
    def body_limit(self) -> int:
        """Bytes that a body may have."""
        ...

    async def answer(self, operation: Operation, request: Request) -> Reply:
        """The answer to a request for one of the operations. Raises what is a fault of ours, for `fault` to tell."""
        ...

    async def sender(self, operation: Operation, request: Request) -> int | Reply:
        """Whose a request with a large body is, of which only the head has come: a user, or 0 where that tells nobody.

        The answer where it is refused for what its head says. Raises faults of ours.
        """
        ...

    def not_found(self, request: Request) -> Reply:
        """The answer where no operation stands."""
        ...

    def wrong_method(self, request: Request, allowed: tuple[str, ...]) -> Reply:
        """The answer where the path is known and the method is not."""
        ...

    def too_large(self, request: Request, limit: int) -> Reply:
        """The answer to a body over that limit, which was not read to its end."""
        ...

    def crowded(self, request: Request) -> Reply:
        """The answer to a large body that was not read to its end, as others take all the room that there is."""
        ...

    def fault(self, request: Request, error: BaseException) -> Reply:
        """The answer to a fault of ours; the log has it under the request's id."""
        ...
