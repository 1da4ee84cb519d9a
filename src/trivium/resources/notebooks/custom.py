"""A user's own service inside a notebook: starting its command there, and finding it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.keyring import Keyring
from trivium.base.reasons import Reason
from trivium.base.site import Site
from trivium.base.values import Value
from trivium.resources import events
from trivium.resources.notebooks.asking import checked_command
from trivium.resources.notebooks.changes import change, lock
from trivium.resources.notebooks.errors import NoSuchNotebook, NotRunning
from trivium.resources.notebooks.links import Link, service_link
from trivium.resources.notebooks.ports import Executed, Inside, LaunchKey
from trivium.resources.notebooks.service import get
from trivium.resources.notebooks.types import Found, Notebook, Status
from trivium.store import Store, Write

COMMAND_TAKES: Final = timedelta(seconds=5)
LISTENS_WITHIN: Final = timedelta(seconds=10)
LOOKS: Final = 40
UP: Final = frozenset({Status.RUNNING, Status.SAVING})
SETTLES: Final = 0.3  # seconds in which a command whose port is taken ends


class CustomStarted(Value, frozen=True):
    """What came of starting a service."""

    seen: bool  # something of the notebook listens on the port
    output: str | None  # what the command printed so far
    error: Reason | None


async def start_custom(
    store: Store, runtime: Inside, caller: Caller, *, notebook: int, command: str | None, port: int
) -> CustomStarted:
    """Run the command inside the notebook and look whether something of it comes to listen on the port.

    Command and port are kept with the notebook, save where they come to nothing and another service works. Without a
    command only the port is looked at. Raises `NoSuchNotebook`, `NotRunning`, `Invalid` for a senseless port or
    command, and `RuntimeUnavailable`.
    """
    command = checked_command(command, "command")
    asked = await store.write(_note_asked, caller, notebook, command=command, port=_port(port))
    key = LaunchKey(launch=asked.id, generation=asked.generation)
    running = None
    if command is not None:
        running = asyncio.create_task(runtime.execute(key, command, timeout=COMMAND_TAKES))
    try:
        started = await _comes_to_listen(runtime, key, port, running=running)
    finally:
        if running is not None:
            running.cancel()  # it goes on inside the notebook; nobody waits for what it says
    if started.seen:
        await store.write(_note_seen, key, port=port, command=command)
    return started


async def custom_link(
    store: Store, runtime: Inside, caller: Caller, *, notebook: int, keyring: Keyring, site: Site
) -> Link:
    """Where the service is reached; inactive until it was seen, and when it listens no more. `NoSuchNotebook`."""
    found = await store.read(get, caller, notebook)
    if found.status not in UP or found.service_port is None or not found.service_seen:
        return Link(active=False)
    key = LaunchKey(launch=found.id, generation=found.generation)
    if await runtime.listener(key, found.service_port) is None:
        return Link(active=False)
    return service_link(caller, found, keyring=keyring, site=site, now=store.clock.now())


def _note_asked(tx: Write, caller: Caller, notebook: int, *, command: str | None, port: int) -> Notebook:
    before = lock(tx, notebook)
    get(tx, caller, notebook)
    if before.status not in UP:
        raise NotRunning(status=before.status.value)
    events.record(tx, caller, "notebook.service", target=notebook, after={"port": port})
    if before.service_seen:
        return before  # what works stays until something else does
    return change(tx, before, service_command=command or before.service_command, service_port=port)


def _note_seen(tx: Write, key: LaunchKey, *, port: int, command: str | None) -> None:
    try:
        before = lock(tx, key.launch)
    except NoSuchNotebook:
        return
    if before.generation == key.generation and before.found is Found.RUNNING:
        kept = command or before.service_command
        change(tx, before, service_command=kept, service_port=port, service_seen=True)


async def _comes_to_listen(
    runtime: Inside, key: LaunchKey, port: int, *, running: asyncio.Task[Executed] | None
) -> CustomStarted:
    """Look at the port while the command runs, until something listens there, the command failed, or time is over."""
    for _ in range(LOOKS):
        seen = await runtime.listener(key, port) is not None
        if running is not None:
            # One that listens already may be another, and the command about to say so.
            await asyncio.wait([running], timeout=SETTLES if seen else 0)
        executed = running.result() if running is not None and running.done() else None
        output = None if executed is None else executed.output
        if executed is not None and executed.code not in (None, 0):
            reason = Reason(code="notebook.service_command_failed", details={"code": str(executed.code)})
            return CustomStarted(seen=False, output=output, error=reason)
        if seen:
            return CustomStarted(seen=True, output=output, error=None)
        await asyncio.sleep(LISTENS_WITHIN.total_seconds() / LOOKS)
    reason = Reason(code="notebook.service_not_listening", details={"port": str(port)})
    output = running.result().output if running is not None and running.done() else None
    return CustomStarted(seen=False, output=output, error=reason)


def _port(port: int) -> int:
    if not 0 < port < 1 << 16:
        message = "a port lies between 1 and 65535"
        raise Invalid("customizePort", message)
    return port
