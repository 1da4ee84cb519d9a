"""The process runtime on this machine. Fulfils the ports `Runtime`, `Environments` and `Nodes`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from trivium.base.clock import Clock
from trivium.base.threads import DaemonThreads
from trivium.drivers.runtimes.process import environments, host, layers, wire
from trivium.drivers.runtimes.process.capabilities import find_capabilities
from trivium.drivers.runtimes.process.client import KeeperClient
from trivium.drivers.runtimes.process.fingerprints import Fingerprints
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources.images.ports import EnvironmentFound
from trivium.resources.nodes.ports import NodeFound
from trivium.resources.notebooks import RuntimeUnavailable
from trivium.resources.notebooks.ports import (
    Address,
    Capabilities,
    Executed,
    LaunchKey,
    LaunchSpec,
    Log,
    Mount,
    Observation,
    Phase,
    SavedLayer,
)

PIECE = 1 << 20  # bytes of a log that are read at once
GONE_WITHIN = 30.0  # seconds for a notebook that is removed to end
STEP = 0.05
HEED = 300.0  # seconds in which nothing may happen
HEED_AGAIN = 1.0


class ProcessRuntime:
    """Notebooks as trees of processes on this machine.

    `epoch` says by what right launches are started and stopped, or raises what says that there is none now.
    """

    def __init__(self, settings: ProcessSettings, clock: Clock, epoch: Callable[[], int] = lambda: 0) -> None:
        self._settings = settings
        self._clock = clock
        self._data = Path(os.path.realpath(settings.data))
        self._keeper = KeeperClient(
            self._data, settings.run, within=settings.answer_within.total_seconds(), epoch=epoch
        )
        self._capabilities: asyncio.Task[Capabilities] | None = None
        self._threads = DaemonThreads()
        self._fingerprints = Fingerprints()
        self._is_cleared = False

    async def close(self) -> None:
        """Let go of the keeper, which goes on with all notebooks. Repeatable."""
        await self._keeper.close()
        await asyncio.to_thread(self._fingerprints.close)

    # ---- Runtime -------------------------------------------------------------------------------------------------

    async def capabilities(self) -> Capabilities:
        """What this host can do; found out once."""
        return await asyncio.shield(self.look_around())

    def look_around(self) -> asyncio.Task[Capabilities]:
        """Begin to find out what this host can do. Repeatable: it is done once, unless it fails."""
        task = self._capabilities
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._capabilities = asyncio.create_task(asyncio.to_thread(find_capabilities, self._settings))
        return task

    async def launch(self, spec: LaunchSpec) -> None:
        """Have the keeper start it, unless it knows this launch and generation. Errors: `RuntimeUnavailable`."""
        await self._keeper.ask("launch", **wire.told(spec, self._settings))

    async def observe(self, keys: Sequence[LaunchKey]) -> Mapping[LaunchKey, Observation]:
        """What is the case for each key; `UNKNOWN` for all where the keeper does not answer."""
        try:
            answer = await self._keeper.ask("observe", keys=[wire.key_note(key) for key in keys])
        except RuntimeUnavailable as error:
            return {key: Observation(key=key, phase=Phase.UNKNOWN, reason=error.message) for key in keys}
        seen = [wire.observation(note, self._data) for note in answer["seen"]]
        absent = {key: Observation(key=key, phase=Phase.ABSENT) for key in keys}
        return absent | {one.key: one for one in seen}

    async def heed(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever a launch has come on, until cancelled; while the keeper is away, nothing is heard."""
        known = ""
        while True:
            try:
                known = (await self._keeper.ask("changed", longer=HEED, known=known))["latest"]
                changed()
            except RuntimeUnavailable:
                await asyncio.sleep(HEED_AGAIN)

    async def stop(self, key: LaunchKey, grace: timedelta) -> None:
        """Ask it to end, and after `grace` make it. Errors: `RuntimeUnavailable`."""
        await self._keeper.ask("stop", key=wire.key_note(key), grace=grace.total_seconds())

    async def attach(self, key: LaunchKey, mount: Mount) -> str | None:
        """Show a directory of the home to a notebook that runs; why not, where it cannot be. Repeatable.

        Errors: `RuntimeUnavailable`, also where it does not run.
        """
        told = {"source": mount.source, "target": mount.target, "writable": mount.writable}
        answer = await self._keeper.ask("attach", longer=GONE_WITHIN, key=wire.key_note(key), **told)
        return answer["failed"]

    async def detach(self, key: LaunchKey, target: str) -> str | None:
        """Take away what is shown there; why not, where it cannot be. Repeatable. Errors as of `attach`."""
        answer = await self._keeper.ask("detach", longer=GONE_WITHIN, key=wire.key_note(key), target=target)
        return answer["failed"]

    async def forget(self, key: LaunchKey) -> None:
        """Drop what is kept of a launch, its layer and log apart; one that still runs is ended first."""
        await self._keeper.ask("forget", key=wire.key_note(key))

    async def remove(self, launch: int) -> None:
        """Drop all of a notebook for good; comes back when nothing of it runs any more."""
        deadline = self._clock.monotonic() + GONE_WITHIN
        while not (await self._keeper.ask("remove", launch=launch))["gone"]:
            if self._clock.monotonic() > deadline:
                raise RuntimeUnavailable("the notebook's processes do not end", launch=launch)
            await asyncio.sleep(STEP)
        await self._threads.run(layers.discard, self._data, launch)

    async def logs(self, key: LaunchKey, since: int = 0) -> Log:
        """Up to 1 MiB of the log from byte `since` on, or from its beginning where it is shorter by now."""
        return await asyncio.to_thread(
            _read_log, self._data / "logs" / str(key.launch) / f"{key.generation}.log", since
        )

    async def execute(self, key: LaunchKey, command: str, *, timeout: timedelta) -> Executed:
        """Run a shell command inside the notebook; at most 64 KiB of what it says. Errors: `RuntimeUnavailable`."""
        seconds = timeout.total_seconds()
        answer = await self._keeper.ask(
            "execute", longer=seconds + GONE_WITHIN, key=wire.key_note(key), command=command, timeout=seconds
        )
        return wire.executed(answer)

    async def listener(self, key: LaunchKey, port: int) -> Address | None:
        """Where one of that notebook's own processes listens on `port`; None when none does."""
        answer = await self._keeper.ask("listener", key=wire.key_note(key), port=port)
        return None if answer["host"] is None else Address(host=answer["host"], port=port)

    async def accepted(self, key: LaunchKey, address: Address, *, client: tuple[str, int]) -> bool:
        """Whether a connection from `client` to the address is in the hands of that notebook's own processes."""
        here = {"host": address.host, "port": address.port}
        there = {"host": client[0], "port": client[1]}
        answer = await self._keeper.ask("accepted", key=wire.key_note(key), here=here, client=there)
        return bool(answer["own"])

    async def save(self, key: LaunchKey, name: str) -> SavedLayer:
        """Keep the notebook's own packages as a layer. OSError when they cannot be kept."""
        return await self._threads.run(layers.save, self._data, key.launch, name, reserve=self._settings.disk_reserve)

    async def layers(self) -> Sequence[str]:
        """The names of the saved layers that are kept."""
        return await self._threads.run(layers.names, self._data)

    async def drop_layer(self, name: str) -> None:
        """Remove a saved layer. Repeatable."""
        await self._threads.run(layers.drop, self._data, name)

    async def adopt(self) -> Sequence[LaunchKey]:
        """Every launch that is kept, running or ended; what belongs to none is cleared away."""
        warm = self._settings.warm.total_seconds()
        answer = await self._keeper.ask("adopt", longer=60.0, warm=warm)
        if not self._is_cleared:  # later, what is half made is being made
            self._is_cleared = True
            await self._threads.run(layers.clear, self._data)
        return [LaunchKey(launch=one["launch"], generation=one["generation"]) for one in answer["keys"]]

    # ---- Environments --------------------------------------------------------------------------------------------

    async def inspect(self, path: Path, *, command: tuple[str, ...] = ()) -> EnvironmentFound:
        """What stands in an environment's directory. Errors: `EnvironmentRefused`."""
        return await self._threads.run(environments.inspect, path, command)

    async def fingerprint(self, path: Path) -> str | None:
        """The cheap fingerprint; None when the environment is not there."""
        return await asyncio.to_thread(self._fingerprints.of, path)

    async def digest(self, path: Path) -> str | None:
        """The digest, read anew; None when the environment is not there."""
        return await self._threads.run(environments.digest, path)

    async def saved_layer(self, path: Path) -> int | None:
        """The bytes of a saved layer, read anew; None when it is not there, or not what was saved."""
        return await self._threads.run(layers.whole_size, path)

    # ---- Nodes ---------------------------------------------------------------------------------------------------

    def address(self) -> str:
        """An address of this machine; loopback's where it has no other."""
        return host.address()

    async def nodes(self) -> Sequence[NodeFound]:
        """This machine."""
        return [await asyncio.to_thread(host.find_node, self._settings)]


def _read_log(path: Path, since: int) -> Log:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return Log(text="", next=since)
    try:
        if since > os.fstat(descriptor).st_size:
            since = 0  # it grew too long, and began anew
        piece = os.pread(descriptor, PIECE, max(since, 0))
    finally:
        os.close(descriptor)
    whole = _whole(piece)
    return Log(text=whole.decode(errors="replace"), next=max(since, 0) + len(whole))


def _whole(piece: bytes) -> bytes:
    """The piece without a last character that is only half there."""
    for back in range(1, min(len(piece), 4) + 1):
        byte = piece[-back]
        if byte < 0x80:  # noqa: PLR2004 - UTF-8: a character of one byte
            break
        if byte >= 0xC0:  # noqa: PLR2004 - UTF-8: the first byte of a longer one
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4  # noqa: PLR2004
            return piece[:-back] if back < length and back < len(piece) else piece
    return piece
