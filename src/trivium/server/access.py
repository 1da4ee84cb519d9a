"""Who may enter a notebook: the proxy's question, answered from the one account of things on every request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Concatenate, Final, ParamSpec

import msgspec

from trivium.base.errors import NotFound, Unauthenticated, Unavailable
from trivium.base.ids import decimal_id
from trivium.base.keyring import Keyring
from trivium.resources import notebooks
from trivium.resources.notebooks import Entry, NotRunning, Route, Use
from trivium.resources.notebooks.ports import Address, Runtime
from trivium.server.proxy import Credential, Door, Held, Kind, Pass, Refused, Way
from trivium.store import Read, Store

P = ParamSpec("P")
USES: Final = {Way.LINK: Use.TICKET, Way.HEADER: Use.TICKET, Way.COOKIE: Use.PASS}


class GrantAccess:
    """Lets in whoever shows a grant of ours that still holds: the session, the user, the start, the project."""

    def __init__(self, store: Store, runtime: Runtime, keyring: Keyring) -> None:
        self._store = store
        self._runtime = runtime
        self._keyring = keyring

    async def enter(self, door: Door, credential: Credential) -> Pass:
        """Leave to enter, or `Refused`."""
        use = USES.get(credential.way)
        if use is None:
            raise Refused(401, "proxy.no_credential")
        notebook = decimal_id(door.notebook) or 0
        route = await self._asked(notebooks.open_door, notebook, credential.secret, use=use, keyring=self._keyring)
        kept = None
        if credential.way is Way.LINK:
            kept = notebooks.pass_for(route.entry, self._keyring, now=self._store.clock.now())
        return Pass(
            address=await self._address(door, route),
            subject=msgspec.json.encode(route.entry).decode(),
            inject=(("Authorization", f"token {route.token}"),) if door.kind is Kind.JUPYTER else (),
            grant=kept,
        )

    async def still(self, held: Sequence[Held]) -> Sequence[bool]:
        """For each pass whether its grant would be taken again, and leads to where it led."""
        return await asyncio.gather(*map(self._holds, held))

    async def _holds(self, held: Held) -> bool:
        entry = msgspec.json.decode(held.passed.subject, type=Entry)
        try:
            route = await self._asked(notebooks.still_open, entry, self._keyring)
            return await self._address(held.door, route) == held.passed.address
        except Refused:
            return False
        except Unavailable:
            return True  # what cannot be told now changes nothing

    async def _asked(self, ask: Callable[Concatenate[Read, P], Route], *args: P.args, **kwargs: P.kwargs) -> Route:
        """The route that the rooms give, or `Refused` for the reason that they have."""
        try:
            return await self._store.read(ask, *args, **kwargs)
        except NotRunning as error:
            raise Refused(503, "proxy.not_running", **error.details) from error
        except NotFound as error:
            raise Refused(404, "proxy.not_found") from error
        except Unauthenticated as error:
            raise Refused(401, "proxy.bad_credential") from error

    async def _address(self, door: Door, route: Route) -> Address:
        """Where the notebook itself listens: its own server's socket, or a port that nobody else has taken over."""
        if door.kind is Kind.JUPYTER and route.address.socket is not None:
            return route.address
        port = route.address.port if door.kind is Kind.JUPYTER else route.service_port
        if port is None:
            raise Refused(503, "proxy.no_service")
        address = await self._runtime.listener(route.key, port)
        if address is None:
            raise Refused(503, "proxy.service_silent", port=port)
        return address
