"""Use cases of notebooks: what callers ask for. Workers bring it about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from trivium.base.caller import Caller
from trivium.base.clock import MICROSECOND
from trivium.base.site import Site
from trivium.base.text import fold
from trivium.resources import events, images, nodes, operations, pools, users, workspaces
from trivium.resources.hosts import must_be_there
from trivium.resources.images import Image, ImageNotReady, ImageStatus
from trivium.resources.nodes import Need, Placement
from trivium.resources.notebooks.asking import (
    checked_area,
    checked_command,
    checked_description,
    checked_mounts,
    checked_name,
    checked_volume,
    default_name,
    need_of,
    separable,
)
from trivium.resources.notebooks.changes import change, is_visible, lock, own
from trivium.resources.notebooks.errors import (
    FreeTaken,
    MountRefused,
    NoFlavor,
    NoSuchNotebook,
    NotReleasable,
    NotStartable,
    NotStoppable,
)
from trivium.resources.notebooks.leases import begun
from trivium.resources.notebooks.ports import Capabilities, Mount
from trivium.resources.notebooks.states import RELEASABLE, STARTABLE, STOPPABLE
from trivium.resources.notebooks.table import COUNTED, FREE_THERE, document, notebook_of, notebooks
from trivium.resources.notebooks.types import Feature, Found, LeaseAsked, Notebook, NotebookSpec, Status, Wanted
from trivium.resources.pools import Flavor, Pool
from trivium.store import Read, Write
from trivium.store.counters import numbers_by

WORKER = "notebooks"


def create(tx: Write, caller: Caller, site: Site, *, spec: NotebookSpec, hosts: Mapping[str, Capabilities]) -> Notebook:
    """Ask for a new notebook, which runs as soon as the platform can make it.

    `hosts` are those that have its image, with what each can do.

    Raises `BadName`, `BadMount`, `MountRefused`, `NoSuchImage`, `ImageNotReady`, `NoSuchPool`, `NoFlavor`,
    `NoCapacity` when it does not fit now, `UserNotSeparable`, `FreeTaken`, `NoSuchWorkspace`, `IdleUnknown`, `Invalid`,
    and what `users.lock_active` raises.
    """
    _lock_owner(tx, caller, spec.feature)
    workspaces.lock_for_use(tx, caller, spec.workspace)
    name = default_name(tx, site) if spec.name is None else checked_name(spec.name)
    mounts, able = _holding(hosts, spec, home=site.homes / str(caller.user))
    image = images.chosen(tx, caller, path=spec.image_path, uuid=spec.image)
    if image.status is not ImageStatus.ACTIVE:
        raise ImageNotReady(path=image.path)
    pool, flavor = _chosen(tx, caller, spec)
    need = need_of(flavor, spec.count)
    id = tx.ids.next()
    placement = nodes.reserve(tx, id, pool=pool.id, need=need, hosts=able)
    at = _at(tx, placement)
    # With the nodes locked: of two users who come at once, one sees the other.
    separable(tx, caller, able[at["host"]], host=at["host"])
    operation = operations.start(tx, caller, "notebook.create", target=id)
    row = {
        "id": id,
        "uuid": uuid4(),
        "name": name,
        "name_folded": fold(name),
        "generation": 1,
        "mount_home": spec.mount_home,
        "mounts": document(mounts),
        "start_command": checked_command(spec.start_command, "startCommand"),
        "max_running": _span(site.max_running),
        "release_after": _span(site.release_after),
        "operation": operation.id,
    }
    columns = row | _of_caller(caller) | of_image(image) | _of_pool(pool) | of_need(flavor, need) | at
    area = checked_area(spec.attach_at)
    columns["attach_at"] = area if spec.mount_home and able[at["host"]].mount_namespace else None
    columns |= _of_spec(spec) | begun(spec.lease, None, now=tx.now)
    tx.run(insert(notebooks).values(**columns, **_fresh(tx)))
    images.count_clone(tx, image.id)
    events.record(tx, caller, "notebook.create", target=id, after={"name": name, "image": image.path})
    tx.wake(WORKER)
    return lock(tx, id)


def start(tx: Write, caller: Caller, notebook: int, *, lease: LeaseAsked | None = None) -> Notebook:
    """Ask for a stopped or failed notebook to run again, where its packages are.

    Its lease is the one that is asked for, else the one that it had, from now on.

    Raises `NotStartable`, `NoCapacity`, `IdleUnknown`, `Invalid`, and `HostAway` when nobody acts on its host.
    """
    before = own(tx, caller, notebook)
    if before.status not in STARTABLE:
        raise NotStartable(status=before.status.value)
    need = Need(
        kind=before.resources.kind,
        count=before.resources.count,
        millicores=before.resources.millicores,
        memory=before.resources.memory,
    )
    host = before.host or ""
    must_be_there(tx, host)
    placement = nodes.reserve(tx, before.id, pool=before.pool, need=need, hosts=(host,))
    operation = operations.start(tx, caller, "notebook.start", target=before.id)
    return _ask(
        tx,
        caller,
        before,
        verb="start",
        **_at(tx, placement),
        **begun(lease, before.lease, now=tx.now),
        wanted=Wanted.RUNNING,
        found=Found.NOTHING,
        generation=before.generation + 1,
        reason=None,
        progress=0,
        losses=0,
        operation=operation.id,
        stop_at=None,
        release_at=None,
        service_seen=False,
    )


def stop(tx: Write, caller: Caller, notebook: int) -> Notebook:
    """Ask for a notebook to be stopped. `NotStoppable` unless it runs or starts."""
    before = own(tx, caller, notebook)
    if before.status not in STOPPABLE:
        raise NotStoppable(status=before.status.value)
    return _stop(tx, caller, before, save_as=None)


def save_and_stop(tx: Write, caller: Caller, site: Site, *, notebook: int) -> Notebook:
    """Ask for a running notebook's environment to be kept as an image, and then for a stop. `NotStoppable`."""
    before = own(tx, caller, notebook)
    if before.status is not Status.RUNNING:
        raise NotStoppable(status=before.status.value)
    of = images.get_any(tx, before.image)
    saved = images.start_save(tx, caller, site, of=of, notebook=before.id, notebook_name=before.name, host=before.host)
    return _stop(tx, caller, before, save_as=saved.uuid)


