"""What a site begins with beside its accounts: the default pool, this machine in it, flavors, the built-in image."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog

from trivium.base.caller import Caller
from trivium.base.site import Site
from trivium.base.units import GIB
from trivium.resources import hosts, images, nodes, pools
from trivium.resources.images import EnvironmentRefused, Image
from trivium.resources.images.ports import EnvironmentFound, Environments
from trivium.resources.nodes.ports import AcceleratorFound, NodeFound
from trivium.resources.pools import CPU, Pool
from trivium.store import Read, Store, Write, migrations

log = structlog.get_logger()
MOST_MEMORY_PER_CORE: Final = 4 * GIB
BUILT_IN: Final = "jupyterlab"
DESCRIPTION: Final = "JupyterLab {version}, Python {python}"


def take_stock(tx: Write, found: Sequence[NodeFound], *, host: str) -> None:
    """Write down what the runtime found; the default pool and its flavors are made and follow what is there."""
    migrations.lock(tx.connection, tx.flavour)  # two servers that start at once make one default pool
    pool = pools.default_pool(tx) or _default_pool(tx)
    nodes.take_stock(tx, found, host=host, pool=pool.id, new_uuid=uuid4)
    there = [node for node in nodes.in_pool(tx, pool.id) if node.ready]
    if there:
        _set_flavors(tx, pool, there)


def has_built_in(tx: Read) -> bool:
    """Whether the built-in image is there, from this start or an earlier one."""
    return _image_at(tx, Path(sys.prefix)) is not None


async def furnish_image(store: Store, environments: Environments, caller: Caller, *, site: Site, host: str) -> None:
    """Make the built-in image of the environment that we run in ourselves, or take it as it is after an upgrade.

    Where another host that is there has the image as it was, it is left so: then this one has another environment.
    """
    here = Path(sys.prefix)
    known = await store.search(_image_at, here)
    fingerprint = None if known is None else await environments.fingerprint(here)
    if known is not None and fingerprint in (known.fingerprint, await _seen_here(store, known, host)):
        return
    try:
        found = await environments.inspect(here)
    except EnvironmentRefused as error:
        log.warning("image.none_built_in", reason=error.message)
        return
    if known is None:
        await store.write(_add_image, caller, site, host=host, found=found)
    elif not await store.write(_adopt, known, host=host, found=found):
        log.warning("image.differs", environment=str(here), remedy="copy the environment from the other machine")


def _default_pool(tx: Write) -> Pool:
    uuid = uuid4()
    return pools.create(tx, uuid, name=f"default-{uuid.hex}", project=None)


def _set_flavors(tx: Write, pool: Pool, found: Sequence[NodeFound]) -> None:
    """One unit of each kind that there is: a card with its share of its machine, or one core with some memory.

    Where machines differ, a unit is what the smallest gives, so that it fits everywhere.
    """
    pools.set_flavor(
        tx,
        pool.id,
        kind=CPU,
        model="CPU",
        device_memory=0,
        millicores=min(1000, *(round(node.cores * 1000) for node in found)),
        memory=min(MOST_MEMORY_PER_CORE, *(round(node.memory / max(node.cores, 1)) for node in found)),
        declared=False,
    )
    for kind in sorted({card.kind for node in found for card in node.accelerators}):
        _set_card(tx, pool, [(node, cards) for node in found if (cards := _of_kind(node, kind))])


def _of_kind(node: NodeFound, kind: str) -> Sequence[AcceleratorFound]:
    return [card for card in node.accelerators if card.kind == kind]


def _set_card(tx: Write, pool: Pool, found: Sequence[tuple[NodeFound, Sequence[AcceleratorFound]]]) -> None:
    share = min(round(node.cores * 1000) // len(cards) for node, cards in found)
    first = found[0][1][0]
    pools.set_flavor(
        tx,
        pool.id,
        kind=first.kind,
        model=first.model,
        device_memory=min(card.memory for _, cards in found for card in cards),
        millicores=share // 1000 * 1000 or share,  # whole cores where there are as many
        memory=min(node.memory // len(cards) for node, cards in found),
        declared=first.declared,
    )


async def _seen_here(store: Store, image: Image, host: str) -> str | None:
    return (await store.read(images.fingerprints_of, image)).get(host)


def _adopt(tx: Write, image: Image, *, host: str, found: EnvironmentFound) -> bool:
    """Take the image as it is here, unless another host that is there has it as it was."""
    if found.digest == image.environment_digest:
        images.note_fingerprint(tx, image, host, fingerprint=found.fingerprint)
        return True
    images.forget_fingerprint(tx, image, host)
    if set(images.fingerprints_of(tx, image)) & set(hosts.held_now(tx)):
        return False
    images.adopt(tx, image, found)
    images.note_fingerprint(tx, images.get_any(tx, image.id), host, fingerprint=found.fingerprint)
    return True


def _image_at(tx: Read, environment: Path) -> Image | None:
    return next((image for image in images.everywhere(tx) if image.preset and image.environment == environment), None)


def _add_image(tx: Write, caller: Caller, site: Site, *, host: str, found: EnvironmentFound) -> None:
    if _image_at(tx, Path(sys.prefix)) is not None:
        return
    version = f"{BUILT_IN}:{found.jupyterlab}-py{'.'.join(found.python.split('.')[:2])}"
    made = images.add(
        tx,
        caller,
        site,
        version=version,
        accelerator=CPU,
        environment=Path(sys.prefix),
        found=found,
        description=DESCRIPTION.format(version=found.jupyterlab, python=found.python),
    )
    images.note_fingerprint(tx, made, host, fingerprint=found.fingerprint)
