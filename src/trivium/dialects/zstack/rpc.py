"""RPC: the older door, which ZStack's command line and its server of the Model Context Protocol use.

A message is one key, the full name of its class. Only the class itself counts, whatever package it is said to be of,
and the answer's class is of the same one. The status is 200 whatever came of it, for the clients look no further than
at another; what came of it is a text within the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, TypeAlias, cast

import msgspec
from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.errors import Internal, TriviumError
from trivium.base.values import Value
from trivium.dialects.operation import NOBODY, SMALL_BODY, Call, Core, Mark, Operation, Read, Request, View
from trivium.dialects.reading import Malformed
from trivium.dialects.wire import parsed
from trivium.dialects.zstack import auth, listing, parameters, queries
from trivium.dialects.zstack.apis import Act, Api, Exchange, Job, Listing, Look
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.envelope import Answer, ErrorCode, Result, error_code
from trivium.dialects.zstack.jobs import Asked, Jobs, Outcome
from trivium.dialects.zstack.parameters import Given
from trivium.dialects.zstack.refusals import NoMessage, NoSuchMessage
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.resources import operations

Answering: TypeAlias = Callable[[Read, Caller], Result]
PATH: Final = "/zstack/api"
RESULT: Final = f"{PATH}/result/{{uuid}}"
PACKAGE: Final = "org.zstack.ai.message"
"""Of what a job's answer is that came in by the other door."""

GENERIC: Final = "org.zstack.header.message.APIReply"
"""The class of the answer to what is no message."""

_SESSION: Final = re.compile(rb'"session"\s*+:\s*+\{\s*+"uuid"\s*+:\s*+"([0-9A-Fa-f]{32})"')
SHOWN: Final = 200
_CLASS: Final = re.compile(r"(?P<package>(?:[A-Za-z0-9_$]+\.)*)API(?P<name>[A-Za-z0-9_]+)Msg")


class Wrapped(Shape, frozen=True, kw_only=True):
    """An answer: how far the call is, and once it is done what came of it, as a text."""

    uuid: str | None = None
    state: str
    created_date: str
    finished_date: str | None = None
    result: str | None = None


class Message(Value, frozen=True):
    """A message: its class, and the package that it is said to be of, with the dot at its end."""

    api: Api
    name: str
    package: str
    given: Given

    @property
    def session(self) -> str:
        """The uuid of the session that it shows; empty where it shows none."""
        session = self.given.get("session")
        uuid = cast("dict[str, Any]", session).get("uuid") if isinstance(session, dict) else None
        return uuid if isinstance(uuid, str) else ""

    @property
    def reply_class(self) -> str:
        """The full name of the class of its answer."""
        return self.package + self.api.reply_class


