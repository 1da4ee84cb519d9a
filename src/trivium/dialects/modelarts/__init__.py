"""Huawei's ModelArts: plain JSON, a status and a code for each error, signed requests or IAM tokens."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.errors import Internal, TriviumError
from trivium.dialects import answering, coverage
from trivium.dialects.modelarts import (
    auth,
    capacity,
    datasets,
    envelope,
    iam,
    images,
    models,
    networks,
    nodes,
    notebooks,
    orders,
    pools,
    workspaces,
)
from trivium.dialects.modelarts.auth import Credential, Signed
from trivium.dialects.modelarts.errors import BodyTooLarge, NoSuchInterface, NotServed, WrongMethod
from trivium.dialects.modelarts.links import Links
from trivium.dialects.modelarts.settings import ModelArtsSettings
from trivium.dialects.operation import Core, Operation, Read, Reply, Request
from trivium.dialects.reading import Crowded
from trivium.resources.datasets import Buckets
from trivium.resources.samples.ports import NoFiles, SampleFiles

__all__ = ["ModelArtsDialect", "ModelArtsSettings"]

NAME: Final = "modelarts"
PREFIXES: Final = ("/v1/", "/v2/", "/v3/")


class ModelArtsDialect:
    """ModelArts, spoken over the account of things that `core` is."""

    name = NAME
    prefixes = PREFIXES

    def __init__(self, core: Core, settings: ModelArtsSettings, files: SampleFiles | None = None) -> None:
        """`files` are those of samples; None: there are none here."""
        self._core = core
        self._links = Links(core.keyring)
        self.settings = settings
        self.body_limit = settings.body_limit
        buckets = Buckets(settings.dataset_roots, has=settings.is_directory)
        self.operations: tuple[Operation, ...] = (
            *iam.operations(settings.token_lifetime),
            *notebooks.operations(core.keyring, core.site, settings),
            *notebooks.FLAVORS,
            *images.OPERATIONS,
            *networks.operations(core.keyring),
            *pools.OPERATIONS,
            *nodes.operations(core.keyring, core.site),
            *capacity.operations(core.keyring),
            *orders.operations(core.keyring),
            *workspaces.OPERATIONS,
            *models.operations(buckets),
            *datasets.operations(buckets, files or NoFiles(), self._links, sinks=settings.sinks),
        )

    async def answer(self, operation: Operation, request: Request) -> Reply:
        """The answer to a request for one of the operations. Raises faults of ours."""
        return await answering.answer(self._core, self, operation, request=request)

    async def sender(self, operation: Operation, request: Request) -> int | Reply:
        """Whose a request with a large body is, of which only the head has come; the answer where it is refused."""
        return await answering.sender(self._core, self, operation, request=request)

    def credential(self, request: Request) -> Credential:
        """The signature, token or link that a request shows."""
        return auth.credential_of(request, self.settings, self._core.clock.now())

    def admit(self, tx: Read, credential: Credential, request: Request) -> Caller:
        """Who stands behind it, in the project of the path."""
        keyring, settings = self._core.keyring, self.settings
        return auth.admit(tx, credential, request, keyring=keyring, settings=settings, signed=self._links)

    def named(self, tx: Read, credential: Credential, request: Request) -> int:
        """Whose a request is, of which only the head has come: a signature is of the body, too."""
        if isinstance(credential, Signed):
            return auth.user_of_key(tx, credential, self._core.keyring)
        return self.admit(tx, credential, request).user

    def success(self, operation: Operation, result: object, caller: Caller) -> Reply:
        """The answer to a request that was carried out."""
        return envelope.success(operation, result, caller)

    def failure(
        self,
        operation: Operation,  # noqa: ARG002 - an error has one code, whatever it came of
        error: TriviumError,
        caller: Caller,
        *,
        request: Request,
    ) -> Reply:
        """The answer to a request that was refused."""
        return envelope.failure(error, request, caller)

    def not_found(self, request: Request) -> Reply:
        """The answer where no operation stands: an interface of ModelArts' that is not served, or none at all."""
        return self._refused(request) or envelope.failure(NoSuchInterface(path=request.path), request)

    def wrong_method(self, request: Request, allowed: tuple[str, ...]) -> Reply:
        """The answer where the path is known and the method is not; it may be an interface that is refused."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        methods = ", ".join(allowed)
        reply = envelope.failure(WrongMethod(method=request.method, allowed=methods), request)
        return structs.replace(reply, headers=(("allow", methods),))

    def too_large(self, request: Request, limit: int) -> Reply:
        """The answer to a body over the limit."""
        return envelope.failure(BodyTooLarge(limit=limit), request)

    def crowded(self, request: Request) -> Reply:
        """The answer to a large body that there was no room for."""
        return envelope.failure(Crowded(), request)

    def fault(self, request: Request, error: BaseException) -> Reply:  # noqa: ARG002  # what it was is the log's
        """The answer to a fault of ours; the header with the request's id finds it in the log."""
        return envelope.failure(Internal(request=request.id), request)

    def _refused(self, request: Request) -> Reply | None:
        """The answer to an interface of ModelArts' that is not served, and why; None for what is none."""
        reason = coverage.load(NAME).refusal(request.method, request.path)
        return None if reason is None else envelope.failure(NotServed(path=request.path, reason=reason.en), request)
