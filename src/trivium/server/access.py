"""Who is admitted to a notebook: decided from the database on every request.

An admission is kept as long as nobody has committed anything since, whichever process it would have been: the database
itself is asked that for every request. A right that was withdrawn is so from the next request on, in every process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Concatenate, Final, ParamSpec, Protocol

import msgspec

from trivium.base.errors import NotFound, Unauthenticated, Unavailable
from trivium.base.ids import decimal_id
from trivium.base.keyring import Keyring
from trivium.resources import hosts, notebooks
from trivium.resources.notebooks import Entry, NotRunning, Route, Use
from trivium.resources.notebooks.ports import Address, LaunchKey
from trivium.server.proxy import (
    Admission,
    Credential,
    CredentialSource,
    Endpoint,
    Kind,
    OtherProxy,
    OwnedPort,
    Refused,
    Target,
    UnixSocket,
)
from trivium.store import Read, Store

P = ParamSpec("P")
USES: Final = {
    CredentialSource.LINK: Use.TICKET,
    CredentialSource.HEADER: Use.TICKET,
    CredentialSource.COOKIE: Use.PASS,
}
MOST: Final = 4096  # admissions that are kept
LONGEST: Final = 1.0  # seconds that an admission is kept, because grants and sessions end with time, too

_Key = tuple[Endpoint, Credential]


class Listeners(Protocol):
    """What the runtime knows of the ports of a notebook on this host. Errors: `RuntimeUnavailable`."""

    async def listener(self, key: LaunchKey, port: int) -> Address | None:
        """Where that notebook itself listens on `port`; None when nobody does, or somebody else."""
        ...

    async def accepted(self, key: LaunchKey, address: Address, *, client: tuple[str, int]) -> bool:
        """Whether a connection from `client` to the address is in the hands of that notebook's own processes."""
        ...


class GrantAccess:
    """Lets in whoever shows a grant of ours that still holds: the session, the user, the start, the project.

    `host` is where the runtime is; notebooks of other hosts are reached through the proxy of whoever holds theirs.
    """

    def __init__(self, store: Store, runtime: Listeners, keyring: Keyring, *, host: str) -> None:
        self._store = store
        self._runtime = runtime
        self._keyring = keyring
        self._host = host
        self._snapshot: object = None  # the id of the database snapshot that the kept answers are of
        self._kept: dict[_Key, tuple[float, Admission]] = {}

    def admit_now(self, endpoint: Endpoint, credential: Credential) -> Admission | None:
        """What `admit` returned last, if nothing was committed since; on SQLite alone."""
        snapshot = self._store.snapshot_id_now()
        return None if snapshot is None else self._recall(snapshot, (endpoint, credential))

    async def admit(self, endpoint: Endpoint, credential: Credential) -> Admission:
        """Leave to use the endpoint. Raises `Refused`."""
        snapshot = await self._store.snapshot_id()
        key = (endpoint, credential)
        admission = self._recall(snapshot, key)
        if admission is None:
            admission = await self._decide(endpoint, credential)
            self._keep(snapshot, key, admission)
        return admission

    async def still_admitted(self, admissions: Sequence[Admission]) -> Sequence[bool]:
        """For each admission whether its grant would be taken again, and leads to where it led."""
        return await asyncio.gather(*map(self._holds, admissions))

    async def find_host(self, target: OwnedPort) -> str | None:
        """The host at which the notebook's processes listen on the port; None when they do not."""
        address = await self._runtime.listener(target.key, target.port)
        return None if address is None else address.host

    async def is_accepted(self, target: OwnedPort, host: str, client: tuple[str, int]) -> bool:
        """Whether the connection from `client` to the target at `host` was accepted by the notebook's own processes."""
        return await self._runtime.accepted(target.key, Address(host=host, port=target.port), client=client)

    async def _decide(self, endpoint: Endpoint, credential: Credential) -> Admission:
        use = USES.get(credential.source)
        if use is None:
            raise Refused(401, "proxy.no_credential")
        notebook = decimal_id(endpoint.notebook) or 0
        route = await self._asked(notebooks.open_door, notebook, credential.secret, use=use, keyring=self._keyring)
        kept = None
        if credential.source is CredentialSource.LINK:
            kept = notebooks.pass_for(route.entry, self._keyring, now=self._store.clock.now())
        return Admission(
            endpoint=endpoint,
            target=await self._target(endpoint, route),
            subject=msgspec.json.encode(route.entry).decode(),
            inject=(("Authorization", f"token {route.token}"),) if endpoint.kind is Kind.JUPYTER else (),
            grant=kept,
        )

    async def _holds(self, admission: Admission) -> bool:
        entry = msgspec.json.decode(admission.subject, type=Entry)
        try:
            route = await self._asked(notebooks.still_open, entry, self._keyring)
            return await self._target(admission.endpoint, route) == admission.target
        except Refused:
            return False
        except Unavailable:
            return True  # what cannot be told now changes nothing

    async def _asked(self, ask: Callable[Concatenate[Read, P], Route], *args: P.args, **kwargs: P.kwargs) -> Route:
        """The route that the resource gives. Raises `Refused` for the reason that it has."""
        try:
            return await self._store.read(ask, *args, **kwargs)
        except NotRunning as error:
            raise Refused(503, "proxy.not_running", **error.details) from error
        except NotFound as error:
            raise Refused(404, "proxy.not_found") from error
        except Unauthenticated as error:
            raise Refused(401, "proxy.bad_credential") from error

    async def _target(self, endpoint: Endpoint, route: Route) -> Target:
        """Where the notebook itself listens, or the proxy that can reach it there."""
        if route.host == self._host:
            return _here(endpoint, route)
        there = await self._store.read(hosts.proxy_of, route.host)
        if there is None:
            raise Refused(503, "proxy.host_away")
        name, _, port = there.rpartition(":")
        return OtherProxy(host=name.strip("[]"), port=int(port))

    # ---- what is kept ----

    def _recall(self, snapshot: object, key: _Key) -> Admission | None:
        if snapshot != self._snapshot:
            self._kept.clear()
            self._snapshot = snapshot
            return None
        until, admission = self._kept.get(key, (0.0, None))
        return admission if admission is not None and self._store.clock.monotonic() < until else None

    def _keep(self, snapshot: object, key: _Key, admission: Admission) -> None:
        """Keep an admission that is at least as new as that snapshot; the next may have come meanwhile."""
        if snapshot == self._snapshot:
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[key] = (self._store.clock.monotonic() + LONGEST, admission)


def _here(endpoint: Endpoint, route: Route) -> Target:
    """Where the notebook itself listens; of a port it will be seen who has it when somebody connects."""
    if endpoint.kind is Kind.JUPYTER and route.address.socket is not None:
        return UnixSocket(path=route.address.socket)
    port = route.address.port if endpoint.kind is Kind.JUPYTER else route.service_port
    if port is None:
        raise Refused(503, "proxy.no_service")
    return OwnedPort(key=route.key, port=port)