class Rpc:
    """The door, to the account of things that `core` is."""

    def __init__(self, core: Core, apis: Iterable[Api], grammar: Grammar, *, jobs: Jobs) -> None:
        self._core = core
        self._apis: Mapping[str, Api] = {api.name: api for api in apis}
        self._grammar = grammar
        self._jobs = jobs

    def operations(self) -> tuple[Operation, ...]:
        """The operations: calls, by either method that clients take, and looking for what came of one."""
        call = Operation(
            name="CallApi",
            method="POST",
            path=PATH,
            handler=self._call,
            mark=Mark.COMPANION,
            summary="A call of any of the APIs here, as a message",
            public=True,
            body_tells=True,
        )
        look = Operation(
            name="GetApiResult",
            method="GET",
            path=RESULT,
            handler=View(look=self._look),
            mark=Mark.COMPANION,
            summary="What has come of such a call",
            public=True,
        )
        return (call, structs.replace(call, method="PUT"), look)

    def refused(self, error: TriviumError) -> Answer:
        """The answer to what is no message, or to one that could not be carried out."""
        return self._at_once(GENERIC, _failed(error_code(error)))

    async def _call(self, call: Call[Any, Any]) -> Answer:
        try:
            if len(call.request.body) > SMALL_BODY:
                await self._core.store.read(auth.admit, _session_in(call.request.body), call.request.id)
            message = _message(call.request, self._apis)
        except Internal:
            raise
        except TriviumError as error:
            return self.refused(error)
        try:
            if isinstance(message.api.handler, Job):
                return await self._taken(call.request, message)
            result = await self._result(call.request, message)
        except Internal:
            raise
        except TriviumError as error:
            return self._at_once(message.reply_class, _failed(error_code(error)))
        return self._at_once(message.reply_class, {"success": True, **result})

    async def _result(self, request: Request, message: Message) -> Result:
        """What comes of a call that is no job."""
        store, api = self._core.store, message.api
        if isinstance(api.handler, Act):
            caller = NOBODY if api.public else await store.read(auth.admit, message.session, request.id)
            exchange = Exchange(core=self._core, caller=caller, request=request.id, peer=request.peer)
            return await api.handler.act(exchange, parameters.read(api, message.given))
        grows = False
        try:
            answer, grows = self._looked(api, message)
        except TriviumError as error:
            answer = _raising(error)  # once it is known that the caller may ask at all

        def look(tx: Read) -> Result:
            return answer(tx, NOBODY if api.public else auth.admit(tx, message.session, request.id))

        return await (store.search if grows else store.read)(look)

    def _looked(self, api: Api, message: Message) -> tuple[Answering, bool]:
        """What answers a call that changes nothing, and whether what it costs may grow."""
        handler = api.handler
        if isinstance(handler, Listing):
            asked = queries.of_message(self._grammar, handler.inventory, message.given)
            return lambda tx, caller: listing.answer(tx, caller, handler, asked=asked), True
        if not isinstance(handler, Look):
            raise TypeError(f"{api.name} changes something")
        given = parameters.read(api, message.given)
        return lambda tx, caller: handler.look(tx, caller, given), handler.grows

    async def _taken(self, request: Request, message: Message) -> Answer:
        """The answer to a call that is a job; most are done by then."""
        store = self._core.store
        caller = await store.read(auth.admit, message.session, request.id)
        asked = Asked(given=message.given, called=message.name)
        job = await self._jobs.take(self._core, caller, message.api, asked=asked)
        return await store.read(lambda tx: self._told(self._jobs.outcome(tx, job)))

    def _look(self, tx: Read, call: Call[Any, Any]) -> Answer:
        return self._told(self._jobs.find(tx, call.request.parameters["uuid"]))

    def _told(self, outcome: Outcome) -> Answer:
        """The answer to who asks what has come of a job."""
        job = outcome.job
        if outcome.error is None and outcome.result is None:
            return _answer(Wrapped(uuid=job.uuid.hex, state="Processing", created_date=self._time(job.created_at)))
        reply = {"success": True, "apiId": job.uuid.hex, **(outcome.result or {})}
        if outcome.error is not None:
            reply = _failed(outcome.error)
        matched = None if job.called is None else _CLASS.fullmatch(job.called)
        package = PACKAGE + "." if matched is None else matched["package"]
        return self._done(f"{package}API{outcome.name}Event", reply, job=job)

    def _at_once(self, reply_class: str, reply: Result) -> Answer:
        return self._done(reply_class, reply, job=None)

    def _done(self, reply_class: str, reply: Result, *, job: operations.Operation | None) -> Answer:
        began = ended = self._core.clock.now()
        if job is not None:
            began, ended = job.created_at, job.finished_at or ended
        wrapped = Wrapped(
            uuid=None if job is None else job.uuid.hex,
            state="Done",
            created_date=self._time(began),
            finished_date=self._time(ended),
            result=msgspec.json.encode({reply_class: reply}).decode(),
        )
        error = reply.get("error")
        return _answer(wrapped, outcome=error.code if isinstance(error, ErrorCode) else "")

    def _time(self, at: datetime) -> str:
        return time_text(at, self._core.site.utc_offset)


def _session_in(body: bytes) -> str:
    """The session that a message shows, without reading it: nothing large is decoded for who has none."""
    found = _SESSION.search(body)
    return "" if found is None else found[1].decode()


def _message(request: Request, apis: Mapping[str, Api]) -> Message:
    """The message that a body is. `NoMessage` or `NoSuchMessage`."""
    try:
        found = parsed(request.body)
    except Malformed as error:
        raise NoMessage from error
    whole = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    name, given = next(iter(whole.items()), ("", None))
    if len(whole) != 1 or not isinstance(given, dict):
        raise NoMessage
    matched = _CLASS.fullmatch(name)
    api = None if matched is None else apis.get(matched["name"])
    if matched is None or api is None:
        raise NoSuchMessage(name=name[:SHOWN])
    return Message(api=api, name=name, package=matched["package"], given=cast("Given", given))


def _failed(error: ErrorCode) -> Result:
    return {"success": False, "error": error}


def _answer(wrapped: Wrapped, outcome: str = "") -> Answer:
    return Answer(status=HTTPStatus.OK, shape=wrapped, outcome=outcome)


def _raising(error: TriviumError) -> Answering:
    def answer(_tx: Read, _caller: Caller) -> Result:
        raise error

    return answer
