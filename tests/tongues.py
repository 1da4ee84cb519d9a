"""Small dialects to try the listener with: real ones, whose handlers say back what reached them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from trivium.dialects.operation import Call, Dialect, Mark, Operation, Reply, Request

Act = Callable[[Request], Awaitable[Reply]]


async def _unused(_call: Call[Any, Any]) -> None:
    """The handler that an operation must name; `Tongue.answer` acts by name instead."""


def operation(name: str, method: str, path: str, *, public: bool = False, body_tells: bool = False) -> Operation:
    return Operation(
        name=name,
        method=method,
        path=path,
        handler=_unused,
        mark=Mark.SEED,
        summary=name,
        public=public,
        body_tells=body_tells,
    )


def told(status: int, **content: object) -> Reply:
    return Reply(status=status, body=msgspec.json.encode(content), outcome=str(content.get("code", "")))


async def say_back(request: Request) -> Reply:
    """Everything that reached the dialect."""
    return told(
        200,
        code="0",
        method=request.method,
        path=request.path,
        query=request.query.decode("latin-1"),
        headers=dict(request.headers),
        size=len(request.body),
        body=request.body[:100].decode("latin-1"),
        id=request.id,
        peer=request.peer,
        base_url=request.base_url,
        parameters=dict(request.parameters),
    )


async def fail(_request: Request) -> Reply:
    raise ZeroDivisionError("on purpose")


async def misspell(_request: Request) -> Reply:
    """A reply that no HTTP can carry."""
    return Reply(status=200, body=b"{}", headers=(("x-broken", "a\r\nset-cookie: b"),))


async def nothing(_request: Request) -> Reply:
    return Reply(status=204, body=b"")


class Gate:
    """An act that waits until it is let through, so that a test can look at the server meanwhile."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, request: Request) -> Reply:
        self.entered.set()
        await self.open.wait()
        return await say_back(request)


class Tongue(Dialect):
    """A dialect whose operations are acts by name, and whose envelope is `{code, request_id}`."""

    def __init__(
        self,
        name: str,
        operations: tuple[Operation, ...],
        acts: Mapping[str, Act] | None = None,
        *,
        prefixes: tuple[str, ...] = ("/t",),
        body_limit: int = 1000,
    ) -> None:
        self._name = name
        self._operations = operations
        self._acts = acts or {}
        self._prefixes = prefixes
        self._body_limit = body_limit

    @property
    def name(self) -> str:
        return self._name

    @property
    def prefixes(self) -> tuple[str, ...]:
        return self._prefixes

    @property
    def operations(self) -> tuple[Operation, ...]:
        return self._operations

    @property
    def body_limit(self) -> int:
        return self._body_limit

    async def answer(self, operation: Operation, request: Request) -> Reply:
        return await self._acts.get(operation.name, say_back)(request)

    def not_found(self, request: Request) -> Reply:
        return told(200, code="no-such-path", request_id=request.id)

    def wrong_method(self, request: Request, allowed: tuple[str, ...]) -> Reply:
        return told(405, code="wrong-method", allowed=allowed, request_id=request.id)

    async def sender(self, operation: Operation, request: Request) -> int | Reply:
        """Whoever the `User` field says; nobody else is let in."""
        user = request.headers.get("user", "")
        if operation.public:
            return 0
        return int(user) if user else told(401, code="no-user", request_id=request.id)

    def too_large(self, request: Request, limit: int) -> Reply:
        return told(413, code="too-large", limit=limit, request_id=request.id)

    def crowded(self, request: Request) -> Reply:
        return told(503, code="crowded", request_id=request.id)

    def fault(self, request: Request, error: BaseException) -> Reply:
        return told(500, code="fault", kind=type(error).__name__, request_id=request.id)
