"""Rows for benchmarks, made by the rooms' own services: each notebook was created, ran, and stopped or failed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import insert, select

from trivium.base.caller import Caller
from trivium.base.clock import SystemClock
from trivium.base.site import Site
from trivium.resources import hosts, images, notebooks, users
from trivium.resources.images import Image
from trivium.resources.images.ports import EnvironmentFound
from trivium.resources.notebooks import NOTEBOOKS, Notebook, NotebookSpec
from trivium.resources.notebooks.outcomes import note_alive, note_failed, note_stopped
from trivium.resources.notebooks.ports import (
    Address,
    Capabilities,
    Ending,
    Enforcement,
    Exit,
    LaunchKey,
    Observation,
    Phase,
)
from trivium.store import Read, Store, Write

BATCH: Final = 50
MADE: Final = 100
FAILED_OF: Final = 5  # every fifth notebook failed
CAPABLE: Final = Capabilities(
    runtime="process",
    uid_per_user=True,
    mount_namespace=True,
    cpu=Enforcement.ENFORCED,
    memory=Enforcement.ENFORCED,
    processes=Enforcement.ENFORCED,
    disk=Enforcement.DECLARED,
    shared_uid=False,
)


def seed_notebooks(url: str, rows: int) -> None:
    """So many settled notebooks of the administrator's, newest last.

    The first `MADE` are made by the rooms' services; the others are copies of these, with ids and names of their own.
    """
    store = Store.open(url, SystemClock(), "cli")
    try:
        caller = store.read_now(_admin)
        site = Site(id=1, name="bench", registry="bench.local", url="", proxy_url="", homes=Path("/nowhere"))
        image = store.write_now(_image, caller, site)
        able = {host.id: CAPABLE for host in store.read_now(hosts.everywhere)}
        made = min(rows, MADE)
        for first in range(0, made, BATCH):
            store.write_now(_some, caller, site, able=able, image=image, numbers=range(first, min(first + BATCH, made)))
        for first in range(made, rows, MADE):
            store.write_now(_copy, range(first, min(first + MADE, rows)))
    finally:
        store.close()


def _admin(tx: Read) -> Caller:
    user = users.oldest_admin(tx)
    assert user is not None
    return Caller(user=user.id, user_name=user.name, project=user.project, role=user.role)


def _image(tx: Write, caller: Caller, site: Site) -> Image:
    found = EnvironmentFound(
        python="3.11.7",
        jupyterlab="4.6.6",
        ipykernel="7.4.0",
        size=5_000_000_000,
        digest=f"sha256:{'5' * 64}",
        fingerprint="5" * 64,
    )
    return images.add(
        tx, caller, site, version="pytorch:2.5.1", accelerator="cpu", environment=Path("/nowhere"), found=found
    )


def _some(
    tx: Write, caller: Caller, site: Site, *, able: Mapping[str, Capabilities], image: Image, numbers: range
) -> None:
    for number in numbers:
        spec = NotebookSpec(name=f"training-{number}", image_path=image.path, kind="cpu", count=1)
        made = notebooks.create(tx, caller, site, spec=spec, hosts=able)
        _lived(tx, caller, made, fails=number % FAILED_OF == 0)


def _copy(tx: Write, numbers: range) -> None:
    table = NOTEBOOKS.table
    there = tx.all(select(table).order_by(table.c.id).limit(len(numbers)))
    copies: list[dict[str, Any]] = []
    for number, row in zip(numbers, there, strict=True):
        name = f"training-{number}"
        copies.append({**row._mapping, "id": tx.ids.next(), "uuid": uuid4(), "name": name, "name_folded": name})
    tx.run(insert(table), copies)


def _lived(tx: Write, caller: Caller, made: Notebook, *, fails: bool) -> None:
    key = LaunchKey(launch=made.id, generation=made.generation)
    runs = Observation(key=key, phase=Phase.RUNNING, address=Address(port=1), workload=f"{made.id:064x}")
    note_alive(tx, made, runs)
    there = notebooks.get(tx, caller, made.id)
    if fails:
        exit = Exit(ending=Ending.OUT_OF_MEMORY, signal=9, detail="8 GiB")
        note_failed(tx, there, Observation(key=key, phase=Phase.ENDED, exit=exit))
        return
    notebooks.stop(tx, caller, made.id)
    note_stopped(tx, notebooks.get(tx, caller, made.id))
