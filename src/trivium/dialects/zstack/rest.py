"""REST: the operations that APIs are at the places where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import structs

from trivium.dialects.operation import Action, Call, Mark, Nothing, Operation, Read, View, always, never
from trivium.dialects.zstack import hooks, jobs, listing, parameters, queries
from trivium.dialects.zstack.apis import ROOT, Act, Api, Exchange, Job, Listing, Look, Place
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.envelope import Answer, Result
from trivium.dialects.zstack.jobs import Jobs
from trivium.dialects.zstack.listing import ListParameters
from trivium.dialects.zstack.refusals import BadHeader

ROW: Final = "/{uuid}"
ACTIONS: Final = "/actions"
WEB_HOOK: Final = "X-Web-Hook"


def operations(apis: Iterable[Api], grammar: Grammar, jobs: Jobs, *, web_hooks: Sequence[str]) -> tuple[Operation, ...]:
    """What stands at each place, and the place where one looks for what came of jobs.

    `web_hooks` are the hosts that answers may be sent to, or how addresses begin.
    """
    sharing: dict[Place, list[Api]] = {}
    for api in apis:
        for place in api.places:
            sharing.setdefault(place, []).append(api)
    maker = _Maker(grammar, jobs, web_hooks)
    return (*[made for place, there in sharing.items() for made in maker.at(place, there)], maker.job())


class _Maker:
    """Makes operations."""

    def __init__(self, grammar: Grammar, jobs: Jobs, web_hooks: Sequence[str]) -> None:
        self._grammar = grammar
        self._jobs = jobs
        self._web_hooks = web_hooks

    def at(self, place: Place, there: Sequence[Api]) -> Iterable[Operation]:
        """The operation at a place; what changes one thing stands below it, too, where ZStack's Go client asks."""
        first = there[0]
        made = Operation(
            name="/".join(api.name for api in there),
            method=place.method,
            path=place.path,
            handler=self._handler(place, there),
            mark=first.mark,
            summary=first.summary,
            query=ListParameters if isinstance(first.handler, Listing) and not place.path.endswith(ROW) else Nothing,
            public=first.public,
        )
        yield made
        if place.method == "PUT" and place.path.endswith("}"):
            yield structs.replace(made, path=place.path + ACTIONS)

    def job(self) -> Operation:
        """What has come of a job."""

        def look(tx: Read, call: Call[Nothing, Nothing]) -> Answer:
            return jobs.told(self._jobs.find(tx, call.request.parameters["uuid"]))

        return Operation(
            name="GetApiJob",
            method="GET",
            path=f"{ROOT}/api-jobs/{{uuid}}",
            handler=View(look=look),
            mark=Mark.COMPANION,
            summary="What has come of a call whose answer is asked for afterwards",
            public=True,
        )

    def _handler(self, place: Place, there: Sequence[Api]) -> View | Action:
        handler = there[0].handler
        if isinstance(handler, Listing):
            return self._row(handler) if place.path.endswith(ROW) else self._list(handler)
        if isinstance(handler, Look):
            return _look(there[0], handler)
        return self._job(there) if isinstance(handler, Job) else _act(there[0], handler)

    def _list(self, listed: Listing) -> View:
        def look(tx: Read, call: Call[Nothing, ListParameters]) -> Result:
            asked = queries.of_parameters(self._grammar, listed.inventory, call.query.values)
            return listing.answer(tx, call.caller, listed, asked=asked)

        return View(look=look, may_grow=always, lasting=True)

    def _row(self, listed: Listing) -> View:
        def look(tx: Read, call: Call[Nothing, Nothing]) -> Result:
            asked = queries.of_row(self._grammar, listed.inventory, call.request.parameters["uuid"])
            return listing.answer(tx, call.caller, listed, asked=asked)

        return View(look=look)

    def _job(self, there: Sequence[Api]) -> Action:
        async def take(call: Call[Any, Any]) -> Answer:
            api, given = parameters.chosen(call.request, there)
            asked = jobs.asked_of(call.request, given)
            if asked.hook is not None and not hooks.is_allowed(asked.hook, self._web_hooks):
                raise BadHeader(WEB_HOOK, expected="an address that the operator lets answers be sent to")
            job = await self._jobs.take(call.core, call.caller, api, asked=asked)
            return jobs.taken(job, call.request, asked)

        return take


def _look(api: Api, handler: Look) -> View:
    def look(tx: Read, call: Call[Any, Any]) -> Result:
        given = {**parameters.of_query(api, call.request.query), **call.request.parameters}
        return handler.look(tx, call.caller, parameters.read(api, given))

    return View(look=look, may_grow=always if handler.grows else never)


def _act(api: Api, handler: Act) -> Action:
    async def act(call: Call[Any, Any]) -> Result:
        _, given = parameters.chosen(call.request, (api,))
        exchange = Exchange(core=call.core, caller=call.caller, request=call.request.id, peer=call.request.peer)
        return await handler.act(exchange, parameters.read(api, given))

    return act
