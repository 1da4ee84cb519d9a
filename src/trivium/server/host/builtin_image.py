"""The built-in image: the environment that Trivium runs in itself."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
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


def is_there(tx: Read, site: Site, caller: Caller) -> bool:
    """Whether the built-in image is there, from this start or an earlier one."""
    return _built_in(tx, lambda: _path(site, caller)) is not None


async def ensure(store: Store, environments: Environments, caller: Caller, *, site: Site, host: str) -> None:
    """Make the built-in image of the environment that we run in ourselves, or take it as it is after an upgrade.

    One of an environment that is not there any more is made of ours instead: Trivium was installed anew elsewhere.
    While that is there, it is left as it is. So it is where another host that is there has the image as it was: then
    this one has another environment.
    """
    here = Path(sys.prefix)
    known = await store.search(_built_in, lambda: _path(site, caller))
    if known is not None and known.environment != here and known.environment.exists():
        log.info("image.built_in_elsewhere", environment=str(known.environment))
        return
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
    if image.environment != Path(sys.prefix):
        image = images.relocate(tx, image, Path(sys.prefix))
    if set(images.fingerprints_of(tx, image)) & set(hosts.held_now(tx)):
        return False
    images.adopt(tx, image, found)
    images.note_fingerprint(tx, images.get_any(tx, image.id), host, fingerprint=found.fingerprint)
    return True


def _built_in(tx: Read, path_of: Callable[[], str | None]) -> Image | None:
    """The operator's image of our environment, else the one of that path, which was made of another."""
    preset = [image for image in images.everywhere(tx) if image.preset]
    mine = next((image for image in preset if image.environment == Path(sys.prefix)), None)
    if mine is not None or not preset:
        return mine
    path = path_of()
    return next((image for image in preset if image.path == path), None)


def _path(site: Site, caller: Caller) -> str | None:
    """The path that the built-in image of our environment has; None without a JupyterLab in it."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - takes long to import

    try:
        jupyterlab = version("jupyterlab")
    except PackageNotFoundError:
        return None
    return images.image_path(site, CPU, caller.user_name, version=_version(jupyterlab, platform.python_version()))


def _version(jupyterlab: str | None, python: str) -> str:
    return f"{BUILT_IN}:{jupyterlab}-py{'.'.join(python.split('.')[:2])}"


def _add_image(tx: Write, caller: Caller, site: Site, *, host: str, found: EnvironmentFound) -> None:
    if _built_in(tx, lambda: None) is not None:
        return
    made = images.add(
        tx,
        caller,
        site,
        version=_version(found.jupyterlab, found.python),
        accelerator=CPU,
        environment=Path(sys.prefix),
        found=found,
        description=DESCRIPTION.format(version=found.jupyterlab, python=found.python),
    )
    images.note_fingerprint(tx, made, host, fingerprint=found.fingerprint)
