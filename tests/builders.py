"""Prior state for tests, built as a platform comes to it: by calling services on a real store."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import update

from trivium.base.caller import SYSTEM, Caller, Role
from trivium.base.clock import Clock, ManualClock
from trivium.base.keyring import Keyring
from trivium.base.site import Site
from trivium.base.units import GIB
from trivium.resources import hosts, images, nodes, notebooks, pools, projects, users
from trivium.resources.hosts import Identity, Tenure
from trivium.resources.hosts.table import hosts as hosts_table
from trivium.resources.images import Image
from trivium.resources.images.ports import EnvironmentFound
from trivium.resources.nodes.ports import AcceleratorFound, NodeFound
from trivium.resources.notebooks import Notebook, NotebookSpec
from trivium.resources.notebooks.ports import Capabilities, Enforcement
from trivium.server.host.inventory import take_stock
from trivium.store import Store, Write

START = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
HOST = "test-host"
CAPABLE = Capabilities(
    runtime="process",
    uid_per_user=True,
    mount_namespace=True,
    cpu=Enforcement.ENFORCED,
    memory=Enforcement.ENFORCED,
    processes=Enforcement.ENFORCED,
    disk=Enforcement.DECLARED,
    shared_uid=False,
)


@dataclass
class Place:
    """A site with an open store, an administrator, and a clock that is moved by hand unless another was given."""

    store: Store
    clock: Clock
    keyring: Keyring
    site: Site
    admin: Caller

    def user(self, name: str, role: Role = Role.MEMBER) -> Caller:
        """A new user, as the caller that they are in their default project."""
        new = users.NewUser(name=name, role=role)
        made = self.store.write_now(users.create, SYSTEM, new, project_name=self.site.name)
        return Caller(user=made.id, user_name=made.name, project=made.project, role=made.role)

    def node(self, cores: float = 8, memory: int = 64 * GIB, cards: tuple[AcceleratorFound, ...] = ()) -> None:
        """What the machine has: the default pool, its node and its flavors follow."""
        found = node_found(cores, memory, cards)
        self.store.write_now(take_stock, (found,), host=HOST)

    def image(self, version: str = "base:1.0", accelerator: str = "cpu", environment: Path = Path("/nowhere")) -> Image:
        """An operator's image."""
        return self.store.write_now(
            images.add,
            self.admin,
            self.site,
            version=version,
            accelerator=accelerator,
            environment=environment,
            found=environment_found(),
        )

    def notebook(
        self, caller: Caller, image: Image, name: str | None = None, kind: str = "cpu", count: int = 1, **asked: Any
    ) -> Notebook:
        """A notebook that was just asked for."""
        spec = NotebookSpec(name=name, image_path=image.path, kind=kind, count=count, **asked)
        return self.store.write_now(notebooks.create, caller, self.site, spec=spec, hosts={HOST: CAPABLE})


@contextmanager
def place(url: str, clock: Clock | None = None) -> Iterator[Place]:
    """A new site on an empty database."""
    clock = clock or ManualClock(START)
    store = Store.open(url, clock, "test")
    try:
        keyring = Keyring(secrets.token_bytes(32))
        site = site_at(Path(tempfile.gettempdir()) / "homes")
        store.write_now(projects.ensure_domain, SYSTEM)
        new = users.NewUser(name="admin", role=Role.ADMIN)
        made = store.write_now(users.create, SYSTEM, new, project_name=site.name)
        admin = Caller(user=made.id, user_name=made.name, project=made.project, role=made.role)
        yield Place(store=store, clock=clock, keyring=keyring, site=site, admin=admin)
    finally:
        store.close()


def held(tx: Write, host: str) -> Tenure:
    """The right to act on a host, which whoever had it before has lost."""
    known = hosts.get(tx, host)
    mine = Identity(id=host, name=host, machine="machine", data="/nowhere")
    since = 0 if known is None else known.epoch
    tenure = hosts.take(tx, mine, worker=1, since=since, epoch=since + 1)
    assert tenure is not None
    return tenure


def held_for_good(tx: Write, host: str) -> Tenure:
    """The same, for a test that may take longer than a lease: nobody renews it."""
    tenure = held(tx, host)
    tomorrow = tx.database_now() + timedelta(days=1)
    tx.run(update(hosts_table).where(hosts_table.c.id == host).values(lease_until=tomorrow))
    return tenure


def site_at(homes: Path, **values: object) -> Site:
    """A site as the settings' defaults make it."""
    return Site(
        id=10001,
        name="trivium",
        registry="registry.test",
        url="http://127.0.0.1:8800",
        proxy_url="http://127.0.0.1:8801",
        homes=homes,
        **values,  # type: ignore[arg-type]
    )


def node_found(cores: float, memory: int, cards: tuple[AcceleratorFound, ...] = ()) -> NodeFound:
    """A machine."""
    return NodeFound(
        name="node-1",
        address="192.0.2.1",
        ready=True,
        reason="",
        cores=cores,
        memory=memory,
        disk=100 * GIB,
        accelerators=cards,
    )


def cards(kind: str, count: int) -> tuple[AcceleratorFound, ...]:
    """So many accelerators of a kind."""
    return tuple(
        AcceleratorFound(index=index, kind=kind, model=kind.upper(), memory=16 * GIB, declared=True)
        for index in range(count)
    )


def environment_found() -> EnvironmentFound:
    """What an inspection of some environment gave."""
    digest = hashlib.sha256(uuid4().bytes).hexdigest()
    return EnvironmentFound(
        python="3.11.7",
        jupyterlab="4.6.6",
        ipykernel="7.4.0",
        size=123_456_789,
        digest=f"sha256:{digest}",
        fingerprint=digest,
    )


def free_of(place: Place, kind: str) -> nodes.Availability:
    """What the default pool has of a kind."""

    def look(tx: object) -> nodes.Availability:
        pool = pools.default_pool(tx)  # type: ignore[arg-type]
        assert pool is not None
        flavors = pools.flavors_of(tx, pool.id)  # type: ignore[arg-type]
        return nodes.availability(tx, flavors)[pool.id, kind]  # type: ignore[arg-type]

    return place.store.read_now(look)


HOUR = timedelta(hours=1)