def release(tx: Write, caller: Caller, notebook: int) -> Notebook:
    """Ask for a notebook to be removed for good; it is off the lists at once. `NotReleasable`."""
    before = own(tx, caller, notebook)
    if before.status not in RELEASABLE:
        raise NotReleasable(status=before.status.value)
    operation = operations.start(tx, caller, "notebook.release", target=before.id)
    return _ask(
        tx, caller, before, verb="release", wanted=Wanted.DELETED, operation=operation.id, stop_at=None, release_at=None
    )


def rename(tx: Write, caller: Caller, notebook: int, *, name: str) -> Notebook:
    """Give a notebook another name. `BadName`."""
    before = own(tx, caller, notebook)
    name = checked_name(name)
    after = change(tx, before, name=name, name_folded=fold(name))
    events.record(tx, caller, "notebook.rename", target=before.id, before={"name": before.name}, after={"name": name})
    return after


def get(tx: Read, caller: Caller, notebook: int) -> Notebook:
    """The notebook, if it is the caller's project's and not released. `NoSuchNotebook`."""
    row = tx.first(select(notebooks).where(notebooks.c.id == notebook))
    if row is None or not is_visible(caller, found := notebook_of(row)):
        raise NoSuchNotebook
    return found


def by_uuid(tx: Read, caller: Caller, uuid: UUID) -> Notebook:
    """The notebook of that UUID, if it is the caller's project's and not released. `NoSuchNotebook`."""
    row = tx.first(select(notebooks).where(notebooks.c.uuid == uuid))
    if row is None or not is_visible(caller, found := notebook_of(row)):
        raise NoSuchNotebook
    return found


def host_of(tx: Read, notebook: int) -> str | None:
    """Whose runtime has the notebook; None where there is no such notebook."""
    return tx.value(select(notebooks.c.host).where(notebooks.c.id == notebook))


def by_status(tx: Read) -> Mapping[str, int]:
    """How many notebooks there are of each status in the whole installation, those that are deleted left out."""
    rows = tx.all(numbers_by(COUNTED, "status"))
    return {row.status: row.number for row in rows if row.number and row.status != Status.DELETED}


def _stop(tx: Write, caller: Caller, before: Notebook, *, save_as: UUID | None) -> Notebook:
    operation = operations.start(tx, caller, "notebook.stop", target=before.id)
    return _ask(
        tx,
        caller,
        before,
        verb="stop",
        wanted=Wanted.STOPPED,
        save_as=save_as,
        reason=None,
        operation=operation.id,
        stop_at=None,
    )


