"""The built-in image: the environment that Trivium runs in itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import structlog

from trivium.base.caller import Caller
from trivium.base.site import Site
from trivium.resources import hosts, images
from trivium.resources.images import EnvironmentRefused, Image
from trivium.resources.images.ports import EnvironmentFound, Environments
from trivium.resources.pools import CPU
from trivium.store import Read, Store, Write

log = structlog.get_logger()
BUILT_IN: Final = "jupyterlab"
DESCRIPTION: Final = "JupyterLab {version}, Python {python}"


def is_there(tx: Read) -> bool:
    """Whether the built-in image is there, from this start or an earlier one."""
    return _image_at(tx, Path(sys.prefix)) is not None


async def ensure(store: Store, environments: Environments, caller: Caller, *, site: Site, host: str) -> None:
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
