"""The runtimes of all hosts: our own is called directly, another's by a remote call to the server that leads it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from trivium.base.errors import Unavailable
from trivium.resources import notebooks
from trivium.resources.hosts import Host, HostAway, drop_call, held_now, result_of, submit_call
from trivium.resources.images.ports import Environments
from trivium.resources.notebooks import RuntimeUnavailable
from trivium.resources.notebooks.ports import Address, Capabilities, Executed, Inside, LaunchKey, Log
from trivium.server.remote.calls import (
    Call,
    Digest,
    Execute,
    Fingerprint,
    Listener,
    Logs,
    SavedLayer,
    decoded,
    encoded,
)
from trivium.store import Flavour, Store

ORDINARY: Final = timedelta(seconds=10)  # within which an ordinary call is answered
READING: Final = timedelta(minutes=10)  # within which a whole environment is read
POLL: Final = 0.5  # seconds between two looks for a result, for a notice of it may be lost


class Local(Inside, Environments, Protocol):
    """This host's own runtime."""

    async def capabilities(self) -> Capabilities:
        """What this host can do."""
        ...


class HostRuntimes:
    """Fulfils the ports `Everywhere` of notebooks and `Places` of images, for a server on the host `host`.

    `answered` is to be called when a result may be there; without it results are seen within `POLL`.
    """

    def __init__(self, store: Store, local: Local, *, host: str) -> None:
        self._store = store
        self._local = local
        self._host = host
        self._news = asyncio.Event()

    def answered(self) -> None:
        """Look for results now. From the event loop's own thread."""
        self._news.set()
        self._news = asyncio.Event()

    # ---- notebooks -----------------------------------------------------------------------------------------------

    async def able(self, hosts: Collection[str]) -> Mapping[str, Capabilities]:
        """What each of these hosts can do; those that nobody acts on are left out."""
        found = {self._host: await self._local.capabilities()} if self._host in hosts else {}
        if set(hosts) - set(found):
            for host in (await self._held()).values():
                if host.id in hosts and host.id not in found and host.capabilities is not None:
                    found[host.id] = msgspec.json.decode(host.capabilities, type=Capabilities)
        return found

    async def logs(self, key: LaunchKey, since: int = 0) -> Log:
        """The log from byte `since` on."""
        host = await self._host_of(key)
        if host == self._host:
            return await self._local.logs(key, since)
        return await self._ask(host, Logs(key=key, since=since), Log, within=ORDINARY)

    async def execute(self, key: LaunchKey, command: str, *, timeout: timedelta) -> Executed:
        """Run a shell command inside the notebook."""
        host = await self._host_of(key)
        if host == self._host:
            return await self._local.execute(key, command, timeout=timeout)
        asked = Execute(key=key, command=command, timeout=timeout)
        return await self._ask(host, asked, Executed, within=ORDINARY + timeout)

    async def listener(self, key: LaunchKey, port: int) -> Address | None:
        """Where that notebook itself listens on `port`, on its host; None when nobody does, or somebody else."""
        host = await self._host_of(key)
        if host == self._host:
            return await self._local.listener(key, port)
        return await self._ask(host, Listener(key=key, port=port), Address | None, within=ORDINARY)

    # ---- images --------------------------------------------------------------------------------------------------

    async def fingerprints(self, path: Path) -> Mapping[str, str | None]:
        """The cheap fingerprint on each host that answers; None where the environment is not there."""
        others = [host for host in await self._held() if host != self._host]
        answers = (self._ask(host, Fingerprint(path=path), str | None, within=ORDINARY) for host in others)
        here, *there = await asyncio.gather(self._local.fingerprint(path), *answers, return_exceptions=True)
        seen: dict[str, str | None] = {}
        for host, found in zip((self._host, *others), (here, *there), strict=True):
            if isinstance(found, BaseException) and (host == self._host or not isinstance(found, Unavailable)):
                raise found
            if not isinstance(found, BaseException):
                seen[host] = found
        return seen

    async def digest_at(self, host: str, path: Path) -> str | None:
        """The digest, read anew on that host; None when the environment is not there. Errors: `HostAway`."""
        if host == self._host:
            return await self._local.digest(path)
        return await self._ask(host, Digest(path=path), str | None, within=READING)

    async def layer_at(self, host: str, path: Path) -> int | None:
        """The bytes of a saved layer, read anew on that host; None if it is not what was saved. Errors: `HostAway`."""
        if host == self._host:
            return await self._local.saved_layer(path)
        return await self._ask(host, SavedLayer(path=path), int | None, within=READING)

    # ---- how -----------------------------------------------------------------------------------------------------

    async def _host_of(self, key: LaunchKey) -> str:
        return await self._store.read(notebooks.host_of, key.launch) or self._host

    async def _held(self) -> Mapping[str, Host]:
        if self._store.flavour is Flavour.SQLITE:
            return {}  # there are no others
        return await self._store.read(held_now)

    async def _ask(self, host: str, call: Call, kind: Any, *, within: timedelta) -> Any:  # noqa: ANN401 - of that kind
        """What the leader of the host answers. `HostAway` when there is none, or none answers in time."""
        arguments = encoded(call)
        id = await self._store.write(submit_call, host, type(call).__name__, arguments=arguments, within=within)
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await self._answer(id, kind)
        except TimeoutError as error:
            raise HostAway(host=host) from error
        finally:
            await asyncio.shield(self._store.write(drop_call, id))

    async def _answer(self, call: int, kind: Any) -> Any:  # noqa: ANN401 - of that kind
        while True:
            news = self._news
            result = await self._store.read(result_of, call)
            if result is not None and result.answer is None:
                raise RuntimeUnavailable(result.failure or "")
            if result is not None and result.answer is not None:
                return decoded(result.answer, kind)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await news.wait()
