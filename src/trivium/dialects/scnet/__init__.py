"""SCNet's OpenAPI 2.0: HTTP 200 and an envelope, whatever is asked and whatever came of it."""

from __future__ import annotations

from typing import Final

from trivium.base.caller import Caller
from trivium.base.errors import Internal, TriviumError
from trivium.dialects import answering, coverage
from trivium.dialects.operation import Core, Operation, Read, Reply, Request
from trivium.dialects.reading import Crowded
from trivium.dialects.scnet import centers, envelope, images, notebooks, resources, tokens, users
from trivium.dialects.scnet.auth import Tokens, active_caller, session_named
from trivium.dialects.scnet.errors import BodyTooLarge, NoSuchInterface, NotServed, WrongMethod
from trivium.dialects.scnet.settings import ImageList, ScnetSettings

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
        self.operations: tuple[Operation, ...] = (
            *tokens.operations(self._tokens, settings.replay_window),
            *centers.OPERATIONS,
            *users.OPERATIONS,
            *notebooks.operations(),
            *images.operations(settings.image_list),
            *resources.OPERATIONS,
        )

    async def answer(self, operation: Operation, request: Request) -> Reply:
        """The answer to a request for one of the operations. Raises faults of ours."""
        return await answering.answer(self._core, self, operation, request=request)

    async def sender(self, operation: Operation, request: Request) -> int | Reply:
        """Whose a request with a large body is, of which only the head has come; the answer where it is refused."""
        return await answering.sender(self._core, self, operation, request=request)

    def credential(self, request: Request) -> int:
        """The session that the request's token is for. `BadToken`."""
        return session_named(self._tokens, request)

    def admit(self, tx: Read, credential: int, request: Request) -> Caller:
        """Who stands behind the session. `BadToken`, `AccountFrozen`, or what the session is refused for."""
        return active_caller(tx, credential, request.id, site=self._core.site.id)

    def named(self, tx: Read, credential: int, request: Request) -> int:
        """Whose a request is, of which only the head has come."""
        return self.admit(tx, credential, request).user

    def success(self, operation: Operation, result: object, caller: Caller) -> Reply:  # noqa: ARG002 - of every one
        """The answer to a request that was carried out."""
        return envelope.success(result, caller.user_name)

    def failure(
        self,
        operation: Operation,
        error: TriviumError,
        caller: Caller,
        *,
        request: Request,  # noqa: ARG002 - it is told with every answer's headers
    ) -> Reply:
        """The answer to a request that was refused."""
        return envelope.failure(error, operation.name, caller=caller.user_name)

    def not_found(self, request: Request) -> Reply:
        """The answer where no operation stands: an interface of SCNet's that is not served, or none at all."""
        reason = coverage.load(NAME).refusal(request.method, request.path)
        if reason is None:
            return envelope.failure(NoSuchInterface(path=request.path))
        return envelope.failure(NotServed(path=request.path, reason=reason.zh))

    def wrong_method(self, request: Request, allowed: tuple[str, ...]) -> Reply:
        """The answer where the path is known and the method is not."""
        return envelope.failure(WrongMethod(method=request.method, allowed=", ".join(allowed)))

    def too_large(self, request: Request, limit: int) -> Reply:  # noqa: ARG002  # the same is said of every request
        """The answer to a body over the limit."""
        return envelope.failure(BodyTooLarge(limit=limit))

    def crowded(self, request: Request) -> Reply:  # noqa: ARG002  # the same is said of every request
        """The answer to a large body that there was no room for."""
        return envelope.failure(Crowded())

    def fault(self, request: Request, error: BaseException) -> Reply:  # noqa: ARG002  # what it was is the log's
        """The answer to a fault of ours, with the id under which the log has it."""
        return envelope.failure(Internal(request=request.id))