def _ask(tx: Write, caller: Caller, before: Notebook, *, verb: str, **values: object) -> Notebook:
    after = change(tx, before, **values)
    events.record(
        tx,
        caller,
        f"notebook.{verb}",
        target=before.id,
        project=before.project,
        before={"status": before.status.value},
        after={"status": after.status.value},
    )
    tx.wake(WORKER)
    return after


def _chosen(tx: Read, caller: Caller, spec: NotebookSpec) -> tuple[Pool, Flavor]:
    """The pool that was named, or the first that has the kind; with its flavor of that kind."""
    if spec.pool is not None:
        pool = pools.find_by_name(tx, caller, spec.pool)
        flavor = pools.flavor_of(tx, pool.id, spec.kind)
        if flavor is None:
            raise NoFlavor(kind=spec.kind)
        return pool, flavor
    for pool, flavor in pools.offered(tx, caller):
        if flavor.kind == spec.kind:
            return pool, flavor
    raise NoFlavor(kind=spec.kind)


def _holding(
    hosts: Mapping[str, Capabilities], spec: NotebookSpec, *, home: Path
) -> tuple[tuple[Mount, ...], Mapping[str, Capabilities]]:
    """The mounts with clean paths, and the hosts where they hold; raises what the last one says when there is none."""
    clean: tuple[Mount, ...] = ()
    able: dict[str, Capabilities] = {}
    refused: MountRefused | None = None
    for host, capabilities in hosts.items():
        try:
            clean = checked_mounts(spec.mounts, capabilities, home=home)
            able[host] = capabilities
        except MountRefused as error:
            refused = error
    if refused is not None and not able:
        raise refused
    return clean, able


def _lock_owner(tx: Write, caller: Caller, feature: Feature) -> None:
    """Keep the user there and active; for a free notebook, let nobody make one for them meanwhile. `FreeTaken`."""
    if feature is Feature.FREE:
        tx.lock(select(users.users.c.id).where(users.users.c.id == caller.user))
    users.lock_active(tx, caller.user)
    if feature is Feature.FREE:
        has = select(notebooks.c.id).where(notebooks.c.owner_id == caller.user, FREE_THERE)
        if tx.first(has) is not None:
            raise FreeTaken


def _of_caller(caller: Caller) -> dict[str, object]:
    return {
        "project_id": caller.project,
        "owner_id": caller.user,
        "owner_name": caller.user_name,
        "owner_name_folded": fold(caller.user_name),
    }


def _of_spec(spec: NotebookSpec) -> dict[str, object]:
    description = checked_description(spec.description)
    volume = None if spec.volume is None else checked_volume(spec.volume)
    return {
        "feature": spec.feature.value,
        "workspace": spec.workspace,
        "description": description,
        "description_folded": fold(description),
        "volume_kind": None if volume is None else volume.kind.value,
        "volume_capacity": None if volume is None else volume.capacity,
    }


def of_image(image: Image) -> dict[str, object]:
    """The columns that say what image it is."""
    return {
        "image_id": image.id,
        "image_path": image.path,
        "image_path_folded": fold(image.path),
        "image_version": image.version,
        "image_size": image.size,
    }


def _of_pool(pool: Pool) -> dict[str, object]:
    return {"pool_id": pool.id, "pool_name": pool.name, "pool_short": pool.short}


def of_need(flavor: Flavor, need: Need) -> dict[str, object]:
    """The columns that say what it has of its node."""
    return {
        "kind": need.kind,
        "units": need.count,
        "model": flavor.model,
        "millicores": need.millicores,
        "memory": need.memory,
    }


def _at(tx: Read, placement: Placement) -> dict[str, Any]:
    node = nodes.get(tx, placement.node)
    return {"node_id": node.id, "node_address": node.address, "host": node.host}


def _span(limit: timedelta | None) -> int | None:
    """Microseconds, as spans are kept."""
    return None if limit is None else limit // MICROSECOND


def _fresh(tx: Write) -> dict[str, object]:
    return {
        "wanted": Wanted.RUNNING.value,
        "found": Found.NOTHING.value,
        "status": Status.CREATING.value,
        "listed": True,
        "settled": False,
        "ever_ran": False,
        "progress": 0,
        "losses": 0,
        "service_seen": False,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
