"""How a request is answered, whatever the dialect: let the caller in, decode, carry out, wrap what came of it.

A view's caller is let in by its own transaction, so a small body is decoded before that; a large one is not.

A refusal (`TriviumError`) is answered in the dialect's form. Faults of ours are raised: the server logs them, and asks
the dialect for an answer that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from trivium.base.caller import Caller
from trivium.base.errors import Internal, TriviumError
from trivium.dialects.operation import NOBODY, SMALL_BODY, Call, Core, Operation, Read, Reply, Request, View, Wire
from trivium.dialects.remembering import LONGEST, remembered
from trivium.dialects.wire import decode_body, decode_query, empty, read_query

C = TypeVar("C")


class Conventions(Protocol[C]):
    """What dialects do differently with every request. `C` is what a request shows of its caller."""

    def credential(self, request: Request) -> C:
        """What the request shows, looked at without the database. Raises what it is refused for."""
        ...

    def admit(self, tx: Read, credential: C, request: Request) -> Caller:
        """Who stands behind that. Raises what they are refused for."""
        ...

    def named(self, tx: Read, credential: C, request: Request) -> int:
        """Whose a request is, of which only the head has come; 0 where that cannot tell. Raises as `admit` does."""
        ...

    def success(self, operation: Operation, result: object, caller: Caller) -> Reply:
        """The answer to a request that was carried out."""
        ...

    def failure(self, operation: Operation, error: TriviumError, caller: Caller, *, request: Request) -> Reply:
        """The answer to a request that was refused; `NOBODY` where the caller was not let in."""
        ...


async def answer(core: Core, conventions: Conventions[Any], operation: Operation, *, request: Request) -> Reply:
    """The answer to a request for an operation. Raises faults of ours."""
    caller = NOBODY
    try:
        credential = None if operation.public else conventions.credential(request)
        handler = operation.handler
        is_view = isinstance(handler, View)
        if not operation.public and (not is_view or len(request.body) > SMALL_BODY):
            caller = await core.store.read(conventions.admit, credential, request)
        if is_view:
            return await _viewed(core, conventions, operation, view=handler, request=request, credential=credential)
        body = empty(operation.body) if operation.body_tells else decode_body(request, operation.body)
        query = decode_query(request, operation.query)
        result = await handler(Call(core, caller, request, body=body, query=query))
        return conventions.success(operation, result, caller)
    except Internal:
        raise
    except TriviumError as error:
        return conventions.failure(operation, error, caller, request=request)


async def sender(core: Core, conventions: Conventions[Any], operation: Operation, *, request: Request) -> int | Reply:
    """Whose a request with a large body is, by its head; the answer where it is refused. Raises faults of ours."""
    if operation.public:
        return NOBODY.user
    try:
        return await core.store.read(conventions.named, conventions.credential(request), request)
    except Internal:
        raise
    except TriviumError as error:
        return conventions.failure(operation, error, NOBODY, request=request)


async def _viewed(
    core: Core, conventions: Conventions[C], operation: Operation, *, view: View, request: Request, credential: C
) -> Reply:
    """The answer of a view. What is wrong with the request is told once it is known that the caller may ask at all."""
    asked: tuple[Wire, Wire] | TriviumError
    grows = False
    try:
        if request.body:
            asked = decode_body(request, operation.body), decode_query(request, operation.query)
            grows = view.may_grow(*asked)
        else:
            asked, grows = _asked_without_body(request.query, operation.body, operation.query, view.may_grow)
    except TriviumError as error:
        asked = error

    def admit(tx: Read) -> Caller:
        return NOBODY if operation.public else conventions.admit(tx, credential, request)

    def look(tx: Read) -> Reply:
        caller = admit(tx)
        try:
            if isinstance(asked, TriviumError):
                raise asked
            call = Call(core, caller, request, body=asked[0], query=asked[1])
            return conventions.success(operation, view.look(tx, call), caller)
        except Internal:
            raise
        except TriviumError as error:
            return conventions.failure(operation, error, caller, request=request)

    if not grows:
        return await core.store.read(look)
    if not view.lasting or len(request.query) > LONGEST:
        return await core.store.search(look)
    return await _given_again(core, (operation.name, request.path, request.query), admit=admit, look=look)


@remembered
def _asked_without_body(  # noqa: PLR0917 - what is told by name takes longer to be found again
    query: bytes, body_shape: type[Wire], query_shape: type[Wire], may_grow: Callable[[Any, Any], bool]
) -> tuple[tuple[Wire, Wire], bool]:
    """What a request without a body asks for, and whether what it costs may grow. Raises what the shapes refuse."""
    asked = empty(body_shape), read_query(query, query_shape)
    return asked, may_grow(*asked)


async def _given_again(
    core: Core, place: tuple[Hashable, ...], *, admit: Callable[[Read], Caller], look: Callable[[Read], Reply]
) -> Reply:
    """What was answered there before to the same caller, if nobody has committed anything since; else what is found."""

    def answered(tx: Read) -> tuple[Reply | None, Callable[[Reply, int], None]]:
        caller = admit(tx)
        key = (place, caller.user, caller.user_name, caller.project, caller.role)
        return tx.cached_text(key), tx.text_keeper(key)

    reply, keep = await core.store.read(answered)
    if reply is None:
        reply = await core.store.search(look)
        if reply.status == HTTPStatus.OK:
            keep(reply, len(reply.body))
    return reply
