"""ZStack AIOS: sessions, jobs, one query language for every list, and two doors to the same calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.errors import Internal, TriviumError
from trivium.dialects import answering, coverage
from trivium.dialects.operation import Core, Operation, Read, Reply, Request, Write
from trivium.dialects.reading import Crowded
from trivium.dialects.zstack import (
    accounts,
    auth,
    bindings,
    centers,
    datasets,
    development,
    envelope,
    estate,
    groups,
    hooks,
    introspection,
    models,
    rest,
    rpc,
    running,
    services,
    sessions,
    tags,
)
from trivium.dialects.zstack.apis import Api
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.envelope import Answer, Result
from trivium.dialects.zstack.hooks import Letter
from trivium.dialects.zstack.inventories import Catalogue, Inventory, queryable
from trivium.dialects.zstack.jobs import Jobs
from trivium.dialects.zstack.refusals import BodyTooLarge, NoMessage, NoSuchInterface, NotServed, WrongMethod
from trivium.dialects.zstack.rpc import Rpc
from trivium.dialects.zstack.settings import ZStackSettings
from trivium.dialects.zstack.zql import answering as answering_zql
from trivium.resources import operations

__all__ = ["INVENTORIES", "Catalogue", "Letter", "ZStackDialect", "ZStackSettings", "queryable"]

NAME: Final = "zstack"
PREFIXES: Final = ("/zstack/",)

INVENTORIES: Final[tuple[Inventory, ...]] = (
    accounts.ACCOUNT,
    *models.INVENTORIES,
    *centers.INVENTORIES,
    *services.INVENTORIES,
    *groups.INVENTORIES,
    *datasets.INVENTORIES,
    *tags.INVENTORIES,
    bindings.REF,
    *estate.INVENTORIES,
    *development.INVENTORIES,
)
"""All that can be queried, or asked for across a relation."""


def every_api(core: Core, settings: ZStackSettings) -> tuple[Api, ...]:
    """All that is served."""
    utc_offset = core.site.utc_offset
    things = (
        *accounts.apis(utc_offset),
        *models.apis(utc_offset, settings.extra_gpu_memory),
        *centers.apis(utc_offset, settings.store_roots),
        *services.apis(utc_offset),
        *groups.apis(utc_offset),
        *datasets.apis(utc_offset),
        *tags.apis(utc_offset),
        *running.apis(),
        *estate.apis(utc_offset),
        *development.apis(core.site),
    )
    return (
        *sessions.apis(settings, utc_offset),
        *things,
        *introspection.apis(Catalogue(INVENTORIES), things),
        *answering_zql.apis(grammar_of(core), things),
    )


def grammar_of(core: Core) -> Grammar:
    """What conditions are read by."""
    return Grammar(catalogue=Catalogue(INVENTORIES), utc_offset=core.site.utc_offset)


class ZStackDialect:
    """ZStack, spoken over the account of things that `core` is."""

    name = NAME
    prefixes = PREFIXES

    def __init__(
        self, core: Core, settings: ZStackSettings, apis: Callable[[Core, ZStackSettings], Sequence[Api]] = every_api
    ) -> None:
        self._core = core
        self.settings = settings
        self.body_limit = settings.body_limit
        self.apis = apis(core, settings)
        grammar = grammar_of(core)
        jobs = self._jobs = Jobs(self.apis, settings.job_retention)
        self._rpc = Rpc(core, self.apis, grammar, jobs=jobs)
        self.operations: tuple[Operation, ...] = (
            *rest.operations(self.apis, grammar, jobs, web_hooks=settings.web_hooks),
            *self._rpc.operations(),
        )

    async def answer(self, operation: Operation, request: Request) -> Reply:
        """The answer to a request for one of the operations. Raises faults of ours."""
        return await answering.answer(self._core, self, operation, request=request)

    async def sender(self, operation: Operation, request: Request) -> int | Reply:
        """Whose a request with a large body is, of which only the head has come; the answer where it is refused."""
        return await answering.sender(self._core, self, operation, request=request)

    def credential(self, request: Request) -> str:
        """The session that a request shows."""
        return auth.credential_of(request)

    def admit(self, tx: Read, credential: str, request: Request) -> Caller:
        """Who stands behind it."""
        return auth.admit(tx, credential, request.id)

    def named(self, tx: Read, credential: str, request: Request) -> int:
        """Whose a request is, of which only the head has come."""
        return self.admit(tx, credential, request).user

    def success(
        self,
        operation: Operation,  # noqa: ARG002 - every one is answered alike
        result: object,
        caller: Caller,
    ) -> Reply:
        """The answer to a request that was carried out."""
        return envelope.success(cast("Result | Answer", result), caller)

    def failure(self, operation: Operation, error: TriviumError, caller: Caller, *, request: Request) -> Reply:
        """The answer to a request that was refused."""
        if operation.path == rpc.PATH:  # its query could not be read
            return self._failure(NoMessage(), request)
        return envelope.failure(error, caller)

    def not_found(self, request: Request) -> Reply:
        """The answer where no operation stands: an interface of ZStack's that is not served, or none at all."""
        return self._refused(request) or envelope.failure(NoSuchInterface(path=request.path))

    def wrong_method(self, request: Request, allowed: tuple[str, ...]) -> Reply:
        """The answer where the path is known and the method is not; it may be an interface that is refused."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        methods = ", ".join(allowed)
        reply = envelope.failure(WrongMethod(method=request.method, allowed=methods))
        return structs.replace(reply, headers=(("allow", methods),))

    def too_large(self, request: Request, limit: int) -> Reply:
        """The answer to a body over the limit."""
        return self._failure(BodyTooLarge(limit=limit), request)

    def crowded(self, request: Request) -> Reply:
        """The answer to a large body that there was no room for."""
        return self._failure(Crowded(), request)

    def fault(self, request: Request, error: BaseException) -> Reply:  # noqa: ARG002  # what it was is the log's
        """The answer to a fault of ours, with the id under which the log has it."""
        return self._failure(Internal(request=request.id), request)

    def letters(self, tx: Write) -> Sequence[tuple[int, Letter]]:
        """What is to be sent now to those whose calls have come to an end, each with the number of the operation."""
        return [(hook.operation.id, hooks.letter(tx, hook, self._jobs)) for hook in operations.take_due(tx)]

    def _failure(self, error: TriviumError, request: Request) -> Reply:
        """The answer to what was not carried out, through whichever door it came."""
        if request.path.rstrip("/") == rpc.PATH:
            return envelope.success(self._rpc.refused(error))
        return envelope.failure(error)

    def _refused(self, request: Request) -> Reply | None:
        """The answer to an interface of ZStack's that is not served, and why; None for what is none."""
        reason = coverage.load(NAME).refusal(request.method, request.path)
        return None if reason is None else envelope.failure(NotServed(path=request.path, reason=reason.en))
