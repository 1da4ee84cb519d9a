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
from trivium.resources import images, nodes, pools
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
    for node in found:
        _set_flavors(tx, pool, node)


def has_built_in(tx: Read) -> bool:
    """Whether the built-in image is there, from this start or an earlier one."""
    return _image_at(tx, Path(sys.prefix)) is not None


async def furnish_image(store: Store, environments: Environments, caller: Caller, *, site: Site) -> None:
    """Make the built-in image of the environment that we run in ourselves, or take it as it is after an upgrade."""
    here = Path(sys.prefix)
    known = await store.search(_image_at, here)
    if known is not None and await environments.fingerprint(here) == known.fingerprint:
        return
    try:
        found = await environments.inspect(here)
    except EnvironmentRefused as error:
        log.warning("image.none_built_in", reason=error.message)
        return
    if known is not None:
        await store.write(images.adopt, known, found)
        return
    await store.write(_add_image, caller, site, found=found)


def _default_pool(tx: Write) -> Pool:
    uuid = uuid4()
    return pools.create(tx, uuid, name=f"default-{uuid.hex}", project=None)


def _set_flavors(tx: Write, pool: Pool, node: NodeFound) -> None:
    """One unit of each kind that the node has: a card with its share of the machine, or one core with some memory."""
    millicores = round(node.cores * 1000)
    pools.set_flavor(
        tx,
        pool.id,
        kind=CPU,
        model="CPU",
        device_memory=0,
        millicores=min(1000, millicores),
        memory=min(MOST_MEMORY_PER_CORE, round(node.memory / max(node.cores, 1))),
        declared=False,
    )
    for kind in sorted({card.kind for card in node.accelerators}):
        cards = [card for card in node.accelerators if card.kind == kind]
        _set_card(tx, pool, node, cards=cards)


def _set_card(tx: Write, pool: Pool, node: NodeFound, *, cards: Sequence[AcceleratorFound]) -> None:
    share = round(node.cores * 1000) // len(cards)
    pools.set_flavor(
        tx,
        pool.id,
        kind=cards[0].kind,
        model=cards[0].model,
        device_memory=min(card.memory for card in cards),
        millicores=share // 1000 * 1000 or share,  # whole cores where there are as many
        memory=node.memory // len(cards),
        declared=cards[0].declared,
    )


def _image_at(tx: Read, environment: Path) -> Image | None:
    return next((image for image in images.everywhere(tx) if image.preset and image.environment == environment), None)


def _add_image(tx: Write, caller: Caller, site: Site, *, found: EnvironmentFound) -> None:
    if _image_at(tx, Path(sys.prefix)) is not None:
        return
    version = f"{BUILT_IN}:{found.jupyterlab}-py{'.'.join(found.python.split('.')[:2])}"
    images.add(
        tx,
        caller,
        site,
        version=version,
        accelerator=CPU,
        environment=Path(sys.prefix),
        found=found,
        description=DESCRIPTION.format(version=found.jupyterlab, python=found.python),
    )
