"""SCNet's OpenAPI 2.0: HTTP 200 and an envelope, whatever is asked and whatever came of it."""

from __future__ import annotations

from typing import Final

import structlog

from trivium.base.caller import Caller
from trivium.base.errors import Internal, TriviumError
from trivium.dialects.operation import Call, Core, Operation, Reply, Request
from trivium.dialects.scnet import centers, envelope, images, notebooks, resources, tokens, users
from trivium.dialects.scnet.auth import NOBODY, Tokens, active_caller
from trivium.dialects.scnet.coverage import Coverage, load
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
        self._coverage: Coverage = load()
        self._log = structlog.get_logger()
        self.operations: tuple[Operation, ...] = (
            *tokens.operations(self._tokens, settings.replay_window),
            *centers.OPERATIONS,
            *users.OPERATIONS,
            *notebooks.OPERATIONS,
            *images.operations(settings.image_list),
            *resources.OPERATIONS,
        )

    async def answer(self, operation: Operation, request: Request) -> Reply:
        """Let the caller in, decode, carry out, and wrap what came of it. Raises nothing."""
        caller = NOBODY
        try:
            caller = caller if operation.public else await active_caller(self._core, self._tokens, request)
            return envelope.success(await self._carried_out(operation, request, caller), caller.user_name)
        except Internal as error:
            return self._logged_fault(operation, request, error)
        except TriviumError as error:
            return envelope.failure(error, operation.name, caller=caller.user_name)
        except Exception as error:  # noqa: BLE001  # the request's boundary
            return self._logged_fault(operation, request, error)

    def not_found(self, request: Request) -> Reply:
        """The answer where no operation stands: an interface of SCNet's that is not served, or none at all."""
        refused = self._coverage.refusal(request.method, request.path)
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

    async def _carried_out(self, operation: Operation, request: Request, caller: Caller) -> object:
        body = decode_body(request, operation.body)
        query = decode_query(request, operation.query)
        return await operation.handler(Call(self._core, caller, request, body=body, query=query))

    def _logged_fault(self, operation: Operation, request: Request, error: Exception) -> Reply:
        self._log.error("fault", request=request.id, dialect=NAME, operation=operation.name, exc_info=error)
        return self.fault(request, error)
