"""SCNet's OpenAPI 2.0: HTTP 200 and an envelope, whatever is asked and whatever came of it."""

from __future__ import annotations

from typing import Final

import structlog

from trivium.base.errors import Internal, TriviumError
from trivium.dialects.operation import Call, Core, Operation, Read, Reply, Request, View, Wire
from trivium.dialects.scnet import centers, coverage, envelope, images, notebooks, resources, tokens, users
from trivium.dialects.scnet.auth import NOBODY, Tokens, active_caller, session_named
from trivium.dialects.scnet.errors import BodyTooLarge, NoSuchInterface, WrongMethod
from trivium.dialects.scnet.settings import ImageList, ScnetSettings
from trivium.dialects.wire import decode_body, decode_query

__all__ = ["ImageList", "ScnetDialect", "ScnetSettings"]

NAME: Final = "scnet"
PREFIXES: Final = ("/ai/", "/ac/", "/api/", "/hpc/", "/efile/")


class ScnetDialect:
    """SCNet, spoken over the account of things that `core` is."""

    name = NAME
    prefixes = PREFIXES

    def __init__(self, core: Core, settings: ScnetSettings) -> None:
        self._core = core
        self.settings = settings
        self._tokens = Tokens(core.keyring, settings.token_lifetime)
        self.body_limit = settings.body_limit
        self._log = structlog.get_logger()
        self.operations: tuple[Operation, ...] = (
            *tokens.operations(self._tokens, settings.replay_window),
            *centers.OPERATIONS,
            *users.OPERATIONS,
            *notebooks.operations(),
            *images.operations(settings.image_list),
            *resources.OPERATIONS,
        )

    async def answer(self, operation: Operation, request: Request) -> Reply:
        """Let the caller in, decode, carry out, and wrap what came of it. Raises nothing."""
        caller = NOBODY
        try:
            session = None if operation.public else session_named(self._tokens, request)
            if isinstance(operation.handler, View):
                return await self._viewed(operation.handler, operation, request, session=session)
            if session is not None:
                caller = await self._core.store.read(active_caller, session, request.id, site=self._core.site.id)
            body, query = decode_body(request, operation.body), decode_query(request, operation.query)
            call = Call(self._core, caller, request, body=body, query=query)
            return envelope.success(await operation.handler(call), caller.user_name)
        except Internal as error:
            return self._logged_fault(operation, request, error)
        except TriviumError as error:
            return envelope.failure(error, operation.name, caller=caller.user_name)
        except Exception as error:  # noqa: BLE001  # the request's boundary
            return self._logged_fault(operation, request, error)

    async def _viewed(self, view: View, operation: Operation, request: Request, *, session: int | None) -> Reply:
        """The answer of an operation that only looks."""
        asked: tuple[Wire, Wire] | TriviumError
        grows = False
        try:
            asked = decode_body(request, operation.body), decode_query(request, operation.query)
            grows = view.may_grow(asked[1])
        except TriviumError as error:
            asked = error  # told once it is known that the caller may ask at all
        use = self._core.store.search if grows else self._core.store.read
        return await use(self._looked, view, operation, request=request, session=session, asked=asked)

    def _looked(
        self,
        tx: Read,
        view: View,
        operation: Operation,
        *,
        request: Request,
        session: int | None,
        asked: tuple[Wire, Wire] | TriviumError,
    ) -> Reply:
        """The same, within the view."""
        caller = NOBODY if session is None else active_caller(tx, session, request.id, site=self._core.site.id)
        try:
            if isinstance(asked, TriviumError):
                raise asked
            call = Call(self._core, caller, request, body=asked[0], query=asked[1])
            return envelope.success(view.look(tx, call), caller.user_name)
        except Internal:
            raise
        except TriviumError as error:
            return envelope.failure(error, operation.name, caller=caller.user_name)

    def not_found(self, request: Request) -> Reply:
        """The answer where no operation stands: an interface of SCNet's that is not served, or none at all."""
        refused = coverage.load().refusal(request.method, request.path)
        return envelope.failure(refused or NoSuchInterface(path=request.path))

    def wrong_method(self, request: Request, allowed: tuple[str, ...]) -> Reply:
        """The answer where the path is known and the method is not."""
        return envelope.failure(WrongMethod(method=request.method, allowed=", ".join(allowed)))

    def too_large(self, request: Request) -> Reply:  # noqa: ARG002  # the same is said of every request
        """The answer to a body over `body_limit`."""
        return envelope.failure(BodyTooLarge(limit=self.body_limit))

    def fault(self, request: Request, error: BaseException) -> Reply:  # noqa: ARG002  # what it was is the log's
        """The answer to a fault of ours, with the id under which the log has it."""
        return envelope.failure(Internal(request=request.id))

    def _logged_fault(self, operation: Operation, request: Request, error: Exception) -> Reply:
        self._log.error("fault", request=request.id, dialect=NAME, operation=operation.name, exc_info=error)
        return self.fault(request, error)
