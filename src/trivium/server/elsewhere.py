"""The runtimes of all hosts: this one's own is asked itself, another through the server that holds it."""

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
from trivium.resources.hosts import Host, HostAway, ask_errand, drop_errand, held_now, told_of
from trivium.resources.images.ports import Environments
from trivium.resources.notebooks import RuntimeUnavailable
from trivium.resources.notebooks.ports import Address, Capabilities, Executed, Inside, LaunchKey, Log
from trivium.server.errands import Asked, Digest, Execute, Fingerprint, Listener, Logs, decoded, encoded
from trivium.store import Flavour, Store

ORDINARY: Final = timedelta(seconds=10)  # what another server has for an ordinary answer
READING: Final = timedelta(minutes=10)  # for reading a whole environment
LOOK: Final = 0.5  # seconds between two looks whether there is an answer, where no notice comes


class Local(Inside, Environments, Protocol):
    """This host's own runtime."""

    async def capabilities(self) -> Capabilities:
        """What this host can do."""
        ...


class Everywhere:
    """Fulfils the ports `Everywhere` of notebooks and `Places` of images, for a server on the host `host`.

    `answered` is to be called whenever an answer may be there; without it they are seen a little later.
    """

    def __init__(self, store: Store, local: Local, *, host: str) -> None:
        self._store = store
        self._local = local
        self._host = host
        self._news = asyncio.Event()

    def answered(self) -> None:
        """Look for answers now. From the event loop's own thread."""
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
        asked = (self._ask(host, Fingerprint(path=path), str | None, within=ORDINARY) for host in others)
        here, *there = await asyncio.gather(self._local.fingerprint(path), *asked, return_exceptions=True)
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

    # ---- how -----------------------------------------------------------------------------------------------------

    async def _host_of(self, key: LaunchKey) -> str:
        return await self._store.read(notebooks.host_of, key.launch) or self._host

    async def _held(self) -> Mapping[str, Host]:
        if self._store.flavour is Flavour.SQLITE:
            return {}  # there are no others
        return await self._store.read(held_now)

    async def _ask(self, host: str, asked: Asked, kind: Any, *, within: timedelta) -> Any:  # noqa: ANN401 - of that kind
        """What the server that holds the host answers. `HostAway` when none does in time."""
        errand = await self._store.write(ask_errand, host, type(asked).__name__, asked=encoded(asked), within=within)
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await self._answer(errand, kind)
        except TimeoutError as error:
            raise HostAway(host=host) from error
        finally:
            await asyncio.shield(self._store.write(drop_errand, errand))

    async def _answer(self, errand: int, kind: Any) -> Any:  # noqa: ANN401 - of that kind
        while True:
            news = self._news
            told = await self._store.read(told_of, errand)
            if told is not None and told.answer is None:
                raise RuntimeUnavailable(told.failure or "")
            if told is not None and told.answer is not None:
                return decoded(told.answer, kind)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await news.wait()
