"""One step for one notebook: from what was asked and what is seen to what to do next.

Each step acts on the runtime with no transaction open, and writes down what came of it only if nobody asked for
something else meanwhile. Every call to the runtime may be repeated, so a step that dies half way is taken again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Concatenate, Final, ParamSpec, TypeVar

from trivium.base.keyring import Keyring
from trivium.base.site import Site
from trivium.base.values import Value
from trivium.resources import hosts, images, nodes, users
from trivium.resources.hosts import Tenure
from trivium.resources.images import Image
from trivium.resources.nodes import Placement
from trivium.resources.notebooks import attachments, outcomes
from trivium.resources.notebooks.links import base_url, server_token
from trivium.resources.notebooks.ports import (
    Devices,
    Environment,
    LaunchKey,
    LaunchSpec,
    Observation,
    Phase,
    Runtime,
)
from trivium.resources.notebooks.types import Attachment, AttachmentStatus, Found, Notebook, Wanted
from trivium.resources.pools import CPU
from trivium.resources.users import User
from trivium.store import Read, Store, Write

P = ParamSpec("P")
T = TypeVar("T")
OVER: Final = frozenset({Phase.ENDED, Phase.LOST, Phase.ABSENT})
ALIVE: Final = frozenset({Phase.QUEUED, Phase.STARTING, Phase.RUNNING})


class World(Value, frozen=True):
    """What steps act on, and by what right."""

    tenure: Tenure
    store: Store
    runtime: Runtime
    keyring: Keyring
    site: Site
    grace: timedelta = timedelta(seconds=10)  # what a notebook has to end by itself

    async def apply(self, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` returns once it is committed, if the host is still ours. `NotHolding`."""

        def held(tx: Write) -> T:
            return hosts.held(tx, self.tenure, use, *args, **kwargs)

        return await self.store.write(held)


def key_of(notebook: Notebook) -> LaunchKey:
    """The launch that the notebook's row speaks of."""
    return LaunchKey(launch=notebook.id, generation=notebook.generation)


def is_due(notebook: Notebook, seen: Observation) -> bool:
    """Whether there is anything to do or to write down."""
    if seen.phase is Phase.UNKNOWN:
        return False
    if notebook.wanted is not Wanted.RUNNING:
        return seen.phase is not Phase.STOPPING or notebook.save_as is not None
    if seen.phase is Phase.RUNNING:
        return notebook.found is not Found.RUNNING or notebook.save_as is not None
    if seen.phase in (Phase.QUEUED, Phase.STARTING):
        return notebook.found is not Found.STARTING or notebook.progress != seen.progress
    return seen.phase is not Phase.STOPPING


async def take(world: World, notebook: Notebook, seen: Observation) -> None:
    """Take the next step."""
    if notebook.wanted is Wanted.RUNNING:
        await _towards_running(world, notebook, seen)
    elif notebook.wanted is Wanted.STOPPED:
        await _towards_stopped(world, notebook, seen)
    else:
        await _towards_deleted(world, notebook, seen)


async def give_up(world: World, notebook: Notebook) -> None:
    """End a start whose steps fail by a fault of ours, and say so; one that is to be deleted is tried on and on.

    Where only the save of one that runs fails so, the save is given up.
    """
    if _saves_on(notebook):
        await world.apply(outcomes.note_save_failed, notebook, "a fault of the platform, which its log has")
    elif notebook.wanted is not Wanted.DELETED:
        await world.runtime.forget(key_of(notebook))
        await world.apply(outcomes.note_fault, notebook)


async def show(world: World, attachment: Attachment) -> None:
    """Show a directory to a notebook, or take it away."""
    key, mount = attachments.key_of(attachment), attachment.mount
    if attachment.status is AttachmentStatus.MOUNTING:
        failure = await world.runtime.attach(key, mount)
    else:
        failure = await world.runtime.detach(key, mount.target)
    await world.apply(attachments.note, attachment, failure)


async def _towards_running(world: World, notebook: Notebook, seen: Observation) -> None:
    if _saves_on(notebook) and notebook.save_as is not None and seen.phase is Phase.RUNNING:
        await _save(world, notebook, seen, name=notebook.save_as.hex)
    elif seen.phase in ALIVE:
        await world.apply(outcomes.note_alive, notebook, seen)
    elif seen.phase is Phase.ABSENT and notebook.found is Found.NOTHING:
        await world.runtime.launch(await world.store.read(_launch_of, world, notebook))
    elif seen.phase in (Phase.LOST, Phase.ABSENT):
        await world.runtime.forget(seen.key)
        await world.apply(outcomes.note_lost, notebook)
    # Written down before it is forgotten: only the runtime knows how it ended, until we do.
    elif seen.phase is Phase.ENDED and await world.apply(outcomes.note_failed, notebook, seen):
        await world.runtime.forget(seen.key)


async def _towards_stopped(world: World, notebook: Notebook, seen: Observation) -> None:
    if notebook.save_as is not None:
        await _save(world, notebook, seen, name=notebook.save_as.hex)
    elif seen.phase in OVER:
        await world.runtime.forget(seen.key)
        await world.apply(outcomes.note_stopped, notebook)
    else:
        await world.runtime.stop(seen.key, world.grace)


async def _towards_deleted(world: World, notebook: Notebook, seen: Observation) -> None:
    if seen.phase in OVER:
        await world.runtime.forget(seen.key)
        await world.runtime.remove(notebook.id)
        await world.apply(outcomes.note_gone, notebook)
    else:
        await world.runtime.stop(seen.key, world.grace)


async def _save(world: World, notebook: Notebook, seen: Observation, *, name: str) -> None:
    """Keep the notebook's layer as the image that was asked for; a save that fails keeps it from nothing."""
    try:
        layer = await world.runtime.save(seen.key, name)
    except OSError as error:
        await world.apply(outcomes.note_save_failed, notebook, error.strerror or str(error))
        return
    await world.apply(outcomes.note_saved, notebook, layer)


def _saves_on(notebook: Notebook) -> bool:
    """Whether it is being saved and runs on."""
    return notebook.save_as is not None and notebook.wanted is Wanted.RUNNING and notebook.found is Found.RUNNING


def _launch_of(tx: Read, world: World, notebook: Notebook) -> LaunchSpec:
    """All that the runtime needs, read from one view."""
    image = images.get_any(tx, notebook.image)
    owner = users.get(tx, notebook.owner)
    placement = nodes.held_by(tx, notebook.id)
    return _spec(world, notebook, image=image, owner=owner, placement=placement)


def _spec(world: World, notebook: Notebook, *, image: Image, owner: User, placement: Placement | None) -> LaunchSpec:
    devices = None
    if placement is not None and placement.kind != CPU:
        devices = Devices(kind=placement.kind, indexes=placement.indexes)
    return LaunchSpec(
        key=key_of(notebook),
        user=notebook.owner,
        uid=owner.posix_uid,
        environment=Environment(path=image.environment, layers=image.layers, command=image.command),
        cores=notebook.resources.millicores / 1000,
        memory=notebook.resources.memory,
        processes=world.site.processes,
        devices=devices,
        mount_home=notebook.mount_home,
        mounts=notebook.mounts,
        attach_at=notebook.attach_at,
        start_command=notebook.start_command,
        base_url=base_url(notebook.id),
        token=server_token(world.keyring, notebook.id, notebook.generation),
    )
